//! The rules of `docs/guarantees.md` about edits that were made apart, and about the rights of a
//! peer, that no other file shows.

use std::collections::BTreeSet;

use crate::support::{Note, Notebook, exchange, give, note};
use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often a pair is tried, so that each device is the one whose edit wins in some.
const PAIRS: usize = 40;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Shape {
    Circle { radius: u8 },
    Square { side: u8 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "plans")]
struct Plan {
    #[key]
    id: u32,
    steps: Vec<String>,
    tags: BTreeSet<String>,
    shape: Shape,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
struct Settings {
    #[evolve(default = "light")]
    theme: String,
    #[evolve(default = 12)]
    size: u32,
}

#[derive(Store)]
#[store(name = "plans")]
struct Plans {
    plans: Table<Plan>,
    settings: Kv<Settings>,
}

/// Two devices that have the same plan.
fn pair() -> (Plans, Plans) {
    let (a, b) = (Plans::in_memory().unwrap(), Plans::in_memory().unwrap());
    let plan = Plan {
        id: 1,
        steps: vec!["begin".into()],
        tags: ["old".to_owned()].into(),
        shape: Shape::Circle { radius: 1 },
    };
    a.plans.insert(&plan).unwrap();
    exchange(&a, &b);
    (a, b)
}

/// Each makes its edit, they meet, and the plan is one of the two, the same on both.
fn either(by_a: impl Fn(&mut Plan), by_b: impl Fn(&mut Plan)) {
    let mut wins = [0, 0];
    for _ in 0..PAIRS {
        let (a, b) = pair();
        let of_a = a.plans.update(&1, &by_a).unwrap().unwrap();
        let of_b = b.plans.update(&1, &by_b).unwrap().unwrap();
        exchange(&a, &b);
        let (on_a, on_b) = (a.plans.get(&1).unwrap().unwrap(), b.plans.get(&1).unwrap().unwrap());
        assert_eq!(on_a, on_b);
        assert!(on_a == of_a || on_a == of_b, "{on_a:?} is a mixture");
        wins[usize::from(on_a == of_b)] += 1;
    }
    assert!(wins.iter().all(|wins| *wins > 0), "{wins:?}");
}

#[test]
fn of_two_appends_to_one_list_one_is_lost() {
    either(|plan| plan.steps.push("a".into()), |plan| plan.steps.push("b".into()));
}

#[test]
fn of_two_insertions_into_one_set_one_is_lost() {
    either(|plan| _ = plan.tags.insert("a".into()), |plan| _ = plan.tags.insert("b".into()));
}

#[test]
fn of_two_changes_of_one_enum_one_is_kept_with_its_members() {
    either(
        |plan| plan.shape = Shape::Square { side: 2 },
        |plan| plan.shape = Shape::Circle { radius: 3 },
    );
}

#[test]
fn edits_of_different_fields_of_one_row_do_not_mix() {
    either(|plan| plan.steps.clear(), |plan| plan.tags.clear());
}

#[test]
fn edits_of_different_rows_and_of_different_entries_all_survive() {
    let (a, b) = pair();
    let second = Plan { id: 2, ..a.plans.get(&1).unwrap().unwrap() };
    a.plans.insert(&second).unwrap();
    b.plans.update(&1, |plan| plan.steps.clear()).unwrap();
    a.settings.theme.set("dark").unwrap();
    b.settings.size.set(&20).unwrap();
    exchange(&a, &b);
    for app in [&a, &b] {
        assert_eq!(app.plans.get(&2).unwrap().unwrap(), second);
        assert!(app.plans.get(&1).unwrap().unwrap().steps.is_empty());
        let settings = app.settings.get().unwrap();
        assert_eq!((settings.theme.as_str(), settings.size), ("dark", 20));
    }
}

/// A limit: the document does not tell this removal from one that knew the edit.
#[test]
fn a_peer_that_may_write_may_change_and_remove_everything() {
    let (ours, theirs) = (Notebook::in_memory().unwrap(), Notebook::in_memory().unwrap());
    ours.notes.insert_many((0..20).map(|id| note(id, "ours"))).unwrap();
    ours.settings.theme.set("dark").unwrap();
    exchange(&ours, &theirs);
    theirs.notes.filter(Note::ID.lt(10_u32)).remove_all().unwrap();
    theirs.notes.query().update_all(|note| note.title = "theirs".into()).unwrap();
    theirs.settings.theme.set("light").unwrap();
    give(&theirs, &ours);
    let rows: Vec<Note> = ours.notes.query().all().unwrap();
    assert_eq!(rows.len(), 10);
    assert!(rows.iter().all(|note| note.title == "theirs"));
    assert_eq!(ours.settings.theme.get().unwrap(), "light");
}
