// A key is a newtype.

use heirloom::{Key, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
enum Isbn {
    Ten,
    Thirteen,
}

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
    app.books.get(&Isbn::Ten)?;
    Ok(())
}
