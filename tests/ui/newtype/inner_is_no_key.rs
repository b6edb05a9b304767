// A newtype is a key where the type inside is one.

use heirloom::{Key, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
struct Isbn(Vec<u8>);

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Book {
    #[key]
    isbn: Isbn,
}

fn main() {}
