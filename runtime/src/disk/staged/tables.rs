//! The items of a changed document on their way into the file, and what its journal says of them.

use std::collections::BTreeMap;

use redb::ReadableTable;

use super::StagedDocument;
use crate::disk::blocks::Block;
use crate::disk::document::{Added, DocumentState, Waits, write_root, write_root_name};
use crate::disk::failure::{Failure, Try};
use crate::disk::journal::{JournalRecord, KEPT_MERGES, joined};
use crate::disk::keys;
use crate::disk::seal::seal;
use crate::error::{Error, ErrorKind};

impl StagedDocument<'_> {
    pub(super) fn write_items(&mut self) -> Try<()> {
        let mut blocks: Vec<Block> =
            std::mem::take(&mut self.blocks).into_values().flatten().collect();
        blocks.sort_unstable_by_key(|block| (block.client(), block.start));
        let ends: BTreeMap<u64, u32> =
            blocks.iter().map(|block| (block.client(), block.end)).collect();
        for client in ends.keys() {
            // The items from the damaged block on have come again, or come.
            if let Some(start) = self.base.damaged_from(*client) {
                let (from, to) = (start, u32::MAX);
                let [from, to] = [from, to].map(|clock| keys::of_item(keys::BLOCK, *client, clock));
                self.forget(&from, &to)?;
                self.forget_in_tail(&from, &to)?;
            }
        }
        blocks.retain(|block| block.start < block.end);
        for ((client, clock), (_, block)) in std::mem::take(&mut self.nested) {
            self.set(&keys::of_item(keys::NESTED, client, clock), &block)?;
        }
        self.write_waiting()?;
        self.write_unseen()?;
        for name in self.base.damaged_roots() {
            self.root(&name)?;
            self.new_roots.push(name);
        }
        for name in std::mem::take(&mut self.new_roots) {
            let Some(root) = self.roots.get(&name).cloned() else { continue };
            self.set(&keys::of_root(&name), &write_root(&root))?;
            self.set(&keys::of_root_number(root.number), &write_root_name(&root, &name))?;
        }
        self.state.commits = self.state.commits.saturating_add(1);
        let record = self.journal_record(ends);
        self.write_newest(blocks, &record)?;
        self.shorten_journal()?;
        let DocumentState { commits, deletions, bytes } = self.state;
        let state = [commits, deletions, bytes].map(u64::to_le_bytes).concat();
        self.tail.insert(keys::STATE, seal(keys::STATE, &state).as_slice())?;
        let roots = std::mem::take(&mut self.roots);
        let added = Added { roots, ..std::mem::take(&mut self.added_to_known) };
        self.base.expect(self.state, added);
        Ok(())
    }

    /// Writes where edits met.
    fn write_unseen(&mut self) -> Try<()> {
        for ((root, key), unseen) in std::mem::take(&mut self.unseen) {
            let number = self.root(&root)?.number;
            let at = keys::of_entry(keys::UNSEEN, number, &keys::pack(&root, &key));
            if unseen.is_empty() {
                self.remove(&at)?;
            } else {
                let json = serde_json::to_vec(&unseen).map_err(|error| {
                    Failure(
                        Error::new(ErrorKind::Storage, "an edit does not serialize").because(error),
                    )
                })?;
                self.set(&at, &json)?;
            }
        }
        Ok(())
    }

    /// Writes which updates wait.
    fn write_waiting(&mut self) -> Try<()> {
        if self.released.is_empty() && self.added.is_empty() {
            return Ok(());
        }
        for waiting in std::mem::take(&mut self.released) {
            self.remove(&keys::of_waiting(waiting))?;
            self.remove(&keys::numbered(keys::WAITING, waiting.hash))?;
        }
        for (hash, (waiting, update)) in std::mem::take(&mut self.added) {
            let len = u32::try_from(update.len()).unwrap_or(u32::MAX);
            self.set(&keys::of_waiting(waiting), &len.to_le_bytes())?;
            self.set(&keys::numbered(keys::WAITING, hash), &update)?;
        }
        match self.waits.take() {
            Some(Waits { count: 0, .. }) => self.remove(&[keys::NEEDED]),
            Some(Waits { count, bytes }) => {
                self.set(&[keys::NEEDED], &[count, bytes].map(u64::to_le_bytes).concat())
            }
            None => Ok(()),
        }
    }

    /// The record of this commit, with the clocks that clients have come to.
    fn journal_record(&mut self, ends: BTreeMap<u64, u32>) -> JournalRecord {
        let removed = joined(std::mem::take(&mut self.removed));
        let inserted = ends.into_iter().filter_map(|(client, end)| {
            let start = *self.before.get(&client)?;
            Some((client, start..end))
        });
        JournalRecord {
            deletions_hash: self.state.deletions,
            inserted: joined(inserted.collect()),
            removed: Some(removed),
        }
    }

    fn shorten_journal(&mut self) -> Try<()> {
        let DocumentState { commits, deletions, .. } = self.state;
        if self.is_merge {
            self.set(&keys::numbered(keys::MERGE, commits), &deletions.to_le_bytes())?;
            let all = keys::numbered(keys::MERGE, 0)..=keys::numbered(keys::MERGE, u64::MAX);
            let range = (all.start().as_slice(), all.end().as_slice());
            let oldest = {
                let mut merges = self.items()?.range::<&[u8]>(range.0..=range.1)?;
                merges.nth_back(KEPT_MERGES).transpose()?.map(|(key, _)| key.value().to_vec())
            };
            if let Some(oldest) = oldest {
                self.forget(range.0, &oldest)?;
            }
        }
        // Seldom, since it is another part of the file. Those in the tail say what else is said only once they
        // have moved.
        let kept = self.commit.journal_commits;
        if commits % kept.max(1) == 0 {
            let to = keys::numbered(keys::JOURNAL, commits.saturating_sub(kept));
            self.forget(&keys::numbered(keys::JOURNAL, 0), &to)?;
        }
        Ok(())
    }

    pub(super) fn forget(&mut self, from: &[u8], to: &[u8]) -> Try<()> {
        let mut bytes = 0;
        self.items_to_change()?.retain_in::<&[u8], _>(from..=to, |key, value| {
            bytes += key.len() + value.len();
            false
        })?;
        self.count(Some(bytes), None);
        Ok(())
    }
}
