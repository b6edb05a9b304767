//! The structs that are stored.

use clap::ValueEnum;
use heirloom::{Id, Kv, Store, Table};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
// A todo that gets another date on one device, and is ticked off on the other, has both once they meet.
#[table(name = "todos", merge = "fields")]
pub struct Todo {
    /// Ids sort by the time they were made, so rows come in the order they were added, on every
    /// device alike.
    pub id: Id<Todo>,
    pub text: String,
    pub due: Option<Date>,
    /// The day it was done; `None` while it is open.
    pub done_on: Option<Date>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "config")]
pub struct Config {
    #[evolve(default = Order::Added)]
    pub order: Order,
    #[evolve(default = Colour::Auto)]
    pub colour: Colour,
}

/// The order of `todo list`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    Added,
    Due,
}

/// Whether output has colours; `Auto` means on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Store)]
#[store(name = "todo")]
pub struct TodoList {
    pub todos: Table<Todo>,
    pub config: Kv<Config>,
}
