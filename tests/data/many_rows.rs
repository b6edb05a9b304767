//! Many rows in one call: one thread reads back what another has encoded, and it is as if each were inserted
//! alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use heirloom::{ErrorKind, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::support::refused;

/// Reads back as something else, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
struct Odd(u32);

const OTHER: u32 = 1_000_013;
const PANICS: u32 = 1_000_007;

impl<'de> Deserialize<'de> for Odd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            OTHER => Ok(Self(0)),
            PANICS => panic!("a value that cannot be read"),
            value => Ok(Self(value)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "rows")]
struct Row {
    #[key]
    k: u32,
    odd: Odd,
}

#[derive(Store)]
#[store(name = "app")]
struct App {
    rows: Table<Row>,
}

const ROWS: u32 = 2_000;

/// Rows of which some have other keys or values.
fn rows(keys: &[(u32, u32)], values: &[(u32, u32)]) -> Vec<Row> {
    let mut rows: Vec<_> = (0..ROWS).map(|k| Row { k, odd: Odd(k) }).collect();
    for &(at, key) in keys {
        rows[at as usize].k = key;
    }
    for &(at, value) in values {
        rows[at as usize].odd = Odd(value);
    }
    rows
}

#[test]
fn any_number_of_rows_is_stored() {
    for count in [0, 1, 255, 256, 257, 512, 513, 1_999] {
        let app = App::in_memory().unwrap();
        let rows = &rows(&[], &[])[..count];
        assert_eq!(app.rows.insert_many(rows).unwrap(), count);
        let stored: Vec<Row> = app.rows.iter().unwrap().map(Result::unwrap).collect();
        assert_eq!(stored, rows);
    }
}

#[test]
fn the_first_row_that_cannot_be_stored_is_told() {
    for (rows, at, kind) in [
        (rows(&[(900, 10)], &[(700, OTHER)]), 700, ErrorKind::InvalidValue),
        (rows(&[(500, 10)], &[(700, OTHER)]), 500, ErrorKind::AlreadyExists),
        (rows(&[(700, 10)], &[(700, OTHER)]), 700, ErrorKind::AlreadyExists),
        (rows(&[], &[(1_999, OTHER)]), 1_999, ErrorKind::InvalidValue),
        (rows(&[(1_998, 3)], &[(1_999, OTHER)]), 1_998, ErrorKind::AlreadyExists),
    ] {
        let app = App::in_memory().unwrap();
        let error = refused(app.rows.insert_many(&rows));
        assert_eq!((error.kind(), error.table()), (kind, Some("rows")));
        assert_eq!(error.key(), Some(rows[at].k.to_string().as_str()));
        assert!(app.rows.is_empty().unwrap());
        // A transaction that goes on has the rows before it, and none after it.
        app.transaction(|tx| {
            assert_eq!(refused(tx.insert_many::<Row, _>(&rows)).kind(), kind);
            Ok(())
        })
        .unwrap();
        let stored: Vec<Row> = app.rows.iter().unwrap().map(Result::unwrap).collect();
        assert_eq!(stored, rows[..at]);
    }
}

#[test]
fn a_row_whose_own_code_panics_stores_nothing() {
    let app = App::in_memory().unwrap();
    for at in [3, 1_000, 1_999] {
        let rows = rows(&[], &[(at, PANICS)]);
        let panic = catch_unwind(AssertUnwindSafe(|| app.rows.insert_many(&rows))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"a value that cannot be read"));
        assert!(app.rows.is_empty().unwrap());
    }
    assert_eq!(app.rows.insert_many(rows(&[], &[])).unwrap(), ROWS as usize);
}
