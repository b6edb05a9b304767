//! Keys of several fields: their forms, their order, and what they serve.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::support::{exchange, refused, rows};
use heirloom::transfer::OnExisting;
use heirloom::watch::ChangeKind;
use heirloom::{ErrorKind, Id, Key, Ref, Row, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "groups")]
struct Group {
    id: Id<Group>,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "people")]
struct Person {
    #[key]
    name: String,
}

/// The fields of the key stand in another order than in the key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "members", key(group, person))]
struct Member {
    #[reference(on_remove = "cascade")]
    person: Ref<Person>,
    group: Ref<Group>,
    role: String,
}

/// A table that refers to one whose key is several fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "fees")]
struct Fee {
    #[key]
    number: u32,
    #[reference(on_remove = "set_null")]
    member: Option<Ref<Member>>,
    cents: i64,
}

#[derive(Store)]
#[store(name = "club")]
struct Club {
    groups: Table<Group>,
    people: Table<Person>,
    members: Table<Member>,
    fees: Table<Fee>,
}

#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, Key,
)]
#[serde(transparent)]
struct Word(String);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "cells", key(sheet, row, column))]
struct Cell {
    sheet: String,
    row: i64,
    column: Word,
    value: i32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "points", key(a, b, c, d))]
struct Point {
    a: u8,
    b: i16,
    c: u64,
    d: uuid::Uuid,
}

#[derive(Store)]
#[store(name = "sheets")]
struct Sheets {
    cells: Table<Cell>,
    points: Table<Point>,
}

/// Texts that begin each other, are empty, or have what stands between the parts of a key.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab]{0,3}",
        2 => "[\u{0}\u{1}\u{2}\",\\\\\\[\\]\u{7f}\u{ff}\u{10ffff}]{0,4}",
        1 => any::<String>(),
    ]
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![4 => -3..4i64, 1 => any::<i64>(), 1 => Just(i64::MIN), 1 => Just(i64::MAX)]
}

fn cell() -> impl Strategy<Value = Cell> {
    (text(), number(), text(), -2..3i32).prop_map(|(sheet, row, column, value)| Cell {
        sheet,
        row,
        column: Word(column),
        value,
    })
}

fn key_of(cell: &Cell) -> (String, i64, Word) {
    (cell.sheet.clone(), cell.row, cell.column.clone())
}

type Compare = Box<dyn Fn(&Cell, &Cell) -> std::cmp::Ordering>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn rows_come_in_the_order_of_their_tuples(cells in prop::collection::vec(cell(), 0..40)) {
        let app = Sheets::in_memory().unwrap();
        let mut model = BTreeMap::new();
        for cell in cells {
            app.cells.put(&cell).unwrap();
            model.insert(key_of(&cell), cell);
        }
        prop_assert_eq!(rows(&app.cells), model.values().cloned().collect::<Vec<_>>());
        for (key, cell) in &model {
            prop_assert_eq!(app.cells.get(key).unwrap(), Some(cell.clone()));
            prop_assert_eq!(&*cell.key(), key);
            // The text is that of `JSON.stringify` in another language, and so free of U+0001.
            let text = key.to_text();
            prop_assert_eq!(&text, &serde_json::to_string(key).unwrap());
            prop_assert_eq!(text.find('\u{1}'), None);
            prop_assert_eq!(&<(String, i64, Word)>::from_text(&text).unwrap(), key);
        }
        let keys: Vec<_> = model.keys().collect();
        let found = app.cells.get_many(keys.iter().copied()).unwrap();
        prop_assert_eq!(found.into_iter().flatten().count(), keys.len());
        let half = keys.len() / 2;
        prop_assert_eq!(app.cells.remove_many(keys.iter().copied().take(half)).unwrap(), half);
        prop_assert_eq!(app.cells.len().unwrap(), keys.len() - half);
    }

    #[test]
    fn four_parts_of_any_kind(
        points in prop::collection::btree_map(
            (any::<u8>(), any::<i16>(), any::<u64>(), any::<u128>()), Just(()), 0..30
        )
    ) {
        let app = Sheets::in_memory().unwrap();
        let points = points.into_keys().map(|(a, b, c, d)| Point { a, b, c, d: uuid::Uuid::from_u128(d) });
        let points: Vec<Point> = points.collect();
        app.points.insert_many(points.iter().rev()).unwrap();
        prop_assert_eq!(rows(&app.points), points.clone());
        for point in &points {
            let text = point.key().to_text();
            prop_assert_eq!(&text, &serde_json::to_string(&*point.key()).unwrap());
            prop_assert_eq!(<(u8, i16, u64, uuid::Uuid)>::from_text(&text).unwrap(), point.key().into_owned());
        }
    }

    #[test]
    fn a_query_gives_what_a_plain_look_gives(
        cells in prop::collection::vec(cell(), 1..40),
        ask in (0..5u8, 0..7u8, 0..6u8),
        probe in cell(),
        cursor in any::<prop::sample::Index>(),
        is_back in any::<bool>(),
        limit in 0..6usize,
    ) {
        let app = Sheets::in_memory().unwrap();
        app.transaction(|tx| cells.iter().try_for_each(|cell| tx.put(cell))).unwrap();
        let all = rows(&app.cells);
        let at = cursor.get(&all).clone();
        let (of_sheet, of_row, order) = ask;
        let mut model = all.clone();
        let mut query = app.cells.query();
        let sheet = if of_sheet < 3 { at.sheet.clone() } else { probe.sheet.clone() };
        match of_sheet {
            0 | 3 => {
                query = query.filter(Cell::SHEET.eq(&sheet));
                model.retain(|cell| cell.sheet == sheet);
            }
            1 => {
                query = query.filter(Cell::SHEET.starts_with(&sheet));
                model.retain(|cell| cell.sheet.starts_with(&sheet));
            }
            2 => {
                query = query.filter(Cell::SHEET.is_in([&sheet, &probe.sheet]));
                model.retain(|cell| cell.sheet == sheet || cell.sheet == probe.sheet);
            }
            _ => {}
        }
        let row = probe.row;
        match of_row {
            0 => {
                query = query.filter(Cell::ROW.gt(row));
                model.retain(|cell| cell.row > row);
            }
            1 => {
                query = query.filter(Cell::ROW.le(row));
                model.retain(|cell| cell.row <= row);
            }
            2 => {
                query = query.filter(Cell::ROW.eq(at.row) & Cell::COLUMN.ge(&at.column));
                model.retain(|cell| cell.row == at.row && cell.column >= at.column);
            }
            3 => {
                query = query.filter(Cell::COLUMN.eq(&at.column));
                model.retain(|cell| cell.column == at.column);
            }
            4 => {
                query = query.filter(Cell::ROW.eq(at.row) & Cell::VALUE.ge(0));
                model.retain(|cell| cell.row == at.row && cell.value >= 0);
            }
            _ => {}
        }
        // By the order, then by key in the direction of the last column.
        let by_key = |a: &Cell, b: &Cell| key_of(a).cmp(&key_of(b));
        let compare: Compare = match order {
            0 => Box::new(by_key),
            1 => {
                query = query.order_by((Cell::SHEET, Cell::ROW));
                Box::new(by_key)
            }
            2 => {
                query = query.order_by(Cell::ROW.desc());
                Box::new(move |a, b| b.row.cmp(&a.row).then_with(|| by_key(b, a)))
            }
            3 => {
                query = query.order_by((Cell::SHEET.desc(), Cell::ROW.desc(), Cell::COLUMN.desc(), Cell::VALUE));
                Box::new(move |a, b| by_key(b, a))
            }
            4 => {
                query = query.order_by((Cell::SHEET.desc(), Cell::VALUE));
                Box::new(move |a, b| {
                    b.sheet.cmp(&a.sheet).then(a.value.cmp(&b.value)).then_with(|| by_key(a, b))
                })
            }
            _ => {
                query = query.order_by((Cell::SHEET, Cell::ROW.desc()));
                Box::new(move |a, b| {
                    a.sheet.cmp(&b.sheet).then(b.row.cmp(&a.row)).then_with(|| by_key(b, a))
                })
            }
        };
        model.sort_by(&compare);
        prop_assert_eq!(query.clone().all().unwrap(), model.clone());
        prop_assert_eq!(query.clone().count().unwrap(), model.len());
        let keys: Vec<_> = model.iter().map(key_of).collect();
        prop_assert_eq!(query.clone().keys().unwrap(), keys);

        let page: Vec<Cell> = match is_back {
            false => model.iter().filter(|cell| compare(cell, &at).is_gt()).take(limit).cloned().collect(),
            true => {
                let near = model.iter().rev().filter(|cell| compare(cell, &at).is_lt());
                let mut near: Vec<Cell> = near.take(limit).cloned().collect();
                near.reverse();
                near
            }
        };
        let paged = if is_back { query.before(&at) } else { query.after(&at) };
        prop_assert_eq!(paged.limit(limit).all().unwrap(), page);
    }
}

fn member(group: &Group, person: &str, role: &str) -> Member {
    Member { person: Ref::new(person), group: Ref::to(group), role: role.into() }
}

fn club() -> (Club, Group, Group) {
    let app = Club::in_memory().unwrap();
    let mut groups = ["chess", "go"].map(|name| Group { id: Id::new(), name: name.into() });
    groups.sort_by_key(|group| group.id);
    app.groups.insert_many(&groups).unwrap();
    app.people.insert_many(["ada", "bob", "eve"].map(|name| Person { name: name.into() })).unwrap();
    let [first, second] = groups;
    app.members
        .insert_many([
            member(&first, "ada", "lead"),
            member(&first, "bob", ""),
            member(&second, "ada", ""),
        ])
        .unwrap();
    (app, first, second)
}

#[test]
fn a_key_is_found_changed_and_removed() {
    let (app, first, second) = club();
    let key = (Ref::to(&first), Ref::new("bob"));
    assert!(app.members.contains(&key).unwrap());
    assert_eq!(app.members.get(&key).unwrap().unwrap().role, "");
    app.members.update(&key, |member| member.role = "guest".into()).unwrap();
    let snapshot = app.snapshot().unwrap();
    let error = refused(app.members.update(&key, |member| member.person = Ref::new("eve")));
    assert_eq!(
        (error.kind(), error.field()),
        (ErrorKind::KeyChanged, Some("group, person")),
        "{error}"
    );
    let error = refused(app.members.insert(&member(&first, "bob", "again")));
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(error.key(), Some(&*format!("[\"{}\",\"bob\"]", first.id)));
    app.transaction(|tx| {
        assert_eq!(tx.get::<Member>(&key)?.unwrap().role, "guest");
        tx.put(&member(&second, "eve", "new"))?;
        assert!(tx.remove::<Member>(&key)?);
        assert_eq!(tx.get::<Member>(&key)?, None);
        Ok(())
    })
    .unwrap();
    assert_eq!(app.members.len().unwrap(), 3);
    assert_eq!(snapshot.get::<Member>(&key).unwrap().unwrap().role, "guest");
    assert!(!app.members.insert_or_ignore(&member(&second, "eve", "x")).unwrap());
}

#[test]
fn texts_of_a_key_are_borrowed() {
    let app = Sheets::in_memory().unwrap();
    #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    #[table(key(language, word))]
    struct Entry {
        language: String,
        word: String,
    }
    #[derive(Store)]
    struct Dictionary {
        entries: Table<Entry>,
    }
    drop(app);
    let app = Dictionary::in_memory().unwrap();
    app.entries.insert(&Entry { language: "de".into(), word: "Haus".into() }).unwrap();
    assert!(app.entries.contains(&("de", "Haus")).unwrap());
    assert!(app.entries.contains(&("de".to_owned(), "Haus".to_owned())).unwrap());
    assert!(!app.entries.remove(&("deH", "aus")).unwrap());
}

#[test]
fn the_plan_says_that_the_key_serves() {
    let (app, first, _) = club();
    let of_group = app.members.filter(Member::GROUP.eq(&first));
    assert_eq!(of_group.explain(), "`members` by key, 1 range");
    assert_eq!(
        of_group.clone().order_by(Member::PERSON.desc()).explain(),
        "`members` by key, 1 range, backwards"
    );
    let range = of_group.clone().filter(Member::PERSON.gt(Ref::new("ada")));
    assert_eq!(range.explain(), "`members` by key, 1 range");
    assert_eq!(range.all().unwrap().len(), 1);
    assert_eq!(
        of_group.order_by(Member::ROLE).explain(),
        "`members` by key, 1 range, sorted by role"
    );
    let ordered = app.members.order_by((Member::GROUP, Member::PERSON));
    assert_eq!(ordered.explain(), "scan of `members`");
    // The field that is not the first has an index of its own, since it is a reference.
    let of_person = app.members.filter(Member::PERSON.eq(Ref::new("ada")));
    assert_eq!(of_person.explain(), "index (person) of `members`, 1 range");
    assert_eq!(of_person.all().unwrap().len(), 2);
    let schema = Club::schema();
    let key: Vec<_> =
        schema.tables["members"].key.iter().map(|key| (&*key.field, &*key.kind)).collect();
    assert_eq!(key, [("group", "id"), ("person", "text")]);
    assert_eq!(schema.tables["members"].indexes.len(), 1);
}

#[test]
fn references_from_and_to_a_key_of_several_fields_are_kept() {
    let (app, first, second) = club();
    let ada = Ref::<Member>::new((Ref::to(&first), Ref::new("ada")));
    let fee = Fee { number: 1, member: Some(ada.clone()), cents: 500 };
    app.fees.insert(&fee).unwrap();
    let missing = Ref::new((Ref::to(&second), Ref::new("bob")));
    let error = refused(app.fees.insert(&Fee { number: 2, member: Some(missing), cents: 1 }));
    assert_eq!(error.kind(), ErrorKind::DanglingReference);
    assert!(error.to_string().contains(&format!("[\"{}\",\"bob\"]", second.id)), "{error}");
    assert_eq!(ada.get(&app).unwrap().unwrap().role, "lead");
    assert_eq!(
        app.fees.referrers(Fee::MEMBER, &(Ref::to(&first), Ref::new("ada"))).count().unwrap(),
        1
    );
    let with = app.fees.query().with(Fee::MEMBER).unwrap();
    assert_eq!(with[0].1.as_ref().unwrap().role, "lead");
    let leads = app.fees.filter(Fee::MEMBER.is(Member::ROLE.eq("lead")));
    assert_eq!(leads.count().unwrap(), 1);
    let many = app.members.query().with_many(Fee::MEMBER).unwrap();
    assert_eq!(many.iter().map(|(_, fees)| fees.len()).collect::<Vec<_>>(), [1, 0, 0]);

    // A group with members stays; a person goes with theirs, and the fee refers to nothing.
    let error = refused(app.groups.remove(&first.id));
    assert_eq!(error.kind(), ErrorKind::StillReferenced, "{error}");
    assert!(app.people.remove("ada").unwrap());
    assert_eq!(rows(&app.members), [member(&first, "bob", "")]);
    assert_eq!(app.fees.get(&1).unwrap().unwrap().member, None);
    app.members.remove(&(Ref::to(&first), Ref::new("bob"))).unwrap();
    assert!(app.groups.remove(&first.id).unwrap() && app.groups.remove(&second.id).unwrap());
}

#[test]
fn copies_observers_lost_edits_and_files_know_them() {
    let (app, first, _) = club();
    let other = Club::in_memory().unwrap();
    exchange(&app, &other);
    assert_eq!(rows(&other.members), rows(&app.members));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let _subscription = app
        .members
        .observe(move |changes| {
            log.lock().unwrap().extend(changes.iter().map(|c| (c.key().clone(), c.kind())));
        })
        .unwrap();
    let key = (Ref::to(&first), Ref::new("bob"));
    app.members.update(&key, |member| member.role = "a".into()).unwrap();
    other.members.update(&key, |member| member.role = "b".into()).unwrap();
    exchange(&app, &other);
    assert_eq!(rows(&other.members), rows(&app.members));
    assert_eq!(seen.lock().unwrap()[0], (key.clone(), ChangeKind::Updated));
    let lost: Vec<_> =
        app.lost_edits().unwrap().into_iter().chain(other.lost_edits().unwrap()).collect();
    assert!(!lost.is_empty());
    for edit in lost {
        assert_eq!(edit.key(), key.to_text());
        edit.take().unwrap();
    }

    let mut lines = Vec::new();
    app.members.export(&mut lines).unwrap();
    let copy = Club::in_memory().unwrap();
    copy.groups.insert_many(rows(&app.groups)).unwrap();
    copy.people.insert_many(rows(&app.people)).unwrap();
    copy.members.import(lines.as_slice(), OnExisting::Fail).unwrap();
    assert_eq!(rows(&copy.members), rows(&app.members));
    let error = refused(copy.members.import(lines.as_slice(), OnExisting::Fail));
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("club.redb");
    app.backup(&path).unwrap();
    let opened = Club::open(&path).unwrap();
    assert_eq!(rows(&opened.members), rows(&app.members));
    drop(opened);
    let report = Club::check(&path).unwrap();
    assert!(report.is_ok(), "{report}");
}

#[test]
fn a_watched_prefix_follows_each_commit() {
    let (app, first, second) = club();
    let watch = app.members.filter(Member::GROUP.eq(&first)).watch().unwrap();
    assert_eq!(watch.recv().unwrap().inserted().len(), 2);
    app.members.insert(&member(&second, "eve", "")).unwrap();
    app.members.insert(&member(&first, "eve", "")).unwrap();
    assert_eq!(watch.recv().unwrap().inserted().len(), 1);
    app.members.remove(&(Ref::to(&first), Ref::new("ada"))).unwrap();
    assert_eq!(watch.recv().unwrap().removed().len(), 1);
}

/// The same table as code sees it that does not declare the key so.
#[test]
fn rows_under_other_keys_are_listed_and_repaired() {
    mod other {
        use heirloom::{Store, Table};
        use schemars::JsonSchema;
        use serde::{Deserialize, Serialize};

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "cells")]
        pub struct Cell {
            #[key]
            pub key: String,
            pub sheet: String,
            pub row: i64,
            pub column: String,
            pub value: i32,
        }

        #[derive(Store)]
        #[store(name = "sheets")]
        pub struct Sheets {
            pub cells: Table<Cell>,
        }
    }
    let writer = other::Sheets::in_memory().unwrap();
    let write = |key: &str, sheet: &str| {
        let cell = other::Cell {
            key: key.into(),
            sheet: sheet.into(),
            row: 1,
            column: "c".into(),
            value: 2,
        };
        writer.cells.insert(&cell).unwrap();
    };
    write(r#"["a",1,"c"]"#, "a");
    write(r#"["b",1,"c"]"#, "other"); // says that it has another key
    write(r#"["a", 1,"c"]"#, "a"); // another spelling
    write("plain", "p");
    let app = Sheets::in_memory().unwrap();
    crate::support::give_rows(&writer, &app);
    assert_eq!(app.cells.len().unwrap(), 4);
    assert_eq!(app.cells.get(&("a", 1, Word("c".into()))).unwrap().unwrap().value, 2);
    let invalid = app.cells.invalid().unwrap();
    let mut keys: Vec<&str> = invalid.iter().map(|row| row.key()).collect();
    keys.sort_unstable();
    assert_eq!(keys, [r#"["a", 1,"c"]"#, r#"["b",1,"c"]"#, "plain"]);
    for row in &invalid {
        match row.key() {
            "plain" => assert_eq!(app.cells.repair(row, row.json()).unwrap().sheet, "p"),
            r#"["b",1,"c"]"# => {
                app.cells.repair(row, &row.json().replace("other", "b")).unwrap();
            }
            _ => assert!(app.cells.discard(row).unwrap()),
        }
    }
    assert!(app.cells.invalid().unwrap().is_empty());
    let sheets: Vec<String> = rows(&app.cells).into_iter().map(|cell| cell.sheet).collect();
    assert_eq!(sheets, ["a", "b", "p"]);
}
