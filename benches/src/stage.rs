//! The temporary directory of a run, with the stores that measurements share.

use std::cell::Cell;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::Result;
use crate::data;
use crate::peers::Peer;

/// Rows with numbers from here on are in no shared store yet.
const UNUSED_FROM: u64 = 10_000_000;

/// So many rows go into one transaction at most.
const CHUNK_ROWS: u64 = 100_000;

/// The place of a run.
#[derive(Debug)]
pub struct Stage {
    dir: TempDir,
    unused: Cell<u64>,
}

impl Stage {
    /// A new directory, removed at the end.
    pub fn new() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("heirloom-benches-").tempdir()?;
        Ok(Self { dir, unused: Cell::new(UNUSED_FROM) })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Numbers of rows that no store has.
    pub fn unused(&self, count: u64) -> Range<u64> {
        let from = self.unused.replace(self.unused.get() + count);
        from..from + count
    }

    /// An empty directory for a store of its own; its user removes it.
    pub fn fresh<P: Peer>(&self) -> Result<PathBuf> {
        let dir = self.dir().join(P::NAME).join(format!("fresh-{}", self.unused(1).start));
        fs::create_dir_all(&dir)?;
        Ok(dir)
    }

    /// A closed store of rows `0..rows`, filled when it is first asked for, that nobody writes to.
    pub fn store<P: Peer>(&self, rows: u64) -> Result<PathBuf> {
        self.filled::<P>(rows, &rows.to_string())
    }

    /// The like for those who write, shared by those who name the same purpose: it has rows beyond
    /// `rows`, too.
    pub fn store_to_write<P: Peer>(&self, rows: u64, purpose: &str) -> Result<PathBuf> {
        self.filled::<P>(rows, &format!("{rows}-{purpose}"))
    }

    fn filled<P: Peer>(&self, rows: u64, name: &str) -> Result<PathBuf> {
        let dir = self.dir().join(P::NAME).join(name);
        if !dir.exists() {
            fs::create_dir_all(&dir)?;
            let mut peer = P::open(&dir)?;
            for start in (0..rows).step_by(CHUNK_ROWS as usize) {
                let end = rows.min(start + CHUNK_ROWS);
                peer.insert_all(data::tracks(start..end).map(P::Row::from))?;
            }
        }
        Ok(dir)
    }
}
