//! redb's errors, and its panics on damaged files, as ours.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use redb::{
    CommitError, CursorError, DatabaseError, SetDurabilityError, StorageError, TableError,
    TransactionError,
};

use crate::error::{Error, ErrorKind, Result};

/// A redb error on its way to becoming ours, at the border of this module.
pub(super) struct Failure(pub(super) Error);

pub(super) type Try<T> = std::result::Result<T, Failure>;

fn storage(error: StorageError) -> Error {
    match error {
        StorageError::Io(error) => io(error),
        StorageError::Corrupted(what) => corrupt(format!("the file is damaged: {what}")),
        StorageError::ValueTooLarge(bytes) => Error::new(
            ErrorKind::Storage,
            format!("a value of {bytes} bytes is too large to store"),
        )
        .help("split the transaction or the row into smaller ones"),
        other => Error::new(ErrorKind::Storage, format!("the storage failed: {other}"))
            .help("an earlier storage error closed the file; the next write opens it again"),
    }
}

pub(super) fn corrupt(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Corrupt, what)
        .help("restore a backup, or start a new file and let another device's changes fill it")
}

pub(super) fn io(error: io::Error) -> Error {
    let help = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "nothing was changed; make room on the disk and try again"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "check that the file and its folder may be read and written"
        }
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            "check the path; the folder must exist"
        }
        io::ErrorKind::InvalidFilename | io::ErrorKind::InvalidInput => {
            "choose another name; the system does not allow this one"
        }
        _ => "nothing was changed by the failed operation; check the disk and try again",
    };
    Error::new(ErrorKind::Storage, "the storage failed").help(help).because(error)
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self(storage(error))
    }
}

impl From<TransactionError> for Failure {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Storage(error) => error.into(),
            other => Self(Error::new(ErrorKind::Storage, other.to_string())),
        }
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Storage(error) => error.into(),
            other => Self(Error::new(ErrorKind::Storage, other.to_string())),
        }
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Storage(error) => error.into(),
            other => Self(corrupt(format!("the file is damaged: {other}"))),
        }
    }
}

impl From<CursorError> for Failure {
    fn from(error: CursorError) -> Self {
        match error {
            CursorError::Storage(error) => error.into(),
            other => Self(corrupt(format!("the file is damaged: {other}"))),
        }
    }
}

impl From<SetDurabilityError> for Failure {
    fn from(error: SetDurabilityError) -> Self {
        Self(Error::new(ErrorKind::Storage, error.to_string()))
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self(match error {
            DatabaseError::DatabaseAlreadyOpen => {
                Error::new(ErrorKind::Locked, "the store is open elsewhere")
                    .help("close it in the other process, or share one handle within this one")
            }
            DatabaseError::Storage(StorageError::Io(error))
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                ) =>
            {
                corrupt("the file is not a heirloom store, or its beginning is damaged")
                    .because(error)
            }
            DatabaseError::Storage(error) => storage(error),
            DatabaseError::UpgradeRequired(version) => Error::new(
                ErrorKind::Corrupt,
                format!(
                    "the file is a redb database of the old version {version}, not a heirloom store"
                ),
            ),
            other => corrupt(format!("the file cannot be repaired: {other}")),
        })
    }
}

pub(super) fn database_error(error: DatabaseError) -> Error {
    Failure::from(error).0
}

/// Runs `work`, turning redb's errors into ours, and its panics too: on a damaged page it may
/// panic rather than report.
pub(super) fn guarded<T>(work: impl FnOnce() -> Try<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Failure(error))) => Err(error),
        Err(panic) => Err(corrupt(format!("the file is damaged: {}", panic_text(&*panic)))),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a page cannot be read")
}
