//! Ways through a table: its rows, an index, or a list of keys.

use crate::disk::{IndexEntries, Keys, Rows};
use crate::error::{Error, Result};

/// A way through a table that has been entered.
pub(crate) enum Walk {
    Rows(Rows),
    Index(IndexEntries),
    Keys(std::vec::IntoIter<Vec<u8>>),
    Common(Common),
}

/// The keys that several parts of an index have, each of which comes in the order of keys.
pub(crate) struct Common {
    /// Each part, and the key that was read from it last.
    parts: Vec<(IndexEntries, Vec<u8>)>,
}

impl Common {
    pub(crate) fn of(parts: Vec<IndexEntries>) -> Self {
        Self { parts: parts.into_iter().map(|part| (part, Vec::new())).collect() }
    }

    /// Puts the next key into `key`.
    fn next(&mut self, key: &mut Vec<u8>) -> Option<Result<()>> {
        let (first, key_of_first) = self.parts.first_mut()?;
        if let Err(error) = first.next_key(false, key_of_first)? {
            return Some(Err(error));
        }
        key_of_first.clone_into(key);
        let mut agreeing = 0;
        while agreeing < self.parts.len() {
            agreeing = 0;
            for (part, key_of_part) in &mut self.parts {
                while key_of_part < key {
                    if let Err(error) = part.next_key(false, key_of_part)? {
                        return Some(Err(error));
                    }
                }
                if key_of_part > key {
                    key_of_part.clone_into(key);
                    break;
                }
                agreeing += 1;
            }
        }
        Some(Ok(()))
    }
}

/// The next step of a walk; a row is in the buffer, and its key in another beside it.
pub(crate) enum WalkStep {
    /// A row, or why it does not decode.
    Row(Result<()>),
    /// The same, found through an index.
    Entry(Result<()>),
    /// A row that a transaction has written anew.
    Skipped,
    /// The storage failed.
    Failed(Error),
    End,
}

impl Walk {
    /// Puts the next key into `key`, without its row.
    pub(crate) fn key(&mut self, is_back: bool, key: &mut Vec<u8>) -> Option<Result<()>> {
        match self {
            Self::Rows(rows) => rows.step_with(is_back, |found, _| found.clone_into(key)),
            Self::Index(entries) => entries.next_key(is_back, key),
            Self::Common(common) => common.next(key),
            Self::Keys(keys) => keys.next().map(|found| {
                *key = found;
                Ok(())
            }),
        }
    }

    /// Adds the next keys, at most so many.
    pub(crate) fn append_keys(
        &mut self,
        is_back: bool,
        at_most: usize,
        keys: &mut Keys,
    ) -> Result<()> {
        match self {
            Self::Rows(rows) => {
                for _ in 0..at_most {
                    let Some(step) = rows.step_with(is_back, |key, _| keys.push(key)) else {
                        break;
                    };
                    step?;
                }
            }
            Self::Index(entries) => entries.append_keys(is_back, at_most, keys)?,
            Self::Common(common) => {
                let mut key = Vec::new();
                for _ in 0..at_most {
                    let Some(found) = common.next(&mut key) else { break };
                    found?;
                    keys.push(&key);
                }
            }
            Self::Keys(found) => found.take(at_most).for_each(|key| keys.push(&key)),
        }
        Ok(())
    }

    /// The next key.
    pub(crate) fn owned_key(&mut self, is_back: bool) -> Option<Result<Vec<u8>>> {
        let mut key = Vec::new();
        self.key(is_back, &mut key).map(|found| found.map(|()| key))
    }
}
