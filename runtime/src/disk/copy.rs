//! A private copy of a file that another process has open to write.
//!
//! Commits of redb write to pages that nothing refers to, and then to the header, which names the new root.
//! So all pages of a commit stay as they are as long as the header names it. A copy is made like this:
//!
//! 1. The reader locks a byte of the file, shared (`COPYING`), that redb leaves to its users. A writer looks at
//!    it before it changes the header, and waits until it is free, or for a second.
//! 2. The reader reads the header, copies the file, and puts that header on the copy. The copy is exact if the
//!    header is still the same, and only then it is used. If it is not, a commit was past that look when the byte
//!    was locked. The next one is not, so that a second copy is exact.
//! 3. Compacting is many commits after one look, and a writer that has waited for a second goes on. Then the
//!    file is copied again after a pause, a few times.
//!
//! A commit that is in the file is copied, also an instant before the disk has it for good. To redb the copy is a
//! file that was not closed, of which it compares all pages with their checksums.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Bound;
use std::time::Duration;

use redb::StorageBackend;
use redb::backends::FileBackend;

use super::backend::HEADER_BYTES;
use super::failure::{database_error, io as io_error};
use crate::error::{Error, ErrorKind, Result};

/// The byte that is locked while a file is copied: one of those that redb reserves for backends, of which
/// its own uses the first two. It lies far behind the end of any file.
const COPYING: (Bound<u64>, Bound<u64>) =
    (Bound::Included((1 << 62) + 960), Bound::Excluded((1 << 62) + 961));

/// How often copying is tried, with a pause after each time that is twice as long.
const ATTEMPTS: u32 = 9;
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// Whether another process, or another handle in this one, is copying the file. A system without such
/// locks does not tell.
pub(super) fn is_being_copied(file: &dyn StorageBackend) -> bool {
    file.query_lock_range(COPYING.0, COPYING.1).unwrap_or(false)
}

/// Copies a file that is open to write elsewhere. The copy has no name, and goes with its handle.
pub(super) fn copy_of(file: &File) -> Result<File> {
    let mut pause = FIRST_PAUSE;
    for _ in 0..ATTEMPTS {
        let lock = CopyLock::take(file)?;
        for _ in 0..2 {
            if let Some(copy) = exact_copy(file)? {
                return Ok(copy);
            }
        }
        drop(lock);
        std::thread::sleep(pause);
        pause *= 2;
    }
    Err(Error::new(
        ErrorKind::Locked,
        "the store is open elsewhere, and changes while it is copied",
    )
    .help("try again later, or close it in the other process"))
}

/// A copy; nothing if the file has changed meanwhile.
fn exact_copy(file: &File) -> Result<Option<File>> {
    let header = header_of(file).map_err(io_error)?;
    let len = file.metadata().map_err(io_error)?.len();
    let copy = written(file, &header, len).map_err(|error| {
        Error::new(ErrorKind::Storage, "the file could not be copied to be read")
            .help("make room for it in the folder for temporary files, or close it in the other process")
            .because(error)
    })?;
    let is_exact = header_of(file).map_err(io_error)? == header;
    Ok(is_exact.then_some(copy))
}

fn written(mut file: &File, header: &[u8], len: u64) -> io::Result<File> {
    let mut copy = tempfile::tempfile()?;
    file.seek(SeekFrom::Start(0))?;
    io::copy(&mut file.take(len), &mut copy)?;
    // If the file got shorter meanwhile, its end was free.
    copy.set_len(len)?;
    copy.seek(SeekFrom::Start(0))?;
    copy.write_all(header)?;
    Ok(copy)
}

fn header_of(mut file: &File) -> io::Result<Vec<u8>> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    file.seek(SeekFrom::Start(0))?;
    file.take(HEADER_BYTES as u64).read_to_end(&mut header)?;
    Ok(header)
}

/// Says that the file is being copied, as long as it lives.
struct CopyLock(FileBackend);

impl CopyLock {
    fn take(file: &File) -> Result<Self> {
        let file = file.try_clone().map_err(io_error)?;
        let backend = FileBackend::new(file).map_err(database_error)?;
        // On a system without such locks the writer does not look either, and the checksums tell.
        let _ = backend.try_lock_shared_range(COPYING.0, COPYING.1);
        Ok(Self(backend))
    }
}

impl Drop for CopyLock {
    fn drop(&mut self) {
        let _ = self.0.unlock_range(COPYING.0, COPYING.1);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use redb::{ReadableDatabase, ReadableTable};

    use super::super::file::{Disk, Location, StorageOptions};
    use super::super::live::Live;
    use super::super::names;
    use super::*;

    fn put(disk: &Disk, number: u8) {
        let committed = disk.commit(true, |commit| {
            for name in 0..1000 {
                commit.set_meta(&format!("{name}"), &[number; 3000])?;
            }
            Ok(Some(()))
        });
        committed.unwrap();
    }

    fn written_to(path: &Path) -> Disk {
        let location = Location::File(path.to_owned());
        let (disk, _) = Disk::open(&location, StorageOptions::default()).unwrap();
        put(&disk, 0);
        disk.publish().unwrap();
        disk
    }

    /// The number that one commit has put everywhere.
    fn number_in(copy: &File) -> u8 {
        let live = Live::of_file(copy, true, &StorageOptions::default()).unwrap();
        let txn = live.database().unwrap().begin_read().unwrap();
        let meta = txn.open_table(names::META).unwrap();
        let values: Vec<_> = meta.iter().unwrap().map(|entry| entry.unwrap().1).collect();
        let number = values[0].value()[0];
        assert_eq!(values.len(), 1000);
        assert!(values.iter().all(|value| value.value() == [number; 3000]));
        number
    }

    #[test]
    fn a_copy_is_one_commit_and_a_writer_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let disk = written_to(&path);
        let file = File::open(&path).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in (0..=u8::MAX).cycle().take_while(|_| !done.load(Relaxed)) {
                    put(&disk, number);
                }
            });
            let mut numbers = BTreeSet::new();
            for _ in 0..20 {
                numbers.insert(number_in(&copy_of(&file).unwrap()));
                if let Some(copy) = exact_copy(&file).unwrap() {
                    numbers.insert(number_in(&copy));
                }
            }
            done.store(true, Relaxed);
            assert!(numbers.len() > 1);
        });
    }

    #[test]
    fn a_copy_that_does_not_end_holds_nothing_up_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let disk = written_to(&path);
        let file = File::open(&path).unwrap();
        let lock = CopyLock::take(&file).unwrap();
        let backend = FileBackend::new(File::open(&path).unwrap()).unwrap();
        assert!(is_being_copied(&backend));
        put(&disk, 1);
        put(&disk, 2);
        assert_ne!(disk.compact().unwrap(), None);
        drop(lock);
        assert!(!is_being_copied(&backend));
    }
}
