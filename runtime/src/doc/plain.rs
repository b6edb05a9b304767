//! Updates of plain entries, written and looked through without a document: texts under keys of root
//! maps. What a migration makes is nothing else, under keys that were never set before.

use yrs::block::{
    BLOCK_GC_REF_NUMBER, BLOCK_ITEM_ANY_REF_NUMBER, BLOCK_ITEM_DELETED_REF_NUMBER,
    BLOCK_SKIP_REF_NUMBER, ClientID, HAS_ORIGIN, HAS_PARENT_SUB, HAS_RIGHT_ORIGIN,
};
use yrs::encoding::read::{Cursor, Read};
use yrs::encoding::write::Write;
use yrs::updates::decoder::{Decode, Decoder, DecoderV1};
use yrs::updates::encoder::{Encoder, EncoderV1};
use yrs::{ID, IdSet};

use super::{Root, Writes};
use crate::row::ItemId;

/// The tag of a text among the values of yrs.
const TEXT: u8 = 119;

/// The bits of an item's first byte that say what its content is.
const CONTENT_BITS: u8 = 0b1111;

/// The update of a transaction that sets new keys of a root map to texts, one item each from
/// `first` on: byte for byte what [`Document::write`](super::Document::write) gives.
///
/// Of the keys none may have been set in the document before, not even removed ones.
pub(crate) fn update_of<'e>(
    root: &Root,
    first: ItemId,
    entries: impl ExactSizeIterator<Item = (&'e str, &'e str)>,
) -> Vec<u8> {
    let root = root.name();
    let mut update = EncoderV1::new();
    if entries.len() == 0 {
        update.write_var(0u32);
    } else {
        update.write_var(1u32);
        update.write_var(entries.len());
        update.write_client(ClientID::new(first.client));
        update.write_var(first.clock);
    }
    for (key, text) in entries {
        update.write_info(HAS_PARENT_SUB | BLOCK_ITEM_ANY_REF_NUMBER);
        update.write_parent_info(true);
        update.write_string(&root);
        update.write_string(key);
        update.write_len(1);
        update.write_u8(TEXT);
        update.write_string(text);
    }
    // No deletions.
    update.write_var(0u32);
    update.to_vec()
}

/// The writes of each device in an update, where it holds texts alone and none is left out between;
/// `None` where only decoding it as a whole tells.
pub(super) fn clocks_of(update: &[u8]) -> Option<Vec<Writes>> {
    let mut update = DecoderV1::new(Cursor::new(update));
    let clients: u32 = update.read_var().ok()?;
    let mut clocks: Vec<Writes> = Vec::new();
    for _ in 0..clients {
        let items: u32 = update.read_var().ok()?;
        let client = update.read_client().ok()?.get();
        let start: u32 = update.read_var().ok()?;
        let mut end = start;
        for _ in 0..items {
            end = end.checked_add(pass_item(&mut update, &mut |_| {})?.len)?;
        }
        if clocks.iter().any(|writes| writes.client == client) {
            return None;
        }
        if start < end {
            clocks.push(Writes { client, start, end });
        }
    }
    IdSet::decode(&mut update).ok()?;
    Some(clocks)
}

/// An item, or several of one entry that follow each other, as read over.
pub(super) struct Passed {
    pub(super) len: u32,
    pub(super) is_deleted: bool,
}

/// What an item says of the entry that it belongs to.
pub(super) enum Mark<'m> {
    /// It is the one of that item.
    Of(ItemId),
    Root(&'m str),
    Key(&'m str),
}

/// Reads over an item; tells what it says of its entry.
pub(super) fn pass_item(
    update: &mut DecoderV1<'_>,
    tell: &mut dyn FnMut(Mark<'_>),
) -> Option<Passed> {
    let id = |id: ID| Mark::Of(ItemId { client: id.client.get(), clock: id.clock });
    let info = update.read_info().ok()?;
    match info {
        BLOCK_GC_REF_NUMBER => {
            return Some(Passed { len: update.read_len().ok()?, is_deleted: true });
        }
        BLOCK_SKIP_REF_NUMBER => return None,
        _ => {}
    }
    if info & HAS_ORIGIN != 0 {
        tell(id(update.read_left_id().ok()?));
    }
    if info & HAS_RIGHT_ORIGIN != 0 {
        tell(id(update.read_right_id().ok()?));
    }
    if info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN) == 0 {
        if update.read_parent_info().ok()? {
            tell(Mark::Root(update.read_string().ok()?));
        } else {
            update.read_left_id().ok()?;
        }
        if info & HAS_PARENT_SUB != 0 {
            tell(Mark::Key(update.read_string().ok()?));
        }
    }
    let len = update.read_len().ok()?;
    let is_deleted = info & CONTENT_BITS == BLOCK_ITEM_DELETED_REF_NUMBER;
    match info & CONTENT_BITS {
        BLOCK_ITEM_DELETED_REF_NUMBER => {}
        BLOCK_ITEM_ANY_REF_NUMBER => {
            for _ in 0..len {
                if update.read_u8().ok()? != TEXT {
                    return None;
                }
                update.read_string().ok()?;
            }
        }
        _ => return None,
    }
    Some(Passed { len, is_deleted })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doc::{Document, Op};

    const CLIENT: u64 = (1 << 53) - 7;

    fn entries(count: usize) -> Vec<(String, String)> {
        let text = |number: usize| match number % 3 {
            0 => format!("{{\"n\":{number}}}"),
            1 => "é\u{1F980}\0\"".repeat(number),
            _ => String::new(),
        };
        (0..count).map(|number| (format!("kéy_{number}"), text(number))).collect()
    }

    fn ops(entries: &[(String, String)]) -> Vec<Op<'_>> {
        entries.iter().map(|(key, text)| Op { root: 0, key, value: Some(text) }).collect()
    }

    #[test]
    fn updates_are_those_that_a_document_gives() {
        let mut document = Document::new("store/1.0/c", CLIENT);
        let entries = entries(400);
        for (index, piece) in entries.chunks(150).enumerate() {
            let root =
                [Root::Table("notes".into()), Root::Group("settings".into())][index % 2].clone();
            let first = document.next_id();
            let pairs = piece.iter().map(|(key, text)| (key.as_str(), text.as_str()));
            let made = update_of(&root, first, pairs);
            assert_eq!(made, document.write(&[root], &ops(piece)));
        }
        let none = update_of(&Root::Quarantine, document.next_id(), std::iter::empty());
        assert_eq!(none, document.write(&[Root::Quarantine], &[]));
    }

    #[test]
    fn clocks_are_those_of_the_decoded_update() {
        let root = Root::Table("notes".into());
        let entries = entries(50);
        let mut document = Document::new("store/0", CLIENT);
        let mut updates = vec![document.write(std::slice::from_ref(&root), &ops(&entries))];
        // Overwritten, removed, and by two devices.
        updates.push(document.write(std::slice::from_ref(&root), &ops(&entries[5..9])));
        updates.push(document.write(
            std::slice::from_ref(&root),
            &[Op { root: 0, key: &entries[3].0, value: None }],
        ));
        let mut other = Document::new("store/0", 3);
        other.replay(&document.encode()).unwrap();
        updates.push(other.write(std::slice::from_ref(&root), &ops(&entries[7..20])));
        updates.push(other.encode());
        for update in &updates {
            let full = Document::decoded_clocks(update).unwrap().unwrap();
            let mut full: Vec<_> = full.iter().map(|w| (w.client, w.start, w.end)).collect();
            let quick = clocks_of(update).expect("texts alone");
            let mut quick: Vec<_> = quick.iter().map(|w| (w.client, w.start, w.end)).collect();
            full.sort_unstable();
            quick.sort_unstable();
            assert_eq!(quick, full);
            for len in 0..update.len() {
                assert!(clocks_of(&update[..len]).is_none(), "cut at {len} unnoticed");
            }
        }
    }
}
