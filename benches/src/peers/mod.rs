//! One module for each way of storing the rows.

mod append_file;
pub mod automerge;
#[cfg(feature = "heirloom")]
pub mod heirloom;
pub mod native_db;
pub mod redb;
pub mod sqlite;
pub mod yrs;

use std::path::Path;

use uuid::Uuid;

use crate::Result;
use crate::data::{self, Track};

/// A way of storing the rows, opened.
///
/// Every write is durable when it returns: the bytes have been through an fsync.
pub trait Peer: Sized + 'static {
    /// Its name in the reports and for `--peer`.
    const NAME: &'static str;

    /// The rows beyond which measuring it would take minutes.
    const MAX_ROWS: u64 = u64::MAX;

    /// Its own form of a row, which `get` and `scan` fill in completely.
    type Row: From<Track> + Into<Track>;

    /// Its own form of a key.
    type Key;

    /// The key of an id.
    fn key(id: Uuid) -> Self::Key;

    /// Opens the store in a directory, with its caches cold; makes it where there is none.
    fn open(dir: &Path) -> Result<Self>;

    /// Adds rows in one transaction.
    fn insert_all(&mut self, rows: impl Iterator<Item = Self::Row>) -> Result<()>;

    /// Adds one row in a transaction of its own.
    fn insert(&mut self, row: Self::Row) -> Result<()>;

    /// The row of a key.
    fn get(&self, key: &Self::Key) -> Result<Option<Self::Row>>;

    /// Every row.
    fn scan(&self, each: impl FnMut(Self::Row)) -> Result<()>;
}

/// Fails where what goes into a peer does not come out of it again, also after reopening it: a
/// figure for a wrong answer is worse than none.
pub fn check<P: Peer>(dir: &Path) -> Result<()> {
    const ROWS: u64 = 50;
    let dir = &dir.join("check").join(P::NAME);
    std::fs::create_dir_all(dir)?;

    let mut peer = P::open(dir)?;
    peer.insert_all(data::tracks(0..ROWS).map(P::Row::from))?;
    peer.insert(data::track(ROWS).into())?;
    for _ in 0..2 {
        for number in 0..=ROWS {
            let row = peer.get(&P::key(data::id(number)))?.map(Into::into);
            if row != Some(data::track(number)) {
                return Err(format!("row {number} came back as {row:?}").into());
            }
        }
        if peer.get(&P::key(data::id(ROWS + 1)))?.is_some() {
            return Err("a row that was never inserted".into());
        }
        let mut scanned: Vec<Track> = Vec::new();
        peer.scan(|row| scanned.push(row.into()))?;
        scanned.sort_by_key(|row| row.id);
        if !scanned.iter().cloned().eq(data::tracks(0..ROWS + 1)) {
            return Err("a scan gives other rows".into());
        }
        drop(peer);
        peer = P::open(dir)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes<P: Peer>() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        check::<P>(dir.path()).expect("what goes in comes out");
    }

    #[test]
    fn what_goes_in_comes_out() {
        passes::<sqlite::Sqlite>();
        passes::<sqlite::Sqlite<true>>();
        passes::<native_db::NativeDb>();
        passes::<native_db::NativeDb<native_db::IndexedRow>>();
        passes::<redb::Redb>();
        passes::<yrs::Yrs>();
        passes::<automerge::Autosurgeon>();
        #[cfg(feature = "heirloom")]
        passes::<heirloom::Heirloom>();
    }
}
