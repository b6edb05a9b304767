//! The counts of a document, and the moments that its copies have in common.

use redb::AccessGuard;

use super::dead_items::{Bitmaps, by_client};
use super::{DocumentState, StoredDocument};
use crate::disk::failure::{Try, guarded};
use crate::disk::journal::{JournalRecord, NAMED_COMMITS, joined};
use crate::disk::keys;
use crate::disk::seal::unseal;
use crate::doc::items::{ClockRanges, ReadItems};
use crate::doc::{DocVersion, deletions_hash};
use crate::error::Result;

/// A key of a table and its value.
type Stored = std::result::Result<
    (AccessGuard<'static, &'static [u8]>, AccessGuard<'static, &'static [u8]>),
    redb::StorageError,
>;

impl StoredDocument {
    pub(crate) fn state(&self) -> Result<DocumentState> {
        guarded(|| match self.written_state()? {
            Some(state) => Ok(state),
            None => match self.recounted.get() {
                Some(state) => Ok(*state),
                None => {
                    let state = self.recounted()?;
                    Ok(*self.recounted.get_or_init(|| state))
                }
            },
        })
    }

    /// The state as it was written; `None` if it is damaged.
    pub(super) fn written_state(&self) -> Try<Option<DocumentState>> {
        let Some(tail) = self.tail()? else { return Ok(Some(DocumentState::default())) };
        let Some(value) = tail.get(keys::STATE)? else { return Ok(Some(DocumentState::default())) };
        let numbers = unseal(keys::STATE, value.value()).map(|value| value.as_chunks::<8>().0);
        let Ok([commits, deletions, bytes]) = numbers else { return Ok(None) };
        Ok(Some(DocumentState {
            commits: u64::from_le_bytes(*commits),
            deletions: u64::from_le_bytes(*deletions),
            bytes: u64::from_le_bytes(*bytes),
        }))
    }

    /// The state as all else says it, since it is damaged. The next commit writes it.
    fn recounted(&self) -> Try<DocumentState> {
        let deletions = deletions_hash(&self.deletions_with(Bitmaps::Checked)?);
        let mut state = DocumentState { deletions, ..DocumentState::default() };
        for table in self.newest_first()? {
            for item in table.range::<&[u8]>(..)? {
                let (key, value) = item?;
                let (key, value) = (key.value(), value.value());
                if key != keys::STATE {
                    state.bytes += (key.len() + value.len()) as u64;
                }
                if key.first() == Some(&keys::JOURNAL) && unseal(key, value).is_ok() {
                    state.commits = state.commits.max(keys::number_of(key).unwrap_or_default());
                }
            }
        }
        Ok(state)
    }

    /// How many clocks of each client are here.
    pub(crate) fn clocks(&self) -> Result<std::collections::BTreeMap<u64, u32>> {
        Ok(self.clients()?.into_iter().collect())
    }

    /// Returns the version that this copy holds.
    pub(crate) fn version(&self) -> Result<DocVersion> {
        Ok(DocVersion { clocks: self.clocks()?, deletions: self.state()?.deletions })
    }

    /// Hashes of the deletions that it had at some moments: now, after its newest commits, and after its
    /// newest merges, each of which may have been what another copy held, too. One that is damaged is left
    /// out: without it, a copy may be given more than it lacks.
    pub(crate) fn marks(&self) -> Result<Vec<u64>> {
        let mut marks = vec![self.state()?.deletions];
        let mut add = |hash: u64| {
            if !marks.contains(&hash) {
                marks.push(hash);
            }
        };
        guarded(|| {
            let merges = self.items()?.map(|items| {
                items.range::<&[u8]>([keys::MERGE].as_slice()..[keys::MERGE + 1].as_slice())
            });
            let merges = merges.transpose()?.into_iter().flatten();
            for item in merges.chain(self.journal()?.take(NAMED_COMMITS)) {
                let (key, value) = item?;
                let value = unseal(key.value(), value.value()).ok();
                if let Some(hash) = value.and_then(|value| value.first_chunk::<8>()) {
                    add(u64::from_le_bytes(*hash));
                }
            }
            Ok(())
        })?;
        Ok(marks)
    }

    /// The deletions that a copy lacks which had the deletions of one of these hashes once: those since
    /// then, as far as the journal goes, or else all.
    pub(crate) fn deletions_since(&self, marks: &[u64]) -> Result<Vec<(u64, ClockRanges)>> {
        if marks.contains(&self.state()?.deletions) {
            return Ok(Vec::new());
        }
        match guarded(|| self.removed_since(marks))? {
            Some(removed) => Ok(removed),
            None => self.deletions(),
        }
    }

    pub(super) fn removed_since(&self, marks: &[u64]) -> Try<Option<Vec<(u64, ClockRanges)>>> {
        let mut removed = Vec::new();
        for item in self.journal()? {
            let (key, value) = item?;
            let record = unseal(key.value(), value.value()).and_then(JournalRecord::decode);
            // Without a record, all that was ever removed is given.
            let Ok(record) = record else { return Ok(None) };
            if marks.contains(&record.deletions_hash) {
                return Ok(Some(by_client(joined(removed))));
            }
            let Some(of_commit) = record.removed else { return Ok(None) };
            removed.extend(of_commit);
        }
        Ok(None)
    }

    /// The records of the newest commits, the newest first.
    fn journal(&self) -> Try<impl Iterator<Item = Stored>> {
        let range = [keys::JOURNAL]..[keys::JOURNAL + 1];
        let ranges = self
            .newest_first()?
            .map(|table| table.range::<&[u8]>(range.start.as_slice()..range.end.as_slice()));
        let ranges: Vec<_> = ranges.collect::<std::result::Result<_, _>>()?;
        Ok(ranges.into_iter().flat_map(Iterator::rev))
    }
}
