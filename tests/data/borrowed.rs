//! Keys and values given in the form that they borrow as.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use heirloom::{Id, Kv, Open, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "cities")]
struct City {
    #[key]
    name: String,
    people: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Note {
    id: Id<Note>,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Theme {
    Light,
    Dark,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
struct Settings {
    #[evolve(default = "en")]
    language: String,
    #[evolve(default)]
    tags: Vec<u8>,
    #[evolve(default)]
    folder: PathBuf,
    #[evolve(default = Open::Known(Theme::Light))]
    theme: Open<Theme>,
    #[evolve(default)]
    size: f64,
    nickname: Option<String>,
}

#[derive(Store)]
#[store(name = "atlas")]
struct Atlas {
    cities: Table<City>,
    notes: Table<Note>,
    settings: Kv<Settings>,
}

fn city(name: &str) -> City {
    City { name: name.into(), people: 1 }
}

#[test]
fn a_str_is_a_key_of_a_table_whose_keys_are_strings() {
    let atlas = Atlas::in_memory().unwrap();
    atlas.cities.insert_many([city("Bern"), city("Thun")]).unwrap();
    assert!(atlas.cities.contains("Bern").unwrap());
    atlas.cities.update("Bern", |city| city.people = 2).unwrap();
    let updated: Result<_, heirloom::Error> = atlas.cities.try_update("Bern", |city| {
        city.people += 1;
        Ok(())
    });
    assert_eq!(updated.unwrap(), atlas.cities.get("Bern").unwrap());
    assert_eq!(atlas.snapshot().unwrap().get::<City>("Bern").unwrap().unwrap().people, 3);
    assert!(!atlas.snapshot().unwrap().contains::<City>("Rom").unwrap());
    atlas
        .transaction(|tx| {
            assert!(tx.contains::<City>("Thun")?);
            tx.update::<City>("Thun", |city| city.people = 4)?;
            assert_eq!(tx.get::<City>("Thun")?.unwrap().people, 4);
            assert!(tx.remove::<City>("Thun")?);
            assert!(!tx.remove::<City>(&String::from("Thun"))?);
            Ok(())
        })
        .unwrap();
    assert!(atlas.cities.remove("Bern").unwrap());
    assert!(atlas.cities.get("Bern").unwrap().is_none());
}

#[test]
fn other_keys_are_given_as_ever() {
    let atlas = Atlas::in_memory().unwrap();
    let note = Note { id: Id::new(), text: "a".into() };
    atlas.notes.insert(&note).unwrap();
    assert_eq!(atlas.notes.get(&note.id).unwrap(), Some(note.clone()));
    let ids = vec![note.id];
    for id in &ids {
        assert!(atlas.notes.contains(id).unwrap());
    }
    atlas.transaction(|tx| tx.update::<Note>(&note.id, |note| note.text = "b".into())).unwrap();
    assert!(atlas.notes.remove(&note.id).unwrap());
}

#[test]
fn entries_take_what_their_type_borrows_as() {
    let atlas = Atlas::in_memory().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = heard.clone();
    let observe = move |language| log.lock().unwrap().push(language);
    let subscription = atlas.settings.language.observe(observe).unwrap();
    atlas.settings.language.set("fr").unwrap();
    atlas.settings.language.set(&String::from("it")).unwrap();
    atlas.settings.tags.set(&[1, 2]).unwrap();
    atlas.settings.tags.set([3].as_slice()).unwrap();
    atlas.settings.folder.set(Path::new("notes")).unwrap();
    atlas.settings.theme.set(&Theme::Dark).unwrap();
    atlas.settings.theme.set(&Open::Known(Theme::Dark)).unwrap();
    atlas.settings.size.set(&1.5).unwrap();
    atlas.settings.nickname.set(&None).unwrap();
    atlas.settings.nickname.set(&Some("ada".into())).unwrap();
    atlas
        .transaction(|tx| {
            tx.set(&atlas.settings.language, "de")?;
            tx.set(&atlas.settings.size, &2.5)
        })
        .unwrap();
    drop(subscription);
    assert_eq!(*heard.lock().unwrap(), ["fr", "it", "de"]);
    let expected = Settings {
        language: "de".into(),
        tags: vec![3],
        folder: "notes".into(),
        theme: Theme::Dark.into(),
        size: 2.5,
        nickname: Some("ada".into()),
    };
    assert_eq!(atlas.settings.get().unwrap(), expected);
}
