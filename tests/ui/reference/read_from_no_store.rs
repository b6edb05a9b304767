// A row is read from a store, a transaction or a snapshot.

use heirloom::{Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Account {
    #[key]
    name: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Txn {
    #[key]
    id: u32,
    account: Ref<Account>,
}

#[derive(Store)]
struct Ledger {
    accounts: Table<Account>,
    txns: Table<Txn>,
}

fn main() -> heirloom::Result<()> {
    let app = Ledger::in_memory()?;
    let txn = app.txns.get(&7)?.unwrap();
    txn.account.get(&app.accounts)?;
    Ok(())
}
