//! The recorded versions of several copies: they converge in every order, survive damage and
//! restarts, and whatever strangers write among them harms nobody.

use std::fs;
use std::path::Path;

use crate::apps::{first, second, third};
use crate::support::{
    Heard, assert_same_bytes, assert_sound, exchange, file, forge, give, place, refused,
};
use heirloom::sync::{Changes, Summary};
use heirloom::{ErrorKind, Store, inspect};
use serde_json::{Value, json};

/// The versions as a copy tells them, as text to compare.
fn versions<S: Store>(app: &S) -> Vec<String> {
    let status = app.status().unwrap();
    status.versions().iter().map(|version| serde_json::to_string(version).unwrap()).collect()
}

fn fingerprint<S: Store>() -> String {
    S::schema().fingerprint()
}

/// Returns the changes of one device while its app is updated twice: three that build on each
/// other.
fn updated_twice(path: &Path) -> Vec<Changes> {
    let mut changes = Vec::new();
    let mut before = Summary::default();
    {
        let app = first::App::open(path).unwrap();
        app.songs.insert(&first::song(1)).unwrap();
        changes.push(app.changes_since(&before).unwrap());
        before = app.summary().unwrap();
    }
    {
        let app = second::App::open(path).unwrap();
        app.songs.insert(&second::song(2)).unwrap();
        changes.push(app.changes_since(&before).unwrap());
        before = app.summary().unwrap();
    }
    let app = third::App::open(path).unwrap();
    app.songs.insert(&third::song(3)).unwrap();
    changes.push(app.changes_since(&before).unwrap());
    changes
}

#[test]
fn versions_converge_in_every_order_of_delivery() {
    // A small generator, so that a failing order can be had again.
    let mut seed = 0x5eed_u64;
    let mut next = |bound: usize| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as usize % bound
    };
    let (_folder, path) = place();
    let mut changes = updated_twice(&path);
    let source = third::App::open(&path).unwrap();
    for app in [second::App::in_memory().unwrap(), second::App::in_memory().unwrap()] {
        app.songs.insert(&second::song(9)).unwrap();
        changes.push(app.changes_since(&Summary::default()).unwrap());
        give(&app, &source);
    }
    for round in 0..40 {
        let mut order: Vec<usize> = (0..changes.len()).collect();
        (1..order.len()).rev().for_each(|at| order.swap(at, next(at + 1)));
        // Each once, and some again.
        (0..3).for_each(|_| order.push(order[next(changes.len())]));
        let copy = first::App::in_memory().unwrap();
        let seen = Heard::default();
        let log = seen.clone();
        let _sub = copy
            .on_newer_schema(move |version| log.note(version.fingerprint().to_owned()))
            .unwrap();
        for at in &order {
            copy.apply(&changes[*at]).unwrap();
        }
        let mut seen = seen.take();
        seen.sort();
        let mut newer = [fingerprint::<second::App>(), fingerprint::<third::App>()];
        newer.sort();
        assert_eq!(seen, newer, "round {round}: {order:?}");
        exchange(&copy, &source);
        assert_eq!(versions(&copy), versions(&source), "round {round}: {order:?}");
        assert_eq!(copy.summary().unwrap(), source.summary().unwrap(), "round {round}: {order:?}");
        assert_eq!(copy.songs.len().unwrap(), 4, "round {round}: {order:?}");
    }
}

#[test]
fn a_version_that_came_too_early_waits_through_a_restart_and_travels_along() {
    let (folder, path) = place();
    let changes = updated_twice(&path);
    let copy = folder.path().join("copy.redb");
    {
        let app = first::App::open(&copy).unwrap();
        assert!(app.apply(&changes[2]).unwrap().is_pending());
        assert_eq!(app.status().unwrap().newer_version(), None);
        // Own writes do not disturb what waits.
        app.songs.insert(&first::song(50)).unwrap();
    }
    assert_sound::<first::App>(&copy);
    let app = first::App::open(&copy).unwrap();
    assert!(app.apply(&changes[1]).unwrap().is_pending());
    let third = first::App::in_memory().unwrap();
    assert!(give(&app, &third).is_pending());
    for app in [&app, &third] {
        assert_eq!(versions(app).len(), 1);
        assert!(!app.apply(&changes[0]).unwrap().is_pending());
        let status = app.status().unwrap();
        assert_eq!(status.versions().len(), 3);
        assert_eq!(status.newer_version().unwrap().fingerprint(), fingerprint::<third::App>());
        assert_eq!(app.songs.len().unwrap(), 4);
    }
    drop(app);
    assert_sound::<first::App>(&copy);
    assert_eq!(inspect::open(&copy).unwrap().versions().unwrap().len(), 3);
}

#[test]
fn copies_of_a_file_record_new_versions_as_devices_of_their_own() {
    let (folder, path) = place();
    first::App::open(&path).unwrap().songs.insert(&first::song(1)).unwrap();
    let (copy, backup) = (folder.path().join("copy.redb"), folder.path().join("backup.redb"));
    fs::copy(&path, &copy).unwrap();
    first::App::open(&path).unwrap().backup(&backup).unwrap();
    // Were they one device, the same clock would stand for two different versions.
    let a = second::App::open(&path).unwrap();
    a.songs.insert(&second::song(2)).unwrap();
    let b = third::App::open(&copy).unwrap();
    b.songs.insert(&third::song(3)).unwrap();
    let c = second::App::open(&backup).unwrap();
    assert_eq!(versions(&c).len(), 1, "a backup has them, too");
    assert_eq!(c.status().unwrap().device(), None);
    c.songs.insert(&second::song(4)).unwrap();
    let devices = [&a.status(), &b.status(), &c.status()].map(|status| match status {
        Ok(status) => status.device().unwrap(),
        Err(error) => panic!("{error}"),
    });
    assert!(devices[0] != devices[1] && devices[1] != devices[2] && devices[0] != devices[2]);
    for _ in 0..2 {
        exchange(&a, &b);
        exchange(&b, &c);
        exchange(&c, &a);
    }
    let all = versions(&a);
    assert_eq!(all.len(), 3);
    assert_eq!((versions(&b), versions(&c)), (all.clone(), all));
    assert_eq!(b.songs.len().unwrap(), 4);
    drop((a, b, c));
    assert_sound::<third::App>(&path);
    assert_sound::<third::App>(&copy);
    assert_sound::<third::App>(&backup);
}

/// The JSON of a version of the second schema, changed.
fn version_json(change: impl FnOnce(&mut Value)) -> String {
    let app = second::App::in_memory().unwrap();
    let mut json = serde_json::to_value(app.status().unwrap().version()).unwrap();
    change(&mut json);
    json.to_string()
}

/// Changes in which client 7 writes into the head document.
fn written(root: &str, values: &[(&str, forge::Value<'_>)]) -> Changes {
    let update = forge::update(7, 0, root, values);
    Changes::from_bytes(&forge::framed("player", "head", &update)).unwrap()
}

#[test]
fn what_is_no_version_is_kept_passed_on_and_ignored() {
    let (_folder, path) = place();
    let own = fingerprint::<first::App>();
    let newer = fingerprint::<second::App>();
    let good = version_json(|_| ());
    let deep = "[".repeat(5000);
    let long = "x".repeat(1 << 20);
    let wrong_epoch = version_json(|json| json["epoch"] = json!(3));
    let wrong_schema =
        version_json(|json| json["schema"]["tables"]["songs"]["key"]["kind"] = json!("text"));
    let wrong_name = version_json(|json| json["fingerprint"] = json!("0".repeat(32)));
    let cut = &good[..good.len() / 2];
    let endless = version_json(|json| {
        json["schema"]["types"]["A"] = json!({"anyOf": [{"$ref": "#/types/A"}]});
        json["schema"]["tables"]["songs"]["fields"]["stars"]["schema"] =
            json!({"$ref": "#/types/A"});
    });
    let values: [&[(&str, forge::Value<'_>)]; 10] = [
        &[("", forge::Value::Text(""))],
        &[("x\0", forge::Value::Text("{}")), ("y", forge::Value::Null)],
        &[(&newer, forge::Value::Text(&deep))],
        &[(&newer, forge::Value::Text(&long))],
        &[(&newer, forge::Value::Text(&wrong_epoch))],
        &[(&newer, forge::Value::Text(&wrong_schema)), ("other", forge::Value::Text(&good))],
        &[(&"0".repeat(32), forge::Value::Text(&wrong_name))],
        &[(&newer, forge::Value::Text(cut)), (&newer, forge::Value::Null)],
        &[(&newer, forge::Value::Text(&endless))],
        // In the place of the code's own.
        &[(&own, forge::Value::Text("garbage")), (&own, forge::Value::Null)],
    ];
    for (number, values) in values.iter().enumerate() {
        let app = first::App::open(&path).unwrap();
        let seen = Heard::default();
        let log = seen.clone();
        let _sub = app.on_newer_schema(move |version| log.note(version.clone())).unwrap();
        app.apply(&written("kv:versions", values)).unwrap();
        assert!(seen.take().is_empty(), "{number}");
        let status = app.status().unwrap();
        assert_eq!((status.newer_version(), status.newer_epoch()), (None, None), "{number}");
        assert_eq!(status.version().fingerprint(), own, "{number}");
        app.songs.insert(&first::song(1)).unwrap();
        // It goes on to others, and they are none the worse for it.
        let peer = second::App::in_memory().unwrap();
        exchange(&app, &peer);
        assert!(peer.songs.contains(&1).unwrap());
        drop(app);
        let entries = file::entries(&path, "head/entries/versions");
        for (name, _) in values.iter() {
            assert!(entries.iter().any(|(known, _)| known == name), "{number}");
        }
        assert_sound::<first::App>(&path);
        let before = fs::read(&path).unwrap();
        drop(first::App::open(&path).unwrap());
        drop(third::App::open(&path).unwrap());
        assert!(inspect::open(&path).unwrap().versions().is_ok());
        assert_same_bytes(&before, &fs::read(&path).unwrap());
        fs::remove_file(&path).unwrap();
    }
    // The same as it should be is a version.
    let app = first::App::open(&path).unwrap();
    app.apply(&written("kv:versions", &[(&newer, forge::Value::Text(&good))])).unwrap();
    assert!(app.status().unwrap().newer_version().is_some());
    // And members that only newer code knows are no reason to ignore one.
    let more = version_json(|json| json["signed_by"] = json!("somebody"));
    let app = first::App::in_memory().unwrap();
    app.apply(&written("kv:versions", &[(&newer, forge::Value::Text(&more))])).unwrap();
    assert!(app.status().unwrap().newer_version().is_some());
}

#[test]
fn parents_that_go_round_in_a_circle_are_followed_once() {
    let app = third::App::in_memory().unwrap();
    let (one, two) = (fingerprint::<first::App>(), fingerprint::<second::App>());
    let of = |schema: heirloom::schema::Schema, parent: &str| {
        let fingerprint = schema.fingerprint();
        let (schema, epoch) = (serde_json::to_value(&schema).unwrap(), schema.epoch);
        json!({"epoch": epoch, "fingerprint": fingerprint, "parent": parent, "schema": schema})
            .to_string()
    };
    let (first, second) = (of(first::App::schema(), &two), of(second::App::schema(), &one));
    let values = [(&*one, forge::Value::Text(&first)), (&*two, forge::Value::Text(&second))];
    app.apply(&written("kv:versions", &values)).unwrap();
    let status = app.status().unwrap();
    assert_eq!((status.versions().len(), status.newer_version()), (3, None));
}

#[test]
fn an_epoch_that_is_unknown_here_is_told_and_refused_only_if_strict() {
    let mut schema = second::App::schema();
    schema.epoch = 2;
    let fingerprint = schema.fingerprint();
    let json = json!({"epoch": 2, "version": 9, "fingerprint": fingerprint, "schema": schema});
    let changes = written("kv:versions", &[(&fingerprint, forge::Value::Text(&json.to_string()))]);
    let (_folder, path) = place();
    {
        let app = first::App::open(&path).unwrap();
        let seen = Heard::default();
        let log = seen.clone();
        let _sub = app.on_newer_schema(move |version| log.note(version.epoch())).unwrap();
        app.apply(&changes).unwrap();
        app.apply(&changes).unwrap();
        assert_eq!(seen.take(), [2]);
        let status = app.status().unwrap();
        assert_eq!((status.newer_epoch(), status.newer_version()), (Some(2), None));
        assert_eq!((status.epoch(), status.versions().len()), (0, 2));
        app.songs.insert(&first::song(1)).unwrap();
    }
    let before = fs::read(&path).unwrap();
    let error = refused(first::App::builder().refuse_newer_schema(true).open(&path));
    assert_eq!((error.kind(), error.file()), (ErrorKind::NewerEpoch, Some(path.as_path())));
    assert_same_bytes(&before, &fs::read(&path).unwrap());
    let app = first::App::open(&path).unwrap();
    assert_eq!(app.status().unwrap().newer_epoch(), Some(2));
    let strict = first::App::builder().refuse_newer_schema(true).in_memory().unwrap();
    assert_eq!(refused(strict.apply(&changes)).kind(), ErrorKind::NewerEpoch);
    assert_eq!(strict.status().unwrap().newer_epoch(), None);
}

#[test]
fn what_newer_code_keeps_beside_the_versions_is_kept_and_passed_on() {
    let (_folder, path) = place();
    let values = [("1.0/claim", forge::Value::Text("{}"))];
    {
        let app = first::App::open(&path).unwrap();
        app.apply(&written("kv:epochs", &values)).unwrap();
        app.apply(
            &Changes::from_bytes(&forge::framed(
                "player",
                "head",
                &forge::update(8, 0, "elsewhere", &values),
            ))
            .unwrap(),
        )
        .unwrap();
    }
    let app = first::App::open(&path).unwrap();
    let peer = second::App::in_memory().unwrap();
    give(&app, &peer);
    assert!(app.changes_since(&peer.summary().unwrap()).unwrap().is_empty());
    drop(app);
    assert_sound::<first::App>(&path);
    assert_eq!(file::entries(&path, "head/entries/epochs").len(), 1);
}

#[test]
fn damage_to_a_recorded_version_is_reported_and_harms_no_peer() {
    for at in [3, 14, 60] {
        let (_folder, path) = place();
        let peer = second::App::in_memory().unwrap();
        {
            let app = second::App::open(&path).unwrap();
            app.songs.insert(&second::song(2)).unwrap();
            exchange(&app, &peer);
        }
        let name = fingerprint::<second::App>();
        let table = "head/entries/versions";
        file::damage_entry(&path, table, &name, |bytes| bytes[at] ^= 0x55);
        let report = second::App::check(&path).unwrap();
        let names_it = |what: &String| what.contains("`head`") && what.contains(&name);
        assert!(report.problems().iter().any(names_it), "{report}");

        // Rows are read, written and given as ever; the version stays with who has it.
        let app = second::App::open(&path).unwrap();
        assert!(!app.status().unwrap().is_damaged(), "nothing has come upon it yet");
        app.songs.insert(&second::song(3)).unwrap();
        give(&app, &peer);
        give(&peer, &app);
        assert_eq!((versions(&peer).len(), peer.songs.len().unwrap()), (1, 2));
        let fresh = second::App::in_memory().unwrap();
        give(&app, &fresh);
        assert_eq!(fresh.songs.len().unwrap(), 2);
        assert!(app.status().unwrap().is_damaged());
        give(&fresh, &peer);
        assert_eq!(versions(&peer).len(), 1);
    }
}

#[test]
fn a_large_head_document_is_kept_whole() {
    let (_folder, path) = place();
    {
        let app = first::App::open(&path).unwrap();
        let text = "x".repeat(60_000);
        for number in 0..40u64 {
            let values = [(&*number.to_string(), forge::Value::Text(&text))];
            let update = forge::update(9, number, "kv:notes", &values);
            let framed = forge::framed("player", "head", &update);
            app.apply(&Changes::from_bytes(&framed).unwrap()).unwrap();
        }
        app.songs.insert(&first::song(1)).unwrap();
    }
    assert_eq!(file::entries(&path, "head/entries/notes").len(), 40);
    assert_sound::<first::App>(&path);
    let app = first::App::open(&path).unwrap();
    assert_eq!(versions(&app).len(), 1);
    exchange(&app, &first::App::in_memory().unwrap());
}
