//! Updates that wait, as a whole or behind gaps.

#![expect(clippy::single_range_in_vec_init, reason = "clocks are kept as ranges")]

use super::tests::{FIRST, after, blocks, id, standing, stands, take, update};
use super::*;
use crate::doc::items::{ReadItems, Value};
use crate::doc::memory::Memory;
use crate::doc::outgoing::Position;

#[test]
fn an_update_waits_as_a_whole() {
    let first = update(1, 0, FIRST, "a");
    let origin = update_of(
        vec![blocks(
            2,
            0,
            &[(Position::First { root: "table:notes", key: "other" }, "b"), (after(1, 0), "c")],
        )],
        &[],
    );
    let clock = update_of(
        vec![
            blocks(3, 0, &[(Position::First { root: "table:notes", key: "third" }, "b")]),
            blocks(1, 1, &[(after(1, 0), "c")]),
        ],
        &[],
    );
    let deletion = update_of(
        vec![blocks(2, 0, &[(Position::First { root: "table:notes", key: "other" }, "b")])],
        &[(1, vec![0..1])],
    );
    for later in [origin, clock, deletion] {
        let mut items = Memory::default();
        let merged = take(&mut items, &later);
        assert!(merged.waits && merged.is_new && merged.changed.is_empty());
        assert_eq!(items.without_waiting(), Memory::default());
        assert!(!take(&mut items, &later).is_new, "it waits once");
        let merged = take(&mut items, &first);
        assert!(!merged.waits && merged.is_new);
        assert!(merged.changed["table:notes"].len() > 1 || standing(&items).is_none());
        assert_eq!(items.waiting_count(), 0);
    }
}

#[test]
fn what_stands_before_a_gap_does_not_wait() {
    let mut gapped = blocks(1, 0, &[(FIRST, "a")]);
    gapped.put_skip(1);
    gapped.put_value(after(1, 1), &Value::Text("c".into()));
    let gapped = update_of(vec![gapped], &[(1, vec![0..2])]);
    let mut items = Memory::default();
    let merged = take(&mut items, &gapped);
    assert!(merged.waits && merged.is_new);
    assert_eq!(items.clock(1).unwrap(), 1);
    assert_eq!(standing(&items), None, "removed by the same update");
    assert!(!take(&mut items, &gapped).is_new);
    let merged = take(&mut items, &update(1, 1, after(1, 0), "b"));
    assert!(!merged.waits);
    stands(&items, id(1, 2), "c");
    assert_eq!(items.waiting_count(), 0);
}

#[test]
fn what_needs_something_behind_a_gap_waits_with_it() {
    let mut gapped = blocks(1, 0, &[(FIRST, "a")]);
    gapped.put_skip(1);
    gapped.put_value(after(1, 0), &Value::Text("c".into()));
    let dependent = blocks(2, 0, &[(after(1, 0), "d"), (after(1, 2), "e"), (after(2, 0), "f")]);
    let mut items = Memory::default();
    take(&mut items, &update_of(vec![dependent, gapped], &[]));
    assert_eq!(items.clients().unwrap(), [(1, 1), (2, 1)]);
    take(&mut items, &update(1, 1, after(1, 0), "b"));
    assert_eq!(items.clients().unwrap(), [(1, 3), (2, 3)]);
    assert_eq!(items.waiting_count(), 0);
}

#[test]
fn waiting_updates_release_each_other() {
    let mut items = Memory::default();
    for clock in (1..6).rev() {
        assert!(take(&mut items, &update(1, clock, after(1, clock - 1), "later")).waits);
    }
    take(&mut items, &update(1, 0, FIRST, "first"));
    assert_eq!((items.clock(1).unwrap(), items.waiting_count()), (6, 0));
}

#[test]
fn an_update_that_waits_is_read_once_what_it_needs_is_here() {
    let mut items = Memory::default();
    for clock in (1..1_000).rev() {
        assert!(take(&mut items, &update(1, clock, after(1, clock - 1), "later")).waits);
    }
    for clock in 0..1_000 {
        let place = if clock == 0 { FIRST } else { after(2, clock - 1) };
        take(&mut items, &update(2, clock, place, "of another client"));
    }
    assert_eq!((items.waiting_count(), items.waiting_reads.0.get()), (999, 0));
    take(&mut items, &update(1, 0, FIRST, "first"));
    assert_eq!((items.waiting_count(), items.waiting_reads.0.get()), (0, 999));
    assert_eq!(items.clock(1).unwrap(), 1_000);
}
