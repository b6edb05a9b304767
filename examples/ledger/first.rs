//! The first version: accounts, a tree of categories, and what was paid. Amounts are text, as the bank writes them.

use heirloom::{Id, Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An account at a bank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "accounts")]
pub struct Account {
    pub id: Id<Account>,
    #[index(unique)]
    pub name: String,
}

/// A purpose that money is spent on. A category may be a part of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "categories")]
pub struct Category {
    pub id: Id<Category>,
    #[index(unique)]
    pub name: String,
    #[reference(on_remove = "set_null")]
    pub parent: Option<Ref<Category>>,
}

/// A line of an account, under the bank's reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "txns")]
pub struct Txn {
    #[key]
    pub reference: String,
    pub account: Ref<Account>,
    pub date: String,
    pub text: String,
    pub amount: String,
}

#[derive(Store)]
#[store(name = "ledger")]
pub struct Ledger {
    pub accounts: Table<Account>,
    pub categories: Table<Category>,
    pub txns: Table<Txn>,
}

/// A file of that year.
pub fn write(path: &std::path::Path) -> heirloom::Result<()> {
    let app = Ledger::open(path)?;
    let giro = Account { id: Id::new(), name: "Giro".into() };
    app.accounts.insert(&giro)?;
    let category = |name: &str, parent: Option<&Category>| Category {
        id: Id::new(),
        name: name.to_owned(),
        parent: parent.map(Ref::to),
    };
    let food = category("Food", None);
    let groceries = category("Groceries", Some(&food));
    let eating_out = category("Eating out", Some(&food));
    let cafes = category("Cafés", Some(&eating_out));
    app.categories.insert_many([food, groceries, eating_out, cafes, category("Home", None)])?;
    let txn = |number: u32, text: &str, amount: &str| Txn {
        reference: format!("old-{number}"),
        account: Ref::to(&giro),
        date: "2023-12-30".into(),
        text: text.to_owned(),
        amount: amount.to_owned(),
    };
    app.txns.insert_many([txn(1, "REWE Berlin", "-12.50"), txn(2, "Rent", "-800.00")])?;
    Ok(())
}
