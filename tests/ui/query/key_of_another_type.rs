// A row is looked up by a value of the type of its key or column.

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
    app.accounts.get("Giro")?;
    app.accounts.get_by(Account::NAME, &7)?;
    Ok(())
}
