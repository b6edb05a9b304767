//! Rows as CSV: typed cells, and errors that name line and column.

use std::collections::BTreeMap;

use heirloom::transfer::OnExisting;
use heirloom::{ErrorKind, Id, Open, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::support::refused;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Income,
    Expense,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "txns")]
struct Txn {
    id: Id<Txn>,
    #[serde(rename = "Betrag", alias = "amount")]
    cents: i64,
    text: String,
    note: Option<String>,
    kind: Open<Kind>,
    day: jiff::civil::Date,
    share: f64,
    #[evolve(default = true)]
    cleared: bool,
    #[evolve(default)]
    tags: Vec<String>,
    #[evolve(default)]
    more: BTreeMap<String, u8>,
    #[evolve(default = 7)]
    weight: u8,
    splits: Option<(u8, String)>,
}

#[derive(Store)]
#[store(name = "ledger")]
struct App {
    txns: Table<Txn>,
}

fn txn() -> impl Strategy<Value = Txn> {
    let text = || "\\PC{0,6}|[a,;\"\n\r \u{feff}]{1,5}|true|null|12|\\[1\\]";
    let first = (any::<i64>(), text(), prop::option::of(text()), any::<bool>(), 1..28_i8);
    let second = (
        prop::num::f64::NORMAL,
        any::<bool>(),
        prop::collection::vec(text(), 0..3),
        prop::collection::btree_map(text(), any::<u8>(), 0..3),
        any::<u8>(),
        prop::option::of((any::<u8>(), text())),
    );
    (first, second).prop_map(
        |((cents, text, note, is_income, day), (share, cleared, tags, more, weight, splits))| Txn {
            id: Id::new(),
            cents,
            text,
            // An empty text reads as nothing where that may be.
            note: note.filter(|note| !note.is_empty()),
            kind: if is_income { Kind::Income } else { Kind::Expense }.into(),
            day: jiff::civil::date(2026, 2, day),
            share,
            cleared,
            tags,
            more,
            weight,
            splits,
        },
    )
}

proptest! {
    #[test]
    fn a_table_comes_back_as_it_was(txns in prop::collection::vec(txn(), 0..12)) {
        let app = App::in_memory().unwrap();
        app.txns.insert_many(txns).unwrap();
        let mut text = Vec::new();
        let count = app.txns.export_csv(&mut text).unwrap();
        prop_assert_eq!(count, app.txns.len().unwrap());
        let copy = App::in_memory().unwrap();
        let imported = copy.txns.import_csv(text.as_slice(), OnExisting::Fail).unwrap();
        prop_assert_eq!(imported.inserted(), count);
        prop_assert_eq!(copy.txns.query().all().unwrap(), app.txns.query().all().unwrap());
        let mut again = Vec::new();
        copy.txns.export_csv(&mut again).unwrap();
        prop_assert_eq!(again, text);
    }

    #[test]
    fn no_text_makes_it_panic_or_leave_something_half(text in "(id,|amount|text|kind|day|share|\n|\"|,|;|1|\\PC){0,40}") {
        let app = App::in_memory().unwrap();
        if app.txns.import_csv(text.as_bytes(), OnExisting::Fail).is_err() {
            prop_assert_eq!(app.txns.len().unwrap(), 0);
        }
    }
}

const ID: &str = "txns_01h455vb4pex5vsknk084sn02q";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
struct City {
    #[key]
    name: String,
    people: u32,
    #[evolve(default)]
    coast: bool,
}

#[derive(Store)]
struct Atlas {
    cities: Table<City>,
}

#[test]
fn what_spreadsheets_write_is_read() {
    let app = App::in_memory().unwrap();
    let text = format!(
        "\u{feff}day,id,amount,text,kind,share,cleared,note\r\n\r\n\
         2026-02-03,{ID}, 12 ,\"a, \"\"b\"\"\nc\",income,0.5,TRUE,\r\n"
    );
    let imported = app.txns.import_csv(text.as_bytes(), OnExisting::Fail).unwrap();
    assert_eq!(imported.inserted(), 1);
    let txn = app.txns.query().one().unwrap();
    assert_eq!((txn.cents, txn.text.as_str()), (12, "a, \"b\"\nc"));
    assert_eq!((txn.cleared, txn.note, txn.weight), (true, None, 7));

    let skipped = app.txns.import_csv(text.as_bytes(), OnExisting::Skip).unwrap();
    assert_eq!((skipped.inserted(), skipped.skipped()), (0, 1));
    let replaced = app.txns.import_csv(text.as_bytes(), OnExisting::Replace).unwrap();
    assert_eq!(replaced.replaced(), 1);
    assert_eq!(app.txns.import_csv(&b""[..], OnExisting::Fail).unwrap().inserted(), 0);
}

#[test]
fn a_mistake_is_named_by_line_and_column() {
    let app = Atlas::in_memory().unwrap();
    let refused = |text: &[u8]| {
        let error = refused(app.cities.import_csv(text, OnExisting::Fail));
        assert_eq!(app.cities.len().unwrap(), 0);
        error
    };
    let says = |text: &[u8], parts: &[&str]| {
        let error = refused(text).to_string();
        for part in parts {
            assert!(error.contains(part), "{part} in {error}");
        }
    };
    says(b"name,people\nBern,many", &["line 2, column 2", "`people`", "u32", "`many`"]);
    says(b"name,people\n\n\nBern,134\nUlm,-1", &["line 5, column 2", "u32", "`-1`"]);
    says(b"name,people\nBern,1.5", &["line 2, column 2", "`1.5`"]);
    says(b"name,people\nBern,5000000000", &["line 2, column 2"]);
    says(b"name,poeple\nBern,1", &["line 1, column 2", "name, people, coast", "`poeple`"]);
    says(b"name;people\nBern;1", &["line 1, column 1", "separate the cells by commas"]);
    says(b"name,people,name\nBern,1,Ulm", &["line 1, column 3", "a column already"]);
    says(b"name,people\nBern,1,2", &["line 2", "expected 2, found 3"]);
    says(b"name,people\n\"a\nb\",1\nBern", &["line 4"]);
    says(b"name,people\nBern,1\n\"Ulm,1\n", &["line 3"]);
    says(b"name,people\nBern,1\n\n\"Ulm\",\"2", &["line 4 opens a quote that is not closed"]);
    says(b"\xef\xbb\xbf\"name\",people\nBern,\"1\n2\n", &["line 2 opens a quote"]);
    says(b"name\nBern", &["line 2", "people"]);
    says(b"name,people\nB\xffrn,1", &["line 2, column 1 is not UTF-8"]);
    says(b"name,people\nBern,1\nBern,2", &["line 3 has a key that a row has already"]);
    says(b"name,people,coast\nBern,1,maybe", &["line 2, column 3", "`maybe`"]);

    let quoted =
        "\u{feff}\"name\",\"people\"\r\n\"a \"\"b\"\", \"\"c\"\"\",\"1\"\r\n5\" disk,2\n\"\",3";
    assert_eq!(app.cities.import_csv(quoted.as_bytes(), OnExisting::Fail).unwrap().inserted(), 3);
    assert!(app.cities.contains("5\" disk").unwrap() && app.cities.contains("").unwrap());

    let app = App::in_memory().unwrap();
    let text = format!("day,id,amount,text,kind,share\n2026-02-30,{ID},1,a,income,1");
    let error = refused_of(&app, &text);
    assert_eq!(error.kind(), ErrorKind::InvalidRow);
    assert!(error.to_string().contains("line 2, column 1 is not a row"), "{error}");
}

fn refused_of(app: &App, text: &str) -> heirloom::Error {
    refused(app.txns.import_csv(text.as_bytes(), OnExisting::Fail))
}
