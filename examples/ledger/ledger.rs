//! The third version, and the second epoch: amounts are numbers, and a transaction may be split.

use std::collections::BTreeSet;

use heirloom::query::count;
use heirloom::{Id, Query, Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::first::{Account, Category};
use crate::second::{self, Rule};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(
    name = "txns",
    previous = second::Txn,
    computed(month: String = month(&date)),
    index(month, cents)
)]
#[check(splits.is_empty() || splits.iter().map(|part| part.cents).sum::<i64>() == cents)]
pub struct Txn {
    #[key]
    pub reference: String,
    pub account: Ref<Account>,
    pub date: String,
    pub text: String,
    #[evolve(with = |amount| cents(&amount))]
    pub cents: i64,
    #[reference(on_remove = "set_null")]
    pub category: Option<Ref<Category>>,
    #[index(each)]
    #[evolve(default)]
    pub tags: Vec<String>,
    #[evolve(default)]
    pub splits: Vec<Split>,
}

/// A part of a transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Split {
    pub category: Id<Category>,
    pub cents: i64,
}

#[derive(Store)]
#[store(name = "ledger", epoch = 1, previous = second::Ledger)]
pub struct Ledger {
    pub accounts: Table<Account>,
    pub categories: Table<Category>,
    pub txns: Table<Txn>,
    pub rules: Table<Rule>,
}

/// Cents of an amount such as `-12.50`; 0 of what is not one.
fn cents(amount: &str) -> i64 {
    let digits: String = amount.chars().filter(|letter| *letter != '.').collect();
    digits.parse().unwrap_or_default()
}

/// The month of a date: `2024-05`.
fn month(date: &str) -> String {
    date.chars().take(7).collect()
}

/// How many transactions there are in each month, and their sum.
pub type Months = Vec<(String, (usize, i64))>;

impl Ledger {
    /// Gives each transaction without a category that of the first rule whose word it has; returns how many.
    pub fn apply_rules(&self) -> heirloom::Result<usize> {
        let rules = self.rules.query().all()?;
        self.transaction(|tx| {
            let mut found = 0;
            for rule in rules {
                let condition =
                    Txn::TEXT.contains_ignore_case(&rule.word) & Txn::CATEGORY.is_none();
                found += tx.filter(condition).update_all(|txn| {
                    txn.category = Some(rule.category);
                })?;
            }
            Ok(found)
        })
    }

    /// A category and all that are parts of it, of any depth.
    pub fn branch(&self, root: &Category) -> heirloom::Result<Vec<Id<Category>>> {
        let (mut branch, mut level) = (BTreeSet::from([root.id]), vec![root.id]);
        while !level.is_empty() {
            let parents = level.iter().map(|id| Some(Ref::from(*id)));
            let parts = self.categories.filter(Category::PARENT.is_in(parents)).keys()?;
            // Two devices may have made a circle of it.
            level = parts.into_iter().filter(|id| branch.insert(*id)).collect();
        }
        Ok(branch.into_iter().collect())
    }

    /// The transactions of a category and of all its parts.
    pub fn of_branch(&self, root: &Category) -> heirloom::Result<Query<Txn>> {
        let branch = self.branch(root)?.into_iter().map(|id| Some(Ref::from(id)));
        Ok(self.txns.filter(Txn::CATEGORY.is_in(branch)))
    }

    /// Splits a transaction; a rule of `Txn` is that its parts make up its amount.
    pub fn split(&self, reference: &str, splits: Vec<Split>) -> heirloom::Result<Option<Txn>> {
        self.txns.update(reference, |txn| txn.splits = splits)
    }

    /// The sums of all months.
    pub fn months(&self) -> heirloom::Result<Months> {
        self.txns.query().group_by(Txn::MONTH).aggregate((count(), Txn::CENTS.sum())).all()
    }
}
