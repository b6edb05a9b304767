//! Rows as JSON Lines: what is exported is what is imported, all of it or nothing.

use std::io::{self, BufReader, Read, Write};

use crate::support::exchange;
use crate::support::loose::{App, LooseApp, loose};
use heirloom::transfer::OnExisting;
use heirloom::{ErrorKind, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "cities")]
struct City {
    #[key]
    name: String,
    people: f64,
    mayor: Option<String>,
    #[evolve(default = |people| if people > 100.0 { 2 } else { 1 })]
    class: u8,
}

#[derive(Store)]
#[store(name = "atlas")]
struct Atlas {
    cities: Table<City>,
}

/// The same table in newer code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "cities")]
struct NewerCity {
    #[key]
    name: String,
    people: f64,
    mayor: Option<String>,
    #[evolve(default = |people| if people > 100.0 { 2 } else { 1 })]
    class: u8,
    #[evolve(default)]
    rivers: Vec<String>,
}

#[derive(Store)]
#[store(name = "atlas")]
struct NewerAtlas {
    cities: Table<NewerCity>,
}

fn city(name: &str, people: f64) -> City {
    City { name: name.into(), people, mayor: None, class: 1 }
}

fn names(app: &Atlas) -> Vec<String> {
    app.cities.iter().unwrap().map(|city| city.unwrap().name).collect()
}

proptest! {
    #[test]
    fn a_table_comes_back_as_it_was(
        cities in prop::collection::btree_map("\\PC{0,6}|[a\n\r\"\\\\]{1,4}", any::<(f32, Option<String>, u8)>(), 0..20),
    ) {
        let app = Atlas::in_memory().unwrap();
        app.cities.insert_many(cities.into_iter().filter(|(name, row)| {
            !name.is_empty() && row.0.is_finite()
        }).map(|(name, (people, mayor, class))| City { name, people: people.into(), mayor, class })).unwrap();
        let mut lines = Vec::new();
        let count = app.cities.export(&mut lines).unwrap();
        prop_assert_eq!(count, app.cities.len().unwrap());
        prop_assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), count);
        let copy = Atlas::in_memory().unwrap();
        let imported = copy.cities.import(lines.as_slice(), OnExisting::Fail).unwrap();
        prop_assert_eq!(imported.inserted(), count);
        prop_assert_eq!(copy.cities.query().all().unwrap(), app.cities.query().all().unwrap());
        let mut again = Vec::new();
        copy.cities.export(&mut again).unwrap();
        prop_assert_eq!(again, lines);
    }
}

#[test]
fn a_row_that_is_there_is_kept_replaced_or_refuses_the_import() {
    let lines = "{\"name\":\"Bern\",\"people\":134.5}\n{\"name\":\"Ulm\",\"people\":126}\n{\"name\":\"Ulm\",\"people\":127}";
    let app = Atlas::in_memory().unwrap();
    app.cities.insert(&city("Bern", 1.0)).unwrap();
    let error = app.cities.import(lines.as_bytes(), OnExisting::Fail).unwrap_err();
    assert_eq!((error.kind(), error.key()), (ErrorKind::AlreadyExists, Some("Bern")));
    assert!(error.to_string().contains("line 1"), "{error}");
    assert_eq!(names(&app), ["Bern"]);

    let skipped = app.cities.import(lines.as_bytes(), OnExisting::Skip).unwrap();
    assert_eq!((skipped.inserted(), skipped.replaced(), skipped.skipped()), (1, 0, 2));
    let people = |name: &str| app.cities.get(name).unwrap().unwrap().people;
    assert_eq!((people("Bern"), people("Ulm")), (1.0, 126.0));

    let replaced = app.cities.import(lines.as_bytes(), OnExisting::Replace).unwrap();
    assert_eq!((replaced.inserted(), replaced.replaced(), replaced.skipped()), (0, 3, 0));
    assert_eq!((people("Bern"), people("Ulm")), (134.5, 127.0));
    // A field that a line lacks has its default.
    assert_eq!(app.cities.get("Bern").unwrap().unwrap().class, 2);
}

/// A reader that fails after some bytes.
struct Broken(&'static [u8]);

impl Read for Broken {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.0.read(to)? {
            0 => Err(io::Error::other("the cable was pulled")),
            read => Ok(read),
        }
    }
}

/// A writer that takes so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(from.len()).ok_or_else(|| io::Error::other("full"))?;
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_import_that_stops_half_way_leaves_nothing_and_says_where() {
    let app = Atlas::in_memory().unwrap();
    let good = b"{\"name\":\"Bern\",\"people\":134}\n\n";
    for (bad, field, said) in [
        (&b"{\"name\":\"Ulm\",\"people\":\"many\"}"[..], Some("people"), "line 3 is not a row"),
        (b"{\"name\":\"Ulm\",\"class\":1}", Some("people"), "line 3 is not a row"),
        (b"{\"name\":\"Ulm\",\"people\":12", None, "line 3 is not a row"),
        (b"[1]", None, "line 3 is not a row"),
        (b"{\"name\":\"\xff\",\"people\":1}", None, "line 3 is not UTF-8"),
    ] {
        let lines = [&good[..], bad].concat();
        let error = app.cities.import(lines.as_slice(), OnExisting::Replace).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRow, field), "{error}");
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!((error.store(), error.table()), (Some("atlas"), Some("cities")));
        assert!(app.cities.is_empty().unwrap());
    }
    let broken = BufReader::new(Broken(b"{\"name\":\"Bern\",\"people\":134}\n{\"na"));
    let error = app.cities.import(broken, OnExisting::Replace).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.to_string().contains("line 2 cannot be read"), "{error}");
    assert!(app.cities.is_empty().unwrap());

    app.cities.insert_many([city("Bern", 1.0), city("Ulm", 2.0)]).unwrap();
    let error = app.cities.export(Full(60)).unwrap_err();
    assert_eq!((error.kind(), error.table()), (ErrorKind::Storage, Some("cities")));
}

#[test]
fn lines_of_other_programs_and_fields_of_newer_code_are_taken_as_they_stand() {
    let app = Atlas::in_memory().unwrap();
    let lines = "\u{feff}\r\n {\"people\":1, \"name\":\"Ulm\",\"rivers\":[\"Donau\"], \"odd\":1e400}\r\n\r\n";
    app.cities.import(lines.as_bytes(), OnExisting::Fail).unwrap();
    // Known fields are replaced, what this code does not know of the row is kept.
    let other = "{\"name\":\"Ulm\",\"people\":2,\"rivers\":[],\"more\":{}}";
    app.cities.import(other.as_bytes(), OnExisting::Replace).unwrap();
    let mut exported = Vec::new();
    app.cities.export(&mut exported).unwrap();
    let exported = String::from_utf8(exported).unwrap();
    for kept in ["\"people\":2", "\"rivers\":[\"Donau\"]", "\"odd\":1e400", "\"more\":{}"] {
        assert!(exported.contains(kept), "{exported}");
    }
    let newer = NewerAtlas::in_memory().unwrap();
    newer.cities.import(exported.as_bytes(), OnExisting::Fail).unwrap();
    assert_eq!(newer.cities.get("Ulm").unwrap().unwrap().rivers, ["Donau"]);
}

#[test]
fn a_row_that_does_not_decode_is_not_left_out_and_line_breaks_are_no_lines() {
    let (app, loose_app) = (App::in_memory().unwrap(), LooseApp::in_memory().unwrap());
    loose_app.rows.insert(&loose(1, |_| {})).unwrap();
    loose_app.rows.insert(&loose(2, |row| drop(row.insert("rate".into(), "much".into())))).unwrap();
    exchange(&loose_app, &app);
    let error = app.rows.export(Vec::new()).unwrap_err();
    assert_eq!((error.kind(), error.key()), (ErrorKind::InvalidRow, Some("2")));

    let bad = app.rows.invalid().unwrap().remove(0);
    let json = bad.json().replace("\"much\"", "1.5").replace(',', ",\r\n  ");
    app.rows.repair(&bad, &json).unwrap();
    let mut lines = Vec::new();
    assert_eq!(app.rows.export(&mut lines).unwrap(), 2);
    assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), 2);
    let copy = App::in_memory().unwrap();
    copy.rows.import(lines.as_slice(), OnExisting::Fail).unwrap();
    assert_eq!(copy.rows.query().all().unwrap(), app.rows.query().all().unwrap());
}

mod whole {
    use super::*;
    use heirloom::{Id, Kv, Ref};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    struct Note {
        id: Id<Note>,
        text: String,
        parent: Option<Ref<Note>>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "words")]
    struct Word {
        #[key]
        word: String,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    struct Settings {
        #[evolve(default = "en")]
        #[serde(alias = "lang")]
        language: String,
        size: Option<u8>,
    }

    #[derive(Store)]
    #[store(name = "whole")]
    struct App {
        notes: Table<Note>,
        words: Table<Word>,
        settings: Kv<Settings>,
    }

    fn filled() -> App {
        let app = App::in_memory().unwrap();
        let parent = Note { id: Id::new(), text: "a\n\"b\"".into(), parent: None };
        let child = Note { id: Id::new(), text: String::new(), parent: Some(Ref::to(&parent)) };
        app.notes.insert_many([parent, child]).unwrap();
        app.words.insert(&Word { word: "table".into() }).unwrap();
        app.settings.size.set(&Some(3)).unwrap();
        app
    }

    fn lines(app: &App) -> String {
        let mut lines = Vec::new();
        app.export(&mut lines).unwrap();
        String::from_utf8(lines).unwrap()
    }

    #[test]
    fn a_store_comes_back_as_it_was_whatever_the_order_of_lines() {
        let app = filled();
        let text = lines(&app);
        assert_eq!(text.lines().count(), 4);
        assert!(
            text.ends_with("{\"group\":\"settings\",\"entry\":\"size\",\"value\":3}\n"),
            "{text}"
        );
        assert!(text.contains("{\"table\":\"words\",\"row\":{\"word\":\"table\"}}\n"), "{text}");
        let backwards: Vec<&str> = text.lines().rev().collect();
        for text in [text.clone(), backwards.join("\n")] {
            let copy = App::in_memory().unwrap();
            let imported = copy.import(text.as_bytes(), OnExisting::Fail).unwrap();
            assert_eq!(imported.inserted(), 4);
            assert_eq!(lines(&copy), lines(&app));
            assert_eq!(copy.settings.language.get().unwrap(), "en");
        }
    }

    #[test]
    fn what_is_there_is_kept_replaced_or_refuses_the_import() {
        let (app, text) = (filled(), lines(&filled()));
        app.settings.size.set(&Some(9)).unwrap();
        let error = app.import(text.as_bytes(), OnExisting::Fail).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(app.notes.len().unwrap(), 2);
        let imported = app.import(text.as_bytes(), OnExisting::Skip).unwrap();
        assert_eq!((imported.inserted(), imported.skipped()), (2, 2));
        assert_eq!(app.settings.size.get().unwrap(), Some(9));
        let imported = app.import(text.as_bytes(), OnExisting::Replace).unwrap();
        assert_eq!((imported.inserted(), imported.replaced()), (0, 4));
        assert_eq!(app.settings.size.get().unwrap(), Some(3));
        app.import(&br#"{"group":"settings","entry":"lang","value":"de"}"#[..], OnExisting::Fail)
            .unwrap();
        assert_eq!(app.settings.language.get().unwrap(), "de");
    }

    #[test]
    fn a_mistake_names_its_line_and_leaves_nothing() {
        let app = App::in_memory().unwrap();
        for (line, part) in [
            ("[1]", "line 2 is not a JSON object"),
            (r#"{"row":{}}"#, "line 2 is about nothing in this store"),
            (r#"{"table":"words"}"#, "line 2 has nothing under `row`"),
            (r#"{"table":"wrods","row":{}}"#, "\"wrods\""),
            (r#"{"table":"words","row":{"word":1}}"#, "line 2 is not a row"),
            (r#"{"group":"settings","entry":"size","value":"x"}"#, "line 2 is not the value"),
            (
                r#"{"group":"settings","entry":"width","value":1}"#,
                "an entry that the group does not",
            ),
            (r#"{"group":"settings","entry":"size"}"#, "nothing under `value`"),
            (r#"{"table":"words","row":{"word":"a"}}"#, "line 2 has a key"),
            ("", "line 3 is not a JSON"),
        ] {
            let text = format!("{}\n{line}\nx", r#"{"table":"words","row":{"word":"a"}}"#);
            let error = app.import(text.as_bytes(), OnExisting::Fail).unwrap_err().to_string();
            assert!(error.contains(part), "{part} in {error}");
            assert_eq!(app.words.len().unwrap(), 0);
        }
        let reader = BufReader::new(Broken(b"{\"table\":\"words\",\"row\":{\"word\":\"a\"}}\n"));
        assert_eq!(app.import(reader, OnExisting::Fail).unwrap_err().kind(), ErrorKind::Storage);
        assert_eq!(app.words.len().unwrap(), 0);
        assert!(filled().export(Full(50)).is_err());
        let dangling = lines(&filled()).lines().nth(1).unwrap().to_owned();
        assert!(app.import(dangling.as_bytes(), OnExisting::Fail).is_err());
    }
}
