//! Small cases of each rule. What happens in long histories, the oracle compares with yrs.

#![expect(clippy::single_range_in_vec_init, reason = "clocks are kept as ranges")]

use super::*;
use crate::doc::changes::changes_since;
use crate::doc::items::{ItemRun, Place, ReadItems, Tip, Value};
use crate::doc::memory::Memory;
use crate::doc::outgoing::Position;
use crate::doc::writing::{EntryOp, EntryWrite, write};

const OWN: u64 = 50;

pub(super) fn id(client: u64, clock: u32) -> ItemId {
    ItemId { client, clock }
}

pub(super) fn after(client: u64, clock: u32) -> Position<'static> {
    Position::After(id(client, clock))
}

pub(super) const FIRST: Position<'static> = Position::First { root: "table:notes", key: "k" };

pub(super) fn blocks(client: u64, start: u32, texts: &[(Position<'_>, &str)]) -> Blocks {
    let mut blocks = Blocks::new(client, start);
    for (position, text) in texts {
        blocks.put_value(*position, &Value::Text((*text).into()));
    }
    blocks
}

pub(super) fn update(client: u64, start: u32, position: Position<'_>, text: &str) -> Vec<u8> {
    update_of(vec![blocks(client, start, &[(position, text)])], &[])
}

pub(super) fn take(items: &mut Memory, update: &[u8]) -> Merged {
    merge(items, OWN.into(), update).unwrap()
}

/// Returns the text under the key, and its item.
pub(super) fn standing(items: &Memory) -> Option<(ItemId, String)> {
    let (id, value) = items.value("table:notes", "k").unwrap()?;
    match value {
        Value::Text(text) => Some((id, text.to_string())),
        Value::Other { json, .. } => Some((id, json)),
    }
}

pub(super) fn stands(items: &Memory, id: ItemId, text: &str) {
    assert_eq!(standing(items), Some((id, text.to_owned())));
}

fn own_write(items: &mut Memory, value: Option<&str>) {
    write(
        items,
        OWN,
        [EntryOp { root: "table:notes", key: "k", write: EntryWrite::of(value) }].into_iter(),
    )
    .unwrap();
}

/// Takes updates in every order and gives what stands, which is always the same.
fn in_every_order(updates: &[Vec<u8>]) -> Memory {
    let mut orders = vec![Vec::new()];
    for index in 0..updates.len() {
        orders = orders
            .into_iter()
            .flat_map(|order| {
                (0..=order.len()).map(move |at| {
                    let mut order = order.clone();
                    order.insert(at, index);
                    order
                })
            })
            .collect();
    }
    let mut all = orders.into_iter().map(|order| {
        let mut items = Memory::default();
        for index in &order {
            take(&mut items, &updates[*index]);
        }
        assert_eq!(items.waiting_count(), 0);
        items
    });
    let first = all.next().unwrap().without_waiting();
    for other in all {
        assert_eq!(other.entries, first.entries);
        assert_eq!(other.deletions().unwrap(), first.deletions().unwrap());
    }
    first
}

#[test]
fn an_item_stands_instead_of_the_one_that_it_comes_after() {
    let items = in_every_order(&[update(1, 0, FIRST, "a"), update(2, 0, after(1, 0), "b")]);
    stands(&items, id(2, 0), "b");
    assert!(items.is_dead(id(1, 0)).unwrap());
}

#[test]
fn of_first_items_that_of_the_highest_client_stands() {
    let items = in_every_order(&[
        update(2, 0, FIRST, "b"),
        update(3, 0, FIRST, "c"),
        update(1, 0, FIRST, "a"),
    ]);
    stands(&items, id(3, 0), "c");
}

#[test]
fn of_items_after_the_same_one_that_of_the_highest_client_stands() {
    let items = in_every_order(&[
        update(9, 0, FIRST, "first"),
        update(2, 0, after(9, 0), "b"),
        update(3, 0, after(9, 0), "c"),
        update(1, 0, after(9, 0), "a"),
    ]);
    stands(&items, id(3, 0), "c");
}

#[test]
fn what_comes_after_a_lost_item_is_lost() {
    let items = in_every_order(&[
        update(2, 0, FIRST, "wins"),
        update(1, 0, FIRST, "loses"),
        update(9, 0, after(1, 0), "loses, too"),
    ]);
    stands(&items, id(2, 0), "wins");
}

#[test]
fn what_comes_after_an_old_item_can_win_against_all_later_ones() {
    let items = in_every_order(&[
        update(5, 0, FIRST, "first"),
        update(2, 0, after(5, 0), "second"),
        update(9, 0, after(2, 0), "third"),
        update(3, 0, after(5, 0), "stale, but of a higher client than the second"),
    ]);
    stands(&items, id(3, 0), "stale, but of a higher client than the second");
}

#[test]
fn an_old_item_in_a_run_is_found() {
    let mut items = Memory::default();
    let mut run = Blocks::new(5, 0);
    run.put_deleted(FIRST, 4);
    take(&mut items, &update_of(vec![run], &[]));
    assert_eq!(items.tip("table:notes", "k").unwrap(), Some(Tip { id: id(5, 3), is_live: false }));
    take(&mut items, &update(2, 0, after(5, 1), "of a lower client than the next in the run"));
    assert_eq!(standing(&items), None);
    take(&mut items, &update(7, 0, after(5, 1), "of a higher one"));
    stands(&items, id(7, 0), "of a higher one");
}

#[test]
fn an_item_loses_against_one_of_the_same_client() {
    let mut items = Memory::default();
    take(&mut items, &update(1, 0, FIRST, "a"));
    take(&mut items, &update(1, 1, FIRST, "b"));
    stands(&items, id(1, 0), "a");
}

#[test]
fn a_write_comes_after_what_was_removed() {
    let mut items = Memory::default();
    own_write(&mut items, Some("a"));
    own_write(&mut items, None);
    assert_eq!(standing(&items), None);
    own_write(&mut items, Some("b"));
    stands(&items, id(OWN, 1), "b");
    let run =
        ItemRun { start: 1, len: 1, place: Place::After { origin: id(OWN, 0), first: id(OWN, 0) } };
    assert_eq!(items.run(id(OWN, 1)).unwrap(), run);
}

#[test]
fn a_removal_of_nothing_writes_nothing() {
    let mut items = Memory::default();
    own_write(&mut items, None);
    assert_eq!(items, Memory::default());
    own_write(&mut items, Some("a"));
    own_write(&mut items, None);
    let before = items.clone();
    own_write(&mut items, None);
    assert_eq!(items, before);
}

#[test]
fn a_write_beyond_the_last_clock_is_refused() {
    let mut items = Memory::default();
    let mut run = Blocks::new(OWN, 0);
    run.put_gone(u32::MAX);
    take(&mut items, &update_of(vec![run], &[]));
    let op = EntryOp { root: "table:notes", key: "k", write: EntryWrite::Put("a") };
    let error = write(&mut items, OWN, [op].into_iter()).unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Storage);
}

#[test]
fn what_comes_after_what_is_gone_is_gone() {
    let mut items = Memory::default();
    let mut gone = Blocks::new(1, 0);
    gone.put_gone(2);
    take(&mut items, &update_of(vec![gone], &[]));
    take(&mut items, &update(2, 0, after(1, 1), "a"));
    assert_eq!(items.run(id(2, 0)).unwrap().place, Place::Gone);
    assert_eq!(standing(&items), None);
}

#[test]
fn the_unknown_part_of_a_run_comes_after_the_known_one() {
    let mut items = Memory::default();
    let run = |len| {
        let mut run = Blocks::new(1, 0);
        run.put_deleted(FIRST, len);
        update_of(vec![run], &[])
    };
    take(&mut items, &run(2));
    assert!(take(&mut items, &run(5)).is_new);
    let rest =
        ItemRun { start: 2, len: 3, place: Place::After { origin: id(1, 1), first: id(1, 0) } };
    assert_eq!(items.run(id(1, 4)).unwrap(), rest);
}

#[test]
fn items_under_the_own_id_are_told() {
    let mut items = Memory::default();
    own_write(&mut items, Some("a"));
    let known = update(OWN, 0, FIRST, "a");
    let merged = take(&mut items, &known);
    assert!(!merged.is_of_own_id && !merged.is_new);
    assert!(take(&mut items, &update(OWN, 1, after(OWN, 0), "b")).is_of_own_id);
    assert!(take(&mut items, &update(OWN, 7, after(OWN, 0), "b")).is_of_own_id);
}

#[test]
fn items_under_the_own_id_are_told_if_they_are_only_named() {
    let mut items = Memory::default();
    own_write(&mut items, Some("a"));
    let elsewhere = || vec![blocks(1, 0, &[(FIRST, "b")])];
    assert!(!take(&mut items, &update(2, 5, after(OWN, 0), "b")).is_of_own_id);
    assert!(!take(&mut items, &update_of(elsewhere(), &[(OWN, vec![0..1])])).is_of_own_id);
    for naming in [
        update(3, 0, after(OWN, 1), "b"),
        update(3, 5, after(OWN, 1), "b"),
        update_of(elsewhere(), &[(OWN, vec![0..2])]),
    ] {
        let merged = take(&mut items, &naming);
        assert!(merged.is_of_own_id && merged.waits);
    }
}

#[test]
fn clients_may_depend_on_each_other_in_turns() {
    let one = blocks(1, 0, &[(after(2, 0), "b"), (after(2, 1), "d")]);
    let other = blocks(2, 0, &[(FIRST, "a"), (after(1, 0), "c"), (after(1, 1), "e")]);
    let mut items = Memory::default();
    assert!(!take(&mut items, &update_of(vec![one, other], &[])).waits);
    stands(&items, id(2, 2), "e");
}

#[test]
fn values_that_are_not_text_are_passed_on() {
    for (kind, bytes, json) in [
        (8, vec![125, 5], "5"),
        (8, vec![126], "null"),
        (8, vec![117, 1, 120], "[true]"),
        (3, vec![2, 1, 2], "[1,2]"),
        (9, vec![1, b'g', 118, 0], r#"{"guid":"g"}"#),
    ] {
        let value = Value::Other { kind, bytes, json: String::new() };
        let mut number = Blocks::new(1, 0);
        number.put_value(FIRST, &value);
        let update = update_of(vec![number], &[]);
        let mut items = Memory::default();
        take(&mut items, &update);
        if kind != 3 {
            stands(&items, id(1, 0), json);
        }
        assert_eq!(changes_since(&items, &BTreeMap::new(), &[]).unwrap().update, update);
    }
}

#[test]
fn of_joined_values_only_the_last_stands() {
    let mut joined = Blocks::new(1, 0);
    let three: &[u8] = &[
        0x28, 1, 11, b't', b'a', b'b', b'l', b'e', b':', b'n', b'o', b't', b'e', b's', 1, b'k', 3,
        125, 1, 125, 2, 125, 3,
    ];
    joined.put_all(1, three);
    let mut items = Memory::default();
    take(&mut items, &update_of(vec![joined], &[]));
    stands(&items, id(1, 2), "3");
    assert_eq!(items.deletions().unwrap(), [(1, vec![0..2])]);
}

#[test]
fn a_run_that_claims_all_clocks_costs_nothing() {
    let mut items = Memory::default();
    let mut run = Blocks::new(1, 0);
    run.put_deleted(FIRST, u32::MAX);
    let claimed = update_of(vec![run], &[(1, vec![0..u32::MAX])]);
    take(&mut items, &claimed);
    assert_eq!(items.deletions().unwrap(), [(1, vec![0..u32::MAX])]);
    let deletions = items.deletions().unwrap();
    assert_eq!(changes_since(&items, &BTreeMap::new(), &deletions).unwrap().update, claimed);
    let part = changes_since(&items, &BTreeMap::from([(1, u32::MAX - 1)]), &[]).unwrap().update;
    let mut last = Blocks::new(1, u32::MAX - 1);
    last.put_deleted(after(1, u32::MAX - 2), 1);
    assert_eq!(part, update_of(vec![last], &[]));
}

#[test]
fn a_value_that_is_lost_is_withheld_with_what_depends_on_it() {
    let mut items = Memory::default();
    own_write(&mut items, Some("a"));
    let first = Position::First { root: "table:notes", key: "first" };
    take(&mut items, &update(1, 0, first, "b"));
    let old = changes_since(&items, &BTreeMap::new(), &[]).unwrap().update;
    // The value after the first one of its key, with a later write of its client and one that needs it.
    let second = Position::First { root: "table:notes", key: "second" };
    take(
        &mut items,
        &update_of(vec![blocks(2, 0, &[(after(1, 0), "c"), (second, "d")])], &[(1, vec![0..1])]),
    );
    take(&mut items, &update_of(vec![blocks(3, 0, &[(after(2, 1), "e")])], &[(2, vec![1..2])]));
    take(&mut items, &update(4, 0, Position::First { root: "kv:g", key: "k" }, "f"));
    items.entries.remove(&("table:notes".into(), "first".into()));

    let deletions = items.deletions().unwrap();
    let given = changes_since(&items, &BTreeMap::new(), &deletions).unwrap();
    let damaged: Vec<_> = given.damaged.iter().map(|(at, id)| (at.key.as_str(), *id)).collect();
    assert_eq!(damaged, [("first", id(2, 0))]);
    // A copy keeps the older value of the key, and gets what does not depend on the lost one.
    let mut copy = Memory::default();
    take(&mut copy, &old);
    let merged = merge(&mut copy, OWN.into(), &given.update).unwrap();
    assert!(!merged.waits);
    let value = |key: &str| copy.value("table:notes", key).unwrap().map(|(id, _)| id);
    assert_eq!((value("first"), value("second")), (Some(id(1, 0)), None));
    assert!(copy.value("kv:g", "k").unwrap().is_some());
}
