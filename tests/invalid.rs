//! Rows that do not decode: reported in full, never in the way of others, never lost.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use heirloom::{ErrorKind, Id, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use support::{assert_sound, give, place, refused};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mood {
    Good,
    Bad { why: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Town {
    name: String,
    zip: u32,
}

/// What the app expects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "rows")]
struct Strict {
    #[key]
    id: u32,
    title: String,
    count: u8,
    rate: f64,
    tags: Vec<String>,
    mood: Mood,
    town: Town,
    flag: Option<bool>,
    #[evolve(default = 3)]
    level: u8,
    #[evolve(default = |count, level| count.wrapping_add(level))]
    sum: u8,
}

#[derive(Store)]
#[store(name = "strict")]
struct App {
    rows: Table<Strict>,
}

/// What other code may write: any fields, in any order, even twice or not at all.
#[derive(Debug, Clone, Deserialize, JsonSchema, Table)]
#[table(name = "rows")]
struct Loose {
    #[key]
    key: u32,
    fields: Vec<(String, Value)>,
}

impl Serialize for Loose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("Loose", self.fields.len())?;
        for (name, value) in &self.fields {
            // serde wants names that live for ever; a test's may.
            row.serialize_field(String::leak(name.clone()), value)?;
        }
        row.end()
    }
}

#[derive(Store)]
#[store(name = "strict")]
struct LooseApp {
    rows: Table<Loose>,
}

fn valid(id: u32) -> Vec<(String, Value)> {
    let row = json!({
        "id": id, "title": "t", "count": 1, "rate": 0.5, "tags": ["a"], "mood": "good",
        "town": {"name": "Bern", "zip": 3000},
    });
    row.as_object().unwrap().clone().into_iter().collect()
}

fn loose(key: u32, change: impl FnOnce(&mut BTreeMap<String, Value>)) -> Loose {
    let mut fields = valid(key).into_iter().collect();
    change(&mut fields);
    Loose { key, fields: fields.into_iter().collect() }
}

fn repaired(id: u32) -> Strict {
    serde_json::from_value(Value::Object(
        valid(id)
            .into_iter()
            .chain([("level".into(), 9.into()), ("sum".into(), 8.into())])
            .collect(),
    ))
    .unwrap()
}

#[test]
fn a_row_that_does_not_decode_is_reported_in_full_and_the_others_still_come() {
    let (_folder, path) = place();
    {
        let other = LooseApp::open(&path).unwrap();
        let bad =
            |key, field: &str, value| loose(key, |row| drop(row.insert(field.to_owned(), value)));
        other
            .rows
            .insert_many([
                loose(1, |_| ()),
                bad(2, "count", json!(300)),
                bad(3, "town", json!({"name": "Thun", "zip": "3600"})),
                loose(4, |row| drop(row.remove("title"))),
                bad(5, "id", json!(55)),
                bad(6, "mood", json!("strange")),
                loose(7, |_| ()),
                bad(8, "level", Value::Null),
            ])
            .unwrap();
    }
    let app = App::open(&path).unwrap();
    let come: Vec<u32> = app.rows.iter().unwrap().filter_map(|row| Some(row.ok()?.id)).collect();
    assert_eq!(come, [1, 7]);
    assert_eq!((app.rows.iter().unwrap().count(), app.rows.len().unwrap()), (8, 8));

    let invalid = app.rows.invalid().unwrap();
    let places: Vec<_> = invalid.iter().map(|row| (row.key(), row.field().unwrap())).collect();
    let expected = [
        ("2", "count"),
        ("3", "town.zip"),
        ("4", "title"),
        ("5", "id"),
        ("6", "mood"),
        ("8", "level"),
    ];
    assert_eq!(places, expected);
    assert_eq!((invalid[0].found(), invalid[2].found()), (Some("300"), Some("nothing")));
    assert_eq!(invalid[0].expected(), Some("a value of type `u8`"));
    assert!(invalid[1].json().contains(r#""zip":"3600""#), "{}", invalid[1].json());
    assert_eq!(invalid[3].found(), Some("55"));
    for row in &invalid {
        // The list and a single read say the same.
        let error = refused(app.rows.get(&row.key().parse().unwrap()));
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRow, row.field()));
        assert_eq!((error.table(), error.key()), (Some("rows"), Some(row.key())));
        assert_eq!(error.store(), Some("strict"));
        assert!(!row.reason().is_empty());
    }

    // A row that cannot be read cannot be updated, but replaced or removed.
    assert_eq!(refused(app.rows.update(&2, |_| ())).kind(), ErrorKind::InvalidRow);
    app.rows.put(&repaired(2)).unwrap();
    assert_eq!(app.rows.get(&2).unwrap(), Some(repaired(2)));
    assert!(app.rows.remove(&3).unwrap());
    assert!(app.rows.discard(&invalid[2]).unwrap());
    assert_eq!((app.rows.invalid().unwrap().len(), app.rows.len().unwrap()), (3, 6));
    drop(app);
    assert_sound::<App>(&path);
}

#[test]
fn repairing_a_row_keeps_what_this_code_does_not_know() {
    let other = LooseApp::in_memory().unwrap();
    other
        .rows
        .insert(&loose(1, |row| {
            row.insert("count".into(), json!("many"));
            row.insert("later".into(), json!({"deep": [1, {"x": null}]}));
        }))
        .unwrap();
    let app = App::in_memory().unwrap();
    give(&other, &app);
    app.rows.put(&repaired(1)).unwrap();
    give(&app, &other);
    let raw = refused(other.rows.get(&1)).to_string();
    assert!(raw.contains("later") || !other.rows.invalid().unwrap().is_empty());
    let json = other.rows.invalid().unwrap()[0].json().to_owned();
    let stored: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(stored["later"], json!({"deep": [1, {"x": null}]}));
    assert_eq!((&stored["count"], &stored["level"]), (&json!(1), &json!(9)));
}

mod strays {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "things")]
    pub struct Named {
        #[key]
        pub id: String,
        pub text: String,
    }

    #[derive(Store)]
    #[store(name = "things")]
    pub struct ByName {
        pub things: Table<Named>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "things")]
    pub struct Thing {
        pub id: Id<Thing>,
        pub text: String,
    }

    #[derive(Store)]
    #[store(name = "things")]
    pub struct ById {
        pub things: Table<Thing>,
    }
}

#[test]
fn a_row_under_a_key_of_another_type_is_counted_listed_and_can_be_discarded() {
    use strays::{ById, ByName, Named, Thing};

    let (_folder, path) = place();
    let id = Id::<Thing>::new();
    let named = |id: &str| Named { id: id.into(), text: "x".into() };
    ByName::open(&path)
        .unwrap()
        .things
        .insert_many([
            named(&id.to_string()),
            named("plain"),
            named(""),
            named("other_01h455vb4pex5vsknk084sn02q"),
        ])
        .unwrap();
    let app = ById::open(&path).unwrap();
    assert_eq!(app.things.len().unwrap(), 4);
    assert_eq!(app.things.iter().unwrap().filter(Result::is_ok).count(), 1);
    assert_eq!(app.things.get(&id).unwrap(), Some(Thing { id, text: "x".into() }));
    let invalid = app.things.invalid().unwrap();
    assert_eq!(invalid.len(), 3);
    assert!(invalid.iter().all(|row| row.field() == Some("id")));
    let plain = invalid.iter().find(|row| row.key() == "plain").unwrap();
    assert_eq!(plain.json(), r#"{"id":"plain","text":"x"}"#);
    assert!(app.things.discard(plain).unwrap());
    assert!(!app.things.discard(plain).unwrap(), "it is gone already");
    assert_eq!(app.things.len().unwrap(), 3);
    drop(app);
    assert_sound::<ById>(&path);
    // Code that knows the keys still has the rest of the rows.
    let app = ByName::open(&path).unwrap();
    assert_eq!((app.things.len().unwrap(), app.things.invalid().unwrap().len()), (3, 0));
}

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

fn spoiled(key: u32, changes: &[(usize, u8, Value)]) -> Loose {
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
    Loose { key, fields }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..<_>::default() })]

    #[test]
    fn valid_and_invalid_rows_add_up_to_those_stored(
        changes in prop::collection::vec(hostile_row(), 1..16),
    ) {
        let other = LooseApp::in_memory().unwrap();
        let written: Vec<Loose> =
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
            // Whatever was stored, it can be repaired, and then reads as what was put.
            app.rows.put(&repaired(row.key)).unwrap();
            prop_assert_eq!(app.rows.get(&row.key).unwrap(), Some(repaired(row.key)));
        }
        prop_assert!(app.rows.invalid().unwrap().is_empty());
    }
}
