//! A kept row is accepted or dismissed, whatever steps lie between.

use std::path::Path;

use crate::support::give;
use heirloom::migration::Quarantined;
use heirloom::{ErrorKind, Store};

mod v0 {
    use heirloom::{Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        #[key]
        pub id: String,
        pub text: String,
        pub stars: String,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        #[evolve(default = "10")]
        pub size: String,
    }

    #[derive(Debug, Store)]
    #[store(name = "library")]
    pub struct Library {
        pub notes: Table<Note>,
        pub settings: Kv<Settings>,
    }
}

/// Rows go on one by one, and the table has another name.
mod v1 {
    use super::v0;
    use heirloom::{Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "cards", previous = v0::Note)]
    pub struct Card {
        #[key]
        pub id: String,
        #[evolve(renamed_from = "text")]
        pub title: String,
        pub stars: String,
    }

    #[derive(Debug, Store)]
    #[store(name = "library", epoch = 1, previous = v0::Library)]
    pub struct Library {
        pub cards: Table<Card>,
        pub settings: Kv<v0::Settings>,
    }
}

/// Rows may be refused, and a `migrate` function makes others of them: the words of their titles.
/// `$many` are the stars that a card with `many` gets.
macro_rules! second_epoch {
    ($many:expr) => {
        use super::{v0, v1};
        use heirloom::migration::Migration;
        use heirloom::{Id, Kv, Store, Table};
        use schemars::JsonSchema;
        use serde::{Deserialize, Serialize};

        fn number(text: &str) -> Result<u8, String> {
            let many: Option<u8> = $many;
            let refused = || format!("`{text}` is no number");
            text.parse().ok().or(many.filter(|_| text == "many")).ok_or_else(refused)
        }

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "cards", previous = v1::Card, try_from)]
        pub struct Card {
            #[key]
            pub id: String,
            pub title: String,
            pub rating: u8,
            pub words: usize,
        }

        impl TryFrom<v1::Card> for Card {
            type Error = String;
            fn try_from(card: v1::Card) -> Result<Self, String> {
                let rating = number(&card.stars)?;
                // The function counts them.
                Ok(Self { id: card.id, title: card.title, rating, words: 0 })
            }
        }

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
        #[kv(name = "settings", previous = v0::Settings)]
        pub struct Settings {
            #[evolve(with = |size| number(&size).unwrap_or(99), default = 10)]
            pub size: u8,
        }

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "words")]
        pub struct Word {
            pub id: Id<Word>,
            pub card: String,
            pub word: String,
        }

        #[derive(Debug, Store)]
        #[store(name = "library", epoch = 2, previous = v1::Library, migrate = words)]
        pub struct Library {
            pub cards: Table<Card>,
            pub words: Table<Word>,
            pub settings: Kv<Settings>,
        }

        fn words(m: &mut Migration<v1::Library, Library>) -> heirloom::Result<()> {
            let cards = m.old().iter::<v1::Card>()?.collect::<heirloom::Result<Vec<_>>>()?;
            for v1::Card { id: card, title, .. } in cards {
                if title == "refused" && number("many").is_ok() {
                    return Err(heirloom::Error::custom("no such title"));
                }
                let count = title.split_whitespace().count();
                m.update::<Card>(&card, |card| card.words = count)?;
                for (at, word) in title.split_whitespace().enumerate() {
                    let id = m.id_for::<Word>(&format!("word {at}"), &card);
                    m.put(&Word { id, card: card.clone(), word: word.to_owned() })?;
                }
            }
            Ok(())
        }

        impl Library {
            /// Key, title and rating of all cards, whose words are counted.
            pub fn all(&self) -> Vec<(String, String, u8)> {
                let cards = self.cards.iter().unwrap().map(Result::unwrap);
                let counted = |card: Card| {
                    assert_eq!(card.words, card.title.split_whitespace().count(), "{card:?}");
                    (card.id, card.title, card.rating)
                };
                cards.map(counted).collect()
            }

            pub fn all_words(&self) -> Vec<String> {
                let words = self.words.iter().unwrap().map(|word| word.unwrap().word);
                let mut words: Vec<String> = words.collect();
                words.sort();
                words
            }
        }
    };
}

mod v2 {
    second_epoch!(None);
}

/// The same epoch, once somebody has mended its conversion.
mod mended {
    second_epoch!(Some(5));
}

/// A file of epoch 0 with these keys, texts and stars.
fn file(notes: &[(&str, &str, &str)]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("library.redb");
    let app = v0::Library::open(&path).unwrap();
    for (id, text, stars) in notes {
        app.notes.insert(&note(id, text, stars)).unwrap();
    }
    (folder, path)
}

fn note(id: &str, text: &str, stars: &str) -> v0::Note {
    v0::Note { id: id.into(), text: text.into(), stars: stars.into() }
}

fn meet<A: Store, B: Store>(a: &A, b: &B) {
    for _ in 0..3 {
        give(a, b);
        give(b, a);
    }
}

fn only(app: &impl Store) -> Quarantined {
    let mut kept = app.quarantine().unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    kept.remove(0)
}

fn rows(expected: &[(&str, &str, u8)]) -> Vec<(String, String, u8)> {
    expected.iter().map(|(id, title, n)| ((*id).into(), (*title).into(), *n)).collect()
}

#[test]
fn what_a_migration_left_goes_through_migrate_once_it_converts() {
    // Two steps, of which the second has the function, and that one alone.
    let (_folder, path) = file(&[("a", "red", "3"), ("b", "green blue", "many")]);
    accept_what_a_migration_left(&path);
    let (_folder, path) = file(&[("a", "red", "3"), ("b", "green blue", "many")]);
    drop(v1::Library::open(&path).unwrap());
    accept_what_a_migration_left(&path);
}

fn accept_what_a_migration_left(path: &Path) {
    {
        let app = v2::Library::open(path).unwrap();
        assert_eq!(app.all(), rows(&[("a", "red", 3)]));
        // The function sees what could not be converted, too. Somebody removes a word of it.
        assert_eq!(app.all_words(), ["blue", "green", "red"]);
        let words = app.words.iter().unwrap().map(Result::unwrap);
        let blue = words.into_iter().find(|word| word.word == "blue").unwrap();
        app.words.remove(&blue.id).unwrap();
        let kept = only(&app);
        assert_eq!((kept.table(), kept.key(), kept.ours()), (Some("cards"), "b", None));
        // Still not: the reason, and what to do.
        let refused = kept.accept().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidRow);
        for part in ["`many` is no number", "`put`", "`dismiss`"] {
            assert!(refused.to_string().contains(part), "{refused}");
        }
        assert_eq!(app.quarantine().unwrap().len(), 1);
    }
    let app = mended::Library::open(path).unwrap();
    let other = mended::Library::in_memory().unwrap();
    meet(&app, &other);
    only(&app).accept().unwrap();
    meet(&app, &other);
    for app in [&app, &other] {
        assert_eq!(app.all(), rows(&[("a", "red", 3), ("b", "green blue", 5)]));
        assert_eq!(app.all_words(), ["green", "red"]);
        assert!(app.quarantine().unwrap().is_empty());
    }
    assert_eq!(app.settings.size.get().unwrap(), 10);
    drop(app);
    assert!(mended::Library::check(path).unwrap().is_ok());
}

#[test]
fn what_still_does_not_convert_is_corrected_or_dismissed() {
    let (_folder, path) = file(&[("a", "red", "few"), ("b", "green", "many")]);
    let app = v2::Library::open(&path).unwrap();
    let kept = app.quarantine().unwrap();
    assert_eq!(kept.len(), 2, "{kept:?}");
    app.cards.put(&v2::Card { id: "a".into(), title: "red".into(), rating: 1, words: 1 }).unwrap();
    kept.iter().for_each(|kept| kept.dismiss().unwrap());
    assert!(app.quarantine().unwrap().is_empty());
    assert_eq!(app.all(), rows(&[("a", "red", 1)]));
}

#[test]
fn a_late_edit_that_did_not_convert_goes_through_migrate_once_it_does() {
    let (_folder, path) = file(&[("a", "red", "3"), ("b", "green", "3"), ("c", "blue", "3")]);
    let old = v0::Library::in_memory().unwrap();
    give(&v0::Library::open(&path).unwrap(), &old);
    {
        let app = v2::Library::open(&path).unwrap();
        for (id, text) in [("a", "late red"), ("b", "late green"), ("c", "refused")] {
            old.notes.put(&note(id, text, "many")).unwrap();
        }
        let edited = app.words.iter().unwrap().map(Result::unwrap).find(|w| w.card == "b").unwrap();
        app.words.update(&edited.id, |word| word.word = "edited".into()).unwrap();
        meet(&old, &app);
        let kept = app.quarantine().unwrap();
        let cards: Vec<_> = kept.iter().filter(|kept| kept.table() == Some("cards")).collect();
        assert_eq!((cards.len(), kept.len()), (3, 4), "{kept:?}");
        for kept in cards {
            assert!(kept.ours().is_some() && !kept.is_converted(), "{kept:?}");
            assert_eq!(kept.accept().unwrap_err().kind(), ErrorKind::InvalidRow);
        }
    }
    let app = mended::Library::open(&path).unwrap();
    let kept = app.quarantine().unwrap();
    let of = |key: &str| kept.iter().find(|kept| kept.key() == key).unwrap();
    of("a").accept().unwrap();
    of("b").accept().unwrap();
    let expected = rows(&[("a", "late red", 5), ("b", "late green", 5), ("c", "blue", 3)]);
    assert_eq!(app.all(), expected);
    // An edit of a word stays, and the late one is still to be decided on.
    assert_eq!(app.all_words(), ["edited", "green", "late", "red", "refused"]);
    // A function that refuses is a reason like any other.
    let error = of("c").accept().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRow);
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source());
    assert!(causes.last().unwrap().to_string().contains("no such title"), "{error:?}");
    of("c").dismiss().unwrap();
    assert_eq!(only(&app).table(), Some("words"));
    only(&app).accept().unwrap();
    meet(&old, &app);
    assert_eq!(app.all(), expected);
    assert_eq!(app.all_words(), ["green", "late", "late", "red", "refused"]);
    assert!(app.quarantine().unwrap().is_empty());
}

#[test]
fn both_values_of_a_row_outlive_an_epoch_with_a_migrate_function() {
    let (_folder, path) = file(&[("a", "red", "3"), ("b", "green", "3")]);
    let old = v0::Library::in_memory().unwrap();
    {
        let app = v0::Library::open(&path).unwrap();
        app.settings.size.set("12").unwrap();
        give(&app, &old);
    }
    {
        let app = v1::Library::open(&path).unwrap();
        for id in ["a", "b"] {
            app.cards.update(id, |card| card.title = format!("{id} here")).unwrap();
            old.notes.update(id, |note| note.text = format!("{id} late")).unwrap();
        }
        app.settings.size.set("13").unwrap();
        old.settings.size.set("14").unwrap();
        meet(&old, &app);
        assert_eq!(app.quarantine().unwrap().len(), 3);
    }
    let app = v2::Library::open(&path).unwrap();
    let kept = app.quarantine().unwrap();
    assert_eq!(kept.len(), 3, "{kept:?}");
    let of = |key: &str| kept.iter().find(|kept| kept.key() == key).unwrap();
    for key in ["a", "b"] {
        assert!(of(key).theirs().contains(&format!("{key} late")), "{kept:?}");
        assert!(of(key).ours().unwrap().contains(&format!("{key} here")), "{kept:?}");
    }
    of("a").accept().unwrap();
    of("b").dismiss().unwrap();
    assert_eq!(app.settings.size.get().unwrap(), 13);
    of("size").accept().unwrap();
    assert_eq!(app.settings.size.get().unwrap(), 14);
    assert_eq!(app.all(), rows(&[("a", "a late", 3), ("b", "b here", 3)]));
    assert_eq!(app.all_words(), ["a", "b", "here", "late"]);
    assert!(app.quarantine().unwrap().is_empty());
    meet(&old, &app);
    assert_eq!(app.all(), rows(&[("a", "a late", 3), ("b", "b here", 3)]));
    assert!(app.quarantine().unwrap().is_empty());
}

#[test]
fn what_was_displaced_is_of_the_epoch_that_accepts_it() {
    // Two migrations, and a change of one row in each.
    let files = [file(&[("a", "red", "3")]), file(&[("a", "red", "3")])];
    let apps = files.each_ref().map(|(_, path)| v1::Library::open(path).unwrap());
    for (app, title) in apps.iter().zip(["one", "other"]) {
        app.cards.update("a", |card| card.title = title.into()).unwrap();
    }
    meet(&apps[0], &apps[1]);
    drop(apps);
    let app = v2::Library::open(&files[0].1).unwrap();
    let kept = only(&app);
    let (ours, theirs) = match app.all()[0].1.as_str() {
        "one" => ("one", "other"),
        _ => ("other", "one"),
    };
    assert!(kept.ours().unwrap().contains(ours) && kept.theirs().contains(theirs), "{kept:?}");
    kept.accept().unwrap();
    assert_eq!(app.all(), rows(&[("a", theirs, 3)]));
    assert_eq!(app.cards.invalid().unwrap().len(), 0);
    assert_eq!(app.all_words(), [theirs]);
}

/// A conversion that gives rows of one name the same key, and the same before a `migrate` function.
macro_rules! by_name {
    ($($migrate:tt)*) => {
        use super::v0;
        use heirloom::{Store, Table};
        use schemars::JsonSchema;
        use serde::{Deserialize, Serialize};

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "notes", previous = v0::Note, from)]
        pub struct Note {
            #[key]
            pub text: String,
            pub id: String,
        }

        impl From<v0::Note> for Note {
            fn from(note: v0::Note) -> Self {
                Self { text: note.text, id: note.id }
            }
        }

        #[derive(Debug, Store)]
        #[store(name = "library", epoch = 1, previous = v0::Library, drops(settings) $($migrate)*)]
        pub struct Library {
            pub notes: Table<Note>,
        }
    };
}

mod plain {
    by_name!();
}

mod with_migrate {
    by_name!(, migrate = nothing);

    fn nothing(
        _: &mut heirloom::migration::Migration<v0::Library, Library>,
    ) -> heirloom::Result<()> {
        Ok(())
    }
}

#[test]
fn of_two_rows_under_one_key_either_is_accepted() {
    let notes = [("a", "same", "1"), ("b", "same", "2"), ("c", "same", "3")];
    let (_folder, path) = file(&notes);
    let app = plain::Library::open(&path).unwrap();
    let stands = || app.notes.get("same").unwrap().unwrap().id;
    assert_eq!(stands(), "a");
    let kept = app.quarantine().unwrap();
    assert_eq!(kept.len(), 2, "{kept:?}");
    kept.iter().find(|kept| kept.theirs().contains("\"b\"")).unwrap().accept().unwrap();
    assert_eq!((stands(), app.notes.len().unwrap()), ("b".into(), 1));
    only(&app).dismiss().unwrap();
    assert_eq!(stands(), "b");

    // A row that a function has not seen is not a row of the epoch.
    let (_folder, path) = file(&notes[..2]);
    let app = with_migrate::Library::open(&path).unwrap();
    let kept = only(&app);
    let refused = kept.accept().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidRow);
    assert!(refused.to_string().contains("before the `migrate` function"), "{refused}");
    kept.dismiss().unwrap();
    assert_eq!(app.notes.len().unwrap(), 1);
}
