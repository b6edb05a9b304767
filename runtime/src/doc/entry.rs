//! What stands under a key of a root map.

use yrs::types::{ToJson, TypeRef};
use yrs::updates::encoder::Encode;
use yrs::{Any, Map, MapRef, Out, ReadTxn};

use crate::row::{Content, ItemId};

/// An entry of a root map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: ItemId,
    pub(crate) content: Content,
}

impl Entry {
    pub(super) fn read<T: ReadTxn>(txn: &T, map: &MapRef, key: &str) -> Option<Self> {
        let value = map.get(txn, key)?;
        Some(Self { id: item_id(txn, map, key)?, content: content(txn, value) })
    }
}

pub(super) fn content<T: ReadTxn>(txn: &T, value: Out) -> Content {
    match value {
        Out::Any(Any::String(text)) => Content::Text(text),
        other => {
            let json = serde_json::to_string(&other.to_json(txn));
            Content::Foreign(json.unwrap_or_else(|_| "null".to_owned()))
        }
    }
}

/// The id of a map's current item. yrs offers it publicly only through links, whose source names
/// the item they start at.
fn item_id<T: ReadTxn>(txn: &T, map: &MapRef, key: &str) -> Option<ItemId> {
    let link = map.link(txn, key)?;
    let bytes = TypeRef::WeakLink(link.source().clone()).encode_v1();
    // [the type's tag, flags, client as a variable-length integer, clock likewise]
    let mut rest = bytes.get(2..)?;
    let client = read_varint(&mut rest)?;
    let clock = u32::try_from(read_varint(&mut rest)?).ok()?;
    Some(ItemId { client, clock })
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
