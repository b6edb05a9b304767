// A field of what derives `Comparable` is compared as a column is.

use heirloom::{Comparable, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
struct Name {
    last: String,
    first: String,
}

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema, Comparable)]
struct Author {
    name: Name,
    born: i16,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Book {
    #[key]
    id: u32,
    author: Author,
}

#[derive(Store)]
struct App {
    books: Table<Book>,
}

fn main() {
    let app = App::in_memory().unwrap();
    let _ = app.books.order_by(Book::AUTHOR);
}
