//! Computed columns and indexes over them: the same answers as a look at every row.

use std::collections::BTreeMap;

use heirloom::query::count;
use heirloom::schema::History;
use heirloom::{ErrorKind, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::support::{assert_sound, exchange, give_rows, place, refused};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(
    name = "txns",
    computed(
        month: String = date.get(..7).unwrap_or_default().to_owned(),
        r#in: Option<i64> = (cents > 0).then_some(cents),
        rest: i64 = cents / i64::from(parts)
    ),
    computed(lower: String = text.to_lowercase()),
    index(month, cents),
    index(r#in),
    index(rest, parts),
    unique(lower)
)]
struct Txn {
    #[key]
    id: u32,
    date: String,
    #[serde(rename = "words")]
    text: String,
    cents: i64,
    /// `rest` divides by it.
    #[evolve(default = 1)]
    parts: u8,
}

#[derive(Store)]
#[store(name = "ledger")]
struct App {
    txns: Table<Txn>,
}

/// The same table, and columns that are computed otherwise.
mod changed {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(
        name = "txns",
        computed(month: String = date.get(..4).unwrap_or_default().to_owned()),
        computed(lower: String = text.to_lowercase()),
        index(month, cents),
        unique(lower)
    )]
    pub struct Txn {
        #[key]
        pub id: u32,
        pub date: String,
        #[serde(rename = "words")]
        pub text: String,
        pub cents: i64,
        #[evolve(default = 1)]
        pub parts: u8,
    }

    #[derive(Store)]
    #[store(name = "ledger")]
    pub struct App {
        pub txns: Table<Txn>,
    }
}

/// The same table without them.
mod plain {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "txns")]
    pub struct Txn {
        #[key]
        pub id: u32,
        pub date: String,
        #[serde(rename = "words")]
        pub text: String,
        pub cents: i64,
        pub parts: u8,
    }

    #[derive(Store)]
    #[store(name = "ledger")]
    pub struct App {
        pub txns: Table<Txn>,
    }
}

fn txn(id: u32, date: &str, text: &str, cents: i64) -> Txn {
    Txn { id, date: date.to_owned(), text: text.to_owned(), cents, parts: 2 }
}

fn month(txn: &Txn) -> String {
    txn.date.get(..7).unwrap_or_default().to_owned()
}

#[test]
fn an_index_serves_what_is_computed() {
    let app = App::in_memory().unwrap();
    let date = |id: u32| format!("2026-{:02}-01", 1 + id % 12);
    let rows = (0..600).map(|id| txn(id, &date(id), &format!("Text {id}"), i64::from(id) - 300));
    app.txns.insert_many(rows).unwrap();
    let may = app.txns.filter(Txn::MONTH.eq("2026-05"));
    assert_eq!(may.explain(), "index (month, cents) of `txns`, 1 range, in the order of keys");
    assert_eq!(may.count().unwrap(), 50);
    let latest = app.txns.order_by((Txn::MONTH.desc(), Txn::CENTS.desc())).limit(1);
    assert_eq!(latest.explain(), "index (month, cents) of `txns`, backwards, at most 1");
    assert_eq!(latest.keys().unwrap(), [599]);
    let after = latest.clone().after(&latest.one().unwrap()).keys().unwrap();
    assert_eq!(after, [587]);
    assert_eq!(app.txns.filter(Txn::IN.is_none()).count().unwrap(), 301);
    assert_eq!(app.txns.filter(Txn::IN.gt(Some(297))).keys().unwrap(), [598, 599]);
    assert_eq!(app.txns.filter(Txn::LOWER.starts_with("text 59")).count().unwrap(), 11);

    let before = app.handle().touched();
    let sums = app.txns.query().group_by(Txn::MONTH).sum(Txn::CENTS).unwrap();
    let (rows, entries) = app.handle().touched();
    assert_eq!((sums.len(), sums[4].1), (12, (0..50).map(|n| n * 12 + 4 - 300).sum()));
    assert!(rows - before.0 <= 12 && entries - before.1 == 600, "from the index alone");
}

#[test]
fn a_computed_column_may_be_unique() {
    let app = App::in_memory().unwrap();
    app.txns.insert(&txn(1, "", "Giro", 5)).unwrap();
    let error = refused(app.txns.insert(&txn(2, "", "GIRO", 5)));
    assert_eq!(error.kind(), ErrorKind::NotUnique, "{error}");
    assert_eq!(app.txns.get_by(Txn::LOWER, "giro").unwrap().unwrap().id, 1);
    assert!(!app.txns.insert_or_ignore(&txn(2, "", "gIRO", 5)).unwrap());
    assert_eq!(app.txns.upsert_by(Txn::LOWER, &txn(9, "", "gIrO", 6)).unwrap(), 1);
    assert_eq!(app.txns.get(&1).unwrap().unwrap().text, "gIrO");
}

#[test]
fn the_schema_says_how_they_are_computed() {
    let (old, new) = (App::schema(), changed::App::schema());
    let table = &old.tables["txns"];
    assert_eq!(table.indexes[0].fields, ["month", "cents"]);
    assert_eq!(table.computed["in"], "(cents > 0).then_some(cents)");
    assert_eq!(old.fingerprint(), new.fingerprint(), "nothing that is stored depends on it");
    let changes = old.diff(&new);
    let rules: Vec<&str> = changes.iter().map(|change| change.rule()).collect();
    assert!(rules.contains(&"index-added") && rules.contains(&"index-removed"), "{changes}");
    let mut history = History::new("ledger");
    assert!(history.record(&old, "2026-11-30").unwrap());
    let read = History::parse(history.text()).unwrap();
    assert_eq!(read.newest().unwrap().schema(), &old);
}

#[test]
fn another_expression_builds_its_index_anew() {
    let (_dir, path) = place();
    let app = App::open(&path).unwrap();
    app.txns.insert_many((0..40).map(|id| txn(id, "2026-05-01", &id.to_string(), 1))).unwrap();
    drop(app);
    let app = changed::App::open(&path).unwrap();
    app.build_indexes().unwrap();
    let year = app.txns.filter(changed::Txn::MONTH.eq("2026"));
    assert_eq!(year.explain(), "index (month, cents) of `txns`, 1 range, in the order of keys");
    assert_eq!(year.count().unwrap(), 40);
    drop((year, app));
    assert_sound::<changed::App>(&path);
    let app = App::open(&path).unwrap();
    assert_eq!(app.txns.filter(Txn::MONTH.eq("2026-05")).count().unwrap(), 40);
    app.build_indexes().unwrap();
    drop(app);
    assert_sound::<App>(&path);
}

/// `rest` divides by zero.
fn undivided(id: u32) -> plain::Txn {
    let (date, text) = ("2026-05-01".to_owned(), id.to_string());
    plain::Txn { id, date, text, cents: 7, parts: 0 }
}

#[test]
fn a_local_write_that_cannot_be_computed_is_refused() {
    let app = App::in_memory().unwrap();
    let bad = Txn { parts: 0, ..txn(3, "", "x", 7) };
    let error = refused(app.txns.insert(&bad));
    assert_eq!(error.kind(), ErrorKind::CheckFailed);
    let text = error.to_string();
    for part in ["`rest` panicked", "txns", "3", "cents = 7, parts = 0", "without a panic"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(app.txns.len().unwrap(), 0);
}

#[test]
fn a_row_of_others_that_cannot_be_computed_is_read_and_listed() {
    let (_dir, path) = place();
    let (app, other) = (App::open(&path).unwrap(), plain::App::in_memory().unwrap());
    app.txns.insert(&txn(1, "2026-04-01", "a", 9)).unwrap();
    other.txns.insert_many([undivided(3), undivided(4)]).unwrap();
    give_rows(&other, &app);
    assert_eq!(app.txns.query().keys().unwrap(), [1, 3, 4]);
    // It has no value: it equals nothing, is not `None`, and comes before all others.
    assert_eq!(app.txns.filter(Txn::REST.eq(0) | Txn::REST.gt(-99)).keys().unwrap(), [1]);
    assert_eq!(app.txns.filter(Txn::REST.ne(4)).keys().unwrap(), [3, 4]);
    assert_eq!(app.txns.order_by(Txn::REST).keys().unwrap(), [3, 4, 1]);
    assert_eq!(app.txns.filter(Txn::MONTH.eq("2026-05")).keys().unwrap(), [3, 4]);
    // It is in no group and no sum, and selecting it is an error.
    let groups = app.txns.query().group_by(Txn::REST).aggregate(count()).all().unwrap();
    assert_eq!(groups, [(4, 1)]);
    assert_eq!(app.txns.query().sum(Txn::REST).unwrap(), 4);
    let error = refused(app.txns.query().select(Txn::REST).all());
    assert_eq!((error.kind(), error.key()), (ErrorKind::CheckFailed, Some("3")));
    let late = app.txns.filter(Txn::MONTH.ge("2026")).select(Txn::REST);
    assert!(late.iter().unwrap().any(|value| value.is_err()));
    let listed = app.txns.violations().unwrap();
    let listed: Vec<_> = listed.iter().map(|it| (it.key(), it.rule())).collect();
    assert_eq!(listed, ["3", "4"].map(|key| (key, "cents / i64::from(parts)")));
    app.build_indexes().unwrap();
    app.txns.update(&3, |txn| txn.parts = 1).unwrap();
    assert_eq!(app.txns.filter(Txn::REST.eq(7)).keys().unwrap(), [3]);
    drop(app);
    assert_sound::<App>(&path);
}

#[test]
fn a_watch_follows_a_computed_column() {
    let app = App::in_memory().unwrap();
    app.txns.insert(&txn(1, "2026-05-01", "a", 5)).unwrap();
    let may = app.txns.filter(Txn::MONTH.eq("2026-05")).watch().unwrap();
    let sums = app.txns.query().group_by(Txn::MONTH).aggregate(Txn::CENTS.sum()).watch().unwrap();
    assert_eq!(may.recv().unwrap().inserted().len(), 1);
    assert_eq!(sums.recv().unwrap(), [("2026-05".to_owned(), 5)]);
    app.txns.update(&1, |txn| txn.date = "2026-06-01".to_owned()).unwrap();
    assert_eq!(may.recv().unwrap().removed().len(), 1);
    assert_eq!(sums.recv().unwrap(), [("2026-06".to_owned(), 5)]);
}

#[derive(Debug, Clone)]
enum Op {
    Put(Txn),
    Remove(u32),
    Elsewhere(Txn),
    Exchange,
}

fn any_txn() -> impl Strategy<Value = Txn> {
    let date = prop_oneof![
        Just("2026-05-01"),
        Just("2026-05-09"),
        Just("2025-01-01"),
        Just("2"),
        Just("")
    ];
    let text = prop_oneof!["[a-cA-C]{1,2}", Just("ÄÖ".to_owned()), Just("İ".to_owned())];
    (0..12u32, date, text, -3..4i64, 1..4u8).prop_map(|(id, date, text, cents, parts)| Txn {
        // A text for each row, so that none conflicts.
        text: format!("{text}{id}"),
        parts,
        ..txn(id, date, "", cents)
    })
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => any_txn().prop_map(Op::Put),
        1 => (0..12u32).prop_map(Op::Remove),
        2 => any_txn().prop_map(Op::Elsewhere),
        1 => Just(Op::Exchange),
    ]
}

fn hold(app: &App) {
    let rows = app.txns.query().all().unwrap();
    let ids = |condition: &dyn Fn(&Txn) -> bool| -> Vec<u32> {
        rows.iter().filter(|txn| condition(txn)).map(|txn| txn.id).collect()
    };
    let found = |expr| app.txns.filter(expr).keys().unwrap();
    for value in ["2026-05", "2025-01", "2", "", "x"] {
        assert_eq!(found(Txn::MONTH.eq(value)), ids(&|txn| month(txn) == value));
        assert_eq!(found(Txn::MONTH.gt(value)), ids(&|txn| *month(txn) > *value));
        assert_eq!(
            found(Txn::MONTH.eq(value) & Txn::CENTS.ge(0)),
            ids(&|txn| month(txn) == value && txn.cents >= 0)
        );
        assert_eq!(
            found(Txn::LOWER.starts_with(value) | Txn::REST.eq(1)),
            ids(&|txn| txn.text.to_lowercase().starts_with(value)
                || txn.cents / i64::from(txn.parts) == 1)
        );
    }
    assert_eq!(found(Txn::IN.is_none()), ids(&|txn| txn.cents <= 0));
    let mut ordered = rows.clone();
    ordered.sort_by_key(|txn| (month(txn), txn.cents, txn.id));
    let pages = app.txns.order_by((Txn::MONTH, Txn::CENTS)).limit(3);
    let (mut seen, mut page) = (Vec::new(), pages.all().unwrap());
    while let Some(last) = page.last().cloned() {
        seen.append(&mut page);
        page = pages.clone().after(&last).all().unwrap();
    }
    assert_eq!(seen, ordered);
    let mut sums = BTreeMap::new();
    for txn in &rows {
        *sums.entry(month(txn)).or_insert(0) += txn.cents / i64::from(txn.parts);
    }
    let grouped = app.txns.query().group_by(Txn::MONTH).sum(Txn::REST).unwrap();
    assert_eq!(grouped, sums.into_iter().collect::<Vec<_>>());
    let selected = app.txns.query().select((Txn::LOWER, Txn::ID)).all().unwrap();
    let lower = rows.iter().map(|txn| (txn.text.to_lowercase(), txn.id));
    assert_eq!(selected, lower.collect::<Vec<_>>());
    for txn in &rows {
        let lower = txn.text.to_lowercase();
        assert_eq!(app.txns.get_by(Txn::LOWER, &*lower).unwrap().as_ref(), Some(txn));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn it_says_what_a_look_at_every_row_says(ops in prop::collection::vec(any_op(), 1..30)) {
        let (_dir, path) = place();
        let (app, other) = (App::open(&path).unwrap(), App::in_memory().unwrap());
        for op in ops {
            match op {
                Op::Put(txn) => app.txns.put(&txn).unwrap(),
                Op::Remove(id) => drop(app.txns.remove(&id).unwrap()),
                Op::Elsewhere(txn) => other.txns.put(&txn).unwrap(),
                Op::Exchange => exchange(&app, &other),
            }
        }
        hold(&app);
        exchange(&app, &other);
        hold(&app);
        hold(&other);
        drop(app);
        assert_sound::<App>(&path);
        hold(&App::open(&path).unwrap());
    }
}
