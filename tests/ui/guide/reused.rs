// The name of a removed field is not used again.

use heirloom::{Id, Kv, Open, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
pub struct Note {
    pub id: Id<Note>,
    #[serde(rename = "text")]
    pub body: String,
    pub color: Option<Open<Color>>,
    #[evolve(default = |body| body.split_whitespace().count() as u32)]
    pub words: u32,
    pub pinned: Option<String>,
}
#[derive(Serialize, Deserialize, JsonSchema)]
pub enum Color {
    Yellow,
    Blue,
}
#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tags")]
pub struct Tag {
    #[key]
    pub name: String,
}
#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
pub struct Settings {
    #[evolve(default = "light")]
    pub theme: String,
}
#[derive(Store)]
#[store(name = "notebook", history = "guide/3.json")]
pub struct Notebook {
    pub notes: Table<Note>,
    pub tags: Table<Tag>,
    pub settings: Kv<Settings>,
}
fn main() {}
