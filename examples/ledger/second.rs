//! The second version: categories and tags of transactions, and rules that give them. Nothing in it breaks with the
//! first: fields that old rows lack have defaults.

use heirloom::{Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::first::{Account, Category};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "txns")]
pub struct Txn {
    #[key]
    pub reference: String,
    pub account: Ref<Account>,
    pub date: String,
    pub text: String,
    pub amount: String,
    #[reference(on_remove = "set_null")]
    pub category: Option<Ref<Category>>,
    #[index(each)]
    #[evolve(default)]
    pub tags: Vec<String>,
}

/// The category of transactions whose text has a word in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "rules")]
pub struct Rule {
    #[key]
    pub word: String,
    #[reference(on_remove = "cascade")]
    pub category: Ref<Category>,
}

#[derive(Store)]
#[store(name = "ledger")]
pub struct Ledger {
    pub accounts: Table<Account>,
    pub categories: Table<Category>,
    pub txns: Table<Txn>,
    pub rules: Table<Rule>,
}

/// Gives a file of last year some rules and tags.
pub fn write(path: &std::path::Path) -> heirloom::Result<()> {
    let app = Ledger::open(path)?;
    for (word, category) in [
        ("rewe", "Groceries"),
        ("market", "Groceries"),
        ("café", "Cafés"),
        ("pizzeria", "Eating out"),
        ("rent", "Home"),
    ] {
        if let Some(category) = app.categories.get_by(Category::NAME, category)? {
            app.rules.insert(&Rule { word: word.into(), category: Ref::to(&category) })?;
        }
    }
    app.txns.update("old-2", |txn| txn.tags = vec!["fixed".into(), "monthly".into()])?;
    Ok(())
}
