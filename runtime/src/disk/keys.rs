//! The keys of a document's own table, by their first byte, and the packed form of its entries' keys.
//!
//! | key | value |
//! |---|---|
//! | `b`, client (8), clock (4) | a block of items, by its first one |
//! | `d`, client (8), clock / 4096 (4) | which items are dead |
//! | `e`, number (4), packed key | edits that lost under the key and that no write is known to have seen, as JSON |
//! | `j`, commit (8) | what that commit has brought (of the newest ones) |
//! | `m`, commit (8) | the hash of the deletions after that merge (of the newest ones) |
//! | `n`, client (8), clock (4) | a part of a nested type, as it stands in an update |
//! | `q` | how many updates wait (8), and how many bytes they have (8) |
//! | `q`, client (8), clock (4), hash (8) | an update waits for that item: how many bytes it has (4) |
//! | `r`, number (4) | of the root with that number, how its keys are written, a zero byte, and its name |
//! | `R`, name | its number (4), and how its keys are written; nothing if they are texts |
//! | `s` | how many commits there were (8), a hash of the deletions (8), and how many bytes the table holds beside this (8) |
//! | `u`, number (4), packed key | the document's own entry, where readers see a late edit, or a row with its cells instead |
//! | `w`, hash (8) | an update that waits for others, by the hash of its bytes |
//! | `x`, number (4), packed key | the last item, client (8) and clock (4), of a key that holds nothing |
//!
//! Numbers in keys are big-endian, in values little-endian.
//!
//! The table of the tail has keys of the same form: `s`, and the newest of `b` and `j`, which are not in the
//! document's own table yet.

use crate::doc::items::Waiting;
use crate::row::{ItemId, KeyForm, prefixed_bits, uuid_of};

pub(super) const BLOCK: u8 = b'b';
pub(super) const DEAD: u8 = b'd';
pub(super) const UNSEEN: u8 = b'e';
pub(super) const JOURNAL: u8 = b'j';
pub(super) const MERGE: u8 = b'm';
pub(super) const NESTED: u8 = b'n';
pub(super) const NEEDED: u8 = b'q';
pub(super) const ROOT_NAME: u8 = b'r';
pub(super) const ROOT: u8 = b'R';
pub(super) const STATE: &[u8] = b"s";
pub(super) const UNDER: u8 = b'u';
pub(super) const WAITING: u8 = b'w';
pub(super) const REMOVED: u8 = b'x';

/// The key of what belongs to an item.
pub(super) fn of_item(first: u8, client: u64, number: u32) -> [u8; 13] {
    let mut key = [first; 13];
    key[1..9].copy_from_slice(&client.to_be_bytes());
    key[9..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The client and the number in the key of what belongs to an item.
pub(super) fn item_of(key: &[u8]) -> Option<(u64, u32)> {
    let (client, number) = key.get(1..)?.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*client), u32::from_be_bytes(number.try_into().ok()?)))
}

pub(super) fn of_root(name: &str) -> Vec<u8> {
    [&[ROOT], name.as_bytes()].concat()
}

pub(super) fn of_root_number(number: u32) -> [u8; 5] {
    let mut key = [ROOT_NAME; 5];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The key of what belongs to an entry.
pub(super) fn of_entry(first: u8, root: u32, packed: &[u8]) -> Vec<u8> {
    [&[first], root.to_be_bytes().as_slice(), packed].concat()
}

/// The number of the root and the packed key in the key of what belongs to an entry.
pub(super) fn entry_of(key: &[u8]) -> Option<(u32, &[u8])> {
    let (root, packed) = key.get(1..)?.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*root), packed))
}

/// The key of what an update waits for.
pub(super) fn of_waiting(waiting: Waiting) -> [u8; 21] {
    let mut key = [NEEDED; 21];
    key[..13].copy_from_slice(&of_item(NEEDED, waiting.needs.client, waiting.needs.clock));
    key[13..].copy_from_slice(&waiting.hash.to_be_bytes());
    key
}

/// Returns the item that an update waits for and the hash of the update, which are its key.
pub(super) fn waiting_of(key: &[u8]) -> Option<Waiting> {
    let (item, hash) = key.split_at_checked(13)?;
    let (client, clock) = item_of(item)?;
    let hash = u64::from_be_bytes(hash.try_into().ok()?);
    Some(Waiting { needs: ItemId { client, clock }, hash })
}

/// The key of what has a number of its own.
pub(super) fn numbered(first: u8, number: u64) -> [u8; 9] {
    let mut key = [first; 9];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

const AS_TEXT: u8 = 0;
const AS_UUID: u8 = 1;
const AS_ID: u8 = 2;

/// The prefix that ids of a table's rows have.
fn prefix_of(root: &str) -> &str {
    root.strip_prefix("table:").unwrap_or(root)
}

/// The number in the key of what has one of its own.
pub(super) fn number_of(key: &[u8]) -> Option<u64> {
    key.get(1..)?.try_into().ok().map(u64::from_be_bytes)
}

/// Packs the key of an entry: UUIDs and the ids of a table's own rows as sixteen bytes.
pub(super) fn pack(root: &str, key: &str) -> Vec<u8> {
    let packed = |tag: u8, bytes: &[u8]| {
        let mut packed = Vec::with_capacity(1 + bytes.len());
        packed.push(tag);
        packed.extend(bytes);
        packed
    };
    // The length tells most texts apart from both.
    if key.len() == 36
        && let Some(uuid) = uuid_of(key)
    {
        return packed(AS_UUID, uuid.as_bytes());
    }
    if key.len() > 26
        && let Some(bits) = prefixed_bits(prefix_of(root), key)
    {
        return packed(AS_ID, &bits.to_be_bytes());
    }
    packed(AS_TEXT, key.as_bytes())
}

/// Returns the key of a packed one; `None` if the bytes do not parse as one.
pub(super) fn unpack(root: &str, packed: &[u8]) -> Option<String> {
    let (&tag, bytes) = packed.split_first()?;
    match tag {
        AS_TEXT => KeyForm::TEXT.text_of(bytes),
        AS_UUID => KeyForm::UUID.text_of(bytes),
        AS_ID => KeyForm::ids(prefix_of(root)).text_of(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_keys_come_back_and_differ() {
        let keys = [
            "",
            "a",
            "notes_01h455vb4pex5vsknk084sn02q",
            "tags_01h455vb4pex5vsknk084sn02q",
            "0189a4c2-7c1e-7c55-8c3a-0f7a3d0c2b11",
            "0189A4C2-7C1E-7C55-8C3A-0F7A3D0C2B11",
            "\u{1}\0",
        ];
        let packed = keys.map(|key| pack("table:notes", key));
        for (key, packed) in keys.iter().zip(&packed) {
            assert_eq!(unpack("table:notes", packed).as_deref(), Some(*key));
        }
        assert_eq!(packed[2].len(), 17);
        assert_eq!(packed[4].len(), 17);
        let mut sorted = packed.to_vec();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), keys.len());
    }
}
