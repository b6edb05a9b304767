//! Looking at a store: a file without the types of its app, what a check found, the status.
//!
//! [`open`] reads a file of which only its path is known: its name, its format, the versions of its
//! schema, its rows and entries, its indexes and its quarantine. It changes nothing in the file, byte for byte. A [`Status`] is what an open store knows of
//! itself, and a [`CheckReport`] what [`Store::check`](crate::Store::check) found in a file.
//!
//! ```
//! # use heirloom::{Store, Table};
//! # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
//! # struct Note { #[key] name: String, text: String }
//! # #[derive(Store)]
//! # #[store(name = "app")]
//! # struct App { notes: Table<Note> }
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("app.redb");
//! # drop(App::open(&path)?);
//! let file = heirloom::inspect::open(&path)?;
//! assert_eq!(file.store(), "app");
//! for version in file.versions()? {
//!     println!("{version}");
//!     for (name, table) in &version.schema().tables {
//!         println!("  {name}: {:?}", table.fields.keys());
//!     }
//! }
//! for table in file.tables()? {
//!     file.for_each_row(&table, |row| {
//!         println!("{table} {}: {}", row.key(), row.json());
//!         Ok(())
//!     })?;
//! }
//! # Ok::<(), heirloom::Error>(())
//! ```

mod content;

use std::path::Path;
use std::sync::Arc;

use crate::disk::{Disk, Location, StorageOptions, View};
use crate::engine::{identity, recorded};
use crate::error::{Error, Result};
use crate::schema::{Schema, Version, sort};

pub use self::content::{IndexInfo, KeptEdit, StoredText};
#[doc(inline)]
pub use crate::engine::CheckReport;
#[doc(inline)]
pub use crate::store::{HistoryStats, Status};

/// Opens a file to look into. The file and its folder may be without write permission. A process that has it
/// open to write goes on: a copy of the file is looked into, as by
/// [`Builder::read_only`](crate::Builder::read_only). Otherwise, no process can write to it meanwhile.
///
/// # Errors
///
/// [`Locked`](crate::ErrorKind::Locked) if it is open to write and cannot be copied;
/// [`WrongStore`](crate::ErrorKind::WrongStore) if it is a redb database of another program;
/// [`NewerFormat`](crate::ErrorKind::NewerFormat) if a newer heirloom wrote it;
/// [`Corrupt`](crate::ErrorKind::Corrupt) if it is empty, truncated or not a store;
/// [`Storage`](crate::ErrorKind::Storage) if there is no file, or it cannot be read.
pub fn open(path: impl AsRef<Path>) -> Result<Inspector> {
    let path = path.as_ref();
    let at_file = |error: Error| error.at_file(path);
    let location = Location::File(path.to_owned());
    let (disk, _) = Disk::open(&location, StorageOptions::to_look())?;
    let view = disk.view().map_err(at_file)?;
    let meta = view.meta().map_err(at_file)?;
    let (format, store) = identity(&meta).map_err(at_file)?;
    Ok(Inspector { store: store.to_owned(), format, view: Arc::new(view), disk })
}

/// A file opened by [`open`], without the types of its app.
#[derive(Debug)]
pub struct Inspector {
    store: String,
    format: u64,
    // Before the file, which closes with the last who reads it.
    view: Arc<View>,
    disk: Disk,
}

impl Inspector {
    /// Returns the name of the store.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// Returns the number of the file format.
    pub fn format(&self) -> u64 {
        self.format
    }

    /// Returns every version of its schema that the store has had, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the file is damaged.
    pub fn versions(&self) -> Result<Vec<Version>> {
        Ok(sort(self.placed(recorded(&self.view))?))
    }

    /// The outcome with its store and file.
    fn placed<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.map_err(|error| {
            let error = error.at_store(&self.store);
            match self.disk.path() {
                Some(path) => error.at_file(path),
                None => error,
            }
        })
    }

    /// Returns the newest schema; `None` if the file is older than the recording of versions.
    ///
    /// # Errors
    ///
    /// The errors of [`versions`](Self::versions).
    pub fn schema(&self) -> Result<Option<Schema>> {
        Ok(self.versions()?.pop().map(|version| version.schema().clone()))
    }
}
