//! Rows that do not decode: reported in full, never in the way of others, never lost.

use crate::support::loose::{AnyKey, App, Loose, LooseApp, loose, repaired};
use crate::support::{assert_sound, give, place, refused, stored};
use heirloom::{ErrorKind, Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[test]
fn a_row_that_does_not_decode_is_reported_in_full_and_the_others_still_come() {
    let (_folder, path) = place();
    {
        let other = LooseApp::in_memory().unwrap();
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
        give(&other, &App::open(&path).unwrap());
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
    assert_eq!(invalid[0].expected(), Some("u8"));
    assert!(invalid[1].json().contains(r#""zip":"3600""#), "{}", invalid[1].json());
    assert_eq!(invalid[3].found(), Some("55"));
    for row in &invalid {
        // The list and a single read say the same.
        let error = refused(app.rows.get(&row.key().parse::<u32>().unwrap()));
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
    let stored: Value = serde_json::from_str(&stored(&other.rows)["1"]).unwrap();
    assert_eq!(stored["later"], json!({"deep": [1, {"x": null}]}));
    assert_eq!((&stored["count"], &stored["level"]), (&json!(1), &json!(9)));
}

mod strays {
    use super::*;

    /// Puts rows under any text, as a program in another language may.
    pub type Named = Loose<Thing, AnyKey<Id<Thing>>>;

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
    let named = |id: &str| {
        Named::new(AnyKey::new(id), vec![("id".into(), json!(id)), ("text".into(), json!("x"))])
    };
    let other = ByName::in_memory().unwrap();
    other
        .things
        .insert_many([
            named(&id.to_string()),
            named("plain"),
            named(""),
            named("other_01h455vb4pex5vsknk084sn02q"),
        ])
        .unwrap();
    give(&other, &ById::open(&path).unwrap());
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
    // A device that knows the keys still has the rest of the rows.
    give(&app, &other);
    assert_eq!(stored(&other.things).len(), 3);
    drop(app);
    assert_sound::<ById>(&path);
}

mod numbers {
    use super::*;

    pub type Any = Loose<Number, AnyKey<u8>>;

    #[derive(Store)]
    #[store(name = "numbers")]
    pub struct ByText {
        pub numbers: Table<Any>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "numbers")]
    pub struct Number {
        #[key]
        pub n: u8,
    }

    #[derive(Store)]
    #[store(name = "numbers")]
    pub struct Small {
        pub numbers: Table<Number>,
    }
}

#[test]
fn a_number_that_the_type_of_the_key_is_too_small_for_is_named_as_it_is_and_can_be_repaired() {
    use numbers::{Any, ByText, Number, Small};

    let (_folder, path) = place();
    let other = ByText::in_memory().unwrap();
    let any = |key: &str, n: u64| Any::new(AnyKey::new(key), vec![("n".into(), json!(n))]);
    other.numbers.insert_many([any("7", 7), any("256", 256), any("257", 5)]).unwrap();
    give(&other, &Small::open(&path).unwrap());
    let app = Small::open(&path).unwrap();
    let invalid = app.numbers.invalid().unwrap();
    let keys: Vec<_> = invalid.iter().map(|row| (row.key(), row.field())).collect();
    assert_eq!(keys, [("256", Some("n")), ("257", Some("n"))]);
    assert!(invalid[0].error().to_string().contains("give it a key with `repair`"));

    assert_eq!(app.numbers.repair(&invalid[0], r#"{"n":8}"#).unwrap(), Number { n: 8 });
    assert!(app.numbers.discard(&invalid[1]).unwrap());
    assert!(!app.numbers.discard(&invalid[1]).unwrap(), "it is gone already");
    let rows: Vec<_> = app.numbers.iter().unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows, [Number { n: 7 }, Number { n: 8 }]);
    drop(app);
    assert_sound::<Small>(&path);
}

#[test]
fn a_field_that_is_there_twice_is_named() {
    let (_folder, path) = place();
    let other = LooseApp::in_memory().unwrap();
    let mut row = loose(1, |_| ());
    row.fields.push(("count".into(), json!(4)));
    other.rows.insert(&row).unwrap();
    give(&other, &App::open(&path).unwrap());
    let app = App::open(&path).unwrap();
    let invalid = app.rows.invalid().unwrap();
    assert_eq!(invalid.len(), 1);
    assert_eq!((invalid[0].field(), invalid[0].expected()), (Some("count"), Some("one u8")));
    assert!(invalid[0].found().is_some());
}
