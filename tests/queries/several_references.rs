//! Rows that refer to others by several fields, of which one transaction removes more than one.

use heirloom::{ErrorKind, Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "accounts")]
struct Account {
    #[key]
    number: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "transfers")]
struct Transfer {
    #[key]
    number: u32,
    #[reference(on_remove = "set_null")]
    from: Option<Ref<Account>>,
    #[reference(on_remove = "set_null")]
    to: Option<Ref<Account>>,
    #[reference(on_remove = "cascade")]
    owner: Option<Ref<Account>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "branches")]
struct Branch {
    #[key]
    number: u32,
    #[reference(on_remove = "cascade")]
    of: Option<Ref<Branch>>,
    #[reference(on_remove = "restrict")]
    holds: Option<Ref<Branch>>,
}

#[derive(Store)]
#[store(name = "bank")]
struct Bank {
    accounts: Table<Account>,
    transfers: Table<Transfer>,
    branches: Table<Branch>,
}

fn bank() -> Bank {
    let app = Bank::in_memory().unwrap();
    app.accounts.insert_many((1..4).map(|number| Account { number })).unwrap();
    app
}

fn transfer(from: u32, to: u32, owner: u32) -> Transfer {
    Transfer {
        number: 1,
        from: Some(Ref::new(from)),
        to: Some(Ref::new(to)),
        owner: Some(Ref::new(owner)),
    }
}

#[test]
fn both_fields_become_nothing_if_both_refer_to_what_is_removed() {
    for (to, removed) in [(1, vec![1]), (2, vec![1, 2]), (2, vec![2, 1])] {
        let app = bank();
        app.transfers.insert(&transfer(1, to, 3)).unwrap();
        app.accounts.remove_many(&removed).unwrap();
        let left = app.transfers.get(&1).unwrap().unwrap();
        assert_eq!((left.from, left.to), (None, None), "{removed:?}");
        assert_eq!(left.owner, Some(Ref::new(3_u32)));
        assert!(app.dangling().unwrap().is_empty());
    }
}

#[test]
fn a_row_goes_if_one_of_its_fields_says_so() {
    for (owner, removed) in [(1, vec![1]), (2, vec![1, 2]), (2, vec![2, 1])] {
        let app = bank();
        app.transfers.insert(&transfer(1, 3, owner)).unwrap();
        app.accounts.remove_many(&removed).unwrap();
        assert!(app.transfers.is_empty().unwrap(), "{removed:?}");
        assert!(app.dangling().unwrap().is_empty());
    }
}

fn branch(number: u32, of: Option<u32>, holds: Option<u32>) -> Branch {
    Branch { number, of: of.map(Ref::new), holds: holds.map(Ref::new) }
}

#[test]
fn a_chain_of_any_length_goes_with_its_first_row() {
    let app = Bank::in_memory().unwrap();
    let chain = (0_u32..5_000).map(|number| branch(number, number.checked_sub(1), None));
    app.branches.insert_many(chain).unwrap();
    app.branches.remove(&0).unwrap();
    assert!(app.branches.is_empty().unwrap());
}

#[test]
fn a_row_restricts_a_removal_unless_it_goes_along() {
    let app = Bank::in_memory().unwrap();
    app.branches.insert_many([branch(1, Some(2), Some(2)), branch(2, Some(1), None)]).unwrap();
    app.branches.insert(&branch(3, None, Some(1))).unwrap();
    let refused = app.branches.remove(&2).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::StillReferenced);
    assert_eq!(app.branches.len().unwrap(), 3);
    app.branches.remove(&3).unwrap();
    app.branches.remove(&2).unwrap();
    assert!(app.branches.is_empty().unwrap());
}
