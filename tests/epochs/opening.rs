//! Epochs: files of any age open, two migrations meet, late edits are carried or kept.

use crate::support::give;
use heirloom::migration::OnInvalid;
use heirloom::sync::Summary;
use heirloom::watch::ChangeKind;
use heirloom::{ErrorKind, Progress, Store};

/// The store in three epochs.
mod epochs {
    pub mod v0 {
        use heirloom::{Kv, Store, Table};
        use schemars::JsonSchema;
        use serde::{Deserialize, Serialize};

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "notes")]
        pub struct Note {
            #[key]
            pub id: String,
            pub text: String,
            pub done: bool,
            pub stars: String,
            pub old_path: Option<String>,
        }

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "scratch")]
        pub struct Scratch {
            #[key]
            pub id: u32,
        }

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
        #[kv(name = "settings")]
        pub struct Settings {
            #[evolve(default = "en")]
            pub language: String,
            #[evolve(default)]
            pub size: u32,
        }

        #[derive(Debug, Store)]
        #[store(name = "library")]
        pub struct Library {
            pub notes: Table<Note>,
            pub scratch: Table<Scratch>,
            pub settings: Kv<Settings>,
        }

        pub fn note(id: &str, text: &str) -> Note {
            Note {
                id: id.into(),
                text: text.into(),
                done: false,
                stars: "3".into(),
                old_path: None,
            }
        }
    }

    pub mod v1 {
        use super::v0;
        use heirloom::{Kv, Store, Table};
        use schemars::JsonSchema;
        use serde::{Deserialize, Serialize};

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "notes", previous = v0::Note, removes(old_path))]
        pub struct Note {
            #[key]
            pub id: String,
            #[evolve(renamed_from = "text")]
            pub title: String,
            #[evolve(with = |done| if done { "done".to_owned() } else { "open".to_owned() })]
            pub state: String,
            #[evolve(renamed_from = "stars")]
            pub rating: String,
        }

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
        #[kv(name = "settings", previous = v0::Settings)]
        pub struct Settings {
            #[evolve(default = "en")]
            pub language: String,
            #[evolve(renamed_from = "size", default = 10)]
            pub font_size: u32,
        }

        #[derive(Debug, Store)]
        #[store(name = "library", epoch = 1, previous = v0::Library, drops(scratch))]
        pub struct Library {
            pub notes: Table<Note>,
            pub settings: Kv<Settings>,
        }

        pub fn note(id: &str, title: &str) -> Note {
            Note { id: id.into(), title: title.into(), state: "open".into(), rating: "3".into() }
        }
    }

    pub mod v2 {
        use super::v1;
        use heirloom::migration::Migration;
        use heirloom::{Id, Kv, Store, Table};
        use schemars::JsonSchema;
        use serde::{Deserialize, Serialize};

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "notes", previous = v1::Note, try_from)]
        pub struct Note {
            #[key]
            pub id: String,
            pub title: String,
            pub state: String,
            pub rating: u8,
        }

        impl TryFrom<v1::Note> for Note {
            type Error = String;
            fn try_from(note: v1::Note) -> Result<Self, String> {
                if note.rating == "panic" {
                    panic!("no such rating");
                }
                let rating =
                    note.rating.parse().map_err(|_| format!("`{}` is no rating", note.rating))?;
                Ok(Self { id: note.id, title: note.title, state: note.state, rating })
            }
        }

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "words")]
        pub struct Word {
            pub id: Id<Word>,
            pub word: String,
        }

        #[derive(Debug, Store)]
        #[store(name = "library", epoch = 2, previous = v1::Library, migrate = split_words)]
        pub struct Library {
            pub notes: Table<Note>,
            pub words: Table<Word>,
            pub settings: Kv<v1::Settings>,
        }

        fn split_words(m: &mut Migration<v1::Library, Library>) -> heirloom::Result<()> {
            let notes: Vec<v1::Note> =
                m.old().iter::<v1::Note>()?.collect::<heirloom::Result<_>>()?;
            for note in notes {
                for word in note.title.split_whitespace() {
                    let id = m.id_for::<Word>("word", &word.to_owned());
                    m.put(&Word { id, word: word.to_owned() })?;
                }
            }
            Ok(())
        }
    }
}

use epochs::{v0, v1, v2};

fn titles(app: &v1::Library) -> Vec<(String, String)> {
    app.notes.iter().unwrap().map(|note| note.unwrap()).map(|note| (note.id, note.title)).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(id, title)| ((*id).to_owned(), (*title).to_owned())).collect()
}

/// A file of epoch 0 with these notes.
fn file_of_epoch_0(notes: &[(&str, &str)]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("library.redb");
    let app = v0::Library::open(&path).unwrap();
    for (id, text) in notes {
        app.notes.insert(&v0::note(id, text)).unwrap();
    }
    (folder, path)
}

/// Both give each other what they have, until nothing is new.
fn meet<A: Store, B: Store>(a: &A, b: &B) {
    for _ in 0..3 {
        give(a, b);
        give(b, a);
    }
}

#[test]
fn a_file_of_an_earlier_epoch_opens_in_one_step() {
    let (_folder, path) = file_of_epoch_0(&[("a", "one"), ("b", "two")]);
    {
        let app = v0::Library::open(&path).unwrap();
        app.notes.update("b", |note| note.done = true).unwrap();
        app.settings.size.set(&7).unwrap();
        app.scratch.insert(&v0::Scratch { id: 1 }).unwrap();
    }
    {
        let app = v1::Library::open(&path).unwrap();
        assert_eq!(titles(&app), pairs(&[("a", "one"), ("b", "two")]));
        assert_eq!(app.notes.get("b").unwrap().unwrap().state, "done");
        assert_eq!(app.settings.font_size.get().unwrap(), 7);
        assert_eq!(app.settings.language.get().unwrap(), "en");
        let status = app.status().unwrap();
        assert_eq!((status.epoch(), status.generation(), status.uncarried_documents()), (1, 0, 0));
        assert!(app.quarantine().unwrap().is_empty());
        app.notes.insert(&v1::note("c", "three")).unwrap();
        let old = app.open_epoch::<v0::Library>().unwrap();
        assert_eq!(old.notes.len().unwrap(), 2);
        assert_eq!(old.scratch.len().unwrap(), 1);
        assert_eq!(old.notes.remove("a").unwrap_err().kind(), ErrorKind::ReadOnly);
    }
    assert!(v1::Library::check(&path).unwrap().is_ok());
    let app = v1::Library::open(&path).unwrap();
    assert_eq!(titles(&app), pairs(&[("a", "one"), ("b", "two"), ("c", "three")]));
}

#[test]
fn a_further_step_takes_along_what_was_edited_and_what_was_not() {
    let (_folder, path) = file_of_epoch_0(&[("a", "one"), ("b", "two"), ("c", "three")]);
    {
        let app = v1::Library::open(&path).unwrap();
        app.notes.update("b", |note| note.title = "two, edited".into()).unwrap();
        app.settings.font_size.set(&9).unwrap();
    }
    let app = v1::Library::open(&path).unwrap();
    app.compact_history().unwrap();
    assert_eq!(titles(&app), pairs(&[("a", "one"), ("b", "two, edited"), ("c", "three")]));
    app.notes.update("a", |note| note.title = "one, edited".into()).unwrap();
    drop(app);
    let app = v2::Library::open(&path).unwrap();
    let titles: Vec<String> = app.notes.iter().unwrap().map(|note| note.unwrap().title).collect();
    assert_eq!(titles, ["one, edited", "two, edited", "three"]);
    assert_eq!(app.settings.font_size.get().unwrap(), 9);
    drop(app);
    let report = v2::Library::check(&path).unwrap();
    assert!(report.is_ok(), "{report}");
}

#[test]
fn two_steps_are_one_and_a_migrate_function_crosses_tables() {
    let (_folder, path) = file_of_epoch_0(&[("a", "red green"), ("b", "green blue")]);
    let app = v2::Library::open(&path).unwrap();
    assert_eq!(app.notes.len().unwrap(), 2);
    assert_eq!(app.notes.get("a").unwrap().unwrap().rating, 3);
    let mut words: Vec<String> = app.words.iter().unwrap().map(|word| word.unwrap().word).collect();
    words.sort();
    assert_eq!(words, ["blue", "green", "red"]);
    drop(app);
    assert!(v2::Library::check(&path).unwrap().is_ok());
}

#[test]
fn rows_that_cannot_be_converted_are_kept_or_stop_it() {
    let (_folder, path) = file_of_epoch_0(&[("a", "one"), ("b", "two")]);
    v0::Library::open(&path).unwrap().notes.update("b", |note| note.stars = "many".into()).unwrap();
    let preview = v2::Library::preview_migration(&path).unwrap();
    assert_eq!((preview.from_epoch(), preview.to_epoch()), (0, 2));
    assert_eq!(preview.invalid().len(), 1);
    assert_eq!(preview.invalid()[0].key(), "b");
    let notes = preview.tables().iter().find(|table| table.name() == "notes").unwrap();
    assert_eq!((notes.rows_before(), notes.rows_after()), (2, 1));
    // From the first epoch to the last, and only rows that get there.
    assert_eq!(notes.samples().len(), 1, "{preview}");
    let (before, after) = (notes.samples()[0].before().unwrap(), notes.samples()[0].after());
    assert!(before.contains("\"text\":\"one\"") && after.contains("\"rating\":3"), "{preview}");
    assert_eq!(preview.dropped().collect::<Vec<_>>(), [("scratch", 0)]);

    let before = std::fs::read(&path).unwrap();
    let refused = v2::Library::builder().on_invalid(OnInvalid::Fail).open(&path).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Migration);
    assert_eq!((refused.table(), refused.key()), (Some("notes"), Some("b")), "{refused}");
    assert_eq!(v0::Library::open(&path).unwrap().notes.len().unwrap(), 2);
    drop(before);

    let app = v2::Library::open(&path).unwrap();
    assert_eq!(app.notes.len().unwrap(), 1);
    let kept = app.quarantine().unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!((kept[0].table(), kept[0].key()), (Some("notes"), "b"));
    assert!(kept[0].reason().contains("`many` is no rating"), "{}", kept[0].reason());
    assert!(kept[0].theirs().contains("\"many\""), "{}", kept[0].theirs());
    assert_eq!(kept[0].ours(), None);
    assert_eq!(kept[0].accept().unwrap_err().kind(), ErrorKind::InvalidRow);
    kept[0].dismiss().unwrap();
    assert!(app.quarantine().unwrap().is_empty());
}

#[test]
fn a_conversion_that_panics_changes_nothing() {
    let (_folder, path) = file_of_epoch_0(&[("a", "one")]);
    v0::Library::open(&path)
        .unwrap()
        .notes
        .update("a", |note| note.stars = "panic".into())
        .unwrap();
    let refused = v2::Library::open(&path).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Migration);
    assert!(refused.to_string().contains("no such rating"), "{refused}");
    assert_eq!(v0::Library::open(&path).unwrap().notes.len().unwrap(), 1);
    assert_eq!(v1::Library::open(&path).unwrap().notes.len().unwrap(), 1);
}

#[test]
fn progress_is_told() {
    let (_folder, path) = file_of_epoch_0(&[("a", "one")]);
    let (tell, told) = std::sync::mpsc::channel();
    let app = v1::Library::builder()
        .on_progress(move |progress| {
            let _ = tell.send(progress);
        })
        .open(&path)
        .unwrap();
    drop(app);
    assert!(told.iter().any(|progress| {
        progress == Progress::Migrate { table: "notes".into(), epoch: 1, done: 1, total: 1 }
    }));
}

#[test]
fn progress_goes_one_way_however_many_documents_rows_come_from() {
    let (tell, told) = std::sync::mpsc::channel();
    let tell = move |progress| tell.send(progress).unwrap_or_default();
    let (_folder, path) = file_of_epoch_0(&[("a", "a"), ("b", "b")]);
    let app = v0::Library::builder().on_progress(tell).open(&path).unwrap();
    app.compact_history().unwrap();
    // From here on there are rows of two documents, which come one after the other.
    app.notes.insert(&v0::note("c", "c")).unwrap();
    told.try_iter().for_each(drop);
    app.compact_history().unwrap();
    let of_notes = told.try_iter().filter_map(|progress| match progress {
        Progress::Migrate { table, done, total, .. } if table == "notes" => Some((done, total)),
        _ => None,
    });
    assert_eq!(of_notes.collect::<Vec<_>>(), [(3, 3)]);
}

/// Two devices that have the same.
fn two_devices(notes: &[(&str, &str)]) -> [(tempfile::TempDir, std::path::PathBuf); 2] {
    let (folder, path) = file_of_epoch_0(notes);
    let (other_folder, other_path) = file_of_epoch_0(&[]);
    let (a, b) = (v0::Library::open(&path).unwrap(), v0::Library::open(&other_path).unwrap());
    meet(&a, &b);
    drop((a, b));
    [(folder, path), (other_folder, other_path)]
}

#[test]
fn two_migrations_of_the_same_rows_meet() {
    for swapped in [false, true] {
        let [(_one, one), (_two, two)] =
            two_devices(&[("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")]);
        let a = v1::Library::open(&one).unwrap();
        let b = v1::Library::open(&two).unwrap();
        a.notes.update("a", |note| note.title = "a of a".into()).unwrap();
        b.notes.update("b", |note| note.title = "b of b".into()).unwrap();
        a.notes.remove("c").unwrap();
        b.notes.insert(&v1::note("e", "e of b")).unwrap();
        a.notes.insert(&v1::note("f", "f of a")).unwrap();
        a.settings.font_size.set(&20).unwrap();
        if swapped {
            meet(&b, &a)
        } else {
            meet(&a, &b)
        }
        let expected = pairs(&[
            ("a", "a of a"),
            ("b", "b of b"),
            ("d", "d"),
            ("e", "e of b"),
            ("f", "f of a"),
        ]);
        assert_eq!(titles(&a), expected);
        assert_eq!(titles(&b), expected);
        assert_eq!(b.settings.font_size.get().unwrap(), 20);
        assert_eq!(a.settings.font_size.get().unwrap(), 20);
        assert!(a.quarantine().unwrap().is_empty() && b.quarantine().unwrap().is_empty());
        drop((a, b));
        for path in [one, two] {
            let report = v1::Library::check(&path).unwrap();
            assert!(report.is_ok(), "{report}");
            assert_eq!(titles(&v1::Library::open(&path).unwrap()), expected);
        }
    }
}

#[test]
fn two_migrations_of_different_rows_meet() {
    for swapped in [false, true] {
        let [(_one, one), (_two, two)] = two_devices(&[("a", "a"), ("b", "b"), ("c", "c")]);
        {
            let a = v0::Library::open(&one).unwrap();
            let b = v0::Library::open(&two).unwrap();
            a.notes.update("a", |note| note.text = "a of a, before".into()).unwrap();
            b.notes.update("b", |note| note.text = "b of b, before".into()).unwrap();
            b.notes.insert(&v0::note("e", "e of b, before")).unwrap();
            a.notes.remove("c").unwrap();
        }
        let a = v1::Library::open(&one).unwrap();
        let b = v1::Library::open(&two).unwrap();
        // An edit on top of one that the other migration did not know.
        a.notes.update("a", |note| note.title = "a of a, after".into()).unwrap();
        if swapped {
            meet(&b, &a)
        } else {
            meet(&a, &b)
        }
        let expected =
            pairs(&[("a", "a of a, after"), ("b", "b of b, before"), ("e", "e of b, before")]);
        assert_eq!(titles(&a), expected);
        assert_eq!(titles(&b), expected);
        assert!(a.quarantine().unwrap().is_empty(), "{:?}", a.quarantine());
        drop((a, b));
        assert!(
            v1::Library::check(&one).unwrap().is_ok() && v1::Library::check(&two).unwrap().is_ok()
        );
    }
}

#[test]
fn old_code_that_comes_back_is_carried_or_kept() {
    let [(_one, one), (_two, two)] = two_devices(&[("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")]);
    let new = v1::Library::open(&one).unwrap();
    let old = v0::Library::open(&two).unwrap();
    new.notes.update("b", |note| note.title = "b, new".into()).unwrap();
    for (id, text) in [("a", "a, old"), ("b", "b, old"), ("c", "c, old")] {
        old.notes.update(id, |note| note.text = text.into()).unwrap();
    }
    old.notes.remove("d").unwrap();
    old.notes.insert(&v0::note("e", "e, old")).unwrap();
    old.settings.size.set(&9).unwrap();
    meet(&old, &new);
    let expected = pairs(&[("a", "a, old"), ("b", "b, new"), ("c", "c, old"), ("e", "e, old")]);
    assert_eq!(titles(&new), expected);
    assert_eq!(new.settings.font_size.get().unwrap(), 9);
    let kept = new.quarantine().unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(kept[0].theirs().contains("b, old") && kept[0].ours().unwrap().contains("b, new"));
    assert_eq!(kept[0].epoch(), 0);

    // Old code goes on, and can tell.
    assert_eq!(old.status().unwrap().newer_epoch(), Some(1));
    assert_eq!(old.notes.len().unwrap(), 4);
    old.notes.update("a", |note| note.text = "a, old again".into()).unwrap();
    old.notes.remove("e").unwrap();
    new.notes.update("c", |note| note.title = "c, new on top".into()).unwrap();
    old.notes.update("c", |note| note.text = "c, old again".into()).unwrap();
    meet(&old, &new);
    let expected = pairs(&[("a", "a, old again"), ("b", "b, new"), ("c", "c, new on top")]);
    assert_eq!(titles(&new), expected);
    let kept = new.quarantine().unwrap();
    assert_eq!(kept.len(), 2, "{kept:?}");
    let before = new.summary().unwrap();
    meet(&old, &new);
    assert_eq!(new.summary().unwrap(), before, "carrying again changes nothing");

    kept.iter().find(|kept| kept.key() == "b").unwrap().accept().unwrap();
    kept.iter().find(|kept| kept.key() == "c").unwrap().dismiss().unwrap();
    let expected = pairs(&[("a", "a, old again"), ("b", "b, old"), ("c", "c, new on top")]);
    assert_eq!(titles(&new), expected);
    meet(&old, &new);
    assert_eq!(titles(&new), expected);
    assert!(new.quarantine().unwrap().is_empty());
    drop(new);
    assert!(v1::Library::check(&one).unwrap().is_ok());
    assert_eq!(titles(&v1::Library::open(&one).unwrap()), expected);
}

#[test]
fn old_code_refuses_what_it_must() {
    let new = v1::Library::in_memory().unwrap();
    new.notes.insert(&v1::note("a", "a")).unwrap();
    let changes = new.changes_since(&Summary::default()).unwrap();
    let fresh = v0::Library::in_memory().unwrap();
    assert_eq!(fresh.apply(&changes).unwrap_err().kind(), ErrorKind::NewerEpoch);
    let strict = v0::Library::builder().refuse_newer_schema(true).in_memory().unwrap();
    strict.notes.insert(&v0::note("b", "b")).unwrap();
    assert_eq!(strict.apply(&changes).unwrap_err().kind(), ErrorKind::NewerEpoch);
    let old = v0::Library::in_memory().unwrap();
    old.notes.insert(&v0::note("b", "b")).unwrap();
    old.apply(&changes).unwrap();
    assert_eq!(old.status().unwrap().newer_epoch(), Some(1));
    assert_eq!(old.notes.len().unwrap(), 1);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("library.redb");
    drop(v1::Library::open(&path).unwrap());
    assert_eq!(v0::Library::open(&path).unwrap_err().kind(), ErrorKind::NewerEpoch);
}

#[test]
fn a_store_that_began_in_an_epoch_meets_rows_of_the_one_before() {
    let begun = v1::Library::in_memory().unwrap();
    begun.notes.insert(&v1::note("x", "begun here")).unwrap();
    begun.settings.font_size.set(&30).unwrap();
    let old = v0::Library::in_memory().unwrap();
    old.notes.insert(&v0::note("a", "old")).unwrap();
    old.settings.language.set("fr").unwrap();
    give(&old, &begun);
    assert_eq!(titles(&begun), pairs(&[("a", "old"), ("x", "begun here")]));
    assert_eq!(begun.settings.font_size.get().unwrap(), 30);
    assert_eq!(begun.settings.language.get().unwrap(), "fr");
    let third = v1::Library::in_memory().unwrap();
    give(&begun, &third);
    assert_eq!(titles(&third), titles(&begun));
}

#[test]
fn what_comes_by_a_migration_is_told_whether_or_not_anybody_observes() {
    fn keys(applied: &heirloom::sync::Applied) -> Vec<(String, String, ChangeKind)> {
        let changed = applied.tables().chain(applied.groups());
        let mut all: Vec<_> = changed
            .flat_map(|(of, changes)| {
                changes.iter().map(move |(key, kind)| (of.to_owned(), key.clone(), *kind))
            })
            .collect();
        all.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        all
    }
    let told = |of: &str, key: &str, kind| (of.to_owned(), key.to_owned(), kind);
    for observed in [false, true] {
        // Rows of the epoch before arrive, and are migrated.
        let begun = v1::Library::in_memory().unwrap();
        let _observed = observed.then(|| begun.notes.observe(|_| {}).unwrap());
        begun.notes.insert(&v1::note("x", "begun here")).unwrap();
        let old = v0::Library::in_memory().unwrap();
        old.notes.insert(&v0::note("a", "old")).unwrap();
        old.notes.insert(&v0::note("b", "old")).unwrap();
        old.settings.language.set("fr").unwrap();
        let applied = give(&old, &begun);
        let came = [
            told("notes", "a", ChangeKind::Inserted),
            told("notes", "b", ChangeKind::Inserted),
            told("settings", "language", ChangeKind::Inserted),
        ];
        assert_eq!(keys(&applied), came);
        assert_eq!((applied.rows(), applied.entries(), applied.is_empty()), (2, 1, false));
        assert!(give(&old, &begun).is_empty());

        // The migration of another device is gone over to: only what differs in it is told.
        let [(_one, one), (_two, two)] = two_devices(&[("a", "a"), ("b", "b"), ("c", "c")]);
        let a = v1::Library::open(&one).unwrap();
        let b = v1::Library::open(&two).unwrap();
        let _observed =
            observed.then(|| (a.notes.observe(|_| {}).unwrap(), b.notes.observe(|_| {}).unwrap()));
        for app in [&a, &b] {
            app.notes.update("a", |note| note.title = "the same".into()).unwrap();
        }
        b.notes.update("b", |note| note.title = "b of b".into()).unwrap();
        b.notes.remove("c").unwrap();
        b.notes.insert(&v1::note("d", "d of b")).unwrap();
        let before = titles(&a);
        let applied = give(&b, &a);
        assert_ne!(titles(&a), before);
        let came = [
            told("notes", "b", ChangeKind::Updated),
            told("notes", "c", ChangeKind::Removed),
            told("notes", "d", ChangeKind::Inserted),
        ];
        assert_eq!(keys(&applied), came);
        assert!(give(&a, &b).is_empty());
    }
}

#[test]
fn a_rebuild_sheds_history_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("library.redb");
    let a = v0::Library::open(&path).unwrap();
    let b = v0::Library::in_memory().unwrap();
    for round in 0..50 {
        for id in 0..20 {
            a.notes.put(&v0::note(&format!("{id:02}"), &format!("round {round}"))).unwrap();
        }
    }
    meet(&a, &b);
    let before = a.status().unwrap().history();
    assert!(before.items_per_live_row() > 10.0, "{before:?}");
    b.notes.update("00", |note| note.text = "before b hears of it".into()).unwrap();
    a.compact_history().unwrap();
    let status = a.status().unwrap();
    assert_eq!((status.epoch(), status.generation()), (0, 1));
    assert!(status.history().items_per_live_row() < 1.1, "{:?}", status.history());
    assert!(status.history().document_bytes() < before.document_bytes());
    a.notes.update("01", |note| note.text = "in the new one".into()).unwrap();
    meet(&a, &b);
    for app in [&a, &b] {
        assert_eq!(app.notes.len().unwrap(), 20);
        assert_eq!(app.notes.get("00").unwrap().unwrap().text, "before b hears of it");
        assert_eq!(app.notes.get("01").unwrap().unwrap().text, "in the new one");
        assert_eq!(app.status().unwrap().generation(), 1);
        assert!(app.quarantine().unwrap().is_empty());
    }
    let pruned = a.prune_epochs().unwrap();
    assert_eq!(pruned.gone().count(), 1, "{pruned}");
    meet(&a, &b);
    assert_eq!(a.notes.len().unwrap(), 20);
    drop(a);
    assert!(v0::Library::check(&path).unwrap().is_ok());
    let a = v0::Library::open(&path).unwrap();
    assert_eq!(a.notes.len().unwrap(), 20);
}

#[test]
fn a_file_goes_back_to_old_code_and_forth() {
    let (_folder, path) = file_of_epoch_0(&[("a", "a"), ("b", "b")]);
    {
        let new = v1::Library::open(&path).unwrap();
        new.notes.update("a", |note| note.title = "a, new".into()).unwrap();
    }
    {
        let old = v0::Library::open(&path).unwrap();
        assert_eq!(old.notes.get("a").unwrap().unwrap().text, "a");
        old.notes.update("b", |note| note.text = "b, old".into()).unwrap();
        assert_eq!(old.status().unwrap().newer_epoch(), Some(1));
    }
    let new = v1::Library::open(&path).unwrap();
    assert_eq!(titles(&new), pairs(&[("a", "a, new"), ("b", "b, old")]));
    drop(new);
    assert!(v1::Library::check(&path).unwrap().is_ok());
}
