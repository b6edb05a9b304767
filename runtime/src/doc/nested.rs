//! Parts of nested types, which only other programs write: kept as they came, and passed on.
//!
//! They are stored with the item that they hang on, the one under a key of a root map.

use std::panic::{AssertUnwindSafe, catch_unwind};

use yrs::block::ClientID;
use yrs::encoding::write::Write;
use yrs::updates::encoder::Encode;
use yrs::{StateVector, diff_updates_v1};

use super::block::Block;
use super::incoming::Incoming;
use super::outgoing::{Blocks, update_of};
use super::wire::Reader;
use crate::error::Result;
use crate::row::ItemId;

/// A part as it is stored: whether it hangs on an item, that item, and the block.
pub(super) fn record(holder: Option<ItemId>, block: &[u8]) -> Vec<u8> {
    let mut record = Vec::new();
    record.write_u8(u8::from(holder.is_some()));
    if let Some(holder) = holder {
        record.write_var(holder.client);
        record.write_var(holder.clock);
    }
    record.write_all(block);
    record
}

/// The item that a stored part hangs on.
pub(super) fn holder_in(record: &[u8]) -> Option<ItemId> {
    read(record).ok()?.0
}

/// The block of a stored part.
pub(super) fn block_in(record: &[u8]) -> Result<&[u8]> {
    Ok(read(record)?.1)
}

fn read(record: &[u8]) -> Result<(Option<ItemId>, &[u8])> {
    let mut reader = Reader::new(record, 0);
    let holder = if reader.byte()? == 0 { None } else { Some(reader.id()?) };
    Ok((holder, Reader::new(record, record.len()).since(reader.at())?))
}

/// The bytes of a block from a clock on; `None` if it cannot be divided there.
pub(super) fn rest_of(client: u64, start: u32, block: &Block<'_>) -> Option<Vec<u8>> {
    if start == block.start {
        return Some(block.bytes.to_vec());
    }
    let mut whole = Blocks::new(client, block.start);
    whole.put_all(1, block.bytes);
    let whole = update_of(vec![whole], &[]);
    let mut known = StateVector::default();
    known.set_max(ClientID::new(client), start);
    let known = known.encode_v1();
    // Its bytes were checked, but how yrs divides them is its own matter.
    let rest = catch_unwind(AssertUnwindSafe(|| diff_updates_v1(&whole, &known))).ok()?.ok()?;
    let rest = Incoming::read(&rest).ok()?;
    let mut bytes = None;
    let mut walk = rest.walk(vec![start]);
    let is_read = walk.each(&mut |_, rest| {
        bytes = (rest.end() == block.end()).then(|| rest.bytes.to_vec());
        Ok(())
    });
    is_read.ok().and(bytes)
}

/// [`rest_of`] the bytes of a block that begins at `block_start`.
pub(super) fn rest_of_bytes(
    client: u64,
    block_start: u32,
    start: u32,
    bytes: &[u8],
) -> Result<Option<Vec<u8>>> {
    let block = Block::read(&mut Reader::new(bytes, 0), block_start)?;
    Ok(rest_of(client, start, &block))
}
