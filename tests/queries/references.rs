//! References: what a local transaction keeps in order, what a merge may leave, and reading through them.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::exchange;
use heirloom::query::DanglingRef;
use heirloom::schema::Class;
use heirloom::{Error, ErrorKind, Id, Ref, Result, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "accounts")]
struct Account {
    id: Id<Account>,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "categories")]
struct Category {
    #[key]
    name: String,
    #[reference(on_remove = "cascade")]
    parent: Option<Ref<Category>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "txns", index(account, day))]
struct Txn {
    #[key]
    id: u32,
    account: Ref<Account>,
    day: u32,
    #[reference(on_remove = "set_null")]
    category: Option<Ref<Category>>,
    #[reference(unchecked)]
    #[evolve(default)]
    corrects: Option<Ref<Txn>>,
}

#[derive(Store)]
#[store(name = "ledger")]
struct Ledger {
    accounts: Table<Account>,
    categories: Table<Category>,
    txns: Table<Txn>,
}

fn account(name: &str) -> Account {
    Account { id: Id::new(), name: name.to_owned() }
}

fn category(name: &str, parent: Option<&str>) -> Category {
    Category { name: name.to_owned(), parent: parent.map(Ref::new) }
}

fn txn(id: u32, account: &Account) -> Txn {
    Txn { id, account: Ref::to(account), day: id, category: None, corrects: None }
}

#[test]
fn a_reference_is_stored_as_the_key_is() {
    let account = account("Giro");
    let reference = Ref::to(&account);
    assert_eq!(serde_json::to_value(reference).unwrap(), serde_json::to_value(account.id).unwrap());
    assert_eq!(reference, Ref::from(account.id));
    assert_eq!(reference, Ref::from(&account));
    assert_eq!(reference, Ref::new(account.id));
    assert_eq!(*reference.key(), account.id);
    assert_eq!(reference.to_string(), account.id.to_string());
    assert_eq!(reference.to_string().parse::<Ref<Account>>().unwrap(), reference);
    let schema = |schema: schemars::Schema| schema.to_value();
    assert_eq!(
        schema(schemars::schema_for!(Ref<Account>))["pattern"],
        schema(schemars::schema_for!(Id<Account>))["pattern"]
    );
    let (food, home): (Ref<Category>, Ref<Category>) = (Ref::new("food"), Ref::new("home"));
    assert!(food < home);
    assert_eq!(serde_json::to_string(&food).unwrap(), "\"food\"");
    let txn: Ref<Txn> = Ref::new(7_u32);
    assert_eq!(serde_json::to_string(&txn).unwrap(), "7");
}

#[test]
fn form_existence_and_type_are_three_errors() {
    let form = "x".parse::<Ref<Account>>().unwrap_err();
    assert_eq!(form.kind(), ErrorKind::WrongId);
    assert!(form.to_string().starts_with("this is not an id of table `accounts`"), "{form}");

    let other = "txns_01h455vb4pex5vsknk084sn02q".parse::<Ref<Account>>().unwrap_err();
    assert_eq!(other.kind(), ErrorKind::WrongId);
    assert!(other.to_string().starts_with("this is an id of table `txns`"), "{other}");

    let app = Ledger::in_memory().unwrap();
    let missing = app.txns.insert(&txn(1, &account("nowhere"))).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::DanglingReference);
    assert_eq!(
        (missing.table(), missing.key(), missing.field()),
        (Some("txns"), Some("1"), Some("account"))
    );
    let text = missing.to_string();
    assert!(text.contains("expected the key of a row of table `accounts`"), "{text}");
    assert!(text.contains("found `accounts_"), "{text}");
    assert!(app.txns.is_empty().unwrap());
}

#[test]
fn every_way_to_write_a_row_is_checked() {
    let app = Ledger::in_memory().unwrap();
    let (giro, nowhere) = (account("Giro"), account("nowhere"));
    app.accounts.insert(&giro).unwrap();
    app.txns.insert(&txn(1, &giro)).unwrap();
    let dangles = |outcome: Result<()>| {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::DanglingReference);
        assert_eq!(app.txns.query().all().unwrap(), [txn(1, &giro)]);
    };
    let bad = txn(2, &nowhere);
    dangles(app.txns.insert(&bad));
    dangles(app.txns.put(&bad));
    dangles(app.txns.insert_many([txn(3, &giro), bad.clone()]).map(drop));
    dangles(app.txns.insert_or_ignore(&bad).map(drop));
    dangles(app.txns.upsert_by(Txn::ID, &bad).map(drop));
    dangles(app.txns.update(&1, |txn| txn.account = Ref::to(&nowhere)).map(drop));
    dangles(app.txns.query().update_all(|txn| txn.account = Ref::to(&nowhere)).map(drop));
    dangles(app.transaction(|tx| tx.insert(&bad)));
    let refused: Result<(), Error> = app.try_transaction(|tx| tx.put(&bad));
    dangles(refused);
    let on_create =
        Ledger::builder().on_create(|tx| tx.insert(&txn(1, &account("none")))).in_memory();
    assert_eq!(on_create.err().unwrap().kind(), ErrorKind::DanglingReference);
}

#[test]
fn within_a_transaction_the_order_does_not_matter() {
    let app = Ledger::in_memory().unwrap();
    let giro = account("Giro");
    app.transaction(|tx| {
        tx.insert(&txn(1, &giro))?;
        tx.insert(&giro)
    })
    .unwrap();
    // Removed before what refers to it, and another way round.
    app.transaction(|tx| {
        tx.remove::<Account>(&giro.id)?;
        tx.remove::<Txn>(&1)
    })
    .unwrap();
    app.transaction(|tx| {
        tx.insert(&giro)?;
        tx.insert(&txn(1, &giro))
    })
    .unwrap();
    // Removed and put again is not removed.
    app.transaction(|tx| {
        tx.remove::<Account>(&giro.id)?;
        tx.insert(&giro)
    })
    .unwrap();
    assert_eq!(app.txns.len().unwrap(), 1);
    // A row that comes and goes in one transaction is nothing to refer to.
    let gone = account("gone");
    let refused = app.transaction(|tx| {
        tx.insert(&gone)?;
        tx.insert(&txn(2, &gone))?;
        tx.remove::<Account>(&gone.id)
    });
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::DanglingReference);
}

#[test]
fn a_row_that_others_refer_to_stays_unless_they_say_otherwise() {
    let app = Ledger::in_memory().unwrap();
    let (giro, cash) = (account("Giro"), account("Cash"));
    app.accounts.insert_many([&giro, &cash]).unwrap();
    app.categories.insert_many([category("food", None), category("lunch", Some("food"))]).unwrap();
    app.txns.insert(&Txn { category: Some(Ref::new("lunch")), ..txn(1, &giro) }).unwrap();
    app.txns.insert(&Txn { corrects: Some(Ref::new(1_u32)), ..txn(2, &giro) }).unwrap();

    let refused = app.accounts.remove(&giro.id).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::StillReferenced);
    let text = refused.to_string();
    assert!(text.contains("field `account` of row `1` in table `txns`"), "{text}");
    assert_eq!(refused.key(), Some(giro.id.to_string().as_str()));
    assert!(app.accounts.query().remove_all().is_err());
    assert!(app.accounts.remove(&cash.id).unwrap());

    // `cascade`, and `set_null` at its end.
    assert!(app.categories.remove("food").unwrap());
    assert!(app.categories.is_empty().unwrap());
    assert_eq!(app.txns.get(&1).unwrap().unwrap().category, None);

    // `unchecked`.
    assert!(app.txns.remove(&1).unwrap());
    let dangling = app.dangling().unwrap();
    assert_eq!(dangling.len(), 1);
    assert_eq!(
        (dangling[0].table(), dangling[0].key(), dangling[0].field()),
        ("txns", "2", "corrects")
    );
    assert_eq!((dangling[0].referred_table(), dangling[0].missing()), ("txns", "1"));
    assert_eq!(dangling[0].key_of::<Txn>(), Some(2));
    assert_eq!(dangling[0].key_of::<Category>(), None);
}

#[test]
fn circles_end() {
    let app = Ledger::in_memory().unwrap();
    app.transaction(|tx| {
        tx.insert(&category("a", Some("c")))?;
        tx.insert(&category("b", Some("a")))?;
        tx.insert(&category("c", Some("b")))?;
        tx.insert(&category("self", Some("self")))
    })
    .unwrap();
    app.categories.remove("self").unwrap();
    app.categories.remove("b").unwrap();
    assert!(app.categories.is_empty().unwrap());
}

#[test]
fn observers_are_told_of_rows_that_go_along() {
    let app = Ledger::in_memory().unwrap();
    app.categories.insert_many([category("a", None), category("b", Some("a"))]).unwrap();
    let (sender, told) = std::sync::mpsc::channel();
    let _subscription = app
        .categories
        .observe(move |changes| {
            let keys: Vec<String> = changes.iter().map(|change| change.key().clone()).collect();
            sender.send(keys).unwrap();
        })
        .unwrap();
    app.categories.remove("a").unwrap();
    assert_eq!(told.recv().unwrap(), ["a", "b"]);
}

#[test]
fn rows_are_read_from_a_store_a_transaction_and_a_snapshot() {
    let app = Ledger::in_memory().unwrap();
    let giro = account("Giro");
    let txn = txn(1, &giro);
    let before = app.snapshot().unwrap();
    app.transaction(|tx| {
        assert_eq!(txn.account.get(tx)?, None);
        tx.insert(&giro)?;
        assert_eq!(txn.account.get(tx)?, Some(giro.clone()));
        tx.insert(&txn)
    })
    .unwrap();
    assert_eq!(txn.account.get(&before).unwrap(), None);
    assert_eq!(txn.account.get(&app).unwrap(), Some(giro.clone()));
    assert_eq!(txn.account.get(&app.snapshot().unwrap()).unwrap(), Some(giro));
}

#[test]
fn columns_of_references_are_asked_by_what_makes_one() {
    let app = Ledger::in_memory().unwrap();
    let (giro, cash) = (account("Giro"), account("Cash"));
    app.accounts.insert_many([&giro, &cash]).unwrap();
    app.categories.insert_many([category("b", None), category("a", None)]).unwrap();
    app.txns
        .insert_many([
            Txn { category: Some(Ref::new("b")), ..txn(1, &giro) },
            Txn { category: Some(Ref::new("a")), ..txn(2, &giro) },
            Txn { corrects: Some(Ref::new(1_u32)), ..txn(3, &cash) },
        ])
        .unwrap();
    let ids = |query: heirloom::Query<Txn>| query.keys().unwrap();
    assert_eq!(ids(app.txns.filter(Txn::ACCOUNT.eq(giro.id))), [1, 2]);
    let by_reference = |id: &Id<Account>| app.txns.filter(Txn::ACCOUNT.eq(id));
    assert_eq!(ids(by_reference(&giro.id)), [1, 2]);
    assert_eq!(ids(app.txns.filter(Txn::ACCOUNT.eq(&giro))), [1, 2]);
    assert_eq!(ids(app.txns.filter(Txn::ACCOUNT.eq(Ref::to(&giro)))), [1, 2]);
    assert_eq!(ids(app.txns.filter(Txn::ACCOUNT.is_in([&giro, &cash]))), [1, 2, 3]);
    assert_eq!(ids(app.txns.filter(Txn::CATEGORY.eq("a"))), [2]);
    assert_eq!(ids(app.txns.filter(Txn::CATEGORY.eq(Ref::new("a")))), [2]);
    assert_eq!(ids(app.txns.filter(Txn::CATEGORY.eq(&category("a", None)))), [2]);
    let name = "a".to_owned();
    assert_eq!(ids(app.txns.filter(Txn::CATEGORY.eq(&name))), [2]);
    assert_eq!(ids(app.txns.filter(Txn::CORRECTS.eq(1))), [3]);
    assert_eq!(ids(app.txns.filter(Txn::CORRECTS.is_in([1, 7]))), [3]);
    assert_eq!(ids(app.txns.filter(Txn::CATEGORY.is_none())), [3]);
    assert_eq!(ids(app.txns.order_by(Txn::CATEGORY.desc())), [1, 2, 3]);
    assert_eq!(ids(app.txns.order_by(Txn::ACCOUNT.asc()).limit(2)), [1, 2]);
    // The declared index over account and day serves the reference, too.
    let explained = app.txns.filter(Txn::ACCOUNT.eq(&giro)).explain();
    assert!(explained.starts_with("index (account, day) of `txns`"), "{explained}");
    let explained = app.txns.filter(Txn::CATEGORY.eq("a")).explain();
    assert!(explained.starts_with("index (category) of `txns`"), "{explained}");
}

#[test]
fn a_row_left_dangling_by_a_merge_may_still_be_changed() {
    let (here, there) = (Ledger::in_memory().unwrap(), Ledger::in_memory().unwrap());
    let giro = account("Giro");
    here.accounts.insert(&giro).unwrap();
    exchange(&here, &there);
    here.accounts.remove(&giro.id).unwrap();
    there.txns.insert(&txn(1, &giro)).unwrap();
    exchange(&here, &there);
    for app in [&here, &there] {
        let dangling = app.dangling().unwrap();
        let places: Vec<_> = dangling.iter().map(|d| (d.table(), d.key(), d.field())).collect();
        assert_eq!(places, [("txns", "1", "account")]);
        assert_eq!(dangling[0].missing(), giro.id.to_string());
    }
    here.txns.update(&1, |txn| txn.day = 9).unwrap();
    let put = Txn { day: 10, ..txn(1, &giro) };
    here.txns.put(&put).unwrap();
    assert_eq!(put.account.get(&here).unwrap(), None);
    let other = account("other");
    let moved = here.txns.update(&1, |txn| txn.account = Ref::to(&other));
    assert_eq!(moved.unwrap_err().kind(), ErrorKind::DanglingReference);
    here.accounts.insert(&giro).unwrap();
    assert!(here.dangling().unwrap().is_empty());
}

#[test]
fn the_schema_says_what_a_field_refers_to() {
    let schema = Ledger::schema();
    let fields = &schema.tables["txns"].fields;
    assert_eq!(fields["account"].references.as_deref(), Some("accounts"));
    assert_eq!(fields["category"].references.as_deref(), Some("categories"));
    assert_eq!(fields["day"].references, None);
    let indexed: Vec<_> = schema.tables["txns"].indexes.iter().map(|index| &index.fields).collect();
    assert_eq!(
        indexed,
        [
            &vec!["account".to_owned(), "day".to_owned()],
            &vec!["category".to_owned()],
            &vec!["corrects".to_owned()]
        ]
    );

    mod with_ids {
        use super::*;

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "categories")]
        pub struct Category {
            #[key]
            pub name: String,
            pub parent: Option<String>,
        }

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "labels")]
        pub struct Label {
            #[key]
            pub name: String,
        }

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "txns")]
        pub struct Txn {
            #[key]
            pub id: u32,
            pub account: Id<Account>,
            pub day: u32,
            pub category: Option<Ref<Label>>,
            #[evolve(default)]
            pub corrects: Option<u32>,
        }

        #[derive(Store)]
        #[store(name = "ledger")]
        pub struct Ledger {
            pub accounts: Table<Account>,
            pub categories: Table<Category>,
            pub labels: Table<Label>,
            pub txns: Table<Txn>,
        }
    }

    let diff = with_ids::Ledger::schema().diff(&schema);
    let change = |field: &str| {
        let change = diff.iter().find(|change| change.field() == Some(field)).unwrap();
        (
            change.rule().to_owned(),
            change.class(),
            change.old().map(str::to_owned),
            change.new().map(str::to_owned),
        )
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(change("account"), ("reference-added".into(), Class::Warn, None, text("accounts")));
    assert_eq!(change("parent"), ("reference-added".into(), Class::Warn, None, text("categories")));
    assert_eq!(
        change("category"),
        ("referred-table-changed".into(), Class::Breaking, text("labels"), text("categories"))
    );
    let back = schema.diff(&with_ids::Ledger::schema());
    let removed = back.iter().find(|change| change.field() == Some("account")).unwrap();
    assert_eq!((removed.rule(), removed.class()), ("reference-removed", Class::Warn));
    assert_ne!(schema.fingerprint(), with_ids::Ledger::schema().fingerprint());
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "nodes")]
struct Node {
    #[key]
    id: u8,
    #[reference(on_remove = "cascade")]
    parent: Option<Ref<Node>>,
    #[reference(on_remove = "set_null")]
    friend: Option<Ref<Node>>,
    chief: Option<Ref<Node>>,
    #[reference(unchecked)]
    hint: Option<Ref<Leaf>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "leaves")]
struct Leaf {
    #[key]
    id: u8,
    #[reference(on_remove = "restrict")]
    node: Ref<Node>,
    #[reference(on_remove = "cascade", no_index)]
    owner: Option<Ref<Node>>,
}

#[derive(Store)]
#[store(name = "tree")]
struct Tree {
    nodes: Table<Node>,
    leaves: Table<Leaf>,
}

/// The rows of a store, as plain maps.
#[derive(Debug, Clone, PartialEq, Default)]
struct Model {
    nodes: BTreeMap<u8, Node>,
    leaves: BTreeMap<u8, Leaf>,
}

#[derive(Debug, Clone)]
enum Action {
    PutNode(Node),
    RemoveNode(u8),
    PutLeaf(Leaf),
    RemoveLeaf(u8),
}

#[derive(Debug, Clone)]
enum Event {
    /// A transaction of one of two devices.
    Write(bool, Vec<Action>),
    /// Each gets what the other has.
    Exchange,
}

fn key(reference: &Option<Ref<Node>>) -> Option<u8> {
    reference.as_ref().map(|reference| *reference.key())
}

impl Model {
    fn of(app: &Tree) -> Self {
        let nodes = app.nodes.iter().unwrap().map(Result::unwrap).map(|node| (node.id, node));
        let leaves = app.leaves.iter().unwrap().map(Result::unwrap).map(|leaf| (leaf.id, leaf));
        Self { nodes: nodes.collect(), leaves: leaves.collect() }
    }

    /// Returns the state after a transaction.
    fn after(&self, actions: &[Action]) -> Result<Self, ErrorKind> {
        let mut now = self.clone();
        let (mut nodes, mut leaves) = (BTreeSet::new(), BTreeSet::new());
        for action in actions {
            match action {
                Action::PutNode(node) => {
                    nodes.insert(node.id);
                    now.nodes.insert(node.id, node.clone());
                }
                Action::RemoveNode(id) => {
                    if now.nodes.remove(id).is_some() {
                        nodes.insert(*id);
                    }
                }
                Action::PutLeaf(leaf) => {
                    leaves.insert(leaf.id);
                    now.leaves.insert(leaf.id, leaf.clone());
                }
                Action::RemoveLeaf(id) => {
                    now.leaves.remove(id);
                }
            }
        }
        // `cascade`, until nothing more goes.
        let mut gone: BTreeSet<u8> =
            nodes.iter().copied().filter(|id| !now.nodes.contains_key(id)).collect();
        loop {
            let more: Vec<u8> = now
                .nodes
                .values()
                .filter(|node| key(&node.parent).is_some_and(|parent| gone.contains(&parent)))
                .map(|node| node.id)
                .collect();
            if more.is_empty() {
                break;
            }
            for id in more {
                now.nodes.remove(&id);
                gone.insert(id);
            }
        }
        now.leaves.retain(|_, leaf| !key(&leaf.owner).is_some_and(|owner| gone.contains(&owner)));
        for node in now.nodes.values_mut() {
            if key(&node.friend).is_some_and(|friend| gone.contains(&friend)) {
                node.friend = None;
                nodes.insert(node.id);
            }
        }
        let restricted = |id: &u8| {
            self.nodes.contains_key(id)
                && (now.nodes.values().any(|node| key(&node.chief) == Some(*id))
                    || now.leaves.values().any(|leaf| leaf.node.key() == id))
        };
        if gone.iter().any(restricted) {
            return Err(ErrorKind::StillReferenced);
        }
        let is_missing = |to: Option<u8>, before: Option<u8>| {
            to.is_some_and(|to| !now.nodes.contains_key(&to)) && to != before
        };
        for node in nodes.iter().filter_map(|id| now.nodes.get(id)) {
            let before = self.nodes.get(&node.id);
            let fields: [fn(&Node) -> Option<u8>; 3] =
                [|node| key(&node.parent), |node| key(&node.friend), |node| key(&node.chief)];
            if fields.iter().any(|field| is_missing(field(node), before.and_then(field))) {
                return Err(ErrorKind::DanglingReference);
            }
        }
        for leaf in leaves.iter().filter_map(|id| now.leaves.get(id)) {
            let before = self.leaves.get(&leaf.id);
            let fields: [fn(&Leaf) -> Option<u8>; 2] =
                [|leaf| Some(*leaf.node.key()), |leaf| key(&leaf.owner)];
            if fields.iter().any(|field| is_missing(field(leaf), before.and_then(field))) {
                return Err(ErrorKind::DanglingReference);
            }
        }
        Ok(now)
    }

    fn dangling(&self) -> BTreeSet<(String, String, String, String)> {
        let mut found = BTreeSet::new();
        let mut check = |table: &str, id: u8, field: &str, to: Option<u8>, is_there: bool| {
            if let Some(to) = to.filter(|_| !is_there) {
                found.insert((table.into(), id.to_string(), field.into(), to.to_string()));
            }
        };
        let has = |to: &Option<u8>| to.is_some_and(|to| self.nodes.contains_key(&to));
        for node in self.nodes.values() {
            let (parent, friend, chief) = (key(&node.parent), key(&node.friend), key(&node.chief));
            check("nodes", node.id, "parent", parent, has(&parent));
            check("nodes", node.id, "friend", friend, has(&friend));
            check("nodes", node.id, "chief", chief, has(&chief));
            let hint = node.hint.as_ref().map(|hint| *hint.key());
            check(
                "nodes",
                node.id,
                "hint",
                hint,
                hint.is_some_and(|hint| self.leaves.contains_key(&hint)),
            );
        }
        for leaf in self.leaves.values() {
            let (node, owner) = (Some(*leaf.node.key()), key(&leaf.owner));
            check("leaves", leaf.id, "node", node, has(&node));
            check("leaves", leaf.id, "owner", owner, has(&owner));
        }
        found
    }
}

fn write(app: &Tree, actions: &[Action]) -> Result<()> {
    app.transaction(|tx| {
        for action in actions {
            match action {
                Action::PutNode(node) => tx.put(node)?,
                Action::RemoveNode(id) => drop(tx.remove::<Node>(id)?),
                Action::PutLeaf(leaf) => tx.put(leaf)?,
                Action::RemoveLeaf(id) => drop(tx.remove::<Leaf>(id)?),
            }
        }
        Ok(())
    })
}

fn texts(dangling: &[DanglingRef]) -> BTreeSet<(String, String, String, String)> {
    let text = |d: &DanglingRef| {
        (d.table().to_owned(), d.key().to_owned(), d.field().to_owned(), d.missing().to_owned())
    };
    dangling.iter().map(text).collect()
}

fn action() -> impl Strategy<Value = Action> {
    const IDS: std::ops::Range<u8> = 0..6;
    let to = || prop::option::weighted(0.4, IDS).prop_map(|id| id.map(Ref::new));
    let node = (IDS, to(), to(), to(), prop::option::weighted(0.2, IDS)).prop_map(
        |(id, parent, friend, chief, hint)| {
            Action::PutNode(Node { id, parent, friend, chief, hint: hint.map(Ref::new) })
        },
    );
    let plain = IDS.prop_map(|id| {
        Action::PutNode(Node { id, parent: None, friend: None, chief: None, hint: None })
    });
    let leaf = (IDS, IDS, to())
        .prop_map(|(id, node, owner)| Action::PutLeaf(Leaf { id, node: Ref::new(node), owner }));
    prop_oneof![
        3 => node,
        3 => plain,
        2 => leaf,
        3 => IDS.prop_map(Action::RemoveNode),
        1 => IDS.prop_map(Action::RemoveLeaf),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        5 => (any::<bool>(), prop::collection::vec(action(), 1..5))
            .prop_map(|(first, actions)| Event::Write(first, actions)),
        1 => Just(Event::Exchange),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn two_devices_keep_their_references_as_a_plain_model_does(
        events in prop::collection::vec(event(), 1..25),
    ) {
        let apps = [Tree::in_memory().unwrap(), Tree::in_memory().unwrap()];
        for event in events {
            match event {
                Event::Write(first, actions) => {
                    let app = &apps[usize::from(first)];
                    let before = Model::of(app);
                    let expected = before.after(&actions);
                    let written = write(app, &actions).map_err(|error| error.kind());
                    prop_assert_eq!(written, expected.as_ref().map(drop).map_err(|kind| *kind));
                    prop_assert_eq!(Model::of(app), expected.unwrap_or(before));
                }
                Event::Exchange => exchange(&apps[0], &apps[1]),
            }
            for app in &apps {
                prop_assert_eq!(texts(&app.dangling().unwrap()), Model::of(app).dangling());
            }
        }
    }
}
