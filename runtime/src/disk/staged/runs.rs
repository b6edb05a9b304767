//! The items that a commit adds, in blocks over those of the file.

use super::{StagedDocument, too_many};
use crate::disk::blocks::{Block, PackedPlace, PackedRun};
use crate::disk::document::damaged_root;
use crate::disk::failure::{Failure, Try, corrupt};
use crate::disk::keys;
use crate::doc::items::{ItemRun, Place};
use crate::row::ItemId;

impl StagedDocument<'_> {
    fn packed(&mut self, run: ItemRun) -> Try<PackedRun> {
        let ItemRun { start, len, place } = run;
        let place = match place {
            Place::Gone => PackedPlace::Gone,
            Place::Nested => PackedPlace::Nested,
            Place::After { origin, first } => PackedPlace::After { origin, first },
            Place::First { root, key } => {
                let number = self.root(&root)?.number;
                PackedPlace::First { root: number, key: keys::pack(&root, &key) }
            }
        };
        Ok(PackedRun { start, len, place })
    }

    pub(super) fn add_run(&mut self, client: u64, run: ItemRun) -> Try<()> {
        run.start.checked_add(run.len).ok_or_else(too_many)?;
        let run = self.packed(run)?;
        if !self.blocks.contains_key(&client) {
            let last = self.base.block_up_to(client, u32::MAX)?;
            let at = last.as_ref().map_or(0, |block| block.end);
            if run.start != at {
                return Err(Failure(corrupt("an item does not follow the one before it")));
            }
            self.before.insert(client, at);
            let last = last.filter(Block::has_room);
            let is_in_tail = |block: &Block| self.is_in_tail(block);
            let block = match last {
                Some(block) if is_in_tail(&block)? => block,
                _ => Block::new(client, at),
            };
            self.blocks.insert(client, vec![block]);
        }
        let Some(blocks) = self.blocks.get_mut(&client) else { return Ok(()) };
        if blocks.last().is_none_or(|block| !block.has_room()) {
            blocks.push(Block::new(client, run.start));
        }
        if let Some(block) = blocks.last_mut() {
            block.push(&run);
        }
        Ok(())
    }

    /// How many clocks of a client are here, if it has written something.
    pub(super) fn new_end(&self, client: u64) -> Option<u32> {
        self.blocks.get(&client)?.last().map(|block| block.end)
    }

    pub(super) fn new_run(&self, id: ItemId) -> Try<Option<ItemRun>> {
        let Some(blocks) = self.blocks.get(&id.client) else { return Ok(None) };
        let after = blocks.partition_point(|block| block.start <= id.clock);
        let Some(block) = after.checked_sub(1).and_then(|index| blocks.get(index)) else {
            return Ok(None);
        };
        if id.clock >= block.end {
            return Err(Failure(corrupt("an item that another one refers to is not here")));
        }
        let PackedRun { start, len, place } = block.run_at(id.clock)?;
        let place = match place {
            PackedPlace::First { root, key } => {
                let known = self.roots.iter().find(|(_, info)| info.number == root);
                let name = match known {
                    Some((name, _)) => Some(name.clone()),
                    None => self.base.root_name(root)?,
                };
                let name = name.ok_or_else(damaged_root)?;
                let key = keys::unpack(&name, &key).ok_or_else(damaged_root)?;
                Place::First { root: name, key: key.into() }
            }
            place => return self.base.unpacked(PackedRun { start, len, place }).map(Some),
        };
        Ok(Some(ItemRun { start, len, place }))
    }
}
