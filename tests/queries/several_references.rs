//! Rows that refer to others by several fields, of which one transaction removes more than one.

use heirloom::{Ref, Store, Table};
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

#[derive(Store)]
#[store(name = "bank")]
struct Bank {
    accounts: Table<Account>,
    transfers: Table<Transfer>,
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
