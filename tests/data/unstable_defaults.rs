//! Defaults of serde's that differ between two reads.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::support::loose::Loose;
use crate::support::{exchange, refused};
use heirloom::{ErrorKind, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// As `Uuid::new_v4` would be.
fn other_each_time() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, SeqCst)
}

mod unstable {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Inner {
        #[serde(default = "other_each_time")]
        pub token: u64,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "things")]
    pub struct Thing {
        #[key]
        pub id: u32,
        pub list: Vec<Inner>,
        #[index]
        #[serde(default = "other_each_time")]
        pub token: u64,
    }

    #[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        #[serde(default = "other_each_time")]
        pub token: u64,
    }

    #[derive(Store)]
    #[store(name = "app")]
    pub struct App {
        pub things: Table<Thing>,
        pub settings: Kv<Settings>,
    }
}

#[derive(Store)]
#[store(name = "app")]
struct LooseApp {
    things: Table<Loose<unstable::Thing>>,
    #[allow(dead_code)]
    settings: Kv<unstable::Settings>,
}

#[test]
fn a_serde_default_that_differs_between_two_reads_is_refused_in_debug_builds() {
    if !cfg!(debug_assertions) {
        return;
    }
    let (app, peer) = (unstable::App::in_memory().unwrap(), LooseApp::in_memory().unwrap());
    let rows = [
        json!({"id": 1, "list": [], "token": 5}),
        json!({"id": 2, "list": []}),
        json!({"id": 3, "list": [{}, {"token": 1}], "token": 5}),
    ];
    for (id, row) in (1..).zip(rows) {
        let fields = row.as_object().unwrap().clone().into_iter().collect();
        peer.things.insert(&Loose::new(id, fields)).unwrap();
    }
    exchange(&app, &peer);
    assert_eq!(app.things.get(&1).unwrap().unwrap().token, 5);
    for (id, field) in [(2, "token"), (3, "list[0].token")] {
        let error = refused(app.things.get(&id));
        assert_eq!(error.kind(), ErrorKind::InvalidRow);
        assert_eq!((error.table(), error.key()), (Some("things"), Some(&*id.to_string())));
        assert_eq!(error.field(), Some(field));
        let help = "use `#[evolve(default = …)]`, or store the value";
        assert!(error.to_string().contains(help), "{error}");
    }
    // They are invalid for every purpose, and the index has the one that is not.
    assert_eq!(app.things.invalid().unwrap().len(), 2);
    assert_eq!(app.things.filter(unstable::Thing::TOKEN.ge(0_u64)).count().unwrap(), 1);
    let error = refused(app.settings.token.get());
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRow, Some("token")));
    assert!(error.to_string().contains("evolve(default"), "{error}");
}
