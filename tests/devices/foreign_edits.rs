//! Marks and cells as other programs may write them.

use heirloom::sync::{Changes, Summary};
use yrs::updates::decoder::Decode;
use yrs::{ReadTxn, Transact, Update};

use super::fields::Contacts;
use crate::support::{
    Note, Notebook, assert_sound, exchange, forge, give, note, place, raw_notes, rows,
};

/// The id of the last item that a device wrote.
fn last_item(app: &Notebook) -> String {
    let doc = yrs::Doc::new();
    let all = app.changes_since(&Summary::default()).unwrap().to_bytes();
    for update in forge::updates_of(&all, "0") {
        doc.transact_mut().apply_update(Update::decode_v1(&update).unwrap()).unwrap();
    }
    let device = app.status().unwrap().device().unwrap();
    let state = doc.transact().state_vector();
    let (_, clock) = state.iter().find(|(client, _)| client.get() == device).unwrap();
    format!("{device}.{}", clock - 1)
}

fn forged(client: u64, root: &str, values: &[(&str, forge::Value<'_>)]) -> Changes {
    forge::changes(&forge::update(client, 0, root, values))
}

#[test]
fn a_forged_mark_takes_a_rewrite_away_and_nothing_else() {
    let mut gone = 0;
    for _ in 0..24 {
        let (a, b) = (Notebook::in_memory().unwrap(), Notebook::in_memory().unwrap());
        a.notes.insert_many([note(1, "one"), note(2, "two")]).unwrap();
        exchange(&a, &b);
        a.notes.update(&1, |note| note.title = "by a".into()).unwrap();
        // A peer says that it has seen the edit, and of many that never were.
        let id = last_item(&a);
        let marks =
            [id.as_str(), "0.0", "7.", ".", "", "-1.4", "9007199254740992.1", "1.4294967296"];
        let marks = marks.map(|mark| (mark, forge::Value::Null));
        let forged = forged(7, "seen:notes", &marks);
        a.apply(&forged).unwrap();
        b.notes.update(&1, |note| note.stars = 5).unwrap();
        b.notes.remove(&1).unwrap();
        exchange(&a, &b);
        assert_eq!(rows(&a.notes), rows(&b.notes));
        match a.notes.get(&1).unwrap() {
            // It won by itself.
            Some(row) => assert_eq!(row, note(1, "by a")),
            None => gone += 1,
        }
        assert!(a.lost_edits().unwrap().is_empty());
        // An edit that no mark names is written again as ever.
        a.notes.update(&2, |note| note.title = "by a".into()).unwrap();
        b.notes.update(&2, |note| note.stars = 5).unwrap();
        b.notes.remove(&2).unwrap();
        exchange(&a, &b);
        assert_eq!(b.notes.get(&2).unwrap(), Some(note(2, "by a")));
        // If another edit stands, its author is told.
        a.notes.put(&note(3, "by a")).unwrap();
        let id = last_item(&a);
        a.apply(&self::forged(8, "seen:notes", &[(id.as_str(), forge::Value::Null)])).unwrap();
        b.notes.put(&note(3, "by b")).unwrap();
        exchange(&a, &b);
        let is_lost = a.notes.get(&3).unwrap().unwrap().title == "by b";
        assert_eq!(a.lost_edits().unwrap().len(), usize::from(is_lost));
    }
    assert!(gone > 0, "the edit has won each time");
}

#[test]
fn many_marks_and_cells_cost_their_bytes_and_no_more() {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    app.notes.insert_many((1..=3).map(|id| note(id, "here"))).unwrap();
    let keys: Vec<String> = (0..20_000).map(|clock| format!("7.{clock}")).collect();
    let marks: Vec<_> = keys.iter().map(|key| (key.as_str(), forge::Value::Null)).collect();
    app.apply(&forged(7, "seen:notes", &marks)).unwrap();
    // Of rows that are not there, and of one that is.
    let keys: Vec<String> = (0..20_000).map(|nth| format!("{}\u{1}title", 10 + nth)).collect();
    let cells: Vec<_> =
        keys.iter().map(|key| (key.as_str(), forge::Value::Text("\"x\""))).collect();
    app.apply(&forged(8, "cells:notes", &cells)).unwrap();
    let keys: Vec<String> = (0..2_000).map(|nth| format!("2\u{1}extra{nth}")).collect();
    let cells: Vec<_> = keys.iter().map(|key| (key.as_str(), forge::Value::Text("[0]"))).collect();
    app.apply(&forged(9, "cells:notes", &cells)).unwrap();
    assert_eq!(rows(&app.notes).len(), 3);
    app.notes.update(&2, |note| note.stars = 1).unwrap();
    assert_eq!(app.notes.get(&2).unwrap(), Some(Note { stars: 1, ..note(2, "here") }));
    let other = Notebook::in_memory().unwrap();
    exchange(&app, &other);
    assert_eq!(rows(&other.notes), rows(&app.notes));
    drop(app);
    assert_sound::<Notebook>(&path);
}

#[test]
fn cells_of_a_table_that_merges_whole_show_until_its_row_is_written() {
    let (_folder, path) = place();
    let (a, b) = (Notebook::open(&path).unwrap(), Notebook::in_memory().unwrap());
    a.notes.insert_many((1..=3).map(|id| note(id, "here"))).unwrap();
    exchange(&a, &b);
    let text = forge::Value::Text;
    let cells = [
        ("1\u{1}title", text("\"there\"")),
        ("2\u{1}stars", text("7")),
        ("2\u{1}colour", text("\"red\"")),
        ("3\u{1}title", text("\"there\"")),
    ];
    a.apply(&forged(7, "cells:notes", &cells)).unwrap();
    exchange(&a, &b);
    let shown = [note(1, "there"), Note { stars: 7, ..note(2, "here") }, note(3, "there")];
    assert_eq!(rows(&a.notes), shown);
    assert_eq!(rows(&b.notes), shown);
    // A write takes them into the row, what this code does not know as well.
    a.notes.update(&1, |note| note.stars = 1).unwrap();
    b.notes.update(&2, |note| note.title = "mine".into()).unwrap();
    a.notes.remove(&3).unwrap();
    exchange(&a, &b);
    let expected = [Note { stars: 1, ..note(1, "there") }, Note { stars: 7, ..note(2, "mine") }];
    assert_eq!(rows(&a.notes), expected);
    assert!(raw_notes(&a)["2"].contains(r#""colour":"red""#));
    a.notes.insert(&note(3, "again")).unwrap();
    give(&a, &b);
    assert_eq!(b.notes.get(&3).unwrap(), Some(note(3, "again")));
    drop(a);
    assert_sound::<Notebook>(&path);
}

#[test]
fn hostile_cells_make_a_row_invalid_at_most() {
    let (_folder, path) = place();
    let app = Contacts::open(&path).unwrap();
    let other = Contacts::in_memory().unwrap();
    exchange(&app, &other);
    let row = |id: u32| {
        let address = r#"{"city":"Bonn","zip":null}"#;
        format!(
            r#"{{"id":{id},"name":"n","note":null,"visits":1,"tags":["a"],"address":{address}}}"#
        )
    };
    let bases = (1..=8).map(|id| (id.to_string(), row(id))).collect::<Vec<_>>();
    let bases: Vec<_> =
        bases.iter().map(|(key, row)| (key.as_str(), forge::Value::Text(row))).collect();
    let apply = |client, root, values: &[(&str, forge::Value<'_>)]| {
        let update = forge::update(client, 0, root, values);
        let framed = forge::framed("contacts", "0", &update);
        app.apply(&Changes::from_bytes(&framed).unwrap()).unwrap();
    };
    apply(6, "table:people", &bases);
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let long = format!("\"{}\"", "x".repeat(1 << 20));
    let element = format!("3\u{1}tags\u{3}{deep}");
    let path_of_signs = format!("4\u{1}{}", "\u{1}\u{2}\u{3}\u{4}".repeat(1_000));
    let member = format!("5\u{1}address\u{1}{}", "y".repeat(100_000));
    apply(
        7,
        "cells:people",
        &[
            ("1\u{1}name", forge::Value::Text(&deep)),
            ("2\u{1}name", forge::Value::Text(&long)),
            (&element, forge::Value::Text("true")),
            (&path_of_signs, forge::Value::Text("1")),
            (&member, forge::Value::Text("1")),
            // The key of the row is another, and the type of each part is wrong.
            ("6\u{1}id", forge::Value::Text("1")),
            ("7\u{1}tags", forge::Value::Text("7")),
            ("7\u{1}tags\u{3}\"b\"", forge::Value::Text("true")),
            ("7\u{1}visits", forge::Value::Text("\"many\"")),
            ("7\u{1}visits\u{2}18446744073709551615", forge::Value::Text("1")),
            ("7\u{1}address", forge::Value::Text("")),
            ("7\u{1}address\u{1}city", forge::Value::Text("1e999")),
            ("8\u{1}", forge::Value::Text("1")),
        ],
    );
    let invalid = app.people.invalid().unwrap();
    let keys: Vec<&str> = invalid.iter().map(|row| row.key()).collect();
    assert_eq!(app.people.len().unwrap(), 8);
    assert!(keys.contains(&"1") && keys.contains(&"7"), "{keys:?}");
    assert!(!keys.contains(&"2") && !keys.contains(&"4") && !keys.contains(&"5"), "{keys:?}");
    assert_eq!(app.people.get(&2).unwrap().unwrap().name.len(), 1 << 20);
    // Each can be removed, or written whole.
    for id in 1..=8 {
        if id % 2 == 0 {
            app.people.remove(&id).unwrap();
        } else {
            let whole = serde_json::from_str(&row(id)).unwrap();
            app.people.put(&whole).unwrap();
            assert_eq!(app.people.get(&id).unwrap(), Some(whole));
        }
    }
    exchange(&app, &other);
    assert_eq!(rows(&other.people), rows(&app.people));
    assert_eq!(rows(&app.people).len(), 4);
    drop(app);
    assert_sound::<Contacts>(&path);
}
