// Rows are ordered by columns.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Account {
    #[key]
    number: u32,
    #[index(unique)]
    name: String,
}

#[derive(Store)]
struct App {
    accounts: Table<Account>,
}

fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.accounts.order_by("name").all()?;
    Ok(())
}
