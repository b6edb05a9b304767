//! Many rows in one call: threads encode them, read them back and write them, and it is as if each were inserted
//! alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

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

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "users")]
struct User {
    #[key]
    id: u32,
    #[index(unique)]
    name: String,
    #[index]
    age: u32,
}

#[derive(Store)]
#[store(name = "people")]
struct People {
    users: Table<User>,
}

fn user(id: u32) -> User {
    User { id, name: format!("user {id}"), age: id % 7 }
}

/// Numbers in an order that is neither of the two.
fn shuffled(count: u32) -> Vec<u32> {
    let at = |n: u32| u64::from(n) * 7_919 % u64::from(count);
    (0..count).map(|n| u32::try_from(at(n)).unwrap()).collect()
}

#[test]
fn rows_come_in_any_order_into_any_table_and_its_indexes() {
    let orders: [Vec<u32>; 7] = [
        (0..1_500).collect(),
        (0..1_500).rev().collect(),
        shuffled(1_500),
        (1..1_500).chain([0]).collect(),
        // Ascending at first, then others between those.
        (0..750).map(|n| 2 * n).chain((0..750).map(|n| 1_499 - 2 * n)).collect(),
        // One before its neighbour, and at last ascending ones, which are still to be written at the end.
        (0..700).chain([701, 700]).chain(702..1_500).collect(),
        (0..1_480).chain([1_481, 1_480]).chain(1_482..1_500).collect(),
    ];
    for (number, order) in orders.iter().enumerate() {
        for there in [vec![], vec![700], vec![5_000, 70_000]] {
            let app = People::in_memory().unwrap();
            let old = |id: &u32| User { name: format!("old {id}"), age: 100, ..user(*id) };
            app.users.insert_many(there.iter().map(old)).unwrap();
            app.build_indexes().unwrap();
            let heard = Arc::new(Mutex::new(Vec::new()));
            let told = heard.clone();
            let kept = app.users.observe(move |changes| {
                told.lock().unwrap().extend(changes.iter().map(|change| *change.key()));
            });
            let rows: Vec<User> = order.iter().map(|id| user(*id)).collect();
            let clash = rows.iter().find(|row| there.contains(&row.id));
            match (app.users.insert_many(&rows), clash) {
                (Ok(count), None) => assert_eq!(count, rows.len()),
                (Err(error), Some(row)) => {
                    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
                    assert_eq!(error.key(), Some(row.id.to_string().as_str()));
                    assert_eq!(app.users.len().unwrap(), there.len());
                    assert_eq!(app.users.filter(User::AGE.ge(0)).count().unwrap(), there.len());
                    continue;
                }
                (outcome, _) => panic!("order {number}: {outcome:?}"),
            }
            let mut expected: Vec<u32> = (0..1_500).collect();
            let mut keys = std::mem::take(&mut *heard.lock().unwrap());
            keys.sort_unstable();
            assert_eq!(keys, expected);
            drop(kept);
            expected.extend(&there);
            let found: Vec<u32> = app.users.iter().unwrap().map(|row| row.unwrap().id).collect();
            assert_eq!(found, expected);
            let by_age = app.users.filter(User::AGE.eq(3)).all().unwrap();
            let with_age: Vec<User> = (0..1_500).filter(|id| id % 7 == 3).map(user).collect();
            assert_eq!(by_age, with_age);
            let error = refused(app.users.insert(&User { id: 9_999, ..user(3) }));
            assert_eq!(error.kind(), ErrorKind::NotUnique);
        }
    }
}

#[test]
fn a_value_that_is_taken_is_refused_wherever_it_comes() {
    for at in [10, 300, 1_499] {
        let app = People::in_memory().unwrap();
        app.users.insert(&User { id: 70_000, ..user(5_000) }).unwrap();
        let mut rows: Vec<User> = (0..1_500).map(user).collect();
        rows[at].name = user(5_000).name;
        assert_eq!(refused(app.users.insert_many(&rows)).kind(), ErrorKind::NotUnique);
        rows[at].name = rows[at - 1].name.clone();
        assert_eq!(refused(app.users.insert_many(&rows)).kind(), ErrorKind::NotUnique);
        assert_eq!(app.users.len().unwrap(), 1);
        rows[at] = user(rows[at].id);
        assert_eq!(app.users.insert_many(&rows).unwrap(), 1_500);
    }
}

#[test]
fn what_gives_the_rows_may_read_the_store_and_panic_but_not_write() {
    let app = People::in_memory().unwrap();
    app.users.insert(&user(9_000)).unwrap();
    let rows = (0..2_000).map(|id| {
        assert_eq!(app.users.get(&9_000).unwrap(), Some(user(9_000)));
        assert_eq!(app.users.len().unwrap(), 1, "a row is seen before all are there");
        assert_eq!(app.status().unwrap().history().live_rows(), 1);
        assert_eq!(refused(app.users.put(&user(id))).kind(), ErrorKind::NestedTransaction);
        user(id)
    });
    assert_eq!(app.users.insert_many(rows).unwrap(), 2_000);
    let rows = (10_000..12_000).map(|id| {
        assert_ne!(id, 11_500, "it panics");
        user(id)
    });
    catch_unwind(AssertUnwindSafe(|| app.users.insert_many(rows))).unwrap_err();
    assert_eq!(app.users.len().unwrap(), 2_001);
    assert_eq!(app.users.insert_many((10_000..12_000).map(user)).unwrap(), 2_000);
}
