//! Stores that are opened to be read, also where nothing may be written.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::support::file;
use crate::support::{
    self, Notebook, Pages, Settings, assert_same_bytes, content, give, note, place, refused,
};
use heirloom::__private::StorageHook;
use heirloom::sync::Summary;
use heirloom::{ErrorKind, Kv, Store};
use tempfile::TempDir;

use super::formats::first::Fixture;

/// A folder in which nothing may be written, as long as this lives.
struct ReadOnlyFolder(TempDir);

impl ReadOnlyFolder {
    fn of(folder: TempDir) -> Self {
        let this = Self(folder);
        this.allow_writes(false);
        // Root may write all the same, but not to what is mounted to be read.
        if File::create(this.0.path().join("probe")).is_ok() {
            fs::remove_file(this.0.path().join("probe")).unwrap();
            let path = this.0.path().to_str().unwrap();
            let is_mounted = run("mount", &["--bind", path, path])
                && run("mount", &["-o", "remount,bind,ro", path]);
            eprintln!("mounted read-only: {is_mounted}");
        }
        this
    }

    fn allow_writes(&self, allowed: bool) {
        let path = self.0.path();
        let files = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        for path in files.chain([path.to_owned()]) {
            let mut permissions = fs::metadata(&path).unwrap().permissions();
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mode = permissions.mode();
                permissions.set_mode(if allowed { mode | 0o200 } else { mode & !0o222 });
            }
            #[cfg(not(unix))]
            permissions.set_readonly(!allowed);
            fs::set_permissions(&path, permissions).unwrap();
        }
    }
}

impl Drop for ReadOnlyFolder {
    fn drop(&mut self) {
        run("umount", &[self.0.path().to_str().unwrap()]);
        self.allow_writes(true);
    }
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|done| done.status.success())
}

/// A hook that lets nothing through.
fn refuse_all() -> StorageHook {
    Arc::new(|_| Err(io::ErrorKind::ReadOnlyFilesystem.into()))
}

/// Opens the file to be read, such that any change of it fails.
fn reader<S: Store>(path: &Path) -> heirloom::Result<S> {
    S::builder().read_only(true).storage_hook(refuse_all()).open(path)
}

/// Does the work, after which the file is as it was before, with its time of modification.
fn leaving_as_it_is<T>(path: &Path, work: impl FnOnce() -> T) -> T {
    let modified = || fs::metadata(path).unwrap().modified().unwrap();
    let before = (fs::read(path).unwrap(), modified());
    let done = work();
    assert_same_bytes(&before.0, &fs::read(path).unwrap());
    assert_eq!(before.1, modified());
    done
}

fn with_two_notes() -> (TempDir, PathBuf) {
    let (folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    app.notes.insert_many([note(1, "milk"), note(2, "bread")]).unwrap();
    app.build_indexes().unwrap();
    (folder, path)
}

#[test]
fn a_store_opens_for_reading_where_nothing_may_be_written() {
    let (folder, path) = with_two_notes();
    let expected = content(&Notebook::open(&path).unwrap());
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = ReadOnlyFolder::of(folder);
    leaving_as_it_is(&path, || {
        let app = reader::<Notebook>(&path).unwrap();
        assert_eq!(content(&app), expected);
        assert_eq!(app.notes.filter(support::Note::STARS.eq(0)).count().unwrap(), 2);
        assert_eq!(app.snapshot().unwrap().len::<support::Note>().unwrap(), 2);
        assert!(!app.status().unwrap().is_damaged());
        let peer = Notebook::in_memory().unwrap();
        give(&app, &peer);
        assert_eq!(content(&peer), expected);
        let backup = elsewhere.path().join("backup.redb");
        app.backup(&backup).unwrap();
        assert_eq!(content(&Notebook::open(&backup).unwrap()), expected);
        drop(app);

        assert_eq!(Notebook::check(&path).unwrap().rows(), 2);
        Notebook::preview_migration(&path).unwrap();
        assert_eq!(heirloom::inspect::open(&path).unwrap().store(), "notebook");
    });
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 1);
}

#[test]
fn every_write_to_a_store_opened_for_reading_is_refused() {
    let (_folder, path) = with_two_notes();
    let peer = Notebook::in_memory().unwrap();
    peer.notes.insert(&note(3, "of the peer")).unwrap();
    let changes = peer.changes_since(&Summary::default()).unwrap();
    let writes: [fn(&Notebook) -> heirloom::Result<()>; 13] = [
        |app| app.notes.insert(&note(9, "new")),
        |app| app.notes.put(&note(1, "new")),
        |app| app.notes.update(&1, |note| note.stars = 5).map(drop),
        |app| app.notes.remove(&1).map(drop),
        |app| app.notes.insert_many([note(9, "new")]).map(drop),
        |app| app.notes.query().remove_all().map(drop),
        |app| app.transaction(|tx| tx.put(&note(1, "new"))),
        |app| app.transaction(|_| Ok(())),
        |app| app.compact_history(),
        |app| app.prune_epochs().map(drop),
        |app| app.build_indexes(),
        |app| app.rebuild_indexes(),
        |app| app.backfill_defaults().map(drop),
    ];
    leaving_as_it_is(&path, || {
        let app = reader::<Notebook>(&path).unwrap();
        let before = content(&app);
        for (nth, write) in writes.iter().enumerate() {
            let error = refused(write(&app));
            assert_eq!(error.kind(), ErrorKind::ReadOnly, "write {nth}: {error}");
            assert_eq!(content(&app), before, "write {nth}");
        }
        let error = refused(app.apply(&changes));
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
        assert_eq!(content(&app), before);
    });
    Notebook::open(&path).unwrap().apply(&changes).unwrap();
}

#[test]
fn a_file_that_has_readers_is_not_opened_to_write() {
    let (_folder, path) = with_two_notes();
    let first = reader::<Notebook>(&path).unwrap();
    let second = reader::<Notebook>(&path).unwrap();
    assert_eq!(content(&first), content(&second));
    assert_eq!(refused(Notebook::open(&path).map(drop)).kind(), ErrorKind::Locked);
    drop(first);
    assert_eq!(refused(Notebook::open(&path).map(drop)).kind(), ErrorKind::Locked);
    drop(second);
    Notebook::open(&path).unwrap();
}

#[test]
fn a_store_that_was_not_closed_is_read_and_repaired_in_memory_alone() {
    let (folder, path) = with_two_notes();
    let app = Notebook::open(&path).unwrap();
    app.notes.insert(&note(3, "the last")).unwrap();
    let cut_off = folder.path().join("cut-off.redb");
    fs::copy(&path, &cut_off).unwrap();
    for _ in 0..2 {
        leaving_as_it_is(&cut_off, || {
            assert_eq!(content(&reader::<Notebook>(&cut_off).unwrap()), content(&app));
        });
    }
}

#[test]
fn what_is_missing_or_in_memory_is_not_made_to_be_read() {
    let (folder, path) = place();
    for error in [
        refused(reader::<Notebook>(&path).map(drop)),
        refused(Notebook::check(&path)),
        refused(Notebook::preview_migration(&path)),
        refused(Notebook::builder().read_only(true).in_memory().map(drop)),
    ] {
        assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_of_another_epoch_is_refused_and_can_be_previewed() {
    let (folder, path) = with_two_notes();
    {
        let _folder = ReadOnlyFolder::of(folder);
        leaving_as_it_is(&path, || {
            let error = refused(reader::<Pages>(&path).map(drop));
            assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
            assert!(error.to_string().contains("earlier epoch"), "{error}");
            let preview = Pages::preview_migration(&path).unwrap();
            assert!(preview.to_string().contains("notes"), "{preview}");
            assert_eq!(Pages::check(&path).unwrap().rows(), 2);
        });
    }

    let (_folder, path) = with_two_notes();
    assert_eq!(Pages::open(&path).unwrap().notes.len().unwrap(), 2);
    leaving_as_it_is(&path, || {
        assert_eq!(reader::<Pages>(&path).unwrap().notes.len().unwrap(), 2);
        let error = refused(reader::<Notebook>(&path).map(drop));
        assert_eq!(error.kind(), ErrorKind::NewerEpoch, "{error}");
    });
}

/// Code that does not declare the notes.
#[derive(Store)]
#[store(name = "notebook")]
struct OnlySettings {
    settings: Kv<Settings>,
}

#[test]
fn a_file_whose_keys_are_stored_otherwise_is_refused() {
    let (_folder, path) = place();
    let peer = Notebook::in_memory().unwrap();
    peer.notes.insert(&note(1, "of a table unknown here")).unwrap();
    give(&peer, &OnlySettings::open(&path).unwrap());
    leaving_as_it_is(&path, || {
        reader::<OnlySettings>(&path).unwrap();
        let error = refused(reader::<Notebook>(&path).map(drop));
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
        assert!(error.to_string().contains("`notes`"), "{error}");
    });
    Notebook::open(&path).unwrap();
    assert_eq!(content(&reader::<Notebook>(&path).unwrap()), content(&peer));
}

#[test]
fn the_rows_of_a_file_of_format_1_can_be_read() {
    let (_folder, path) = place();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/format-1.redb");
    fs::copy(fixture, &path).unwrap();
    leaving_as_it_is(&path, || {
        let app = reader::<Fixture>(&path).unwrap();
        assert_eq!(app.counters.get(&7).unwrap().unwrap().text, "of a peer");
        assert!(!app.recordings.is_empty().unwrap());
        let error = refused(app.summary());
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
        assert_eq!(refused(app.counters.remove(&7)).kind(), ErrorKind::ReadOnly);
    });
    assert_eq!(file::meta(&path, "format").unwrap(), 1u64.to_le_bytes());
}
