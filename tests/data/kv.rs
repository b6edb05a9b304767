//! Single values: defaults until they are set, each on its own.

use crate::support::{
    Heard, Notebook, assert_sound, converge, file, give, give_rows, place, refused,
};
use heirloom::watch::{ChangeKind, Origin};
use heirloom::{ErrorKind, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "profile")]
struct Profile {
    #[evolve(default = "Ada")]
    first: String,
    #[evolve(default = "L.")]
    last: String,
    #[evolve(default = |first, last| format!("{first} {last}"))]
    shown: String,
    #[evolve(default)]
    ages: Vec<u8>,
    #[serde(rename = "e-mail", alias = "mail")]
    email: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "rows")]
struct Row {
    #[key]
    id: u8,
}

#[derive(Store)]
#[store(name = "app")]
struct App {
    rows: Table<Row>,
    profile: Kv<Profile>,
}

/// Other code for the same store, from before versions were recorded: other types, which nobody
/// refused, and entries that `App` does not know.
mod other {
    use super::*;

    #[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "profile")]
    pub struct Profile {
        pub first: Option<u32>,
        pub ages: Option<Vec<i64>>,
        pub mail: Option<String>,
        pub later: Option<String>,
    }

    #[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "later_group")]
    pub struct Later {
        pub value: Option<u32>,
    }

    #[derive(Store)]
    #[store(name = "app")]
    pub struct App {
        pub profile: Kv<Profile>,
        pub later: Kv<Later>,
    }
}

fn shown(app: &App) -> String {
    app.profile.shown.get().unwrap()
}

#[test]
fn an_entry_is_its_default_until_it_is_set_and_again_after_a_reset() {
    let (_folder, path) = place();
    let app = App::open(&path).unwrap();
    assert_eq!((app.profile.first.get().unwrap(), shown(&app)), ("Ada".into(), "Ada L.".into()));
    assert_eq!((app.profile.ages.get().unwrap(), app.profile.email.get().unwrap()), (vec![], None));
    // A computed default follows what it is computed from.
    app.profile.first.set("Bob").unwrap();
    assert_eq!(shown(&app), "Bob L.");
    app.profile.shown.set("B").unwrap();
    app.profile.last.set("M.").unwrap();
    app.profile.ages.set(&vec![1, 2]).unwrap();
    drop(app);

    let app = App::open(&path).unwrap();
    let expected = Profile {
        first: "Bob".into(),
        last: "M.".into(),
        shown: "B".into(),
        ages: vec![1, 2],
        email: None,
    };
    assert_eq!(app.profile.get().unwrap(), expected);
    app.profile.shown.reset().unwrap();
    app.profile.first.reset().unwrap();
    assert_eq!(shown(&app), "Ada M.");
    drop(app);
    assert_eq!(App::open(&path).unwrap().profile.get().unwrap().shown, "Ada M.");
    assert_sound::<App>(&path);
}

#[test]
fn setting_the_default_pins_it() {
    // It is a value like any other, which a later version's default must not change.
    let app = App::in_memory().unwrap();
    app.profile.last.set("L.").unwrap();
    let later = later_defaults(&app);
    assert_eq!(later, ("Eve".to_owned(), "L.".to_owned()));
}

fn later_defaults(app: &App) -> (String, String) {
    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "profile")]
    struct Profile {
        #[evolve(default = "Eve")]
        first: String,
        #[evolve(default = "X.")]
        last: String,
    }

    #[derive(Store)]
    #[store(name = "app")]
    struct Later {
        profile: Kv<Profile>,
    }

    let later = Later::in_memory().unwrap();
    give(app, &later);
    let profile = later.profile.get().unwrap();
    (profile.first, profile.last)
}

#[test]
fn a_value_that_does_not_decode_costs_one_entry() {
    let other = other::App::in_memory().unwrap();
    other.profile.first.set(&Some(7)).unwrap();
    other.profile.ages.set(&Some(vec![1, -1])).unwrap();
    let app = App::in_memory().unwrap();
    give_rows(&other, &app);

    for (error, field, found) in [
        (refused(app.profile.first.get()), "first", "7"),
        (refused(app.profile.ages.get()), "ages", "[1,-1]"),
    ] {
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRow, Some(field)));
        assert_eq!((error.group(), error.found()), (Some("profile"), Some(found)));
        assert!(error.expected().is_some() && error.to_string().contains("reset"), "{error}");
    }
    assert_eq!(app.profile.last.get().unwrap(), "L.");
    // An entry that is computed from it says so, rather than use a default that is not there.
    let error = refused(app.profile.shown.get());
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRow, Some("shown")));
    let error = refused(app.profile.get());
    assert_eq!((error.kind(), error.group()), (ErrorKind::InvalidRow, Some("profile")));
    let snapshot = app.snapshot().unwrap();
    assert_eq!(refused(snapshot.entry(&app.profile.first)).kind(), ErrorKind::InvalidRow);
    assert_eq!(snapshot.entry(&app.profile.last).unwrap(), "L.");

    // Either way out works.
    app.profile.first.set("Cy").unwrap();
    app.profile.ages.reset().unwrap();
    assert_eq!((shown(&app), app.profile.get().unwrap().ages), ("Cy L.".into(), vec![]));
    give_rows(&app, &other);
    assert_eq!(refused(other.profile.first.get()).kind(), ErrorKind::InvalidRow);
    assert_eq!(other.profile.ages.get().unwrap(), None);
}

#[test]
fn entries_and_groups_of_other_code_survive_writes_and_restarts() {
    let (_folder, path) = place();
    {
        let other = other::App::open(&path).unwrap();
        other.profile.later.set(&Some("kept".into())).unwrap();
        other.later.value.set(&Some(5)).unwrap();
        other.profile.mail.set(&Some("a@b".into())).unwrap();
    }
    file::forget_versions(&path);
    {
        let app = App::open(&path).unwrap();
        assert_eq!(app.profile.email.get().unwrap().as_deref(), Some("a@b"), "by its alias");
        app.profile.first.set("Bob").unwrap();
        app.profile.email.set(&Some("c@d".into())).unwrap();
        assert_eq!(app.profile.get().unwrap().email.as_deref(), Some("c@d"));
        // Entries that come meanwhile for a group that this code does not know are kept, too.
        let peer = other::App::in_memory().unwrap();
        give_rows(&app, &peer);
        peer.later.value.set(&Some(6)).unwrap();
        give_rows(&peer, &app);
    }
    assert_sound::<App>(&path);
    file::forget_versions(&path);
    assert_sound::<other::App>(&path);
    let other = other::App::open(&path).unwrap();
    assert_eq!(other.profile.later.get().unwrap().as_deref(), Some("kept"));
    assert_eq!(other.later.value.get().unwrap(), Some(6));
    assert_eq!(other.profile.mail.get().unwrap(), None, "it moved to its new name");
}

#[test]
fn entries_are_part_of_transactions_and_snapshots() {
    let app = App::in_memory().unwrap();
    let snapshot = app.snapshot().unwrap();
    app.transaction(|tx| {
        tx.set(&app.profile.first, "Bob")?;
        assert_eq!(tx.entry(&app.profile.shown)?, "Bob L.");
        assert_eq!(tx.group::<Profile>()?.shown, "Bob L.");
        tx.set(&app.profile.last, "M.")?;
        tx.reset(&app.profile.last)?;
        tx.insert(&Row { id: 1 })
    })
    .unwrap();
    assert_eq!(shown(&app), "Bob L.");
    assert_eq!(snapshot.entry(&app.profile.shown).unwrap(), "Ada L.");
    assert_eq!(snapshot.group::<Profile>().unwrap().first, "Ada");
    let failed = app.transaction(|tx| {
        tx.set(&app.profile.first, "Cy")?;
        tx.insert(&Row { id: 1 })
    });
    assert_eq!(refused(failed).kind(), ErrorKind::AlreadyExists);
    assert_eq!(shown(&app), "Bob L.");
}

#[test]
fn observers_of_an_entry_are_given_its_value_and_those_of_a_group_the_names() {
    let (app, peer) = (Notebook::in_memory().unwrap(), Notebook::in_memory().unwrap());
    let (sizes, names, nicknames) = (Heard::default(), Heard::default(), Heard::default());
    let (on_size, on_group, on_nickname) = (sizes.clone(), names.clone(), nicknames.clone());
    let _size = app.settings.size.observe(move |size| on_size.note(size)).unwrap();
    let _nickname = app.settings.nickname.observe(move |name| on_nickname.note(name)).unwrap();
    let _group = app
        .settings
        .observe(move |changes| {
            for change in changes.iter() {
                on_group.note((changes.origin(), change.name().to_owned(), change.kind()));
            }
        })
        .unwrap();

    app.settings.size.set(&5).unwrap();
    app.settings.theme.set("dark").unwrap();
    app.settings.size.reset().unwrap();
    app.settings.nickname.set(&Some("n".into())).unwrap();
    app.settings.nickname.set(&None).unwrap();
    assert_eq!(sizes.take(), [5, 12]);
    assert_eq!(nicknames.take(), [Some("n".to_owned()), None]);
    let kinds: Vec<_> = names.take().into_iter().map(|(_, name, kind)| (name, kind)).collect();
    assert_eq!(
        kinds[..3],
        [
            ("size".to_owned(), ChangeKind::Inserted),
            ("theme".to_owned(), ChangeKind::Inserted),
            ("size".to_owned(), ChangeKind::Removed),
        ]
    );

    converge(&app, &peer);
    peer.settings.size.set(&30).unwrap();
    give(&peer, &app);
    assert_eq!(sizes.take(), [30]);
    assert_eq!(names.take(), [(Origin::Remote, "size".to_owned(), ChangeKind::Inserted)]);
    app.transaction(|tx| {
        tx.set(&app.settings.size, &1)?;
        tx.set(&app.settings.size, &2)
    })
    .unwrap();
    assert_eq!(sizes.take(), [2], "once a commit");
}
