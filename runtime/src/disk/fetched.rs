//! Rows looked up by their keys, some at a time.
//!
//! To find a key, to look it up and to decode what stands there is each so much code that, taking
//! turns for every row, they would drive one another out of the processor's nearest cache.

use std::hint::black_box;
use std::sync::Arc;

use redb::AccessGuard;

use super::failure::guarded;
use super::rows::StoredRow;
use super::view::View;
use crate::error::{Error, Result};
use crate::schema::descriptor::TableIdx;

/// The bytes that come from memory at once, on nearly all processors.
const CACHE_LINE_BYTES: usize = 64;

/// How much of a row is looked at in advance: so little that all of them together fit a cache.
const LINES_AHEAD: usize = 16;

/// The length of a UUID, which most keys do not exceed.
const USUAL_KEY_LEN: usize = 16;

/// The bytes of several keys, one after another.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    bytes: Vec<u8>,
    /// The end of each.
    ends: Vec<usize>,
}

impl Keys {
    pub(crate) fn push(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn reserve(&mut self, keys: usize) {
        self.bytes.reserve(keys * USUAL_KEY_LEN);
        self.ends.reserve(keys);
    }

    pub(crate) fn get(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_sub(1).map_or(Some(&0), |before| self.ends.get(before))?;
        self.bytes.get(*start..*self.ends.get(index)?)
    }
}

/// The rows found under some keys, given in the order of the keys.
pub(crate) struct Fetched {
    keys: Keys,
    /// The bytes found under each key, if there are any.
    found: Vec<Option<AccessGuard<'static, &'static [u8]>>>,
    /// The row that was given last.
    row: Option<StoredRow<'static>>,
    /// How many have been given.
    given: usize,
    /// The failure that ended them early.
    failed: Option<Error>,
    /// Keeps the transaction of the rows alive.
    view: Arc<View>,
    table_idx: TableIdx,
}

impl std::fmt::Debug for Fetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetched").field("rows", &self.found.len()).finish_non_exhaustive()
    }
}

impl Fetched {
    pub(crate) fn new(view: Arc<View>, table_idx: TableIdx) -> Self {
        let (keys, found) = (Keys::default(), Vec::new());
        Self { keys, found, row: None, given: 0, failed: None, view, table_idx }
    }

    /// Looks up the keys that `find` pushes, in place of those before; `at_most` so many.
    pub(crate) fn fill(&mut self, at_most: usize, find: impl FnOnce(&mut Keys) -> Result<()>) {
        self.keys.clear();
        self.keys.reserve(at_most);
        self.found.clear();
        self.given = 0;
        let pushed = find(&mut self.keys);
        let looked_up = self.look_up();
        // The keys before a failure are given first.
        self.failed = self.look_at_all().and(looked_up).and(pushed).err();
    }

    fn look_up(&mut self) -> Result<()> {
        guarded(|| {
            let Some(table) = self.view.table(self.table_idx)? else { return Ok(()) };
            self.found.reserve_exact(self.keys.len());
            while let Some(key) = self.keys.get(self.found.len()) {
                self.view.before_read()?;
                self.found.push(table.get(key)?);
            }
            Ok(())
        })
    }

    /// Looks at all that was found, so that it comes from memory side by side: rows lie far from one
    /// another, and to check and decode one after another would wait for each piece of each row in turn.
    fn look_at_all(&mut self) -> Result<()> {
        let (mut seen, mut whole) = (0, 0);
        let looked = guarded(|| {
            for row in &self.found {
                // On a damaged page redb panics no later than here.
                let bytes = row.as_ref().map_or_else(Default::default, AccessGuard::value);
                let pieces = bytes.iter().step_by(CACHE_LINE_BYTES).take(LINES_AHEAD);
                seen = pieces.fold(seen, |seen, byte| seen ^ byte);
                whole += 1;
            }
            Ok(())
        });
        black_box(seen);
        self.found.truncate(whole);
        looked
    }

    /// The next key, and the row under it, if there is one.
    pub(crate) fn next(&mut self) -> Option<Result<Lookup<'_>>> {
        let Some(found) = self.found.get_mut(self.given) else {
            return self.failed.take().map(Err);
        };
        let key = self.keys.get(self.given).unwrap_or_default();
        self.row = found.take().map(|row| StoredRow::new(self.view.format(), key, row));
        self.given += 1;
        Some(Ok((key, self.row.as_ref())))
    }

    /// Whether all were given.
    pub(crate) fn is_empty(&self) -> bool {
        self.given == self.found.len() && self.failed.is_none()
    }
}

/// A key, and the row under it, if there is one.
type Lookup<'f> = (&'f [u8], Option<&'f StoredRow<'f>>);
