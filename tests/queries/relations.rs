//! Rows together with those that they refer to, and conditions on these.

use std::collections::BTreeMap;

use crate::support::exchange;
use heirloom::query::{Expr, count};
use heirloom::{ErrorKind, Ref, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "banks")]
struct Bank {
    #[key]
    name: String,
    country: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "accounts")]
struct Account {
    #[key]
    id: i16,
    #[index]
    size: u8,
    #[reference(unchecked)]
    bank: Ref<Bank>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "txns")]
struct Txn {
    #[key]
    id: u32,
    #[reference(unchecked)]
    account: Ref<Account>,
    #[reference(unchecked, no_index)]
    other: Option<Ref<Account>>,
    cents: i32,
}

#[derive(Store)]
#[store(name = "relations")]
struct Ledger {
    banks: Table<Bank>,
    accounts: Table<Account>,
    txns: Table<Txn>,
}

#[derive(Debug, Clone, Default)]
struct Rows {
    banks: BTreeMap<String, Bank>,
    accounts: BTreeMap<i16, Account>,
    txns: BTreeMap<u32, Txn>,
}

fn bank() -> impl Strategy<Value = Bank> {
    ("[ab]{0,2}", 0..3_u8).prop_map(|(name, country)| Bank { name, country })
}

fn account() -> impl Strategy<Value = Account> {
    (-4..4_i16, 0..3_u8, "[ab]{0,2}").prop_map(|(id, size, bank)| Account {
        id,
        size,
        bank: Ref::new(bank),
    })
}

fn txn() -> impl Strategy<Value = Txn> {
    (0..12_u32, -5..5_i16, prop::option::of(-5..5_i16), -3..3_i32).prop_map(
        |(id, account, other, cents)| Txn {
            id,
            account: Ref::new(account),
            other: other.map(Ref::new),
            cents,
        },
    )
}

fn rows() -> impl Strategy<Value = Rows> {
    let banks = prop::collection::vec(bank(), 0..5);
    let accounts = prop::collection::vec(account(), 0..8);
    let txns = prop::collection::vec(txn(), 0..12);
    (banks, accounts, txns).prop_map(|(banks, accounts, txns)| Rows {
        banks: banks.into_iter().map(|bank| (bank.name.clone(), bank)).collect(),
        accounts: accounts.into_iter().map(|account| (account.id, account)).collect(),
        txns: txns.into_iter().map(|txn| (txn.id, txn)).collect(),
    })
}

impl Rows {
    fn over(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.banks.extend(other.banks.clone());
        all.accounts.extend(other.accounts.clone());
        all.txns.extend(other.txns.clone());
        all
    }

    fn account(&self, reference: &Ref<Account>) -> Option<Account> {
        self.accounts.get(reference.key()).cloned()
    }

    fn other(&self, txn: &Txn) -> Option<Account> {
        txn.other.as_ref().and_then(|other| self.account(other))
    }

    fn is_in_country(&self, account: &Account, country: u8) -> bool {
        self.banks.get(account.bank.key()).is_some_and(|bank| bank.country == country)
    }
}

/// The same questions to a store, a transaction and a snapshot.
macro_rules! check {
    ($ask:ident, $rows:expr, $country:expr) => {{
        let (rows, country): (&Rows, u8) = ($rows, $country);
        let txns = || rows.txns.values().cloned();

        let found = $ask!(Txn).filter(Txn::CENTS.le(0)).order_by(Txn::CENTS).with(Txn::ACCOUNT).unwrap();
        let mut expected: Vec<_> = txns().filter(|txn| txn.cents <= 0).collect();
        expected.sort_by_key(|txn| (txn.cents, txn.id));
        let expected: Vec<_> =
            expected.into_iter().map(|txn| (txn.clone(), rows.account(&txn.account))).collect();
        assert_eq!(found, expected);

        let found = $ask!(Txn).limit(5).with(Txn::OTHER).unwrap();
        let expected: Vec<_> = txns().take(5).map(|txn| (txn.clone(), rows.other(&txn))).collect();
        assert_eq!(found, expected);

        let found = $ask!(Account).filter(Account::SIZE.ge(1)).with_many(Txn::ACCOUNT).unwrap();
        let accounts = rows.accounts.values().filter(|account| account.size >= 1).cloned();
        let expected: Vec<_> = accounts
            .map(|account| {
                let of = txns().filter(|txn| *txn.account.key() == account.id).collect::<Vec<_>>();
                (account, of)
            })
            .collect();
        assert_eq!(found, expected);
        let found = $ask!(Account).with_many(Txn::OTHER).unwrap();
        let expected: Vec<_> = rows.accounts.values().cloned()
            .map(|account| {
                let of = txns().filter(|txn| txn.other.as_ref().is_some_and(|other| *other.key() == account.id));
                (account.clone(), of.collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(found, expected);

        let in_country = || Txn::ACCOUNT.is(Account::BANK.is(Bank::COUNTRY.eq(country)));
        let is_in = |txn: &Txn| {
            rows.account(&txn.account).is_some_and(|account| rows.is_in_country(&account, country))
        };
        let small = || Txn::OTHER.is(Account::SIZE.lt(1) | Account::ID.eq(3));
        let is_small =
            |txn: &Txn| rows.other(txn).is_some_and(|account| account.size < 1 || account.id == 3);
        let conditions: Vec<(Expr<Txn>, Box<dyn Fn(&Txn) -> bool>)> = vec![
            (in_country(), Box::new(is_in)),
            (!in_country(), Box::new(move |txn| !is_in(txn))),
            (small(), Box::new(is_small)),
            (!small() & Txn::CENTS.gt(0), Box::new(move |txn| !is_small(txn) && txn.cents > 0)),
            (
                in_country() | !(small() & Txn::CENTS.lt(0)),
                Box::new(move |txn| is_in(txn) || !(is_small(txn) && txn.cents < 0)),
            ),
        ];
        for (condition, is_met) in conditions {
            let expected: Vec<_> = txns().filter(|txn| is_met(txn)).collect();
            let keys: Vec<u32> = expected.iter().map(|txn| txn.id).collect();
            assert_eq!($ask!(Txn).filter(condition.clone()).all().unwrap(), expected);
            assert_eq!($ask!(Txn).filter(condition.clone()).keys().unwrap(), keys);
            assert_eq!($ask!(Txn).filter(condition.clone()).count().unwrap(), keys.len());
            assert_eq!($ask!(Txn).filter(condition.clone()).exists().unwrap(), !keys.is_empty());
            assert_eq!($ask!(Txn).filter(condition.clone()).first().unwrap(), expected.first().cloned());
            let selected = $ask!(Txn).filter(condition.clone()).select(Txn::ID).all().unwrap();
            assert_eq!(selected, keys);
            let distinct = $ask!(Txn).filter(condition.clone()).select(Txn::CENTS).distinct();
            let cents: std::collections::BTreeSet<i32> =
                expected.iter().map(|txn| txn.cents).collect();
            assert_eq!(distinct.all().unwrap(), Vec::from_iter(cents));
            let sum = $ask!(Txn).filter(condition.clone()).sum(Txn::CENTS).unwrap();
            assert_eq!(sum, expected.iter().map(|txn| i64::from(txn.cents)).sum::<i64>());
            assert_eq!($ask!(Txn).filter(condition.clone()).max(Txn::CENTS).unwrap(), expected.iter().map(|txn| txn.cents).max());
            let groups = $ask!(Txn).filter(condition.clone()).group_by(Txn::CENTS).aggregate(count()).all().unwrap();
            assert_eq!(groups.iter().map(|(_, count)| *count).sum::<usize>(), keys.len());
            let rows: Vec<Txn> = $ask!(Txn).filter(condition.clone()).iter().unwrap().map(Result::unwrap).collect();
            assert_eq!(rows, expected);
        }

        for id in -5..5_i16 {
            let expected: Vec<u32> =
                txns().filter(|txn| *txn.account.key() == id).map(|txn| txn.id).collect();
            assert_eq!($ask!(@referrers id).keys().unwrap(), expected);
        }
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn rows_are_related_as_in_a_plain_model(start in rows(), written in rows(), country in 0..3_u8) {
        let app = Ledger::in_memory().unwrap();
        app.transaction(|tx| {
            tx.insert_many::<Bank, _>(start.banks.values())?;
            tx.insert_many::<Account, _>(start.accounts.values())?;
            tx.insert_many::<Txn, _>(start.txns.values())
        }).unwrap();
        macro_rules! table {
            (Bank) => { app.banks.query() };
            (Account) => { app.accounts.query() };
            (Txn) => { app.txns.query() };
            (@referrers $id:expr) => { app.txns.referrers(Txn::ACCOUNT, &$id) };
        }
        check!(table, &start, country);
        let snap = app.snapshot().unwrap();
        let after = start.over(&written);
        app.transaction(|tx| {
            written.banks.values().try_for_each(|row| tx.put(row))?;
            written.accounts.values().try_for_each(|row| tx.put(row))?;
            written.txns.values().try_for_each(|row| tx.put(row))?;
            macro_rules! within {
                ($row:ident) => { tx.query::<$row>() };
                (@referrers $id:expr) => { tx.referrers(Txn::ACCOUNT, &$id) };
            }
            check!(within, &after, country);
            Ok(())
        }).unwrap();
        macro_rules! snapshot {
            ($row:ident) => { snap.query::<$row>() };
            (@referrers $id:expr) => { snap.referrers(Txn::ACCOUNT, &$id) };
        }
        check!(snapshot, &start, country);
        check!(table, &after, country);
        // On another device, after a merge.
        let there = Ledger::in_memory().unwrap();
        exchange(&app, &there);
        let app = there;
        macro_rules! merged {
            (Bank) => { app.banks.query() };
            (Account) => { app.accounts.query() };
            (Txn) => { app.txns.query() };
            (@referrers $id:expr) => { app.txns.referrers(Txn::ACCOUNT, &$id) };
        }
        check!(merged, &after, country);
    }
}

fn ledger() -> Ledger {
    let app = Ledger::in_memory().unwrap();
    app.banks.insert(&Bank { name: "a".into(), country: 1 }).unwrap();
    let accounts = (0..100).map(|id| Account { id, size: 0, bank: Ref::new("a") });
    app.accounts.insert_many(accounts).unwrap();
    let txns = (0..2_000).map(|id| Txn {
        id,
        account: Ref::new(i16::try_from(id % 100).unwrap()),
        other: None,
        cents: 1,
    });
    app.txns.insert_many(txns).unwrap();
    app
}

#[test]
fn a_condition_on_referred_rows_is_served_by_the_index() {
    let app = ledger();
    let of_three = app.txns.filter(Txn::ACCOUNT.is(Account::ID.le(2)));
    assert_eq!(of_three.explain(), "index (account) of `txns`, 3 ranges, in the order of keys");
    let before = app.handle().touched();
    assert_eq!(of_three.count().unwrap(), 60);
    let after = app.handle().touched();
    assert!(after.0 - before.0 <= 3, "rows of `accounts` alone: {before:?} {after:?}");
    let removed = app.txns.filter(Txn::ACCOUNT.is(Account::ID.eq(5))).remove_all().unwrap();
    assert_eq!(removed, 20);
    let raised = app.txns.filter(Txn::ACCOUNT.is(Account::ID.eq(6)));
    assert_eq!(raised.update_all(|txn| txn.cents = 9).unwrap(), 20);
    assert_eq!(app.txns.filter(Txn::CENTS.eq(9)).count().unwrap(), 20);
}

#[test]
fn a_condition_on_referred_rows_is_watched_by_a_closure_and_by_nothing_else() {
    let app = ledger();
    let of_large = || Txn::ACCOUNT.is(Account::SIZE.ge(5));
    let refusals = [
        app.txns.filter(of_large()).watch().err().unwrap(),
        app.txns.filter(!of_large() & Txn::CENTS.gt(0)).aggregate(count()).watch().err().unwrap(),
        app.txns.filter(of_large()).group_by(Txn::CENTS).aggregate(count()).watch().err().unwrap(),
    ];
    for refused in refusals {
        assert_eq!(refused.kind(), ErrorKind::InvalidValue);
        assert!(refused.to_string().contains("app.watch"), "{refused}");
    }
    let mut counted = app.watch(move |snap| snap.filter(of_large()).count()).unwrap();
    assert_eq!(counted.recv().unwrap(), 0);
    app.accounts.update(&7, |account| account.size = 9).unwrap();
    assert_eq!(counted.recv().unwrap(), 20);
    let mut names = app
        .watch(|snap| {
            let pairs = snap.filter(Txn::ID.lt(1)).with(Txn::ACCOUNT)?;
            Ok(pairs
                .into_iter()
                .map(|(_, account)| account.map(|account| account.size))
                .collect::<Vec<_>>())
        })
        .unwrap();
    assert_eq!(names.recv().unwrap(), [Some(0)]);
    app.accounts.update(&0, |account| account.size = 4).unwrap();
    assert_eq!(names.recv().unwrap(), [Some(4)]);
    let mut many = app
        .watch(|snap| {
            let pairs = snap.filter(Account::ID.eq(1)).with_many(Txn::ACCOUNT)?;
            Ok(pairs[0].1.len())
        })
        .unwrap();
    assert_eq!(many.recv().unwrap(), 20);
    app.txns.remove(&1).unwrap();
    assert_eq!(many.recv().unwrap(), 19);
}

#[test]
fn a_row_alone_does_not_meet_a_condition_on_another() {
    let txn = Txn { id: 1, account: Ref::new(1_i16), other: None, cents: 0 };
    let condition = Txn::ACCOUNT.is(Account::ID.eq(1));
    assert!(!condition.matches(&txn));
    assert!(!(!condition).matches(&txn));
}

#[test]
fn many_rows_are_found_by_a_scan_where_an_index_would_take_longer() {
    let app = Ledger::in_memory().unwrap();
    let accounts = (-16_000..16_000).map(|id| Account { id, size: 0, bank: Ref::new("a") });
    app.accounts.insert_many(accounts).unwrap();
    let txns = (0..500).map(|id| Txn { id, account: Ref::new(7_i16), other: None, cents: 1 });
    app.txns.insert_many(txns).unwrap();
    let pairs = app.accounts.query().with_many(Txn::ACCOUNT).unwrap();
    assert_eq!(pairs.len(), 32_000);
    assert_eq!(pairs.iter().map(|(_, txns)| txns.len()).sum::<usize>(), 500);
    assert_eq!(app.txns.filter(Txn::ACCOUNT.is(Account::SIZE.eq(0))).count().unwrap(), 500);
}
