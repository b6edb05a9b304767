//! Values and keys at the edges of what can be stored.

use std::collections::BTreeMap;

use crate::support::{self, assert_sound, give, note, place, refused, rows};
use heirloom::{ErrorKind, Id, Key, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Inner {
    rate: f32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "values")]
struct Values {
    #[key]
    id: u64,
    big: u64,
    small: i64,
    biggest: u128,
    smallest: i128,
    rate: f64,
    inner: Vec<Inner>,
    maybe: Option<f64>,
    nested: Option<Option<u8>>,
    // Names that generated code or the language have, too.
    r#type: String,
    get: bool,
    set: bool,
    iter: bool,
    key: bool,
    handle: bool,
    default: bool,
    observe: bool,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "limits")]
struct Limits {
    #[evolve(default)]
    rate: f64,
    nested: Option<Option<u8>>,
    get: Option<bool>,
    observe: Option<bool>,
    r#type: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "texts")]
struct Text {
    #[key]
    key: String,
    body: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
#[serde(transparent)]
struct Offset(i16);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "marks")]
struct Mark {
    #[key]
    at: Offset,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "uuids")]
struct WithUuid {
    #[key]
    id: Uuid,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "things")]
struct Thing {
    id: Id<Thing>,
}

#[derive(Store)]
#[store(name = "edges")]
struct Edges {
    values: Table<Values>,
    texts: Table<Text>,
    marks: Table<Mark>,
    uuids: Table<WithUuid>,
    things: Table<Thing>,
    limits: Kv<Limits>,
}

fn values(id: u64) -> Values {
    Values {
        id,
        big: u64::MAX,
        small: i64::MIN,
        biggest: u128::MAX,
        smallest: i128::MIN,
        rate: 0.1 + 0.2,
        inner: vec![Inner { rate: 0.5 }],
        maybe: None,
        nested: None,
        r#type: "x".into(),
        get: true,
        set: false,
        iter: true,
        key: false,
        handle: true,
        default: false,
        observe: true,
    }
}

#[test]
fn the_largest_numbers_and_strange_names_come_back_as_they_were() {
    let (_folder, path) = place();
    let rates = [f64::MAX, f64::MIN_POSITIVE, -0.0, 5e-324, 1e21, 0.1 + 0.2];
    let mut stored = vec![values(u64::MAX), values(0), values(i64::MAX as u64 + 1)];
    stored.extend((1u64..).zip(rates).map(|(id, rate)| Values { rate, ..values(id) }));
    Edges::open(&path).unwrap().values.insert_many(&stored).unwrap();
    stored.sort_by_key(|row| row.id);
    let app = Edges::open(&path).unwrap();
    assert_eq!(rows(&app.values), stored);
    assert!(app.values.get(&3).unwrap().unwrap().rate.is_sign_negative(), "-0.0 keeps its sign");
    let other = Edges::in_memory().unwrap();
    give(&app, &other);
    assert_eq!(rows(&other.values), stored);
}

#[test]
fn a_number_that_json_cannot_hold_is_refused_by_the_name_of_its_field() {
    let app = Edges::in_memory().unwrap();
    app.values.insert(&values(1)).unwrap();
    let refuse = |field: &str, row: &Values| {
        let errors = [
            refused(app.values.put(row)),
            refused(app.values.insert(&Values { id: 2, ..row.clone() })),
            refused(app.values.insert_many([values(3), Values { id: 4, ..row.clone() }])),
            refused(app.values.update(&1, |stored| *stored = row.clone())),
        ];
        for error in errors {
            assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidValue, Some(field)));
            assert_eq!(error.table(), Some("values"));
        }
    };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        refuse("rate", &Values { rate: bad, ..values(1) });
        refuse("maybe", &Values { maybe: Some(bad), ..values(1) });
        let error = refused(app.limits.rate.set(&bad));
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidValue, Some("rate")));
        assert_eq!(error.group(), Some("limits"));
    }
    refuse("inner", &Values { inner: vec![Inner { rate: f32::NAN }], ..values(1) });
    assert_eq!(rows(&app.values), [values(1)]);
    assert_eq!(app.limits.rate.get().unwrap(), 0.0);
}

#[test]
fn a_double_option_tells_absent_from_null() {
    let (_folder, path) = place();
    {
        let app = Edges::open(&path).unwrap();
        for (id, nested) in [(1, None), (2, Some(None)), (3, Some(Some(3)))] {
            app.values.insert(&Values { nested, ..values(id) }).unwrap();
        }
        app.limits.nested.set(&Some(None)).unwrap();
    }
    let app = Edges::open(&path).unwrap();
    let nested = || rows(&app.values).iter().map(|row| row.nested).collect::<Vec<_>>();
    assert_eq!(nested(), [None, Some(None), Some(Some(3))]);
    assert_eq!(app.limits.nested.get().unwrap(), Some(None));
    assert_eq!(app.limits.get().unwrap().nested, Some(None));
    // Every change from one to another of them is seen as one.
    for to in [Some(None), None, Some(Some(1)), Some(None), Some(Some(2)), None] {
        app.values.update(&1, |row| row.nested = to).unwrap();
        assert_eq!(app.values.get(&1).unwrap().unwrap().nested, to);
        app.limits.nested.set(&to).unwrap();
        assert_eq!(app.limits.nested.get().unwrap(), to);
    }
}

#[test]
fn text_keys_hold_any_unicode_and_come_in_the_order_of_their_bytes() {
    let (_folder, path) = place();
    let long = "k".repeat(2000);
    let mut keys = vec![
        "",
        "\0",
        "a",
        "a\0",
        "a\0b",
        "A",
        "ä",
        "a\u{308}",
        "\u{feff}",
        "日本",
        "👩‍👩‍👧",
        "\u{10ffff}",
        "__proto__",
        "/",
        "\"quoted\"",
        "line\nbreak",
        "\u{fffd}",
        &long,
    ];
    let text = |key: &str| Text { key: key.into(), body: format!("of {key:?}") };
    Edges::open(&path).unwrap().texts.insert_many(keys.iter().map(|key| text(key))).unwrap();
    keys.sort_unstable();
    let app = Edges::open(&path).unwrap();
    let found: Vec<String> = rows(&app.texts).into_iter().map(|text| text.key).collect();
    assert_eq!(found, keys);
    let other = Edges::in_memory().unwrap();
    give(&app, &other);
    for key in keys {
        assert_eq!(app.texts.get(key).unwrap(), Some(text(key)));
        assert_eq!(other.texts.get(key).unwrap(), Some(text(key)));
        assert!(app.texts.remove(key).unwrap());
    }
    assert!(app.texts.is_empty().unwrap());
    drop(app);
    assert_sound::<Edges>(&path);
}

#[test]
fn integer_newtype_and_uuid_keys_come_in_their_own_order() {
    let app = Edges::in_memory().unwrap();
    let offsets = [0, -1, 1, i16::MIN, i16::MAX, -256, 255, 256];
    app.marks.insert_many(offsets.map(|at| Mark { at: Offset(at) })).unwrap();
    let mut sorted = offsets;
    sorted.sort_unstable();
    assert_eq!(rows(&app.marks).iter().map(|mark| mark.at.0).collect::<Vec<_>>(), sorted);
    assert!(app.marks.contains(&Offset(-256)).unwrap() && !app.marks.contains(&Offset(2)).unwrap());

    let mut uuids = [Uuid::nil(), Uuid::max(), Uuid::now_v7(), Uuid::new_v4(), Uuid::now_v7()];
    app.uuids.insert_many(uuids.map(|id| WithUuid { id })).unwrap();
    uuids.sort_unstable();
    assert_eq!(rows(&app.uuids).iter().map(|row| row.id).collect::<Vec<_>>(), uuids);

    let things: BTreeMap<_, _> = (0..50).map(|_| Id::new()).map(|id| (id, Thing { id })).collect();
    app.things.insert_many(things.values().rev()).unwrap();
    assert_eq!(rows(&app.things), things.into_values().collect::<Vec<_>>());
}

#[test]
fn an_id_of_another_table_is_no_id_of_this_one() {
    let id = Id::<Thing>::new();
    let text = id.to_string();
    assert!(text.starts_with("things_"));
    assert_eq!(text.parse::<Id<Thing>>().unwrap(), id);
    for wrong in [text.replace("things_", "values_"), text.to_uppercase(), text[7..].to_owned()] {
        let error = wrong.parse::<Id<Thing>>().unwrap_err();
        assert!(error.to_string().contains("things_"), "{error}");
    }
}

#[test]
fn a_row_of_a_megabyte_is_a_row_like_any_other() {
    let (_folder, path) = place();
    let body = "é\"\\\n0".repeat(1 << 18);
    let row = Text { key: "big".into(), body: body.clone() };
    {
        let app = Edges::open(&path).unwrap();
        app.texts.insert(&row).unwrap();
        app.texts.update("big", |text| text.body.push('!')).unwrap();
    }
    let app = Edges::open(&path).unwrap();
    let other = Edges::in_memory().unwrap();
    give(&app, &other);
    for store in [&app, &other] {
        let read = store.texts.get("big").unwrap().unwrap();
        assert!(read.body.len() == body.len() + 1 && read.body.starts_with(&body));
    }
}

#[test]
fn an_empty_table_is_empty_in_every_way() {
    let (_folder, path) = place();
    drop(support::Notebook::open(&path).unwrap());
    let app = support::Notebook::open(&path).unwrap();
    assert!(app.notes.is_empty().unwrap() && app.notes.len().unwrap() == 0);
    assert!(app.notes.iter().unwrap().next().is_none() && app.notes.invalid().unwrap().is_empty());
    assert_eq!((app.notes.get(&1).unwrap(), app.notes.remove(&1).unwrap()), (None, false));
    assert_eq!(app.notes.update(&1, |_| ()).unwrap(), None);
    assert_eq!(app.backfill_defaults().unwrap(), 0);
    app.notes.insert(&note(1, "x")).unwrap();
    app.notes.remove(&1).unwrap();
    assert!(app.notes.is_empty().unwrap());
}
