// Two spellings of one type; a struct that is renamed has ids that are spelled anew.

use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

type Stars = u8;

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Memo {
    #[evolve(same_as = "Id<Note>")]
    id: Id<Memo>,
    #[evolve(same_as = "String")]
    title: std::string::String,
    #[evolve(same_as = "Option < String >")]
    body: std::option::Option<String>,
    #[evolve(default, same_as = "u8")]
    stars: Stars,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tags")]
struct Tag {
    #[key]
    name: String,
    color: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
struct Settings {
    #[evolve(default = "en")]
    language: String,
    last_opened: Option<String>,
}

#[derive(Store)]
#[store(name = "app", history = "history/app.json")]
struct App {
    notes: Table<Memo>,
    tags: Table<Tag>,
    settings: Kv<Settings>,
}

fn main() {}
