//! Pages by the row that they begin after, and rows by what no two of them have.

use crate::shelf::{Ask, Book, Kind, Plain, Question, Shelf, book, by_key, question, shelves};
use crate::support::exchange;
use heirloom::{ErrorKind, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Returns the books after a row, or before it.
fn after(question: &Question, books: &[Book], row: &Book) -> Vec<Book> {
    let all = Question { offset: 0, limit: None, ..question.clone() };
    let mut found = all.answer(books);
    found.retain(|book| question.compare(book, row).is_gt());
    found.into_iter().skip(question.offset).take(question.limit.unwrap_or(usize::MAX)).collect()
}

fn before(question: &Question, books: &[Book], row: &Book) -> Vec<Book> {
    let all = Question { offset: 0, limit: None, ..question.clone() };
    let mut found = all.answer(books);
    found.retain(|book| question.compare(book, row).is_lt());
    found.reverse();
    let near = found.into_iter().skip(question.offset);
    let mut near: Vec<Book> = near.take(question.limit.unwrap_or(usize::MAX)).collect();
    near.reverse();
    near
}

macro_rules! check {
    ($query:expr, $question:expr, $books:expr, $cursor:expr, $row:ty) => {{
        let (books, cursor): (&[Book], &Book) = ($books, $cursor);
        let row = <$row>::from(cursor.clone());
        let as_rows = |books: Vec<Book>| books.into_iter().map(<$row>::from).collect::<Vec<_>>();
        let expected = as_rows(after($question, books, cursor));
        let found = asked!($query, $question, $row).after(&row);
        let message = || format!("{:?} {cursor:?}", $question);
        assert_eq!(found.all().unwrap(), expected, "after {}", message());
        let found = asked!($query, $question, $row).after(&row);
        assert_eq!(found.count().unwrap(), expected.len());
        let found = asked!($query, $question, $row).after(&row);
        assert_eq!(found.exists().unwrap(), !expected.is_empty());
        let found = asked!($query, $question, $row).before(&row).after(&row);
        let keys: Vec<i64> = expected.iter().map(|book| book.id).collect();
        assert_eq!(found.keys().unwrap(), keys);
        let found = asked!($query, $question, $row).after(&row);
        let pages: u64 = expected.iter().map(|book| u64::from(book.pages)).sum();
        assert_eq!(found.sum(<$row>::PAGES).unwrap(), pages);
        assert_eq!(found.max(<$row>::PAGES).unwrap(), expected.iter().map(|book| book.pages).max());

        let expected = as_rows(before($question, books, cursor));
        let found = asked!($query, $question, $row).before(&row);
        assert_eq!(found.all().unwrap(), expected, "before {}", message());
        let found = asked!($query, $question, $row).after(&row).before(&row).before(&row);
        let rows: Vec<$row> = found.iter().unwrap().map(Result::unwrap).collect();
        assert_eq!(rows, expected);
        let found = asked!($query, $question, $row).before(&row);
        assert_eq!(found.first().unwrap(), {
            let nearest =
                Question { limit: Some($question.limit.unwrap_or(1).min(1)), ..$question.clone() };
            as_rows(before(&nearest, books, cursor)).into_iter().next()
        });
        let found = asked!($query, $question, $row).before(&row);
        assert_eq!(found.count().unwrap(), expected.len());
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_page_is_what_a_plain_look_gives(
        start in prop::collection::vec(book(), 0..25),
        written in prop::collection::vec(book(), 0..6),
        // Some of them are in the store, some are not, and some are there with other values.
        cursors in prop::collection::vec(book(), 1..3),
        questions in prop::collection::vec(question(), 1..4),
    ) {
        let start = by_key(start);
        let (app, plain) = shelves(&start);
        let snapshot = app.snapshot().unwrap();
        let now = by_key(start.iter().chain(&written).cloned());
        let cursors: Vec<Book> = cursors.into_iter().chain(start.first().cloned()).collect();
        app.transaction(|tx| {
            written.iter().try_for_each(|book| tx.put(book))?;
            for (question, cursor) in questions.iter().flat_map(|q| cursors.iter().map(move |c| (q, c))) {
                check!(tx.query::<Book>(), question, &now, cursor, Book);
            }
            Ok(())
        }).unwrap();
        for (question, cursor) in questions.iter().flat_map(|q| cursors.iter().map(move |c| (q, c))) {
            check!(app.books.query(), question, &now, cursor, Book);
            check!(snapshot.query::<Book>(), question, &start, cursor, Book);
            check!(plain.books.query(), question, &start, cursor, Plain);
        }
    }

    #[test]
    fn a_watched_page_is_what_a_fresh_one_is(
        start in prop::collection::vec(book(), 0..10),
        cursor in book(),
        questions in prop::collection::vec(question(), 1..4),
        events in prop::collection::vec(
            (prop::collection::vec(book(), 0..4), prop::collection::vec(0..30i64, 0..3)), 1..10,
        ),
    ) {
        let app = Shelf::in_memory().unwrap();
        app.books.insert_many(by_key(start)).unwrap();
        let mut followed: Vec<_> = questions.iter().map(|question| {
            let page = asked!(app.books.query(), question, Book).after(&cursor);
            let sum = page.clone().aggregate(Book::PAGES.sum()).watch().unwrap();
            (question, page.watch().unwrap(), Vec::new(), sum, None)
        }).collect();
        for (books, removed) in events {
            app.transaction(|tx| {
                for id in &removed {
                    tx.remove::<Book>(id)?;
                }
                books.iter().try_for_each(|book| tx.put(book))
            }).unwrap();
            let now: Vec<Book> = app.books.iter().unwrap().map(Result::unwrap).collect();
            for (question, watch, list, sum, last) in &mut followed {
                while let Some(delta) = watch.try_recv().unwrap() {
                    delta.apply(list);
                }
                let expected = after(question, &now, &cursor);
                prop_assert_eq!(&*list, &expected, "{:?}", question);
                if let Some(sum) = sum.try_recv().unwrap() {
                    *last = Some(sum);
                }
                let pages = expected.iter().map(|book| u64::from(book.pages)).sum::<u64>();
                prop_assert_eq!(*last, Some(pages));
            }
        }
    }
}

fn plain(id: i64, title: &str, pages: u16) -> Book {
    let (title, kind, code) = (title.to_owned(), Kind::Novel, None);
    Book { id, title, kind, pages, lent_to: None, price: 0.0, tags: Vec::new(), code }
}

#[test]
fn an_index_goes_to_a_page_however_deep_it_lies() {
    let app = Shelf::in_memory().unwrap();
    app.books.insert_many((0..1000).map(|id| plain(id, &format!("{:03}", id % 500), 7))).unwrap();
    let everything = app.books.order_by(Book::TITLE).all().unwrap();
    let pages = [
        app.books.order_by(Book::TITLE),
        app.books.filter(Book::KIND.eq(Kind::Novel)).order_by(Book::PAGES),
        app.books.query(),
        app.books.order_by(Book::ID.desc()),
    ];
    for query in pages {
        let whole = query.all().unwrap();
        let before = app.handle().touched();
        let (mut seen, mut last): (Vec<Book>, Option<Book>) = (Vec::new(), None);
        loop {
            let page = query.clone().limit(20);
            let page = match &last {
                Some(row) => page.after(row).all().unwrap(),
                None => page.all().unwrap(),
            };
            let Some(row) = page.last().cloned() else { break };
            seen.extend(page);
            last = Some(row);
        }
        assert_eq!(seen, whole);
        let after = app.handle().touched();
        assert_eq!(after.0 - before.0, 1000, "each row once");
        assert!(after.1 - before.1 <= 1000, "and each entry");
    }
    // Back from the middle, over a row that is gone.
    let gone = everything[500].clone();
    app.books.remove(&gone.id).unwrap();
    let before = app.handle().touched();
    let page = app.books.order_by(Book::TITLE).before(&gone).limit(3).all().unwrap();
    assert_eq!(page, everything[497..500]);
    let after = app.handle().touched();
    assert_eq!((after.0 - before.0, after.1 - before.1), (3, 3));
}

#[test]
fn a_place_at_the_end_of_a_range_does_not_widen_it() {
    let app = Shelf::in_memory().unwrap();
    app.books.insert_many((0..5).map(|id| plain(id, "a", 7))).unwrap();
    let order = (Book::ID, Book::PAGES);
    let newer = app.books.filter(Book::ID.gt(2)).order_by(order);
    assert_eq!(newer.after(&plain(2, "a", 1)).keys().unwrap(), [3, 4]);
    let order = (Book::ID.desc(), Book::PAGES);
    let older = app.books.filter(Book::ID.lt(2)).order_by(order);
    assert_eq!(older.clone().after(&plain(2, "a", 1)).keys().unwrap(), [1, 0]);
    assert_eq!(older.after(&plain(0, "a", 9)).keys().unwrap(), [] as [i64; 0]);
}

#[test]
fn an_order_after_the_cursor_is_refused() {
    let app = Shelf::in_memory().unwrap();
    let row = plain(1, "a", 1);
    let late = app.books.query().after(&row).order_by(Book::TITLE);
    assert_eq!(late.all().unwrap_err().kind(), ErrorKind::InvalidValue);
    assert_eq!(late.count().unwrap_err().kind(), ErrorKind::InvalidValue);
    assert_eq!(late.watch().unwrap_err().kind(), ErrorKind::InvalidValue);
    let back = app.books.query().before(&row);
    assert_eq!(back.watch().unwrap_err().kind(), ErrorKind::InvalidValue);
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "accounts", unique(owner, kind))]
struct Account {
    #[key]
    id: u32,
    #[index(unique)]
    name: String,
    owner: Option<String>,
    kind: u8,
    #[serde(rename = "big")]
    #[evolve(default)]
    balance: i128,
}

#[derive(Store)]
#[store(name = "bank")]
struct Bank {
    accounts: Table<Account>,
}

fn account(id: u32, name: &str, owner: Option<&str>) -> Account {
    Account { id, name: name.into(), owner: owner.map(str::to_owned), kind: 1, balance: i128::MAX }
}

#[test]
fn rows_are_found_and_replaced_by_a_unique_value() {
    let bank = Bank::in_memory().unwrap();
    bank.accounts.insert(&account(7, "giro", None)).unwrap();
    assert_eq!(bank.accounts.get_by(Account::NAME, "giro").unwrap().unwrap().id, 7);
    assert_eq!(bank.accounts.get_by(Account::ID, 7).unwrap().unwrap().name, "giro");
    assert!(bank.accounts.get_by(Account::NAME, "giro ").unwrap().is_none());

    // The key of the row that is there stays, and numbers of any size do.
    let renewed = Account { kind: 2, ..account(9, "giro", Some("ada")) };
    assert_eq!(bank.accounts.upsert_by(Account::NAME, &renewed).unwrap(), 7);
    assert_eq!(bank.accounts.get(&7).unwrap(), Some(Account { id: 7, ..renewed }));
    assert_eq!(bank.accounts.upsert_by(Account::NAME, &account(9, "depot", None)).unwrap(), 9);
    assert_eq!(bank.accounts.upsert_by(Account::NAME, &account(9, "safe", None)).unwrap(), 9);
    assert_eq!(bank.accounts.len().unwrap(), 2);

    assert!(!bank.accounts.insert_or_ignore(&account(9, "new", None)).unwrap(), "by its key");
    assert!(!bank.accounts.insert_or_ignore(&account(1, "safe", None)).unwrap(), "by its name");
    let twice = Account { kind: 2, ..account(1, "new", Some("ada")) };
    assert!(!bank.accounts.insert_or_ignore(&twice).unwrap(), "by two of its fields");
    assert!(bank.accounts.insert_or_ignore(&account(1, "new", None)).unwrap());
    bank.transaction(|tx| {
        assert!(tx.insert_or_ignore(&account(2, "in", Some("max")))?);
        assert!(!tx.insert_or_ignore(&account(3, "in", None))?);
        assert!(!tx.insert_or_ignore(&account(3, "out", Some("max")))?);
        assert_eq!(tx.get_by(Account::NAME, "in")?.map(|found| found.id), Some(2));
        assert_eq!(tx.upsert_by(Account::NAME, &account(5, "in", None))?, 2);
        assert_eq!(tx.get_many::<Account, _>(&[2, 5])?, [Some(account(2, "in", None)), None]);
        assert_eq!(tx.remove_many::<Account, _>(&[2, 5])?, 1);
        Ok(())
    })
    .unwrap();
    let snapshot = bank.snapshot().unwrap();
    assert_eq!(bank.accounts.remove_many([&1, &2, &7]).unwrap(), 2);
    assert_eq!(snapshot.get_by(Account::NAME, "new").unwrap().map(|found| found.id), Some(1));
    let found = snapshot.get_many::<Account, _>(&[9, 1, 4]).unwrap();
    let ids: Vec<_> = found.iter().map(|row| row.as_ref().map(|row| row.id)).collect();
    assert_eq!(ids, [Some(9), Some(1), None]);
    let left = bank.accounts.get_many(&[9, 1]).unwrap();
    assert!(left[0].is_some() && left[1].is_none());
}

#[test]
fn a_value_that_two_devices_gave_away_is_found_in_one_row_on_both() {
    let (a, b) = (Bank::in_memory().unwrap(), Bank::in_memory().unwrap());
    a.accounts.insert(&account(2, "giro", None)).unwrap();
    b.accounts.insert(&account(1, "giro", None)).unwrap();
    exchange(&a, &b);
    for bank in [&a, &b] {
        assert_eq!(bank.accounts.get_by(Account::NAME, "giro").unwrap().unwrap().id, 1);
        assert_eq!(bank.accounts.conflicts().unwrap().len(), 1);
    }
    assert!(!a.accounts.insert_or_ignore(&account(3, "giro", None)).unwrap());
}

#[test]
fn a_value_longer_than_an_index_holds_is_unique_too() {
    let bank = Bank::in_memory().unwrap();
    let long = |end: &str| format!("{}{end}", "long".repeat(600));
    bank.accounts.insert(&account(1, &long("a"), None)).unwrap();
    assert!(bank.accounts.insert_or_ignore(&account(2, &long("b"), None)).unwrap());
    assert!(!bank.accounts.insert_or_ignore(&account(3, &long("b"), None)).unwrap());
    assert_eq!(bank.accounts.upsert_by(Account::NAME, &account(4, &long("b"), None)).unwrap(), 2);
    assert_eq!(bank.accounts.get_by(Account::NAME, long("a")).unwrap().unwrap().id, 1);
}

#[test]
fn conditions_of_any_number_and_of_any_code() {
    use heirloom::query::Expr;

    let app = Shelf::in_memory().unwrap();
    app.books
        .insert_many((0..10).map(|id| plain(id, "a", u16::try_from(id % 4).unwrap())))
        .unwrap();
    let none = || Vec::<Expr<Book>>::new();
    assert_eq!(app.books.filter(Expr::all(none())).count().unwrap(), 10);
    assert_eq!(app.books.filter(Expr::any(none())).count().unwrap(), 0);
    let either = Expr::any([1, 3].map(|pages| Book::PAGES.eq(pages)));
    assert_eq!(app.books.filter(either.clone()).keys().unwrap(), [1, 3, 5, 7, 9]);
    assert_eq!(app.books.filter(!either).count().unwrap(), 5);
    let both = Expr::all([Book::ID.gt(2), Book::ID.lt(7)]);
    let odd = app.books.filter(both).filter_by(|book| book.id % 2 == 1);
    assert_eq!(odd.keys().unwrap(), [3, 5]);
    let even = app.books.filter_by(|book| book.id % 2 == 0);
    let watch = (odd.watch().unwrap(), even.watch().unwrap());
    assert_eq!(watch.0.recv().unwrap().inserted().len(), 2);
    assert_eq!(watch.1.recv().unwrap().inserted().len(), 5);
    app.books.remove(&3).unwrap();
    assert_eq!(watch.0.recv().unwrap().removed()[0].row().id, 3);
    assert!(watch.1.try_recv().unwrap().is_none());
}
