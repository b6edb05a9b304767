// A reference is compared with the row that it refers to, or its key.

use heirloom::{Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize, JsonSchema, Table)]
struct Account {
    #[key]
    name: String,
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Txn {
    #[key]
    id: u32,
    account: Ref<Account>,
    cents: i64,
}

#[derive(Store)]
struct Ledger {
    accounts: Table<Account>,
    txns: Table<Txn>,
}

fn main() -> heirloom::Result<()> {
    let app = Ledger::in_memory()?;
    let txn = app.txns.get(&7)?.unwrap();
    app.txns.filter(Txn::ACCOUNT.eq(&txn)).all()?;
    Ok(())
}
