// A rule is written as an expression.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Txn {
    #[key]
    id: u32,
    #[check]
    cents: i64,
    #[check(cents =)]
    fee: i64,
}

#[derive(Store)]
struct App {
    txns: Table<Txn>,
}

fn main() {}
