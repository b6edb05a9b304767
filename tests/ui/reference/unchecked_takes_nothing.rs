// `unchecked` takes nothing: a reference is checked or not.

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
    #[reference(unchecked = true)]
    account: Ref<Account>,
}

#[derive(Store)]
struct Ledger {
    accounts: Table<Account>,
    txns: Table<Txn>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = Ledger::in_memory()?;
    app.txns.filter(Txn::ID.eq(7)).all()?;
    Ok(())
}
