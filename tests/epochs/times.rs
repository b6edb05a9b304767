//! `#[created]` and `#[updated]` through an epoch, late edits and a rebuild.

use std::time::{Duration, UNIX_EPOCH};

use crate::support::{give, place};

mod v0 {
    use heirloom::{Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        #[key]
        pub id: String,
        pub text: String,
        #[created]
        pub made: i64,
        #[updated]
        pub changed: i64,
    }

    #[derive(Store)]
    #[store(name = "timed")]
    pub struct App {
        pub notes: Table<Note>,
    }
}

mod v1 {
    use super::v0;
    use heirloom::{Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", previous = v0::Note)]
    #[check(!title.is_empty())]
    pub struct Note {
        #[key]
        pub id: String,
        #[evolve(renamed_from = "text")]
        pub title: String,
        #[created]
        #[evolve(renamed_from = "made")]
        pub born: i64,
        #[updated]
        pub changed: i64,
    }

    #[derive(Store)]
    #[store(name = "timed", epoch = 1, previous = v0::App)]
    pub struct App {
        pub notes: Table<Note>,
    }
}

fn at(seconds: u64) -> impl Fn() -> std::time::SystemTime {
    move || UNIX_EPOCH + Duration::from_secs(seconds)
}

fn note(id: &str, text: &str) -> v0::Note {
    v0::Note { id: id.into(), text: text.into(), made: 0, changed: 0 }
}

/// Title, when it was made, and when it was changed, in seconds.
fn shown(app: &v1::App, id: &str) -> (String, i64, i64) {
    let note = app.notes.get(id).unwrap().unwrap();
    (note.title, note.born / 1000, note.changed / 1000)
}

#[test]
fn an_epoch_a_late_edit_and_a_rebuild_keep_the_times_of_their_authors() {
    let (_dir, path) = place();
    let old = v0::App::builder().clock(at(10)).open(&path).unwrap();
    old.notes.insert_many([note("a", "one"), note("b", ""), note("c", "three")]).unwrap();
    drop(old);
    let other = path.with_extension("other");
    std::fs::copy(&path, &other).unwrap();
    let app = v1::App::builder().clock(at(500)).open(&path).unwrap();
    assert_eq!(shown(&app, "a"), ("one".to_owned(), 10, 10));
    // A migration refuses nothing: what breaks a rule is listed.
    let broken = app.notes.violations().unwrap();
    assert_eq!(broken.iter().map(|it| it.key()).collect::<Vec<_>>(), ["b"]);

    // Edits of the epoch before arrive later, with the times of their device.
    let late = v0::App::builder().clock(at(70)).open(&other).unwrap();
    late.notes.update("a", |note| note.text = "late".into()).unwrap();
    late.notes.insert(&note("d", "")).unwrap();
    give(&late, &app);
    assert_eq!(shown(&app, "a"), ("late".to_owned(), 10, 70));
    assert_eq!(shown(&app, "d"), (String::new(), 70, 70));
    assert_eq!(app.notes.violations().unwrap().len(), 2);

    app.compact_history().unwrap();
    assert_eq!(shown(&app, "a"), ("late".to_owned(), 10, 70));
    // The next local write is later than all of them.
    app.notes.update("a", |note| note.title = "now".into()).unwrap();
    assert_eq!(shown(&app, "a"), ("now".to_owned(), 10, 500));
}
