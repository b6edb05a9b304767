//! The location of a file, by which a copy of it is noticed and gets a client id of its own.

use std::fs::{self, File};
use std::path::Path;
use std::sync::OnceLock;

use twox_hash::XxHash3_64;
use uuid::Uuid;

/// A fingerprint of a file's place: its canonical path, the machine, its inode, and the time at which that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whereabouts(pub(crate) u64);

impl Whereabouts {
    /// Of `file`, which stands at `path` or will be moved there.
    pub(super) fn of(path: &Path, file: &File) -> Self {
        let in_folder = || {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
            path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name))
        };
        let path = fs::canonicalize(path).unwrap_or_else(|_| in_folder());
        let text =
            [&path.to_string_lossy(), "\0", machine(), "\0", &inode(file), "\0", &birth(file)];
        let text = text.concat();
        Self(XxHash3_64::oneshot(text.as_bytes()))
    }

    /// Of a store in memory, which is never the same place twice.
    pub(super) fn nowhere() -> Self {
        Self(Uuid::new_v4().as_u64_pair().1)
    }
}

/// Whether an open file still stands at its path; if it was removed or replaced, what is written to it is
/// lost with the process.
#[cfg(unix)]
pub(super) fn is_in_place(path: &Path, file: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (here, open) = match fs::metadata(path) {
        Ok(here) => (here, file.metadata()?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok((here.dev(), here.ino()) == (open.dev(), open.ino()))
}

/// The system keeps an open file where it is.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as elsewhere")]
pub(super) fn is_in_place(_path: &Path, _file: &File) -> std::io::Result<bool> {
    Ok(true)
}

/// The id of this machine, which is looked up once.
fn machine() -> &'static str {
    static MACHINE: OnceLock<String> = OnceLock::new();
    MACHINE.get_or_init(|| machine_uid::get().unwrap_or_default())
}

#[cfg(unix)]
fn inode(file: &File) -> String {
    use std::os::unix::fs::MetadataExt;
    file.metadata().map(|meta| format!("{}:{}", meta.dev(), meta.ino())).unwrap_or_default()
}

#[cfg(not(unix))]
fn inode(_file: &File) -> String {
    String::new()
}

/// A copy is made later than its original. File systems give the number of an inode that is gone to the next file,
/// and so to a copy that takes the place of its original. Where the time is not known, it is nothing.
fn birth(file: &File) -> String {
    let created = file.metadata().and_then(|meta| meta.created());
    created.map(|time| format!("{time:?}")).unwrap_or_default()
}
