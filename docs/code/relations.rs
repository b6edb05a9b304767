//! The code of the guide page on relations.

mod ledger {
    // [ledger]
    use heirloom::{Id, Ref, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "accounts")]
    pub struct Account {
        pub id: Id<Account>,
        pub name: String,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "categories")]
    pub struct Category {
        #[key]
        pub name: String,
        #[reference(on_remove = "cascade")]
        pub parent: Option<Ref<Category>>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "txns")]
    pub struct Txn {
        pub id: Id<Txn>,
        pub account: Ref<Account>, // restricts the removal of the account
        #[reference(on_remove = "set_null")]
        pub category: Option<Ref<Category>>,
        pub cents: i64,
    }

    #[derive(Store)]
    #[store(name = "ledger")]
    pub struct Ledger {
        pub accounts: Table<Account>,
        pub categories: Table<Category>,
        pub txns: Table<Txn>,
    }
    // [end]

    pub fn exchange(a: &Ledger, b: &Ledger) -> heirloom::Result<()> {
        b.apply(&a.changes_since(&b.summary()?)?)?;
        a.apply(&b.changes_since(&a.summary()?)?)?;
        Ok(())
    }
}

mod tagged {
    // [join]
    use heirloom::{Id, Ref, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "books")]
    pub struct Book {
        pub id: Id<Book>,
        pub title: String,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tags")]
    pub struct Tag {
        #[key]
        pub name: String,
    }

    /// Which book has which tag.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "book_tags", key(book, tag))]
    pub struct BookTag {
        #[reference(on_remove = "cascade")]
        pub book: Ref<Book>,
        #[reference(on_remove = "cascade")]
        pub tag: Ref<Tag>,
    }

    #[derive(Store)]
    #[store(name = "library")]
    pub struct Library {
        pub books: Table<Book>,
        pub tags: Table<Tag>,
        pub book_tags: Table<BookTag>,
    }
    // [end]
}

#[test]
fn a_table_joins_two() -> heirloom::Result<()> {
    use tagged::{Book, BookTag, Library, Tag};

    let app = Library::in_memory()?;
    // [joined]
    let emma = Book { id: Id::new(), title: "Emma".into() };
    app.books.insert(&emma)?;
    app.tags.insert(&Tag { name: "novel".into() })?;
    app.book_tags.insert(&BookTag { book: Ref::to(&emma), tag: Ref::new("novel") })?;

    // One row, by the tuple of its key.
    assert!(app.book_tags.contains(&(Ref::to(&emma), Ref::new("novel")))?);
    // The tags of a book, from the key; the books of a tag, from the index of the reference.
    let of_emma = app.book_tags.filter(BookTag::BOOK.eq(&emma));
    assert_eq!(of_emma.explain(), "`book_tags` by key, 1 range");
    for (_, tag) in of_emma.with(BookTag::TAG)? {
        println!("{:?}", tag.map(|tag| tag.name));
    }
    let novels = app.book_tags.referrers(BookTag::TAG, "novel").with(BookTag::BOOK)?;
    assert_eq!(novels[0].1.as_ref().unwrap().title, "Emma");
    // [end]
    Ok(())
}

use heirloom::{ErrorKind, Id, Ref};
use ledger::{Account, Category, Ledger, Txn, exchange};

#[test]
fn a_reference_is_read() -> heirloom::Result<()> {
    let app = Ledger::in_memory()?;
    // [get]
    let giro = Account { id: Id::new(), name: "Giro".into() };
    let txn = Txn { id: Id::new(), account: giro.id.into(), category: None, cents: -450 };
    app.transaction(|tx| {
        tx.insert(&txn)?; // in any order
        tx.insert(&giro)
    })?;
    assert_eq!(txn.account.get(&app)?.unwrap().name, "Giro");
    // [end]
    Ok(())
}

#[test]
fn removals_are_followed() -> heirloom::Result<()> {
    let app = Ledger::in_memory()?;
    let giro = Account { id: Id::new(), name: "Giro".into() };
    app.accounts.insert(&giro)?;
    // [remove]
    app.categories.insert(&Category { name: "food".into(), parent: None })?;
    app.categories.insert(&Category { name: "lunch".into(), parent: Some(Ref::new("food")) })?;
    let category = Some(Ref::new("lunch"));
    let txn = Txn { id: Id::new(), account: Ref::to(&giro), category, cents: -450 };
    app.txns.insert(&txn)?;

    let refused = app.accounts.remove(&giro.id).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::StillReferenced);

    app.categories.remove("food")?; // and "lunch" with it
    assert!(app.categories.is_empty()?);
    assert_eq!(app.txns.get(&txn.id)?.unwrap().category, None);
    // [end]
    Ok(())
}

#[test]
fn rows_are_read_together() -> heirloom::Result<()> {
    let app = Ledger::in_memory()?;
    let giro = Account { id: Id::new(), name: "Giro".into() };
    app.accounts.insert(&giro)?;
    let txn = Txn { id: Id::new(), account: Ref::to(&giro), category: None, cents: -450 };
    app.txns.insert(&txn)?;
    // [together]
    // The rows that refer to a row: a query, to be filtered, ordered, counted.
    let booked = app.txns.referrers(Txn::ACCOUNT, &giro.id);
    assert_eq!(booked.sum(Txn::CENTS)?, -450);

    // Rows, each with the one that it refers to.
    for (txn, account) in app.txns.filter(Txn::CENTS.lt(0)).with(Txn::ACCOUNT)? {
        println!("{} {:?}", txn.cents, account.map(|account| account.name));
    }

    // Rows, each with all that refer to it.
    for (account, txns) in app.accounts.order_by(Account::NAME).with_many(Txn::ACCOUNT)? {
        println!("{}: {}", account.name, txns.len());
    }

    // A condition on the row that is referred to.
    let of_giro = Txn::ACCOUNT.is(Account::NAME.eq("Giro"));
    assert_eq!(app.txns.filter(of_giro & Txn::CENTS.lt(0)).count()?, 1);
    // [end]
    Ok(())
}

#[test]
fn merges_leave_dangling_references() -> heirloom::Result<()> {
    let (laptop, phone) = (Ledger::in_memory()?, Ledger::in_memory()?);
    let giro = Account { id: Id::new(), name: "Giro".into() };
    laptop.accounts.insert(&giro)?;
    exchange(&laptop, &phone)?;
    // [dangling]
    laptop.accounts.remove(&giro.id)?;
    let txn = Txn { id: Id::new(), account: Ref::to(&giro), category: None, cents: -450 };
    phone.txns.insert(&txn)?;
    exchange(&laptop, &phone)?;

    for dangling in laptop.dangling()? {
        println!("{dangling:?}"); // table, key, field and the key that is missing
        if let Some(id) = dangling.key_of::<Txn>() {
            laptop.txns.remove(&id)?;
        }
    }
    // [end]
    assert!(laptop.dangling()?.is_empty());
    Ok(())
}
