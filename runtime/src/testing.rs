//! Tests of apps: two devices with a bad connection, the same course each time, files of old versions.
//!
//! A store in memory ([`in_memory`](crate::Store::in_memory)) needs no help. Here is what takes more than that; the
//! guide `docs/testing.md` says when to use it.
//!
//! ```
//! use heirloom::testing;
//! # use heirloom::{Store, Table};
//! # #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
//! # struct Note { #[key] name: String }
//! # #[derive(Store)]
//! # struct App { notes: Table<Note> }
//! let (phone, laptop) = testing::pair::<App>(7)?;
//! phone.notes.insert(&Note { name: "milk".into() })?;
//! testing::Link::new(&phone, &laptop, 7).finish()?;
//! assert_eq!(laptop.notes.len()?, 1);
//! # Ok::<(), heirloom::Error>(())
//! ```

use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::engine::next_random;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Store;
use crate::sync::Changes;

/// Opens two new stores in memory, which are two devices. Their ids are made from `seed`, so that the same edit
/// wins in each run.
///
/// # Errors
///
/// The errors of [`in_memory`](crate::Store::in_memory).
pub fn pair<S: Store>(seed: u64) -> Result<(S, S)> {
    let store =
        |number| S::builder().ids_from(seed.wrapping_mul(2).wrapping_add(number)).in_memory();
    Ok((store(0)?, store(1)?))
}

/// A bad connection between two stores: it loses messages, gives them twice, late, and in another order.
///
/// How it does so follows from its seed. The stores may be of different versions of an app.
///
/// ```
/// use heirloom::testing::{self, Link};
/// # use heirloom::{Store, Table};
/// # #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
/// # struct Counter { #[key] name: String, count: u32 }
/// # #[derive(Store)]
/// # struct App { counters: Table<Counter> }
/// let (phone, laptop) = testing::pair::<App>(1)?;
/// let mut link = Link::new(&phone, &laptop, 1).loses(0.5);
/// for count in 0..10 {
///     phone.counters.put(&Counter { name: "phone".into(), count })?;
///     laptop.counters.put(&Counter { name: "laptop".into(), count })?;
///     link.step()?; // something arrives, or not
/// }
/// link.finish()?; // all of it has arrived
/// assert_eq!(phone.counters.query().all()?, laptop.counters.query().all()?);
/// # Ok::<(), heirloom::Error>(())
/// ```
pub struct Link<'l, A, B> {
    a: &'l A,
    b: &'l B,
    loss: f64,
    random: u64,
    /// Messages that are under way, and whether to the first store.
    sent: Vec<(Changes, bool)>,
}

impl<A, B> fmt::Debug for Link<'_, A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("sent", &self.sent.len()).finish_non_exhaustive()
    }
}

impl<'l, A: Store, B: Store> Link<'l, A, B> {
    /// Returns a connection between two stores that loses three messages of ten.
    pub fn new(a: &'l A, b: &'l B, seed: u64) -> Self {
        Self { a, b, loss: 0.3, random: seed, sent: Vec::new() }
    }

    /// Sets the share of messages that it loses, from 0.0 to 1.0.
    #[must_use]
    pub fn loses(mut self, share: f64) -> Self {
        self.loss = share;
        self
    }

    fn chance(&mut self) -> f64 {
        (next_random(&mut self.random) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Sends to each store what it lacks, and delivers some of what is under way, if it is not lost.
    ///
    /// # Errors
    ///
    /// The errors of [`apply`](crate::Store::apply) and [`changes_since`](crate::Store::changes_since).
    pub fn step(&mut self) -> Result<()> {
        let to_a = self.b.changes_since(&self.a.summary()?)?;
        let to_b = self.a.changes_since(&self.b.summary()?)?;
        for message in [(to_a, true), (to_b, false)] {
            if self.chance() >= self.loss {
                self.sent.push(message);
            }
        }
        while !self.sent.is_empty() && self.chance() < 0.6 {
            let number = (next_random(&mut self.random) % self.sent.len() as u64) as usize;
            // One in five stays under way, and so comes again.
            let is_last = self.chance() < 0.8;
            self.deliver(number)?;
            if is_last {
                self.sent.swap_remove(number);
            }
        }
        Ok(())
    }

    fn deliver(&self, number: usize) -> Result<()> {
        match self.sent.get(number) {
            Some((changes, true)) => self.a.apply(changes).map(drop),
            Some((changes, false)) => self.b.apply(changes).map(drop),
            None => Ok(()),
        }
    }

    /// Delivers all that is under way, and then exchanges without loss until both stores have the same.
    ///
    /// # Errors
    ///
    /// The errors of [`step`](Self::step).
    pub fn finish(&mut self) -> Result<()> {
        for number in 0..self.sent.len() {
            self.deliver(number)?;
        }
        self.sent.clear();
        // A store may write on receiving: an edit that a removal displaced is written again.
        for _ in 0..8 {
            self.a.apply(&self.b.changes_since(&self.a.summary()?)?)?;
            self.b.apply(&self.a.changes_since(&self.b.summary()?)?)?;
            if self.a.summary()? == self.b.summary()? {
                break;
            }
        }
        Ok(())
    }
}

/// A store that is open on a copy of a file, in a folder of its own that is removed with it.
pub struct OpenCopy<S> {
    // Before the folder, since it closes its file.
    store: S,
    path: PathBuf,
    _folder: TempDir,
}

impl<S> fmt::Debug for OpenCopy<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenCopy").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<S> OpenCopy<S> {
    /// Returns the path of the copy.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl<S> Deref for OpenCopy<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.store
    }
}

/// Opens a copy of a file, such as one that a released version has written and that is committed beside the
/// tests. The file itself stays as it is, byte for byte.
///
/// ```
/// # use heirloom::{Store, Table};
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
/// # struct Note { #[key] name: String }
/// # #[derive(Store)]
/// # struct App { notes: Table<Note> }
/// # let folder = tempfile::tempdir().unwrap();
/// # let fixture = folder.path().join("app-1.redb");
/// # App::open(&fixture)?.notes.insert(&Note { name: "milk".into() })?;
/// let app = heirloom::testing::open_copy::<App>(&fixture)?;
/// assert_eq!(app.notes.len()?, 1);
/// # Ok::<(), heirloom::Error>(())
/// ```
///
/// # Errors
///
/// [`Storage`](ErrorKind::Storage) if the file cannot be copied, and the errors of
/// [`open`](crate::Store::open).
pub fn open_copy<S: Store>(path: impl AsRef<Path>) -> Result<OpenCopy<S>> {
    let path = path.as_ref();
    let failed = |error: std::io::Error| {
        let error = Error::new(ErrorKind::Storage, "the file cannot be copied").because(error);
        error.at_file(path)
    };
    let folder = tempfile::tempdir().map_err(failed)?;
    let copy = folder.path().join(path.file_name().unwrap_or("copy.redb".as_ref()));
    std::fs::copy(path, &copy).map_err(failed)?;
    Ok(OpenCopy { store: S::open(&copy)?, path: copy, _folder: folder })
}
