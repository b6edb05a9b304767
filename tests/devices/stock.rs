//! The document of a store in the hands of another program: a plain document of yrs.

use heirloom::sync::{Changes, Summary};
use yrs::updates::decoder::Decode;
use yrs::{Any, Doc, Map, MapPrelim, Out, ReadTxn, StateVector, Transact, Update, WriteTxn};

use crate::support::{Notebook, assert_sound, forge, note, place};

/// A document of yrs that holds all that a store does.
fn taken_out(app: &Notebook) -> Doc {
    let doc = Doc::new();
    let all = app.changes_since(&Summary::default()).unwrap().to_bytes();
    for update in forge::updates_of(&all, "0") {
        doc.transact_mut().apply_update(Update::decode_v1(&update).unwrap()).unwrap();
    }
    doc
}

fn take_back(app: &Notebook, doc: &Doc, since: &StateVector) {
    let update = doc.transact().encode_state_as_update_v1(since);
    let changes = Changes::from_bytes(&forge::framed("notebook", "0", &update)).unwrap();
    assert!(!app.apply(&changes).unwrap().is_pending());
}

fn texts(doc: &Doc, root: &str) -> Vec<(String, String)> {
    let txn = doc.transact();
    let map = txn.get_map(root).unwrap();
    let mut all: Vec<_> =
        map.iter(&txn).map(|(key, value)| (key.to_owned(), value.to_string(&txn))).collect();
    all.sort();
    all
}

#[test]
fn a_whole_store_is_a_plain_document_is_edited_there_and_comes_back() {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    app.notes.insert_many((1..=5).map(|id| note(id, "here"))).unwrap();
    app.notes.update(&2, |note| note.stars = 2).unwrap();
    app.notes.remove(&3).unwrap();
    app.settings.size.set(&7).unwrap();

    let doc = taken_out(&app);
    let rows = texts(&doc, "table:notes");
    assert_eq!(rows.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["1", "2", "4", "5"]);
    assert_eq!(rows[1].1, r#"{"id":2,"title":"here","stars":2}"#);
    assert_eq!(texts(&doc, "kv:settings"), [("size".to_owned(), "7".to_owned())]);

    let before = doc.transact().state_vector();
    {
        let mut txn = doc.transact_mut();
        let notes = txn.get_or_insert_map("table:notes");
        // With a field that the code does not know.
        let text = r#"{"id":1,"title":"there","stars":1,"colour":"red"}"#;
        notes.insert(&mut txn, "1", text);
        notes.insert(&mut txn, "3", r#"{"id":3,"title":"again","stars":0}"#);
        notes.remove(&mut txn, "4");
        // No rows: a number, and a nested map.
        notes.insert(&mut txn, "8", 8.5);
        notes.insert(&mut txn, "9", MapPrelim::from([("id", Any::from(9))]));
        let settings = txn.get_or_insert_map("kv:settings");
        settings.insert(&mut txn, "size", "9");
        // A root that no heirloom knows.
        txn.get_or_insert_map("of-others").insert(&mut txn, "x", "y");
        txn.get_or_insert_text("prose");
    }
    take_back(&app, &doc, &before);
    assert_eq!(app.notes.get(&1).unwrap().unwrap().title, "there");
    assert_eq!(app.notes.get(&3).unwrap().unwrap().title, "again");
    assert!(!app.notes.contains(&4).unwrap());
    assert_eq!(app.settings.size.get().unwrap(), 9);
    let invalid = app.notes.invalid().unwrap();
    let shown: Vec<_> = invalid.iter().map(|row| (row.key(), row.json())).collect();
    assert_eq!(shown, [("8", "8.5"), ("9", r#"{"id":9}"#)]);

    // A write over what is there keeps what it does not know, and both programs end with the same.
    app.notes.update(&1, |note| note.stars = 5).unwrap();
    app.notes.put(&note(9, "a row now")).unwrap();
    drop(app);
    assert_sound::<Notebook>(&path);
    let app = Notebook::open(&path).unwrap();
    let again = taken_out(&app);
    let rows = texts(&again, "table:notes");
    assert_eq!(rows[0].1, r#"{"id":1,"title":"there","stars":5,"colour":"red"}"#);
    assert_eq!(
        rows.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(),
        ["1", "2", "3", "5", "8", "9"]
    );
    assert_eq!(texts(&again, "of-others"), [("x".to_owned(), "y".to_owned())]);
    for update in
        forge::updates_of(&app.changes_since(&Summary::default()).unwrap().to_bytes(), "0")
    {
        doc.transact_mut().apply_update(Update::decode_v1(&update).unwrap()).unwrap();
    }
    assert_eq!(texts(&doc, "table:notes"), rows);
    assert_eq!(doc.transact().state_vector(), again.transact().state_vector());
    let is_text = |doc: &Doc, key: &str| {
        let txn = doc.transact();
        let value = txn.get_map("table:notes").unwrap().get(&txn, key);
        matches!(value, Some(Out::Any(Any::String(_))))
    };
    assert!(is_text(&doc, "9") && is_text(&again, "9"));
}
