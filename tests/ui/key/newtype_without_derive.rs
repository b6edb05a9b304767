// A newtype key derives `Key`.

use heirloom::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
struct Isbn(String);

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Book {
    #[key]
    isbn: Isbn,
    title: String,
}

fn main() {}
