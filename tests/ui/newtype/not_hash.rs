// A key can be compared and hashed.

use heirloom::{Key, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Key)]
struct Isbn(String);

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Book {
    #[key]
    isbn: Isbn,
}

#[derive(Store)]
struct App {
    books: Table<Book>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.books.get(&Isbn("978".into()))?;
    Ok(())
}
