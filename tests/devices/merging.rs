//! Copies that meet: whatever happened apart, they end up equal, with nothing lost unseen.

use crate::support::{Note, Notebook, assert_sound, content, converge, give, note, place, rows};
use heirloom::sync::{Changes, Summary};

/// How often a pair of copies is tried, so that either has the smaller device id in some: a wrong
/// rule would pass one order. The chance of missing one is 2^-39.
const PAIRS: usize = 40;

fn pair() -> (Notebook, Notebook) {
    let (a, b) = (Notebook::in_memory().unwrap(), Notebook::in_memory().unwrap());
    a.notes.insert_many([note(1, "one"), note(2, "two"), note(3, "three")]).unwrap();
    b.settings.size.set(&1).unwrap();
    converge(&a, &b);
    (a, b)
}

/// Runs `meet` on pairs until each of the two has won against the other under equal conditions.
fn in_both_orders(meet: impl Fn(&Notebook, &Notebook)) {
    let mut winners = [0, 0];
    for _ in 0..PAIRS {
        let (a, b) = pair();
        // Which of two concurrent writes wins depends on nothing but the device ids.
        a.notes.insert(&note(99, "a")).unwrap();
        b.notes.insert(&note(99, "b")).unwrap();
        meet(&a, &b);
        converge(&a, &b);
        winners[usize::from(a.notes.get(&99).unwrap().unwrap().title == "b")] += 1;
    }
    assert!(
        winners.iter().all(|&wins| wins > 0),
        "one order of device ids never came: {winners:?}"
    );
}

#[test]
fn of_concurrent_edits_of_one_row_exactly_one_survives_whole() {
    in_both_orders(|a, b| {
        a.notes.update(&1, |note| note.title = "by a".into()).unwrap();
        b.notes.update(&1, |note| note.stars = 5).unwrap();
        converge(a, b);
        let row = a.notes.get(&1).unwrap().unwrap();
        let by_a = Note { stars: 0, ..note(1, "by a") };
        let by_b = Note { stars: 5, ..note(1, "one") };
        assert!(row == by_a || row == by_b, "{row:?}");
        assert_eq!(a.notes.len().unwrap(), 4);
    });
}

#[test]
fn an_edit_wins_against_a_concurrent_remove() {
    in_both_orders(|a, b| {
        a.notes.remove(&1).unwrap();
        b.notes.update(&1, |note| note.stars = 1).unwrap();
        a.notes.update(&2, |note| note.stars = 2).unwrap();
        b.notes.remove(&2).unwrap();
        a.notes.remove(&3).unwrap();
        b.notes.remove(&3).unwrap();
        a.settings.size.set(&2).unwrap();
        b.settings.size.reset().unwrap();
        a.settings.theme.set("dark").unwrap();
        converge(a, b);
        let stars = |id| a.notes.get(&id).unwrap().map(|note: Note| note.stars);
        assert_eq!([stars(1), stars(2), stars(3)], [Some(1), Some(2), None]);
        assert_eq!(a.settings.size.get().unwrap(), 2);
    });
}

#[test]
fn a_row_removed_and_made_again_is_not_undone_by_what_was_known_before() {
    in_both_orders(|a, b| {
        a.notes.remove(&1).unwrap();
        a.notes.insert(&note(1, "made again")).unwrap();
        give(b, a);
        assert_eq!(a.notes.get(&1).unwrap(), Some(note(1, "made again")));
        converge(a, b);
        assert_eq!(b.notes.get(&1).unwrap(), Some(note(1, "made again")));
    });
}

#[test]
fn changes_are_seen_by_a_copy_that_has_only_been_opened() {
    let (_folder, path) = place();
    let (_, peer) = pair();
    {
        let app = Notebook::open(&path).unwrap();
        converge(&app, &peer);
    }
    for round in 0..3 {
        peer.notes.update(&1, |note| note.stars = round).unwrap();
        peer.settings.size.set(&(20 + round as u32)).unwrap();
        peer.notes.remove(&3).unwrap();
        let app = Notebook::open(&path).unwrap();
        let applied = give(&peer, &app);
        assert_eq!(applied.entries(), 1);
        assert_eq!(content(&app), content(&peer), "in round {round}");
        drop(app);
        assert_sound::<Notebook>(&path);
    }
}

/// Returns the changes that each of `steps` adds to a copy, as change sets that only fit one after
/// another.
fn sequence(source: &Notebook, steps: &[&dyn Fn(&Notebook)]) -> Vec<Changes> {
    let step = |step: &&dyn Fn(&Notebook)| {
        let before = source.summary().unwrap();
        step(source);
        source.changes_since(&before).unwrap()
    };
    steps.iter().map(step).collect()
}

fn four_updates(app: &Notebook) -> Vec<Changes> {
    sequence(
        app,
        &[
            &|app| app.notes.insert_many([note(11, "x"), note(12, "y")]).map(drop).unwrap(),
            &|app| app.notes.update(&11, |note| note.stars = 3).map(drop).unwrap(),
            &|app| {
                app.transaction(|tx| {
                    tx.remove::<Note>(&12)?;
                    tx.set(&app.settings.size, &44)
                })
                .unwrap();
            },
            &|app| app.notes.put(&note(12, "again")).unwrap(),
        ],
    )
}

fn orders() -> Vec<[usize; 4]> {
    let mut orders = Vec::new();
    for code in 0..256usize {
        let order = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6];
        if (0..4).all(|i| order.contains(&i)) {
            orders.push(order);
        }
    }
    orders
}

#[test]
fn every_order_of_four_updates_gives_the_same_and_duplicates_nothing() {
    assert_eq!(orders().len(), 24);
    let source = Notebook::in_memory().unwrap();
    let dependent = four_updates(&source);
    // And four that four devices made apart, two of them of one row.
    let (mut apart, all) = (Vec::new(), Notebook::in_memory().unwrap());
    for id in 0..4 {
        let device = Notebook::in_memory().unwrap();
        device.notes.insert_many([note(id % 2, &format!("of {id}")), note(20 + id, "x")]).unwrap();
        apart.push(device.changes_since(&Summary::default()).unwrap());
        give(&device, &all);
    }
    for (updates, source) in [(dependent, source), (apart, all)] {
        for order in orders() {
            let copy = Notebook::in_memory().unwrap();
            for (done, index) in order.into_iter().enumerate() {
                copy.apply(&updates[index]).unwrap();
                // Once more, and once more what came before.
                let (summary, before) = (copy.summary().unwrap(), content(&copy));
                for again in &order[..=done] {
                    assert!(copy.apply(&updates[*again]).unwrap().is_empty(), "{order:?}");
                }
                assert_eq!((copy.summary().unwrap(), content(&copy)), (summary, before));
            }
            assert_eq!(content(&copy), content(&source), "{order:?}");
            // Each has recorded its version of the schema by itself; nothing else is missing.
            assert!(give(&source, &copy).is_empty() && give(&copy, &source).is_empty());
            assert_eq!(copy.summary().unwrap(), source.summary().unwrap(), "{order:?}");
            assert!(!copy.apply(&updates[0]).unwrap().is_pending(), "{order:?}");
        }
    }
}

#[test]
fn an_update_that_came_too_early_waits_through_a_restart() {
    let (_folder, path) = place();
    let source = Notebook::in_memory().unwrap();
    let updates = four_updates(&source);
    {
        let app = Notebook::open(&path).unwrap();
        app.notes.insert(&note(50, "own")).unwrap();
        for late in [3, 2, 1] {
            let applied = app.apply(&updates[late]).unwrap();
            assert!(applied.is_pending() && applied.is_empty(), "{late} {applied:?}");
        }
        assert_eq!(rows(&app.notes), [note(50, "own")]);
        // Own writes do not disturb what waits.
        app.notes.insert(&note(51, "own")).unwrap();
    }
    assert_sound::<Notebook>(&path);
    let app = Notebook::open(&path).unwrap();
    assert!(app.apply(&updates[3]).unwrap().is_pending(), "it still waits");
    // A copy that is given everything is given what waits, too.
    let third = Notebook::in_memory().unwrap();
    assert!(give(&app, &third).is_pending());
    for copy in [&app, &third] {
        let applied = copy.apply(&updates[0]).unwrap();
        assert!(!applied.is_pending());
        assert_eq!(copy.notes.get(&11).unwrap().unwrap().stars, 3);
        assert_eq!(copy.notes.get(&12).unwrap(), Some(note(12, "again")));
        assert_eq!(copy.settings.size.get().unwrap(), 44);
    }
    converge(&app, &source);
    converge(&third, &source);
    drop(app);
    assert_sound::<Notebook>(&path);
    assert_eq!(content(&Notebook::open(&path).unwrap()), content(&source));
}

#[test]
fn two_copies_that_hold_different_later_updates_still_meet() {
    let source = Notebook::in_memory().unwrap();
    let updates = sequence(
        &source,
        &[
            &|app| app.notes.insert(&note(1, "one")).unwrap(),
            &|app| app.settings.size.set(&3).unwrap(),
            &|app| app.notes.insert(&note(3, "three")).unwrap(),
        ],
    );
    let (a, b) = (Notebook::in_memory().unwrap(), Notebook::in_memory().unwrap());
    a.apply(&updates[1]).unwrap();
    b.apply(&updates[2]).unwrap();
    // Neither has the first, so that a version cannot say which of the others they have.
    give(&a, &b);
    give(&b, &a);
    assert_eq!(content(&a), content(&b));
    give(&source, &a);
    give(&a, &b);
    assert_eq!(content(&b), content(&source));
    converge(&a, &b);
}

#[test]
fn a_removal_that_came_too_early_waits_too() {
    let (_folder, path) = place();
    let source = Notebook::in_memory().unwrap();
    let updates = sequence(
        &source,
        &[
            &|app| app.notes.insert_many([note(1, "one"), note(2, "two")]).map(drop).unwrap(),
            &|app| app.notes.remove(&1).map(drop).unwrap(),
        ],
    );
    assert!(Notebook::open(&path).unwrap().apply(&updates[1]).unwrap().is_pending());
    let app = Notebook::open(&path).unwrap();
    app.apply(&updates[0]).unwrap();
    assert_eq!(rows(&app.notes), [note(2, "two")]);
    converge(&app, &source);
}

#[test]
fn what_is_applied_is_told_by_table_group_and_key() {
    let (a, b) = pair();
    a.transaction(|tx| {
        tx.insert(&note(7, "new"))?;
        tx.update::<Note>(&1, |note| note.stars = 1)?;
        tx.remove::<Note>(&2)?;
        tx.set(&a.settings.theme, "dark")
    })
    .unwrap();
    let applied = give(&a, &b);
    assert_eq!((applied.rows(), applied.entries(), applied.is_empty()), (3, 1, false));
    let (table, changes) = applied.tables().next().unwrap();
    let mut changes: Vec<_> = changes.iter().map(|(key, kind)| format!("{key} {kind:?}")).collect();
    changes.sort();
    assert_eq!((table, changes.join(", ").as_str()), ("notes", "1 Updated, 2 Removed, 7 Inserted"));
    let (group, changes) = applied.groups().next().unwrap();
    assert_eq!((group, changes[0].0.as_str()), ("settings", "theme"));
    assert!(give(&a, &b).is_empty());
}
