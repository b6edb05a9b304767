// A new field is an `Option` or has a default.

use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
pub struct Note {
    pub id: Id<Note>,
    pub text: String,
    #[evolve(default)]
    pub pinned: bool,
    pub words: u32,
}
#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
pub struct Settings {
    #[evolve(default = "light")]
    pub theme: String,
}
#[derive(Store)]
#[store(name = "notebook", history = "guide/1.json")]
pub struct Notebook {
    pub notes: Table<Note>,
    pub settings: Kv<Settings>,
}
fn main() {}
