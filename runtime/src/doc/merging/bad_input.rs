//! Bytes that no device of good will sends: refused before anything changes, or kept as the rules
//! say.

#![expect(clippy::single_range_in_vec_init, reason = "clocks are kept as ranges")]

use super::*;
use crate::ErrorKind;
use crate::doc::items::{Place, ReadItems, Value};
use crate::doc::memory::Memory;
use crate::doc::outgoing::Position;

/// The info, root and key of a first item that holds a value of yrs.
const FIRST: [u8; 6] = [0x28, 1, 1, b'r', 1, b'k'];

fn first_item(content: &[u8]) -> Vec<u8> {
    let mut block = FIRST.to_vec();
    block.extend(content);
    block
}

fn update(client: u64, start: u32, count: u32, bytes: &[u8]) -> Vec<u8> {
    let mut blocks = Blocks::new(client, start);
    blocks.put_all(count, bytes);
    update_of(vec![blocks], &[])
}

fn reason(update: &[u8]) -> String {
    let mut items = Memory::default();
    let error = merge(&mut items, 5.into(), update).unwrap_err();
    assert_eq!(items, Memory::default(), "nothing is changed");
    assert_eq!(error.kind(), ErrorKind::InvalidUpdate);
    assert_eq!(check_update(update).unwrap_err().kind(), ErrorKind::InvalidUpdate);
    std::error::Error::source(&error).unwrap().to_string()
}

#[test]
fn what_is_not_an_update_is_refused() {
    let too_large = [1, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 1, 0];
    let above_53_bits = [1, 1, 128, 128, 128, 128, 128, 128, 128, 16, 0, 0, 1, 0];
    let beyond_32_bits = [1, 1, 1, 128, 128, 128, 128, 16, 0, 1, 0];
    let over_the_end = [1, 2, 1, 255, 255, 255, 255, 15, 0, 1, 0, 1, 0];
    let mut deep = vec![1];
    deep.extend([117, 1].repeat(200));
    deep.push(126);
    let mut endless_integer = vec![1, 125];
    endless_integer.extend([255; 10]);
    for (bytes, expected) in [
        (vec![], "a number does not end"),
        (vec![0, 0, 0], "bytes follow its end"),
        (vec![1, 255], "a number does not end"),
        (too_large.to_vec(), "a number is too large"),
        (above_53_bits.to_vec(), "a client id is beyond 53 bits"),
        (beyond_32_bits.to_vec(), "a clock is beyond 32 bits"),
        (over_the_end.to_vec(), "a clock is beyond 32 bits"),
        (vec![2, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0], "a client is listed twice"),
        (vec![0, 2, 1, 1, 0, 1, 1, 1, 4, 1], "a client is listed twice"),
        (vec![0, 1, 1, 1, 255, 255, 255, 255, 15, 1], "a clock is beyond 32 bits"),
        (update(1, 0, 1, &[0, 0]), "a block is empty"),
        (update(1, 0, 1, &[0xA0, 9, 0]), "a content is of no known kind"),
        (update(1, 0, 1, &first_item(&[1, 1])), "a value is of no known type"),
        (update(1, 0, 1, &first_item(&endless_integer)), "a number is too large"),
        (update(1, 0, 1, &first_item(&[1, 119, 1, 255])), "a text is not UTF-8"),
        (update(1, 0, 1, &first_item(&deep)), "a value nests too deep"),
        (update(1, 0, 1, &[0x28, 2]), "a parent is of no known type"),
        (update(1, 0, 1, &[0x27, 1, 1, b'r', 1, b'k', 5]), "a nested type is of no known type"),
        (update(1, 0, 1, &[0x05, 1, 1, b'r', 1, b'{']), "a text is not JSON"),
        (update(1, 0, 1, &[0xA8, 1, 0, 1, 126]), "an item comes after a later one"),
        (update(1, 0, 1, &[0xA8, 1, 7, 1, 126]), "an item comes after a later one"),
    ] {
        assert_eq!(reason(&bytes), expected, "{bytes:?}");
    }
}

#[test]
fn an_update_cut_anywhere_is_refused() {
    let mut blocks = Blocks::new(1, 0);
    blocks.put_value(Position::First { root: "r", key: "k" }, &Value::Text("text".into()));
    blocks.put_deleted(Position::After(ItemId { client: 1, clock: 0 }), 3);
    blocks.put_gone(300);
    let whole = update_of(vec![blocks], &[(1, vec![0..2, 4..7])]);
    check_update(&whole).unwrap();
    for len in 0..whole.len() {
        reason(&whole[..len]);
    }
}

fn after(client: u64, clock: u32) -> Position<'static> {
    Position::After(ItemId { client, clock })
}

#[test]
fn a_circle_is_refused() {
    let text = Value::Text("text".into());
    let ring = |count: u64, skips: bool| {
        let sections = (0..count).map(|client| {
            let mut blocks = Blocks::new(client, 0);
            if skips {
                blocks.put_skip(1);
            }
            blocks.put_value(after((client + 1) % count, u32::from(skips)), &text);
            blocks
        });
        update_of(sections.collect(), &[])
    };
    for count in [2, 3, 50] {
        for skips in [false, true] {
            assert_eq!(reason(&ring(count, skips)), "items come after each other in a circle");
        }
    }
}

#[test]
fn a_long_chain_of_clients_takes_its_length() {
    let count = 100_000;
    let sections = (0..count).map(|client| {
        let mut blocks = Blocks::new(client, 0);
        if client + 1 < count {
            blocks.put_deleted(after(client + 1, 0), 1);
        } else {
            blocks.put_deleted(Position::First { root: "r", key: "k" }, 1);
        }
        blocks
    });
    check_update(&update_of(sections.collect(), &[])).unwrap();
}

#[test]
fn an_empty_update_is_none() {
    let mut items = Memory::default();
    assert_eq!(merge(&mut items, 5.into(), &[0, 0]).unwrap(), Merged::default());
    assert_eq!(merge(&mut items, 5.into(), &[1, 0, 7, 9, 0]).unwrap(), Merged::default());
    assert_eq!(items, Memory::default());
}

#[test]
fn what_no_map_writes_under_a_key_is_gone() {
    // A text of a sequence, and a value with a right origin.
    for block in [vec![0xA4, 1, 0, 2, b'a', b'b'], vec![0xE8, 1, 0, 1, 0, 2, 126, 126]] {
        let mut items = Memory::default();
        merge(&mut items, 5.into(), &update(1, 0, 1, &first_item(&[1, 126]))).unwrap();
        merge(&mut items, 5.into(), &update(2, 0, 1, &block)).unwrap();
        assert_eq!(items.run(ItemId { client: 2, clock: 0 }).unwrap().place, Place::Gone);
        assert_eq!(items.deletions().unwrap(), [(2, vec![0..2])]);
        assert!(items.value("r", "k").unwrap().is_some());
    }
}

#[test]
fn there_is_room_for_so_many_waiting_updates() {
    let mut items = Memory::default();
    items.max_waiting = 3;
    for clock in 1..10 {
        let merged =
            merge(&mut items, 5.into(), &update(1, clock, 1, &first_item(&[1, 126]))).unwrap();
        assert!(merged.waits);
        assert_eq!(merged.is_new, clock <= 3);
    }
    assert_eq!(items.waiting_count(), 3);
}
