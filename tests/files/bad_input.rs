//! Paths and files that are no store, or no longer one: clear errors, and nothing lost.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::support::{Notebook, assert_same_bytes, note, place, refused};
use heirloom::{Error, ErrorKind};

/// How long one damaged file may take; many times what a whole one does.
const LIMIT: Duration = Duration::from_secs(20);

#[track_caller]
fn clear(error: &Error, kind: ErrorKind, path: &Path) {
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!((error.file(), error.store()), (Some(path), Some("notebook")), "{error}");
    // The mistake, its place, and what to do.
    assert!(error.to_string().contains("; "), "{error}");
}

#[test]
fn a_folder_is_no_file() {
    let (folder, _) = place();
    fs::write(folder.path().join("inside"), "kept").unwrap();
    let path = folder.path();
    clear(&refused(Notebook::open(path)), ErrorKind::Storage, path);
    clear(&refused(Notebook::check(path)), ErrorKind::Storage, path);
    assert_eq!(fs::read(path.join("inside")).unwrap(), b"kept");
}

#[test]
fn a_missing_folder_is_not_made() {
    let (folder, _) = place();
    for path in [folder.path().join("no/such/notebook.redb"), "".into()] {
        clear(&refused(Notebook::open(&path)), ErrorKind::Storage, &path);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_in_the_place_of_a_folder_is_said_so() {
    let (_folder, path) = place();
    fs::write(&path, "a file").unwrap();
    let below = path.join("notebook.redb");
    clear(&refused(Notebook::open(&below)), ErrorKind::Storage, &below);
}

#[test]
fn checking_makes_no_file() {
    let (_folder, path) = place();
    clear(&refused(Notebook::check(&path)), ErrorKind::Storage, &path);
    assert!(!path.exists());
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_said_so() {
    use std::os::unix::fs::PermissionsExt;

    let (_folder, path) = place();
    filled(&path);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        // An administrator may read anything.
        return;
    }
    clear(&refused(Notebook::open(&path)), ErrorKind::Storage, &path);
}

#[test]
fn an_empty_file_is_no_store_and_is_not_made_one() {
    let (_folder, path) = place();
    fs::write(&path, "").unwrap();
    for error in [refused(Notebook::open(&path)), refused(Notebook::check(&path))] {
        clear(&error, ErrorKind::Corrupt, &path);
    }
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn a_file_of_anything_else_is_refused_unharmed() {
    let (_folder, path) = place();
    let text = "not a database, but long enough to be taken for one ".repeat(1000);
    for garbage in [b"x".as_slice(), text.as_bytes(), &[0; 5000], &[0xff; 1 << 20]] {
        fs::write(&path, garbage).unwrap();
        for error in [refused(Notebook::open(&path)), refused(Notebook::check(&path))] {
            clear(&error, ErrorKind::Corrupt, &path);
        }
        assert_same_bytes(garbage, &fs::read(&path).unwrap());
    }
}

/// A real file with some of everything.
fn filled(path: &Path) {
    let app = Notebook::open(path).unwrap();
    for round in 0..4 {
        app.notes
            .insert_many((0..50).map(|id| note(round * 50 + id, &"text ".repeat(10))))
            .unwrap();
        app.notes.remove(&(round * 50)).unwrap();
        app.settings.size.set(&round).unwrap();
    }
}

/// Does with the file what an app and its developer would, whatever comes back.
fn use_everything(path: &Path) {
    let ignored = |error: Error| assert!(!error.to_string().is_empty());
    let with = |app: Notebook| {
        app.notes.len().map(drop).unwrap_or_else(ignored);
        match app.notes.iter() {
            // After an error a table may be at its end; it must have one.
            Ok(rows) => assert!(rows.take(10_000).count() < 10_000, "it does not end"),
            Err(error) => ignored(error),
        }
        app.notes.get(&77).map(drop).unwrap_or_else(ignored);
        app.notes.invalid().map(drop).unwrap_or_else(ignored);
        app.settings.get().map(drop).unwrap_or_else(ignored);
        app.summary().map(drop).unwrap_or_else(ignored);
        app.notes.put(&note(77, "written")).unwrap_or_else(ignored);
        app.notes.remove(&3).map(drop).unwrap_or_else(ignored);
        app.changes_since(&<_>::default()).map(drop).unwrap_or_else(ignored);
    };
    Notebook::open(path).map(with).unwrap_or_else(ignored);
    Notebook::check(path).map(drop).unwrap_or_else(ignored);
}

/// Runs `use_everything` on a file of these bytes, and says what went wrong.
fn survives(bytes: &[u8], what: &str) {
    let (_folder, path) = place();
    fs::write(&path, bytes).unwrap();
    let (done, outcome) = channel();
    let worker = std::thread::spawn(move || {
        let used = catch_unwind(AssertUnwindSafe(|| use_everything(&path)));
        done.send(used.is_ok()).unwrap();
    });
    match outcome.recv_timeout(LIMIT) {
        Ok(true) => worker.join().unwrap(),
        Ok(false) => panic!("a panic came through: {what}"),
        Err(_) => panic!("it hangs: {what}"),
    }
}

fn real_file() -> Vec<u8> {
    let (_folder, path) = place();
    filled(&path);
    fs::read(&path).unwrap()
}

#[test]
fn a_file_cut_at_any_length_panics_nobody() {
    let bytes = real_file();
    let cuts = (0..20).map(|i| bytes.len() * i / 20);
    let near = [1, 9, 63, 64, 65, 320, 4095, 4096, 4097, 8192, bytes.len() - 1];
    for len in cuts.chain(near) {
        survives(&bytes[..len], &format!("cut at {len} of {}", bytes.len()));
    }
    let longer = [bytes.as_slice(), &[7; 5000]].concat();
    survives(&longer, "longer than it was");
}

/// Flips bytes of a real file one at a time, and wipes whole pages, as many of each.
fn damage_each(bytes_flipped: usize, pages_wiped: usize) {
    let bytes = real_file();
    // Most of a fresh file is unused: what matters is where there is something.
    let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    // The header is small, so that a stride would step over it.
    let header = (0..320).step_by(7);
    let body = used.iter().copied().step_by(used.len() / bytes_flipped + 1);
    for (turn, at) in header.chain(body).enumerate() {
        let mut flipped = bytes.clone();
        flipped[at] ^= [1, 0x80, 0xff, 0x10][turn % 4];
        survives(&flipped, &format!("byte {at} flipped in turn {turn}"));
    }
    let pages = bytes.len() / 4096;
    for page in (0..pages).step_by(pages / pages_wiped + 1) {
        let mut wiped = bytes.clone();
        wiped[page * 4096..][..4096].fill(if page % 2 == 0 { 0 } else { 0xff });
        survives(&wiped, &format!("page {page} wiped"));
    }
}

#[test]
fn a_file_with_flipped_bytes_panics_nobody() {
    // A few in every run; `DAMAGE=5000` takes over a minute and tries most bytes that matter.
    let damage = std::env::var("DAMAGE").ok().and_then(|damage| damage.parse().ok());
    damage_each(damage.unwrap_or(120), damage.unwrap_or(24));
}
