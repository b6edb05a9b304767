//! Heads that say what is not so, and documents that are not what they should be: works on what is
//! there, says so, loses nothing.

#![allow(dead_code, reason = "the groups are there for the schemas")]

use crate::support::forge::{self, Value};
use crate::support::give;
use heirloom::sync::{Changes, Summary};
use heirloom::{ErrorKind, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod v0 {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        #[key]
        pub id: String,
        pub text: String,
    }

    #[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        #[evolve(default)]
        pub size: u32,
    }

    #[derive(Debug, Store)]
    #[store(name = "library")]
    pub struct Library {
        pub notes: Table<Note>,
        pub settings: Kv<Settings>,
    }
}

mod v1 {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", previous = v0::Note)]
    pub struct Note {
        #[key]
        pub id: String,
        #[evolve(renamed_from = "text")]
        pub title: String,
    }

    #[derive(Debug, Store)]
    #[store(name = "library", epoch = 1, previous = v0::Library)]
    pub struct Library {
        pub notes: Table<Note>,
        pub settings: Kv<v0::Settings>,
    }
}

/// Code that has thrown away the structs of the epochs before.
mod forgetful {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        #[key]
        pub id: String,
        pub title: String,
        #[evolve(default)]
        pub body: String,
    }

    #[derive(Debug, Store)]
    #[store(name = "library", epoch = 2)]
    pub struct Library {
        pub notes: Table<Note>,
    }
}

const CLAIM: &str = "1.0/00000000-0000-7000-8000-000000000001";

/// Changes of the head document in which `client` writes claims.
fn claims(client: u64, values: &[(&str, Value<'_>)]) -> Changes {
    let update = forge::update(client, 0, "kv:epochs", values);
    Changes::from_bytes(&forge::framed("library", "head", &update)).unwrap()
}

/// Changes of a document in which `client` writes rows.
fn rows(document: &str, client: u64, values: &[(&str, Value<'_>)]) -> Changes {
    let update = forge::update(client, 0, "table:notes", values);
    Changes::from_bytes(&forge::framed("library", document, &update)).unwrap()
}

fn claim_json(client: u64, baseline: u32) -> String {
    format!(r#"{{"client":{client},"baseline":{baseline},"source":"0","covers":{{"0":{{}}}}}}"#)
}

fn library() -> v1::Library {
    let old = v0::Library::in_memory().unwrap();
    old.notes.insert(&v0::Note { id: "a".into(), text: "one".into() }).unwrap();
    let new = v1::Library::in_memory().unwrap();
    give(&old, &new);
    assert_eq!(titles(&new), ["one"]);
    new
}

fn titles(app: &v1::Library) -> Vec<String> {
    app.notes.iter().unwrap().map(|note| note.unwrap().title).collect()
}

#[test]
fn a_migration_that_has_not_arrived_is_waited_for() {
    let app = library();
    let json = claim_json(7, 2);
    app.apply(&claims(8, &[(CLAIM, Value::Text(&json))])).unwrap();
    assert_eq!(titles(&app), ["one"]);
    assert_eq!(app.status().unwrap().missing_documents(), [CLAIM]);
    app.notes.insert(&v1::Note { id: "b".into(), title: "two".into() }).unwrap();

    // A part of it is none of it.
    let first = r#"{"id":"a","title":"one"}"#;
    app.apply(&rows(CLAIM, 7, &[("a", Value::Text(first))])).unwrap();
    assert_eq!(titles(&app), ["one", "two"]);
    assert_eq!(app.status().unwrap().missing_documents(), [CLAIM]);

    // The rest of it is the winner, since no id is smaller: what is here is carried into it.
    let both = [("a", Value::Text(first)), ("c", Value::Text(r#"{"id":"c","title":"three"}"#))];
    app.apply(&rows(CLAIM, 7, &both)).unwrap();
    assert_eq!(titles(&app), ["one", "two", "three"]);
    assert!(app.status().unwrap().missing_documents().is_empty());
}

#[test]
fn claims_that_are_none_are_ignored_and_kept() {
    let app = library();
    let many = format!("{{\"client\":1{}", "[".repeat(5_000));
    let huge = claim_json(u64::MAX, u32::MAX);
    let circle = claim_json(9, 1).replace("\"0\"", &format!("\"{CLAIM}\""));
    let unknown =
        claim_json(9, 0).replace(r#""covers":{"0":{}}"#, r#""covers":{"0":{},"77":{"1":2}}"#);
    let second = "1.0/00000000-0000-7000-8000-000000000002";
    let values: [&[(&str, Value<'_>)]; 8] = [
        &[("", Value::Text("")), ("x\0", Value::Null)],
        &[("1.0/garbage", Value::Text(&huge)), ("-1.0/x", Value::Null)],
        &[(CLAIM, Value::Text("{}")), (second, Value::Null)],
        &[(CLAIM, Value::Text(&many))],
        &[(CLAIM, Value::Text(&huge))],
        &[(CLAIM, Value::Text(&circle))],
        &[(CLAIM, Value::Text(&unknown))],
        &[("4294967295.4294967295/00000000-0000-7000-8000-000000000003", Value::Text(&huge))],
    ];
    for (client, values) in (100..).zip(values) {
        app.apply(&claims(client, values)).unwrap();
        assert_eq!(titles(&app), ["one"], "client {client}");
        app.notes.put(&v1::Note { id: "a".into(), title: "one".into() }).unwrap();
        // They travel on.
        let other = library();
        give(&app, &other);
        assert_eq!(titles(&other), ["one"], "client {client}");
    }
}

#[test]
fn two_claims_of_one_id_come_to_the_same_everywhere() {
    let (low, high) = (claim_json(7, 1), claim_json(8, 1));
    let apart =
        [claims(20, &[(CLAIM, Value::Text(&low))]), claims(21, &[(CLAIM, Value::Text(&high))])];
    let documents = [
        rows(CLAIM, 7, &[("a", Value::Text(r#"{"id":"a","title":"of seven"}"#))]),
        rows(CLAIM, 8, &[("b", Value::Text(r#"{"id":"b","title":"of eight"}"#))]),
    ];
    let mut seen = Vec::new();
    for order in [[0, 1], [1, 0]] {
        let app = v1::Library::in_memory().unwrap();
        app.notes.insert(&v1::Note { id: "z".into(), title: "begun".into() }).unwrap();
        for which in order {
            app.apply(&documents[which]).unwrap();
            app.apply(&apart[which]).unwrap();
        }
        seen.push(titles(&app));
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].contains(&"begun".to_owned()), "{seen:?}");
}

#[test]
fn code_without_the_chain_is_refused_and_nothing_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("library.redb");
    let old = v0::Library::open(&path).unwrap();
    old.notes.insert(&v0::Note { id: "a".into(), text: "one".into() }).unwrap();
    drop(old);
    let before = std::fs::read(&path).unwrap();
    let refused = forgetful::Library::open(&path).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Migration);
    assert!(refused.to_string().contains("epoch 0"), "{refused}");
    assert!(refused.to_string().contains("`previous"), "{refused}");
    let refused = forgetful::Library::preview_migration(&path).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Migration);
    assert!(std::fs::read(&path).unwrap() == before, "the file is as it was");
    assert_eq!(v0::Library::open(&path).unwrap().notes.len().unwrap(), 1);

    // Documents of an epoch that it cannot read are kept and passed on.
    let forgetful = forgetful::Library::in_memory().unwrap();
    let old = v0::Library::open(&path).unwrap();
    give(&old, &forgetful);
    assert_eq!(forgetful.notes.len().unwrap(), 0);
    let third = v0::Library::in_memory().unwrap();
    third.notes.insert(&v0::Note { id: "b".into(), text: "two".into() }).unwrap();
    let changes = forgetful.changes_since(&Summary::default()).unwrap();
    third.apply(&changes).unwrap();
    assert_eq!(third.notes.len().unwrap(), 2);
}

#[test]
fn rows_of_an_epoch_before_that_do_not_decode_are_kept_visibly() {
    let old = v0::Library::in_memory().unwrap();
    old.notes.insert(&v0::Note { id: "a".into(), text: "one".into() }).unwrap();
    let new = library();
    let values = [
        ("b", Value::Text(r#"{"id":"b","text":7}"#)),
        ("c", Value::Text("no JSON")),
        ("d", Value::Null),
        ("e", Value::Text(r#"{"id":"elsewhere","text":"misplaced"}"#)),
    ];
    new.apply(&rows("0", 77, &values)).unwrap();
    let kept = new.quarantine().unwrap();
    let keys: Vec<&str> = kept.iter().map(|kept| kept.key()).collect();
    assert_eq!(keys, ["b", "c", "d"], "{kept:?}");
    assert!(titles(&new).contains(&"one".to_owned()));
    // The one that says it is elsewhere, is.
    assert_eq!(new.notes.get("elsewhere").unwrap().unwrap().title, "misplaced");
}

#[test]
fn a_forged_claim_hides_rows_and_what_it_hides_stays_in_the_file() {
    let app = library();
    app.notes.put(&v1::Note { id: "b".into(), title: "two".into() }).unwrap();
    // It says that it was made of all that any device has written, and has one row of its own.
    let before = app.changes_since(&Summary::default()).unwrap().to_bytes();
    let device = app.status().unwrap().device().unwrap();
    let current = "1.0/";
    let at = before.windows(current.len()).position(|bytes| bytes == current.as_bytes());
    let source =
        at.map_or("1".to_owned(), |at| String::from_utf8(before[at..at + 40].to_vec()).unwrap());
    let forged = "1.1/00000000-0000-7000-8000-000000000001";
    let max = u32::MAX;
    let claim = format!(
        r#"{{"client":7,"baseline":1,"source":"{source}","covers":{{"{source}":{{"{device}":{max}}}}}}}"#
    );
    app.apply(&claims(8, &[(forged, Value::Text(&claim))])).unwrap();
    app.apply(&rows(forged, 7, &[("c", Value::Text(r#"{"id":"c","title":"forged"}"#))])).unwrap();
    let left = titles(&app);
    assert!(left.contains(&"forged".to_owned()) && !left.contains(&"two".to_owned()), "{left:?}");

    // The document from before is still there, and is given to others.
    let given = app.changes_since(&Summary::default()).unwrap().to_bytes();
    let kept = forge::updates_of(&given, &source).concat();
    assert!(kept.windows(3).any(|bytes| bytes == b"two"), "it is gone");
}

/// The document that a copy uses, which it has migrated into.
fn current_of(app: &v1::Library) -> String {
    let given = app.changes_since(&Summary::default()).unwrap().to_bytes();
    let mut documents = forge::all_updates(&given).into_iter().map(|(name, _)| name);
    documents.rfind(|name| name.starts_with("1.")).unwrap()
}

/// Changes in which `client` writes entries of one root map of a document.
fn entries(document: &str, client: u64, root: &str, values: &[(String, String)]) -> Changes {
    let values: Vec<_> = values.iter().map(|(key, it)| (&**key, Value::Text(it))).collect();
    let update = forge::update(client, 0, root, &values);
    Changes::from_bytes(&forge::framed("library", document, &update)).unwrap()
}

/// Writes, removes, rebuilds and exchanges: all of it works, and both copies come to the same.
fn goes_on(app: &v1::Library, what: &str) {
    let put = |id: &str, title: &str| {
        app.notes.put(&v1::Note { id: id.into(), title: title.into() }).unwrap();
    };
    put("mine", "mine");
    put("short", "short");
    assert!(app.notes.remove("short").unwrap());
    app.quarantine().unwrap();
    // An edit of older code that comes now is carried as ever.
    let old = v0::Library::in_memory().unwrap();
    old.notes.insert(&v0::Note { id: "late".into(), text: "late".into() }).unwrap();
    give(&old, app);
    app.compact_history().unwrap();
    let other = library();
    give(app, &other);
    give(&other, app);
    give(app, &other);
    assert_eq!(titles(app), titles(&other), "{what}");
    for title in ["one", "mine", "late"] {
        assert!(titles(app).contains(&title.to_owned()), "{what}: {title} is gone");
    }
    assert!(!titles(app).contains(&"short".to_owned()), "{what}");
}

#[test]
fn frontiers_that_name_nothing_lose_nothing_of_others() {
    let long =
        format!(r#"{{"source":"0","clients":[["0",7]],"copies":"{}"}}"#, "C".repeat(200_000));
    let many: Vec<String> = (0..5_000).map(|clock| format!(r#""77:9.{clock}""#)).collect();
    let many = format!(r#"{{"clients":[],"copies":"","others":[{}]}}"#, many.join(","));
    let deep = format!(r#"{{"clients":{}"#, "[".repeat(5_000));
    let frontiers = [
        "",
        "null",
        "[]",
        &deep,
        // Edits that are not here, of documents that are not, and of itself.
        r#"{"source":"0","clients":[["0",7]],"copies":"C"}"#,
        r#"{"source":"77","clients":[["77",7]],"copies":"CCCC"}"#,
        r#"{"source":"1.0/00000000-0000-7000-8000-000000000001","clients":[["1.0/00000000-0000-7000-8000-000000000001",7]],"copies":"C"}"#,
        // Of a client that is not listed; numbers without an end, and sets that are none.
        r#"{"clients":[],"copies":"C"}"#,
        r#"{"clients":[],"copies":"gggggggggggggggggggg"}"#,
        r#"{"clients":[],"copies":"ABg///////"}"#,
        r#"{"clients":[],"copies":"ABC[]"}"#,
        // More copies than the claim has.
        &long,
        // Parts that no edit is of.
        &many,
        r#"{"clients":[],"copies":"","others":["made:9a",["made:9a",[{"by":"77"}]],["0:1.0",["t",[9,"x","y"],[9,"",""]]]]}"#,
    ];
    for (number, frontier) in (0..).zip(frontiers) {
        let app = library();
        let what: String = frontier.chars().take(80).collect();
        app.apply(&claims(8, &[(CLAIM, Value::Text(&claim_json(7, 1)))])).unwrap();
        let frontier = [(CLAIM.to_owned(), frontier.to_owned())];
        app.apply(&entries("head", 9, "kv:frontiers", &frontier)).unwrap();
        let row = r#"{"id":"c","title":"three"}"#;
        app.apply(&rows(CLAIM, 7, &[("c", Value::Text(row))])).unwrap();
        assert!(titles(&app).contains(&"one".to_owned()), "{number}: {what}");
        goes_on(&app, &what);
    }
}

#[test]
fn marks_of_what_is_not_here_change_nothing() {
    let mut marks: Vec<String> = (0..20_000).map(|clock| format!(r#""77:9.{clock}""#)).collect();
    marks.extend((0..20_000).map(|hash| format!(r#""made:{hash:x}""#)));
    marks.extend((0..1_000).map(|clock| format!(r#"["0:1.{clock}",["notes",[1,"",""]]]"#)));
    marks.extend(
        [
            r#"["made:9a",[{"by":"77"}]]"#,
            r#"["0:1.0",[{"by":"x"}]]"#,
            r#"["0:1.0",[]]"#,
            r#""0:01.0""#,
            "",
            "null",
            "\0",
        ]
        .map(str::to_owned),
    );
    let marks: Vec<(String, String)> = marks.into_iter().map(|part| (part, "1".into())).collect();
    let app = library();
    app.apply(&entries(&current_of(&app), 9, "seen", &marks)).unwrap();
    assert_eq!(titles(&app), ["one"]);
    goes_on(&app, "marks");
}

#[test]
fn late_edits_of_nobody_are_rows_that_can_be_removed() {
    let late = |key: &str, parts: &str, value: &str| {
        let value = serde_json::to_string(value).unwrap();
        let at = format!(r#"["table:notes","{key}",{parts}]"#);
        (at, format!(r#"{{"from":"0","of":["table:notes","{key}"],"value":{value}}}"#))
    };
    let row = |id: &str| format!(r#"{{"id":"{id}","title":"ghost {id}"}}"#);
    let app = library();
    let ghosts = [
        late("edit", r#"["0:9.7"]"#, &row("edit")),
        late("unknown", r#"["77:9.7"]"#, &row("unknown")),
        late("made", r#"["made:9a"]"#, &row("made")),
        late("by", r#"[["made:9a",[{"by":"77"}]]]"#, &row("by")),
        late("ground", r#"[["0:9.8",[[1,"table:notes","ground"]]]]"#, &row("ground")),
        late("split", r#"[["0:9.9",["tags"]]]"#, &row("split")),
        // Not of this form, or not rows.
        late("none", "[]", &row("none")),
        late("text", r#"["0:9.1"]"#, "no JSON"),
        late("number", r#"["0:9.2"]"#, "7"),
        ("[]".to_owned(), "{}".to_owned()),
        (r#"["seen","x",["0:9.3"]]"#.to_owned(), r#"{"from":"0","of":["seen","x"]}"#.to_owned()),
    ];
    app.apply(&entries(&current_of(&app), 9, "forwarded", &ghosts)).unwrap();
    let shown: Vec<String> = app.notes.iter().unwrap().flatten().map(|note| note.id).collect();
    for id in ["a", "edit", "unknown", "made", "by", "split"] {
        assert!(shown.contains(&id.to_owned()), "{id} is not in {shown:?}");
    }
    assert!(!shown.contains(&"none".to_owned()));
    let ids = ["edit", "unknown", "made", "by", "ground", "split", "text", "number"];
    for id in ids {
        app.notes.remove(id).unwrap();
    }
    assert_eq!(titles(&app), ["one"]);
    goes_on(&app, "late edits");
    assert_eq!(app.notes.iter().unwrap().filter_map(Result::ok).count(), 3);
}
