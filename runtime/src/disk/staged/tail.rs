//! The newest blocks of items and records of commits. They stand in a small table of their own, with the state
//! of the document, so that a commit changes one page of the file for all of them, and move to the document's
//! table together.

use std::collections::BTreeMap;

use redb::ReadableTable;

use super::StagedDocument;
use crate::disk::blocks::Block;
use crate::disk::document::read_block;
use crate::disk::failure::{Failure, Try};
use crate::disk::journal::JournalRecord;
use crate::disk::keys;
use crate::disk::seal::seal;
use crate::error::ErrorKind;

/// So many bytes stand in the tail at most, which fit a page of the file with all that belongs to them there.
const MAX_BYTES: usize = 3_000;
/// So many blocks and records stand there at most.
const MAX_ENTRIES: usize = 32;

/// What is sealed for a key.
type Sealed = (Vec<u8>, Vec<u8>);

impl StagedDocument<'_> {
    /// Whether a block stands in the tail.
    pub(super) fn is_in_tail(&self, block: &Block) -> Try<bool> {
        let key = keys::of_item(keys::BLOCK, block.client(), block.start);
        Ok(self.tail.get(key.as_slice())?.is_some())
    }

    /// Writes new blocks, in the order of their clients and clocks, and the record of this commit.
    pub(super) fn write_newest(&mut self, blocks: Vec<Block>, record: &JournalRecord) -> Try<()> {
        let at = keys::numbered(keys::JOURNAL, self.state.commits);
        let record: Sealed = (at.to_vec(), seal(&at, &record.encode()));
        // Of more, the bytes need not be known.
        let few = if blocks.len() < MAX_ENTRIES { blocks.as_slice() } else { &[] };
        let mut newest: Vec<Sealed> = few.iter().map(sealed_block).collect();
        newest.push(record);
        if blocks.len() < MAX_ENTRIES && self.has_room_in_tail(&newest)? {
            return newest.iter().try_for_each(|(key, value)| self.insert_in_tail(key, value));
        }
        let mut moved: BTreeMap<(u64, u32), Block> = BTreeMap::new();
        for (key, value) in self.take_tail()? {
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
        newest.pop().map_or(Ok(()), |(key, record)| self.insert(&key, &record))
    }

    /// Whether these may stand in the tail beside what is there.
    fn has_room_in_tail(&self, newest: &[Sealed]) -> Try<bool> {
        let size = |(key, value): &Sealed| key.len() + value.len();
        let mut entries = newest.len();
        let mut bytes: usize = newest.iter().map(size).sum();
        for item in self.tail.iter()? {
            let (key, value) = item?;
            let is_replaced = |(of, _): &Sealed| of.as_slice() == key.value();
            if key.value() != keys::STATE && !newest.iter().any(is_replaced) {
                entries += 1;
                bytes += key.value().len() + value.value().len();
            }
        }
        Ok(entries <= MAX_ENTRIES && bytes <= MAX_BYTES)
    }

    /// Takes out of the tail all that moves.
    fn take_tail(&mut self) -> Try<Vec<Sealed>> {
        let mut taken = Vec::new();
        self.tail.retain(|key, value| {
            let stays = key == keys::STATE;
            if !stays {
                taken.push((key.to_vec(), value.to_vec()));
            }
            stays
        })?;
        let bytes = taken.iter().map(|(key, value)| key.len() + value.len()).sum();
        self.count(Some(bytes), None);
        Ok(taken)
    }

    /// Writes blocks to the document's table. The first of a client is added to the last one there.
    fn move_blocks(&mut self, blocks: BTreeMap<(u64, u32), Block>) -> Try<()> {
        let mut before = None;
        for ((client, start), block) in blocks {
            if before.replace(client) == Some(client) {
                self.set_block(&block)?;
                continue;
            }
            let last = match self.base.block_in(&self.items, client, start) {
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
