//! Indexes over each item of a collection: the same answers as a look at every row, from fewer rows.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use heirloom::query::Expr;
use heirloom::{Comparable, Open, Query, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use redb::{ReadableTable, ReadableTableMetadata, TableHandle};

use crate::support::{assert_sound, exchange, file::change, place};

#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Comparable,
    Serialize,
    Deserialize,
    JsonSchema,
)]
enum Color {
    Red,
    Blue,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Note {
    #[key]
    id: u32,
    #[index(each)]
    tags: Vec<String>,
    #[index(each)]
    codes: Option<BTreeSet<i16>>,
    #[index(each)]
    colors: HashSet<Open<Color>>,
    #[index(each)]
    marks: VecDeque<Option<u8>>,
    size: u8,
    /// The same as `tags`, without an index.
    plain: Vec<String>,
}

#[derive(Store)]
#[store(name = "each")]
struct App {
    notes: Table<Note>,
}

/// The same table before it had an index.
mod before {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        #[key]
        pub id: u32,
        pub tags: Vec<String>,
        pub codes: Option<BTreeSet<i16>>,
        pub colors: HashSet<Open<Color>>,
        pub marks: VecDeque<Option<u8>>,
        pub size: u8,
        pub plain: Vec<String>,
    }

    #[derive(Store)]
    #[store(name = "each")]
    pub struct App {
        pub notes: Table<Note>,
    }
}

fn note(id: u32, tags: &[&str]) -> Note {
    let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
    Note {
        id,
        plain: tags.clone(),
        tags,
        codes: None,
        colors: HashSet::new(),
        marks: VecDeque::new(),
        size: 0,
    }
}

#[test]
fn it_says_which_way_it_takes() {
    let app = App::in_memory().unwrap();
    app.notes.insert(&note(1, &["a", "b", "a"])).unwrap();
    let notes = || app.notes.query();
    let way = |condition: Expr<Note>| notes().filter(condition).explain();
    assert_eq!(way(Note::TAGS.contains("a")), "index (each tags) of `notes`, 1 range");
    assert_eq!(
        way(Note::TAGS.contains("a") & Note::SIZE.gt(3)),
        "index (each tags) of `notes`, 1 range, filtered"
    );
    assert_eq!(
        way(Note::TAGS.contains_all(["a", "b"])),
        "index (each tags) of `notes`, what 2 ranges have in common"
    );
    assert_eq!(
        way(Note::TAGS.contains_any(["a", "b"])),
        "index (each tags) of `notes`, 1 range and index (each tags) of `notes`, 1 range, filtered, \
         in the order of keys"
    );
    assert_eq!(way(Note::CODES.contains(3)), "index (each codes) of `notes`, 1 range");
    assert_eq!(way(Note::COLORS.contains(Color::Red)), "index (each colors) of `notes`, 1 range");
    assert_eq!(way(Note::MARKS.contains(None)), "index (each marks) of `notes`, 1 range");
    assert_eq!(way(Note::PLAIN.contains("a")), "scan of `notes`, filtered");
    assert_eq!(way(!Note::TAGS.contains("a")), "scan of `notes`, filtered");
    let sorted = notes().filter(Note::TAGS.contains("a")).order_by(Note::SIZE).explain();
    assert_eq!(sorted, "index (each tags) of `notes`, 1 range, sorted by size");
    // The whole of a field is not what the index holds, and it gives no order.
    assert_eq!(way(Note::TAGS.eq(vec!["a".to_owned()])), "scan of `notes`, filtered");
    let ordered = notes().order_by(Note::TAGS).limit(3).explain();
    assert_eq!(ordered, "scan of `notes`, sorted by tags, at most 3");
    assert_eq!(notes().count().unwrap(), 1);
    assert_eq!(notes().count_distinct(Note::TAGS).unwrap(), 1);
    let groups = notes().group_by(Note::TAGS).aggregate(heirloom::query::count()).all().unwrap();
    assert_eq!(groups.len(), 1);
}

#[test]
fn items_that_come_twice_are_one() {
    let app = App::in_memory().unwrap();
    app.notes.insert(&note(1, &["a", "a", "a"])).unwrap();
    app.notes.insert(&note(2, &["a", ""])).unwrap();
    app.notes.insert(&note(3, &[])).unwrap();
    let found = app.notes.filter(Note::TAGS.contains("a"));
    assert_eq!((found.count().unwrap(), found.keys().unwrap()), (2, vec![1, 2]));
    app.notes.update(&1, |note| note.tags.truncate(1)).unwrap();
    assert_eq!(found.keys().unwrap(), [1, 2]);
    app.notes.update(&1, |note| note.tags.clear()).unwrap();
    assert_eq!(found.keys().unwrap(), [2]);
    assert_eq!(app.notes.filter(Note::TAGS.contains("")).keys().unwrap(), [2]);
    assert!(
        app.notes.filter(Note::TAGS.contains_any(Vec::<String>::new())).all().unwrap().is_empty()
    );
    assert_eq!(app.notes.filter(Note::TAGS.contains_all(Vec::<String>::new())).count().unwrap(), 3);
}

#[test]
fn a_row_may_have_many_items_and_long_ones() {
    let (_folder, path) = place();
    let app = App::open(&path).unwrap();
    let many: Vec<String> = (0..5_000).map(|number| format!("tag {number}")).collect();
    let (long, longer) = ("x".repeat(3_000), "x".repeat(4_000));
    app.notes.insert(&Note { tags: many, ..note(1, &[]) }).unwrap();
    app.notes.insert(&note(2, &[&long, &longer, "tag 7"])).unwrap();
    let keys = |item: &str| app.notes.filter(Note::TAGS.contains(item)).keys().unwrap();
    assert_eq!(keys("tag 4999"), [1]);
    assert_eq!(keys("tag 7"), [1, 2]);
    assert_eq!((keys(&long), keys(&longer)), (vec![2], vec![2]));
    assert!(keys(&"x".repeat(3_500)).is_empty());
    app.notes.update(&1, |note| note.tags.retain(|tag| tag != "tag 7")).unwrap();
    assert_eq!(keys("tag 7"), [2]);
    app.notes.remove(&2).unwrap();
    assert!(keys(&long).is_empty());
    drop(app);
    assert_sound::<App>(&path);
}

#[test]
fn it_is_built_when_it_comes_to_a_table_with_rows() {
    let (_folder, path) = place();
    let old = before::App::open(&path).unwrap();
    let rows = (0..3_000_u32).map(|id| before::Note {
        id,
        tags: vec![format!("tag {}", id % 7), "all".into()],
        codes: Some(BTreeSet::from([(id % 5) as i16])),
        colors: HashSet::from([Open::Known(if id % 2 == 0 { Color::Red } else { Color::Blue })]),
        marks: VecDeque::from([None, Some((id % 3) as u8)]),
        size: 0,
        plain: Vec::new(),
    });
    old.notes.insert_many(rows).unwrap();
    drop(old);

    let app = App::open(&path).unwrap();
    let sevens = app.notes.filter(Note::TAGS.contains("tag 3"));
    assert_eq!(sevens.explain(), "scan of `notes`, filtered; index (each tags) is not built yet");
    assert_eq!(sevens.count().unwrap(), 429);
    app.build_indexes().unwrap();
    assert_eq!(sevens.explain(), "index (each tags) of `notes`, 1 range");
    assert_eq!(sevens.count().unwrap(), 429);
    assert_eq!(app.notes.filter(Note::COLORS.contains(Color::Red)).count().unwrap(), 1_500);
    assert_eq!(app.notes.filter(Note::MARKS.contains(Some(1))).count().unwrap(), 1_000);
    let both = Note::TAGS.contains("all") & Note::CODES.contains(4);
    assert_eq!(app.notes.filter(both).count().unwrap(), 600);
    let three = app.notes.filter(Note::TAGS.contains_all(["all", "tag 3", "all"]));
    assert_eq!(three.count().unwrap(), 429);
    let tenth = three.clone().limit(10).all().unwrap().pop().unwrap();
    assert_eq!(three.after(&tenth).first().unwrap().unwrap().id, 73);
    drop((sevens, app));
    assert_sound::<App>(&path);

    // Code without it goes on, and what it writes is seen again with it.
    let old = before::App::open(&path).unwrap();
    old.notes.update(&3, |note| note.tags.push("late".into())).unwrap();
    drop(old);
    let app = App::open(&path).unwrap();
    app.build_indexes().unwrap();
    let late = app.notes.filter(Note::TAGS.contains("late"));
    assert_eq!(late.keys().unwrap(), [3]);
    assert!(late.explain().starts_with("index (each tags)"), "{}", late.explain());
}

#[test]
fn check_names_a_row_whose_items_differ_from_the_index() {
    let (_folder, path) = place();
    let app = App::open(&path).unwrap();
    app.notes.insert_many([note(1, &["a", "b"]), note(2, &["b", "c"])]).unwrap();
    drop(app);
    assert_sound::<App>(&path);
    change(&path, |txn| {
        let mut names = txn.list_tables().unwrap().map(|table| table.name().to_owned());
        let name = names.find(|name| name.contains("index") && name.contains("tags")).unwrap();
        let table = redb::TableDefinition::<&[u8], &[u8]>::new(&name);
        let mut table = txn.open_table(table).unwrap();
        assert_eq!(table.len().unwrap(), 4);
        let second = table.iter().unwrap().nth(1).unwrap().unwrap().0.value().to_vec();
        table.remove(second.as_slice()).unwrap();
    });
    let report = App::check(&path).unwrap();
    let problems = format!("{:?}", report.problems());
    assert!(problems.contains("the index (each tags) lacks the row `1`"), "{problems}");
}

/// Some of any Unicode, so few that rows meet.
fn tag() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "a",
        "ab",
        "b",
        "é",
        "e\u{301}",
        "\0",
        "\0\0",
        "日本",
        "😀",
        "\u{10FFFF}",
    ])
    .prop_map(str::to_owned)
}

fn any_note() -> impl Strategy<Value = Note> {
    let codes = prop::option::of(prop::collection::btree_set(-2..3_i16, 0..4));
    let colors = prop::collection::hash_set(
        prop::sample::select(vec![Open::Known(Color::Red), Open::Known(Color::Blue)]),
        0..3,
    );
    let marks = prop::collection::vec_deque(prop::option::of(0..3_u8), 0..4);
    (0..12_u32, prop::collection::vec(tag(), 0..5), codes, colors, marks, 0..3_u8).prop_map(
        |(id, tags, codes, colors, marks, size)| Note {
            id,
            plain: tags.clone(),
            tags,
            codes,
            colors,
            marks,
            size,
        },
    )
}

#[derive(Debug, Clone)]
enum Change {
    Put(Note),
    Remove(u32),
    Elsewhere(Note),
    Many(Vec<Note>),
}

fn any_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => any_note().prop_map(Change::Put),
        1 => (0..12_u32).prop_map(Change::Remove),
        1 => any_note().prop_map(Change::Elsewhere),
        1 => prop::collection::vec(any_note(), 0..6).prop_map(Change::Many),
    ]
}

type Holds = fn(&Note, &[String], i16) -> bool;

/// A condition, and what it says of a plain row.
fn conditions(tags: &[String], code: i16) -> Vec<(Expr<Note>, Expr<Note>, Holds)> {
    let first = tags.first().cloned().unwrap_or_default();
    let with = |make: &dyn Fn(heirloom::Column<Note, Vec<String>>) -> Expr<Note>| {
        (make(Note::PLAIN.unnamed()), make(Note::TAGS.unnamed()))
    };
    let mut all = Vec::new();
    let (plain, indexed) = with(&|column| column.contains(first.as_str()));
    let one: Holds = |note, tags, _| note.tags.contains(tags.first().unwrap_or(&String::new()));
    all.push((plain, indexed, one));
    let (plain, indexed) = with(&|column| column.contains_any(tags.iter().map(String::as_str)));
    all.push((plain, indexed, |note, tags, _| tags.iter().any(|tag| note.tags.contains(tag))));
    let (plain, indexed) = with(&|column| column.contains_all(tags.iter().map(String::as_str)));
    all.push((plain, indexed, |note, tags, _| tags.iter().all(|tag| note.tags.contains(tag))));
    let (plain, indexed) = with(&|column| !column.contains(first.as_str()));
    all.push((plain, indexed, |note, tags, _| {
        !note.tags.contains(tags.first().unwrap_or(&String::new()))
    }));
    let (plain, indexed) = with(&|column| {
        column.contains_any(tags.iter().map(String::as_str)) & Note::CODES.contains(code)
            | Note::MARKS.contains(None) & Note::COLORS.contains(Color::Red) & Note::SIZE.eq(1)
    });
    all.push((plain, indexed, |note, tags, code| {
        tags.iter().any(|tag| note.tags.contains(tag))
            && note.codes.as_ref().is_some_and(|codes| codes.contains(&code))
            || note.marks.contains(&None)
                && note.colors.contains(&Open::Known(Color::Red))
                && note.size == 1
    }));
    all
}

fn same_everywhere(query: impl Fn() -> Query<Note>, expected: &[Note], limit: usize) {
    assert_eq!(query().all().unwrap(), expected);
    assert_eq!(query().count().unwrap(), expected.len());
    assert_eq!(query().keys().unwrap(), expected.iter().map(|note| note.id).collect::<Vec<_>>());
    let part: Vec<Note> = expected.iter().skip(1).take(limit).cloned().collect();
    assert_eq!(query().offset(1).limit(limit).all().unwrap(), part);
    assert_eq!(query().limit(limit).count().unwrap(), expected.len().min(limit));
    let mut sorted = expected.to_vec();
    sorted.sort_by_key(|note| (std::cmp::Reverse(note.size), std::cmp::Reverse(note.id)));
    assert_eq!(query().order_by(Note::SIZE.desc()).all().unwrap(), sorted);
    if let Some(middle) = expected.get(expected.len() / 2) {
        let after: Vec<u32> =
            expected.iter().map(|note| note.id).filter(|id| *id > middle.id).collect();
        assert_eq!(query().after(middle).keys().unwrap(), after);
        assert_eq!(query().after(middle).count().unwrap(), after.len());
        let before: Vec<Note> =
            expected.iter().filter(|note| note.id < middle.id).cloned().collect();
        let last = before[before.len().saturating_sub(limit)..].to_vec();
        assert_eq!(query().before(middle).limit(limit).all().unwrap(), last);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn it_finds_what_a_plain_list_has(
        changes in prop::collection::vec(any_change(), 1..16),
        tags in prop::collection::vec(tag(), 0..4),
        code in -2..3_i16,
        limit in 0..4_usize,
    ) {
        let (app, other) = (App::in_memory().unwrap(), App::in_memory().unwrap());
        let mut model: BTreeMap<u32, Note> = BTreeMap::new();
        let conditions = conditions(&tags, code);
        let watches: Vec<_> = conditions
            .iter()
            .map(|(_, indexed, _)| app.notes.filter(indexed.clone()).watch().unwrap())
            .collect();
        let mut lists: Vec<Vec<Note>> = vec![Vec::new(); watches.len()];
        for change in changes {
            match change {
                Change::Put(note) => {
                    app.notes.put(&note).unwrap();
                    model.insert(note.id, note);
                }
                Change::Remove(id) => {
                    app.notes.remove(&id).unwrap();
                    model.remove(&id);
                }
                Change::Elsewhere(note) => {
                    exchange(&app, &other);
                    other.notes.put(&note).unwrap();
                    exchange(&app, &other);
                    model.insert(note.id, note);
                }
                Change::Many(notes) => {
                    app.transaction(|tx| {
                        for note in &notes {
                            tx.put(note)?;
                            model.insert(note.id, note.clone());
                        }
                        for (plain, indexed, holds) in &conditions {
                            let rows = model.values();
                            let expected: Vec<Note> =
                                rows.filter(|note| holds(note, &tags, code)).cloned().collect();
                            assert_eq!(tx.filter(indexed.clone()).all()?, expected);
                            assert_eq!(tx.filter(plain.clone()).all()?, expected);
                            assert_eq!(tx.filter(indexed.clone()).count()?, expected.len());
                        }
                        Ok(())
                    }).unwrap();
                }
            }
        }
        for (number, (plain, indexed, holds)) in conditions.into_iter().enumerate() {
            let rows = model.values().filter(|note| holds(note, &tags, code));
            let expected: Vec<Note> = rows.cloned().collect();
            same_everywhere(|| app.notes.filter(indexed.clone()), &expected, limit);
            same_everywhere(|| app.notes.filter(plain.clone()), &expected, limit);
            let snapshot = app.snapshot().unwrap();
            assert_eq!(snapshot.filter(indexed.clone()).all().unwrap(), expected);
            while let Some(delta) = watches[number].try_recv().unwrap() {
                delta.apply(&mut lists[number]);
            }
            assert_eq!(lists[number], expected);
        }
    }
}
