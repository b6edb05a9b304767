//! Finding the file at a path, and making one there.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempPath;

use super::failure::io as io_error;
use super::file::Access;
use crate::error::{Error, ErrorKind, Result};

/// The file at `path`, and whether it is open for reading only; `None` if there is nothing yet.
pub(super) fn existing(path: &Path, access: Access) -> Result<Option<(File, bool)>> {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => {
            Err(Error::new(ErrorKind::Storage, "the path is a folder, not a file")
                .help("give the path of a file in the folder"))
        }
        Ok(meta) if meta.len() == 0 => Err(Error::new(ErrorKind::Corrupt, "the file is empty")
            .help("restore a backup, or remove the file to start a new store")),
        Ok(_) => opened(path, access).map(Some).map_err(io_error),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(error)),
    }
}

fn opened(path: &Path, access: Access) -> io::Result<(File, bool)> {
    let to_read = || File::open(path).map(|file| (file, true));
    if access == Access::Read {
        return to_read();
    }
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => Ok((file, false)),
        Err(error) if access == Access::Look && is_write_refused(&error) => to_read(),
        Err(error) => Err(error),
    }
}

fn is_write_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// How many links to links are followed, as on Linux.
const MAX_LINKS: usize = 40;

/// The absolute path of a file to make at `path`: where there is a link to nothing, what it names.
pub(super) fn target_of(path: &Path) -> io::Result<PathBuf> {
    if path.as_os_str().is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let mut target = std::path::absolute(path)?;
    for _ in 0..MAX_LINKS {
        let Ok(next) = std::fs::read_link(&target) else { return Ok(target) };
        target = target.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    Err(io::Error::other("too many links to links"))
}

/// A new file in the folder of `path`, removed again unless it is published. Its name does not
/// depend on that of the file, which may be as long as names can be.
pub(super) fn temporary_beside(path: &Path) -> io::Result<(File, TempPath)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    remove_leftovers(folder);
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX).suffix(TEMPORARY_SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file: what the umask leaves of it.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let temporary = builder.tempfile_in(folder)?;
    Ok(temporary.into_parts())
}

const TEMPORARY_PREFIX: &str = ".heirloom-";
const TEMPORARY_SUFFIX: &str = ".new";

/// A younger temporary file may be one that is just being made.
const LEFTOVER_AGE: Duration = Duration::from_secs(60);

/// Removes the temporary files of processes that ended while they made a store. One that is in use is
/// locked. What cannot be removed stays.
fn remove_leftovers(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_temporary = name.to_str().is_some_and(|name| {
            name.starts_with(TEMPORARY_PREFIX) && name.ends_with(TEMPORARY_SUFFIX)
        });
        let is_old = || {
            let modified = entry.metadata().and_then(|meta| meta.modified());
            modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age >= LEFTOVER_AGE))
        };
        if is_temporary
            && is_old()
            && let Ok(file) = OpenOptions::new().read(true).write(true).open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Moves a finished temporary file to `path`, where nothing may stand.
pub(super) fn publish(temporary: TempPath, path: &Path) -> Result<()> {
    temporary.persist_noclobber(path).map_err(|error| {
        let error = error.error;
        if error.kind() == io::ErrorKind::AlreadyExists {
            Error::new(ErrorKind::AlreadyExists, "a file of this name was made in the meantime")
                .help("open it, or choose another name")
        } else {
            io_error(error)
        }
    })?;
    // The name is durable only with its folder. Not every file system can do that, and the store
    // is complete either way.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}
