//! Two versions of one app's notes, the second with more fields at every depth.

use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::loose::Loose;

/// A part of a row, as this year's code has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Town {
    pub name: String,
    pub geo: Geo,
    pub zip: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Geo {
    pub lat: f64,
    pub altitude: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    pub n: u32,
    pub remark: Option<String>,
}

/// The first version of the app.
pub mod v1 {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Town {
        pub name: String,
        pub geo: Geo,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Geo {
        pub lat: f64,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Item {
        pub n: u32,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        #[key]
        pub id: u32,
        pub title: String,
        pub town: Town,
        pub items: Vec<Item>,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        pub home: Option<Town>,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    pub struct App {
        pub notes: Table<Note>,
        pub settings: Kv<Settings>,
    }

    pub fn note(id: u32) -> Note {
        let town = Town { name: "Bern".into(), geo: Geo { lat: 46.9 } };
        Note { id, title: format!("note {id}"), town, items: vec![Item { n: 1 }, Item { n: 2 }] }
    }
}

/// One version on: rows have got more fields, at every depth.
pub mod v2 {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        #[key]
        pub id: u32,
        pub title: String,
        pub town: Town,
        pub items: Vec<Item>,
        #[evolve(default = "none")]
        pub tag: String,
        #[evolve(default)]
        pub seen: Vec<u32>,
        #[evolve(default = Some(7))]
        pub rank: Option<u8>,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        pub home: Option<Town>,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    pub struct App {
        pub notes: Table<Note>,
        pub settings: Kv<Settings>,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    pub struct Raw {
        pub notes: Table<Loose<Note>>,
    }
}
