//! `#[check(…)]` in a kv group.

use crate::support::{give, give_rows, refused};
use heirloom::schema::{Class, History};
use heirloom::transfer::OnExisting;
use heirloom::{ErrorKind, Kv, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "window")]
#[check(least <= width)]
#[check(1000 / (width - least + steps) < 1000)]
struct Window {
    #[check(width > 0)]
    #[evolve(default = 800)]
    #[serde(rename = "w", alias = "breadth")]
    width: i64,
    #[evolve(default = 200)]
    least: i64,
    #[evolve(default = |least| least / 100)]
    steps: i64,
    #[check(title.as_deref() != Some(""))]
    title: Option<String>,
}

#[derive(Store)]
#[store(name = "windows")]
struct App {
    window: Kv<Window>,
}

/// The same group before there were rules.
mod older {
    use heirloom::{Kv, Store};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "window")]
    pub struct Window {
        #[evolve(default = 800)]
        #[serde(rename = "w", alias = "breadth")]
        pub width: i64,
        #[evolve(default = 200)]
        pub least: i64,
        #[evolve(default = |least| least / 100)]
        pub steps: i64,
        pub title: Option<String>,
    }

    #[derive(Store)]
    #[store(name = "windows")]
    pub struct App {
        pub window: Kv<Window>,
    }
}

/// The same group whose width is a text.
mod other_type {
    use heirloom::{Kv, Store};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "window")]
    pub struct Window {
        #[evolve(default)]
        pub w: String,
    }

    #[derive(Store)]
    #[store(name = "windows")]
    pub struct App {
        pub window: Kv<Window>,
    }
}

#[test]
fn each_way_of_writing_is_checked() {
    let app = App::in_memory().unwrap();
    app.window.least.set(&300).unwrap();
    app.window.width.set(&400).unwrap();
    let before = app.summary().unwrap();
    let line = "{\"group\":\"window\",\"entry\":\"w\",\"value\":7}";
    let writes: Vec<heirloom::Result<()>> = vec![
        app.window.width.set(&7),
        app.window.least.set(&401),
        app.transaction(|tx| tx.set(&app.window.width, &7)),
        app.transaction(|tx| {
            tx.set(&app.window.least, &900)?;
            // Its default is 800.
            tx.reset(&app.window.width)
        }),
        app.import(line.as_bytes(), OnExisting::Replace).map(drop),
    ];
    for (number, write) in writes.into_iter().enumerate() {
        let error = refused(write);
        assert_eq!(error.kind(), ErrorKind::CheckFailed, "{number}: {error}");
        assert_eq!((error.group(), error.field()), (Some("window"), Some("least, w")), "{error}");
    }
    assert!(app.changes_since(&before).unwrap().is_empty());
    let error = refused(app.window.width.set(&7));
    assert_eq!(error.found(), Some("least = 300, w = 7"));
    assert!(error.to_string().contains("the group breaks the rule `least <= width`"), "{error}");
    assert_eq!(refused(app.window.title.set(&Some(String::new()))).field(), Some("title"));
}

#[test]
fn entries_are_changed_together() {
    let app = App::in_memory().unwrap();
    app.transaction(|tx| {
        tx.set(&app.window.least, &900)?;
        tx.set(&app.window.width, &1_000)
    })
    .unwrap();
    assert_eq!(app.window.get().unwrap().width, 1_000);
    assert_eq!(refused(app.window.width.reset()).kind(), ErrorKind::CheckFailed);
}

#[test]
fn a_rule_that_panics_refuses_the_write_and_nothing_else() {
    let app = App::in_memory().unwrap();
    let error = refused(app.transaction(|tx| {
        tx.set(&app.window.width, &200)?;
        tx.set(&app.window.steps, &0)
    }));
    assert_eq!(error.kind(), ErrorKind::CheckFailed);
    assert!(error.to_string().contains("panicked"), "{error}");
    app.window.width.set(&201).unwrap();
}

#[test]
fn the_default_that_reads_an_entry_is_checked() {
    let app = App::in_memory().unwrap();
    app.window.width.set(&5_000).unwrap();
    // `steps` is computed from it, and its rule divides by zero.
    let error = refused(app.window.least.set(&5_050_000));
    assert_eq!(error.kind(), ErrorKind::CheckFailed);
}

#[test]
fn entries_of_others_are_taken_and_listed() {
    let peer = older::App::in_memory().unwrap();
    peer.window.width.set(&100).unwrap();
    let app = App::in_memory().unwrap();
    give(&peer, &app);
    assert_eq!(app.window.width.get().unwrap(), 100);
    let found = app.window.violations().unwrap();
    assert_eq!(found.len(), 1);
    let it = &found[0];
    assert_eq!((it.table(), it.key(), it.rule()), ("window", "", "least <= width"));
    assert_eq!(it.values(), "least = nothing, w = 100");
    assert!(it.to_string().starts_with("the kv group `window` breaks the rule"), "{it}");
    // A write that does not touch the rule is done.
    app.window.title.set(&Some("x".into())).unwrap();
    app.window.width.set(&300).unwrap();
    assert!(app.window.violations().unwrap().is_empty());
}

#[test]
fn an_entry_that_does_not_decode_suspends_the_rules_of_its_group() {
    let peer = other_type::App::in_memory().unwrap();
    peer.window.w.set("wide").unwrap();
    let app = App::in_memory().unwrap();
    give_rows(&peer, &app);
    assert_eq!(refused(app.window.violations()).kind(), ErrorKind::InvalidRow);
    app.window.least.set(&9_000).unwrap();
    assert_eq!(refused(app.window.width.set(&8_000)).kind(), ErrorKind::CheckFailed);
    app.window.width.set(&9_001).unwrap();
}

#[test]
fn the_schema_shows_the_rules_and_a_new_one_is_a_warning() {
    let (old, new) = (older::App::schema(), App::schema());
    let rules = &new.groups["window"].checks;
    assert!(rules.contains(&"least <= width".to_owned()) && rules.len() == 4, "{rules:?}");
    let diff = old.diff(&new);
    assert_eq!(diff.class(), Class::Warn, "{diff}");
    assert!(
        diff.iter()
            .all(|change| change.rule() == "check-added" && change.group() == Some("window"))
    );
    assert_ne!(old.fingerprint(), new.fingerprint());
    let mut history = History::new("windows");
    assert!(history.record(&new, "2026-11-30").unwrap());
    let read = History::parse(history.text()).unwrap();
    assert_eq!(read.newest().unwrap().schema(), &new);
    let text = serde_json::to_string(&new).unwrap();
    assert_eq!(serde_json::from_str::<heirloom::schema::Schema>(&text).unwrap(), new);
}
