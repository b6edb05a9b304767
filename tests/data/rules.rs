//! `#[check(…)]`: rules of the values of rows.

use crate::support::{exchange, give_rows, refused, rows};
use heirloom::schema::Class;
use heirloom::transfer::OnExisting;
use heirloom::{ErrorKind, Id, Ref, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "folders")]
struct Folder {
    #[key]
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "entries")]
#[check(from <= to)]
#[check(tags.iter().all(|tag| tag.len() as i64 <= to) || r#type.is_some())]
struct Entry {
    #[key]
    number: u32,
    #[check(from >= 0)]
    from: i64,
    #[serde(rename = "until")]
    to: i64,
    tags: Vec<String>,
    r#type: Option<String>,
    /// Divides by zero for an empty row.
    #[check(100 / (from + to + share) > -1000)]
    share: i64,
    #[reference(on_remove = "set_null")]
    #[check(folder.is_some() || share != 7)]
    folder: Option<Ref<Folder>>,
    #[updated]
    #[check(changed > 0)]
    changed: i64,
}

#[derive(Store)]
#[store(name = "rules")]
struct App {
    folders: Table<Folder>,
    entries: Table<Entry>,
}

/// The same table before there were rules.
mod older {
    use heirloom::{Ref, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "entries")]
    pub struct Entry {
        #[key]
        pub number: u32,
        pub from: i64,
        pub until: i64,
        pub tags: Vec<String>,
        pub r#type: Option<String>,
        pub share: i64,
        pub folder: Option<Ref<super::Folder>>,
        pub changed: i64,
    }

    #[derive(Store)]
    #[store(name = "rules")]
    pub struct App {
        pub folders: Table<super::Folder>,
        pub entries: Table<Entry>,
    }

    pub fn entry(number: u32, from: i64, until: i64) -> Entry {
        Entry {
            number,
            from,
            until,
            tags: vec![],
            r#type: None,
            share: 1,
            folder: None,
            changed: 1,
        }
    }
}

fn entry(number: u32, from: i64, to: i64) -> Entry {
    Entry { number, from, to, tags: vec![], r#type: None, share: 1, folder: None, changed: 0 }
}

#[test]
fn each_way_of_writing_is_checked() {
    let app = App::in_memory().unwrap();
    app.entries.insert(&entry(1, 0, 5)).unwrap();
    let before = app.summary().unwrap();
    let bad = entry(2, 9, 5);
    let writes: Vec<heirloom::Result<()>> = vec![
        app.entries.insert(&bad),
        app.entries.put(&bad),
        app.entries.put(&entry(1, 6, 5)),
        app.entries.insert_many([entry(3, 0, 1), bad.clone()]).map(drop),
        app.entries.insert_or_ignore(&bad).map(drop),
        app.entries.upsert_by(Entry::NUMBER, &bad).map(drop),
        app.entries.update(&1, |entry| entry.from = 6).map(drop),
        app.entries.query().update_all(|entry| entry.to = -2).map(drop),
        app.transaction(|tx| {
            tx.insert(&entry(4, 0, 1))?;
            tx.put(&bad)
        }),
        app.entries
            .import(
                &b"{\"number\":5,\"from\":1,\"until\":0,\"tags\":[],\"share\":1,\"changed\":1}"[..],
                OnExisting::Fail,
            )
            .map(drop),
    ];
    for (number, write) in writes.into_iter().enumerate() {
        let error = refused(write);
        assert_eq!(error.kind(), ErrorKind::CheckFailed, "{number}: {error}");
        assert_eq!(
            (error.table(), error.field()),
            (Some("entries"), Some("from, until")),
            "{error}"
        );
    }
    assert!(app.changes_since(&before).unwrap().is_empty());
    let error = refused(app.entries.put(&bad));
    assert_eq!((error.key(), error.found()), (Some("2"), Some("from = 9, until = 5")), "{error}");
    assert!(error.to_string().contains("`from <= to`"), "{error}");
    // Of several rules the first is named.
    assert!(refused(app.entries.insert(&entry(2, -1, 5))).to_string().contains("`from >= 0`"));
    let tagged = Entry { tags: vec!["long tag".into()], ..entry(2, 0, 5) };
    assert_eq!(refused(app.entries.insert(&tagged)).kind(), ErrorKind::CheckFailed);
    app.entries.insert(&Entry { r#type: Some("x".into()), ..tagged }).unwrap();
}

#[test]
fn a_rule_that_panics_refuses_the_write_and_nothing_else() {
    let app = App::in_memory().unwrap();
    let error = refused(app.entries.insert(&Entry { share: 0, ..entry(1, 0, 0) }));
    assert_eq!(error.kind(), ErrorKind::CheckFailed);
    assert!(error.to_string().contains("panicked"), "{error}");
    app.entries.insert(&entry(1, 0, 1)).unwrap();
    assert_eq!(app.entries.len().unwrap(), 1);
}

#[test]
fn a_removal_that_would_break_a_rule_is_refused() {
    let app = App::in_memory().unwrap();
    app.folders.insert(&Folder { name: "a".into() }).unwrap();
    let bound = Entry { folder: Some(Ref::new("a")), share: 7, ..entry(1, 0, 1) };
    app.entries.insert(&bound).unwrap();
    assert_eq!(refused(app.folders.remove("a")).kind(), ErrorKind::CheckFailed);
    assert!(app.folders.contains("a").unwrap());
    app.entries.update(&1, |entry| entry.share = 8).unwrap();
    assert!(app.folders.remove("a").unwrap());
}

#[test]
fn rows_of_others_are_taken_and_listed() {
    let peer = older::App::in_memory().unwrap();
    peer.entries
        .insert_many([older::entry(1, 3, 2), older::entry(2, -1, 2), older::entry(3, 0, 2)])
        .unwrap();
    let app = App::in_memory().unwrap();
    give_rows(&peer, &app);
    assert_eq!(rows(&app.entries).len(), 3);
    let found = app.entries.violations().unwrap();
    let words: Vec<_> = found.iter().map(|v| (v.key(), v.rule(), v.values())).collect();
    assert_eq!(
        words,
        [("1", "from <= to", "from = 3, until = 2"), ("2", "from >= 0", "from = -1")]
    );
    assert_eq!(found[0].key_of::<Entry>(), Some(1));
    assert_eq!(found[0].key_of::<Folder>(), None);
    assert!(app.entries.invalid().unwrap().is_empty());
    // It is read as before, and written once it keeps the rules again.
    assert_eq!(
        refused(app.entries.update(&1, |entry| entry.tags.push("x".into()))).kind(),
        ErrorKind::CheckFailed
    );
    app.entries.update(&1, |entry| entry.to = 3).unwrap();
    app.entries.remove(&2).unwrap();
    assert!(app.entries.violations().unwrap().is_empty());
    let other = App::in_memory().unwrap();
    exchange(&app, &other);
    assert_eq!(rows(&other.entries), rows(&app.entries));
}

#[test]
fn the_schema_shows_the_rules_and_a_new_one_is_a_warning() {
    let (old, new) = (older::App::schema(), App::schema());
    let checks = &new.tables["entries"].checks;
    assert!(checks.contains(&"from <= to".to_owned()) && checks.len() == 6, "{checks:?}");
    assert!(old.tables["entries"].checks.is_empty());
    let diff = old.diff(&new);
    assert_eq!(diff.class(), Class::Warn, "{diff}");
    let rules: Vec<_> = diff.iter().map(|change| change.rule()).collect();
    assert_eq!(rules, ["check-added"; 6]);
    assert_eq!(new.diff(&old).class(), Class::Warn);
    assert_ne!(old.fingerprint(), new.fingerprint());
    let text = serde_json::to_string(&new).unwrap();
    assert_eq!(serde_json::from_str::<heirloom::schema::Schema>(&text).unwrap(), new);
}

proptest! {
    #[test]
    fn what_is_stored_keeps_the_rules(
        writes in prop::collection::vec((0..3u32, -3..4i64, -3..4i64, -3..4i64), 1..20),
    ) {
        let app = App::in_memory().unwrap();
        for (number, from, to, share) in writes {
            let row = Entry { share, ..entry(number, from, to) };
            let kept = from >= 0 && from <= to && from + to + share != 0 && share != 7;
            let before = app.entries.get(&number).unwrap();
            prop_assert_eq!(app.entries.put(&row).is_ok(), kept);
            if !kept {
                prop_assert_eq!(app.entries.get(&number).unwrap(), before);
            }
        }
        prop_assert!(app.entries.violations().unwrap().is_empty());
    }
}

/// Ids and rules do not get in each other's way.
#[test]
fn a_field_named_like_a_local_is_the_field() {
    #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    struct Odd {
        id: Id<Odd>,
        #[check(kept && check.len() < 3)]
        kept: bool,
        check: String,
    }
    #[derive(Store)]
    struct Odds {
        odd: Table<Odd>,
    }
    let app = Odds::in_memory().unwrap();
    app.odd.insert(&Odd { id: Id::new(), kept: true, check: "ab".into() }).unwrap();
    refused(app.odd.insert(&Odd { id: Id::new(), kept: false, check: "ab".into() }));
    refused(app.odd.insert(&Odd { id: Id::new(), kept: true, check: "abc".into() }));
}
