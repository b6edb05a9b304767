//! Any name that the system allows is the name of a store, and any other is refused by a clear error.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Notebook, assert_sound, child, note, place, refused, rows};
use heirloom::ErrorKind;

/// Makes a store at a path, opens it again, and gives the device that both times wrote.
#[track_caller]
fn goes_on(path: &Path) {
    let device = {
        let app = Notebook::open(path).unwrap();
        app.notes.insert(&note(1, "first")).unwrap();
        app.status().unwrap().device()
    };
    let app = Notebook::open(path).unwrap();
    app.notes.insert(&note(2, "second")).unwrap();
    assert_eq!(rows(&app.notes).len(), 2);
    assert_eq!(app.status().unwrap().device(), device, "it is the same file in the same place");
    drop(app);
    assert_sound::<Notebook>(path);
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into()).collect();
    names.sort();
    names
}

#[test]
fn a_name_may_be_as_long_as_the_system_allows_and_hold_anything() {
    let (folder, _) = place();
    let longest = "n".repeat(255);
    let all = ["my notes.redb", " ", "ä€😀.redb", ".hidden", "a\nb", longest.as_str()];
    for name in all {
        goes_on(&folder.path().join(name));
    }
    // Nothing else is left there.
    assert_eq!(names(folder.path()).len(), all.len());
    let path = folder.path().join("n".repeat(256));
    let error = refused(Notebook::open(&path));
    assert_eq!((error.kind(), error.file()), (ErrorKind::Storage, Some(&*path)), "{error}");
    assert!(error.to_string().contains("choose another name"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_name_need_not_be_unicode() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let (folder, _) = place();
    goes_on(&folder.path().join(OsStr::from_bytes(b"\xff\xfe notes.redb")));
}

#[cfg(unix)]
#[test]
fn a_store_is_made_behind_a_link_to_nothing() {
    use std::os::unix::fs::symlink;

    let (folder, _) = place();
    let folder = folder.path();
    fs::create_dir(folder.join("disk")).unwrap();
    // A link to a link, both relative to where they stand.
    symlink("disk/other", folder.join("link")).unwrap();
    symlink("real.redb", folder.join("disk/other")).unwrap();
    goes_on(&folder.join("link"));
    assert!(fs::symlink_metadata(folder.join("link")).unwrap().is_symlink());
    assert!(fs::symlink_metadata(folder.join("disk/real.redb")).unwrap().is_file());
    let app = Notebook::open(folder.join("disk/real.redb")).unwrap();
    assert_eq!(rows(&app.notes).len(), 2);

    symlink("no/folder/real.redb", folder.join("astray")).unwrap();
    symlink("round", folder.join("round")).unwrap();
    for (name, said) in [("astray", "no/folder/real.redb"), ("round", "links")] {
        let path = folder.join(name);
        let error = refused(Notebook::open(&path));
        assert_eq!((error.kind(), error.file()), (ErrorKind::Storage, Some(&*path)), "{error}");
        assert!(format!("{error:?}").contains(said), "{error:?}");
    }
    assert!(refused(Notebook::check(folder.join("astray"))).kind() == ErrorKind::Storage);
}

#[cfg(unix)]
#[test]
fn a_backup_is_made_behind_a_link_to_nothing_and_never_over_a_file() {
    let (folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    app.notes.insert(&note(1, "kept")).unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("copy.redb", &link).unwrap();
    app.backup(&link).unwrap();
    assert_eq!(refused(app.backup(&link)).kind(), ErrorKind::AlreadyExists);
    let copy = Notebook::open(folder.path().join("copy.redb")).unwrap();
    assert_eq!(rows(&copy.notes).len(), 1);
}

const RELATIVE: &str = concat!(
    module_path!(),
    "::a_relative_path_stays_what_it_was_when_the_current_directory_changes"
);

/// In a process of its own, since all tests of one share the current directory.
#[test]
fn a_relative_path_stays_what_it_was_when_the_current_directory_changes() {
    if let Some(folder) = child::role() {
        let folder = PathBuf::from(folder);
        fs::create_dir_all(folder.join("elsewhere")).unwrap();
        std::env::set_current_dir(&folder).unwrap();
        let app = Notebook::open("notes.redb").unwrap();
        app.notes.insert(&note(1, "before")).unwrap();
        let device = app.status().unwrap().device();
        std::env::set_current_dir(folder.join("elsewhere")).unwrap();
        app.notes.insert(&note(2, "after")).unwrap();
        drop(app);
        let app = Notebook::open("../notes.redb").unwrap();
        app.notes.insert(&note(3, "again")).unwrap();
        assert_eq!(app.status().unwrap().device(), device);
        assert_eq!(rows(&app.notes).len(), 3);
        return;
    }
    let (folder, _) = place();
    let output = child::run(RELATIVE, folder.path().to_str().unwrap());
    assert!(output.status.success(), "{output:?}");
    assert_eq!(names(folder.path()), [Path::new("elsewhere"), Path::new("notes.redb")]);
    assert!(names(&folder.path().join("elsewhere")).is_empty());
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_said_so() {
    use std::os::unix::fs::PermissionsExt;

    let (folder, path) = place();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.path().join("probe"), "").is_ok() {
        // An administrator may write anywhere.
        return;
    }
    let error = refused(Notebook::open(&path));
    assert_eq!((error.kind(), error.file()), (ErrorKind::Storage, Some(&*path)), "{error}");
    assert!(error.to_string().contains("may be read and written"), "{error}");
}
