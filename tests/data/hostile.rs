//! Any JSON in a table: valid and invalid rows add up, and every row can be repaired.

use crate::support::give;
use crate::support::loose::{App, Loose, LooseApp, Strict, repaired, valid};
use heirloom::ErrorKind;
use proptest::prelude::*;
use serde_json::{Value, json};

/// JSON of any shape, some of it just right for one field or another.
fn hostile() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u8>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        Just(json!("good")),
        Just(json!({"bad": {"why": "rain"}})),
        Just(json!({"name": "Bern", "zip": 3000})),
        Just(json!(["a", "b"])),
        // Deeper than serde_json reads.
        Just((0..200).fold(Value::Null, |inner, _| json!([inner]))),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A valid row with a few fields replaced, removed, added, or given twice.
fn hostile_row() -> impl Strategy<Value = Vec<(usize, u8, Value)>> {
    prop::collection::vec((0..12_usize, 0..4_u8, hostile()), 0..3)
}

fn spoiled(key: u32, changes: &[(usize, u8, Value)]) -> Loose<Strict> {
    const NAMES: [&str; 12] = [
        "id", "title", "count", "rate", "tags", "mood", "town", "flag", "level", "sum", "unknown",
        "",
    ];
    let mut fields = valid(key);
    for (index, how, value) in changes {
        let name = NAMES[*index];
        if *how != 3 {
            fields.retain(|(field, _)| field != name);
        }
        if *how != 0 {
            fields.push((name.to_owned(), value.clone()));
        }
    }
    Loose::new(key, fields)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..<_>::default() })]

    #[test]
    fn valid_and_invalid_rows_add_up_to_those_stored(
        changes in prop::collection::vec(hostile_row(), 1..16),
    ) {
        let other = LooseApp::in_memory().unwrap();
        let written: Vec<Loose<Strict>> =
            (0u32..).zip(&changes).map(|(key, changes)| spoiled(key, changes)).collect();
        other.rows.insert_many(&written).unwrap();
        let app = App::in_memory().unwrap();
        give(&other, &app);

        let (mut valid, mut invalid) = (0, 0);
        for row in app.rows.iter().unwrap() {
            match row {
                Ok(_) => valid += 1,
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::InvalidRow);
                    invalid += 1;
                }
            }
        }
        let listed = app.rows.invalid().unwrap();
        prop_assert_eq!(valid + invalid, written.len());
        prop_assert_eq!((listed.len(), app.rows.len().unwrap()), (invalid, written.len()));
        let snapshot = app.snapshot().unwrap();
        for row in &written {
            let text = serde_json::to_string(row).unwrap();
            let entry = listed.iter().find(|entry| entry.key() == row.key.to_string());
            let read = app.rows.get(&row.key);
            prop_assert_eq!(read.is_err(), entry.is_some(), "{}", text);
            prop_assert_eq!(snapshot.get::<Strict>(&row.key).is_err(), entry.is_some());
            if let Some(entry) = entry {
                prop_assert_eq!(entry.json(), &text);
                prop_assert!(!entry.to_string().is_empty());
            }
            // Any stored row can be repaired, and then reads as the one that was put.
            app.rows.put(&repaired(row.key)).unwrap();
            prop_assert_eq!(app.rows.get(&row.key).unwrap(), Some(repaired(row.key)));
        }
        prop_assert!(app.rows.invalid().unwrap().is_empty());
    }
}
