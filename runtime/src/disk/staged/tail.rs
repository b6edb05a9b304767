//! The newest blocks of items and records of commits. They stand in a small table of their own, with the state
//! of the document, so that a commit changes one page of the file for all of them, and move to the document's
//! table together.

use std::collections::BTreeMap;

use redb::{ReadableTable, ReadableTableMetadata};

use super::StagedDocument;
use crate::disk::blocks::Block;
use crate::disk::document::{NewestDeaths, read_block};
use crate::disk::failure::{Failure, Try};
use crate::disk::journal::{JournalRecord, joined};
use crate::disk::keys;
use crate::disk::seal::seal;
use crate::doc::items::ReadItems;
use crate::error::ErrorKind;

/// So many bytes stand in the tail at most, which fit a page of the file with all that belongs to them there.
const MAX_BYTES: u64 = 3_000;
/// So many blocks and records stand there at most, and the state.
const MAX_ENTRIES: u64 = 32;

/// A key and its sealed value.
type Sealed = (Vec<u8>, Vec<u8>);

impl StagedDocument<'_> {
    /// Whether a block stands in the tail.
    pub(super) fn is_in_tail(&self, block: &Block) -> Try<bool> {
        let key = keys::of_item(keys::BLOCK, block.client(), block.start);
        Ok(self.tail.get(key.as_slice())?.is_some())
    }

    /// Writes new blocks, in the order of their clients and clocks, the record of this commit, and what is dead.
    ///
    /// The removals in the records of the tail are not in the bitmaps yet.
    pub(super) fn write_newest(&mut self, blocks: Vec<Block>, record: &JournalRecord) -> Try<()> {
        let at = keys::numbered(keys::JOURNAL, self.state.commits);
        let encoded = record.encode();
        let is_whole = JournalRecord::is_whole(&encoded);
        let removed = record.removed.as_deref().unwrap_or_default();
        let record: Sealed = (at.to_vec(), seal(&at, &encoded));
        let are_few = (blocks.len() as u64) < MAX_ENTRIES;
        // Of more, the bytes need not be known.
        let few = if are_few { blocks.as_slice() } else { &[] };
        let mut newest: Vec<Sealed> = few.iter().map(sealed_block).collect();
        newest.push(record);
        if is_whole && are_few && self.has_room_in_tail(&newest)? {
            if let NewestDeaths::Known(deaths) = self.base.newest_deaths()? {
                let deaths = joined([deaths.as_slice(), removed].concat());
                self.added_to_known.newest_deaths = Some(NewestDeaths::Known(deaths));
            }
            return newest.iter().try_for_each(|(key, value)| self.insert_in_tail(key, value));
        }
        let is_dead_known = self.gather_deaths()?;
        if is_dead_known {
            self.added_to_known.newest_deaths = Some(NewestDeaths::Known(Vec::new()));
        }
        let mut moved: BTreeMap<(u64, u32), Block> = BTreeMap::new();
        for (key, value) in self.take_tail(is_dead_known)? {
            match key.first() {
                Some(&keys::BLOCK) => match read_block(&key, &value) {
                    Ok(block) => drop(moved.insert((block.client(), block.start), block)),
                    // It stays damaged, until another device gives what is in it.
                    Err(_) => self.insert(&key, &value)?,
                },
                _ => self.insert(&key, &value)?,
            }
        }
        moved.extend(blocks.into_iter().map(|block| ((block.client(), block.start), block)));
        self.move_blocks(moved)?;
        self.write_dead()?;
        newest.pop().map_or(Ok(()), |(key, record)| self.insert(&key, &record))
    }

    /// Takes what the records in the tail say to be dead together with what died in this commit; `false` if one
    /// is damaged, and what it said does not follow from what keys hold. Then they stay where they are.
    fn gather_deaths(&mut self) -> Try<bool> {
        let deaths = match self.base.newest_deaths()? {
            NewestDeaths::Known(deaths) => deaths.clone(),
            NewestDeaths::Damaged => match self.base.deletions() {
                Ok(all) => all
                    .into_iter()
                    .flat_map(|(client, ranges)| ranges.into_iter().map(move |it| (client, it)))
                    .collect(),
                Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(false),
                Err(error) => return Err(Failure(error)),
            },
        };
        for (client, clocks) in deaths {
            self.kill_all(client, clocks)?;
        }
        Ok(true)
    }

    /// Whether these may stand in the tail beside what is there.
    fn has_room_in_tail(&self, newest: &[Sealed]) -> Try<bool> {
        // A damaged record goes as soon as it is known what it said.
        let is_dead_known = !self.maps.is_empty() || !self.full.is_empty();
        if is_dead_known && matches!(self.base.newest_deaths()?, NewestDeaths::Damaged) {
            return Ok(false);
        }
        let mut entries = self.tail.len()?;
        let mut bytes = self.tail.stats()?.stored_bytes();
        for (key, value) in newest {
            let replaced = self.tail.get(key.as_slice())?.map(|before| before.value().len());
            entries += u64::from(replaced.is_none());
            bytes += (value.len() + replaced.map_or(key.len(), |_| 0)) as u64;
            bytes -= replaced.unwrap_or_default() as u64;
        }
        Ok(entries <= MAX_ENTRIES && bytes <= MAX_BYTES)
    }

    /// Takes out of the tail all that moves; records of commits only `with_records`.
    fn take_tail(&mut self, with_records: bool) -> Try<Vec<Sealed>> {
        let mut taken = Vec::new();
        self.tail.retain(|key, value| {
            let is_record = key.first() == Some(&keys::JOURNAL);
            let stays = key == keys::STATE || is_record && !with_records;
            if !stays {
                taken.push((key.to_vec(), value.to_vec()));
            }
            stays
        })?;
        let bytes = taken.iter().map(|(key, value)| key.len() + value.len()).sum();
        self.count(Some(bytes), None);
        Ok(taken)
    }

    /// Takes out of the tail what lies between two keys.
    pub(super) fn forget_in_tail(&mut self, from: &[u8], to: &[u8]) -> Try<()> {
        let mut bytes = 0;
        self.tail.retain_in::<&[u8], _>(from..=to, |key, value| {
            bytes += key.len() + value.len();
            false
        })?;
        self.count(Some(bytes), None);
        Ok(())
    }

    /// Writes blocks to the document's table. The first of a client is added to the last one there.
    fn move_blocks(&mut self, blocks: BTreeMap<(u64, u32), Block>) -> Try<()> {
        let mut before = None;
        for ((client, start), block) in blocks {
            if before.replace(client) == Some(client) {
                self.set_block(&block)?;
                continue;
            }
            let last = match self.base.block_in(self.items()?, client, start) {
                // It is known now, and stays as it is.
                Err(Failure(error)) if error.kind() == ErrorKind::Corrupt => None,
                last => last?,
            };
            let Some(mut last) = last.filter(|last| last.has_room() && last.end == start) else {
                self.set_block(&block)?;
                continue;
            };
            for run in block.runs() {
                let run = run?;
                if !last.has_room() {
                    self.set_block(&last)?;
                    last = Block::new(client, run.start);
                }
                last.push(&run);
            }
            self.set_block(&last)?;
        }
        Ok(())
    }

    fn set_block(&mut self, block: &Block) -> Try<()> {
        let (key, value) = sealed_block(block);
        self.insert(&key, &value)
    }
}

fn sealed_block(block: &Block) -> Sealed {
    let key = keys::of_item(keys::BLOCK, block.client(), block.start);
    (key.to_vec(), seal(&key, &block.encode()))
}
