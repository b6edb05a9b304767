//! Aggregates: what a plain look at the rows gives, whole and in groups, fresh and live.

use std::collections::{BTreeMap, BTreeSet};

use crate::shelf::{Ask, Book, Kind, Plain, Question, Shelf, book, by_key, question};
use crate::support::exchange;
use crate::support::loose::{App, LooseApp, Strict, loose, repaired};
use heirloom::query::count;
use heirloom::{ErrorKind, Store, Table};
use proptest::prelude::*;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The sum of floats by another algorithm: partial sums that do not overlap.
fn exact_sum(values: impl Iterator<Item = f64>) -> f64 {
    let mut partials: Vec<f64> = Vec::new();
    for mut x in values {
        let mut kept = Vec::new();
        for mut y in partials {
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                kept.push(low);
            }
            x = high;
        }
        kept.push(x);
        partials = kept;
    }
    let mut high = partials.pop().unwrap_or_default();
    while let Some(next) = partials.pop() {
        let sum = high + next;
        let low = next - (sum - high);
        high = sum;
        if low == 0.0 {
            continue;
        }
        // The rest decides a half-way case.
        let is_beyond = partials.last().is_some_and(|rest| (*rest < 0.0) == (low < 0.0));
        if is_beyond && 2.0 * low == (high + 2.0 * low) - high {
            high += 2.0 * low;
        }
        break;
    }
    high + 0.0
}

/// All that is computed from some rows at once.
type Totals = (usize, u64, (Option<u16>, Option<u16>), Option<f64>, usize, f64);

macro_rules! totals {
    ($row:ty) => {
        (
            count(),
            <$row>::PAGES.sum(),
            (<$row>::PAGES.min(), <$row>::PAGES.max()),
            <$row>::PAGES.avg(),
            <$row>::LENT_TO.count_distinct(),
            <$row>::PRICE.sum(),
        )
    };
}

fn totals(books: &[&Book]) -> Totals {
    let pages = || books.iter().map(|book| book.pages);
    let sum: u64 = pages().map(u64::from).sum();
    let avg = (!books.is_empty()).then(|| sum as f64 / books.len() as f64);
    let lent: BTreeSet<&String> = books.iter().filter_map(|book| book.lent_to.as_ref()).collect();
    let prices = exact_sum(books.iter().map(|book| book.price));
    (books.len(), sum, (pages().min(), pages().max()), avg, lent.len(), prices)
}

fn grouped<K: Ord>(books: &[Book], key: impl Fn(&Book) -> K) -> Vec<(K, Totals)> {
    let mut groups: BTreeMap<K, Vec<&Book>> = BTreeMap::new();
    books.iter().for_each(|book| groups.entry(key(book)).or_default().push(book));
    groups.into_iter().map(|(key, books)| (key, totals(&books))).collect()
}

/// Checks the aggregates of one query, of whatever kind.
macro_rules! check {
    ($query:expr, $question:expr, $books:expr, $row:ty) => {{
        let books: &[Book] = $books;
        let found = $question.answer(books);
        let all: Vec<&Book> = found.iter().collect();
        let expected = totals(&all);
        assert_eq!(
            asked!($query, $question, $row).aggregate(totals!($row)).get().unwrap(),
            expected
        );
        // Each by itself, since an index may have what it needs, and not what the others do.
        assert_eq!(asked!($query, $question, $row).sum(<$row>::PAGES).unwrap(), expected.1);
        assert_eq!(asked!($query, $question, $row).min(<$row>::PAGES).unwrap(), expected.2.0);
        assert_eq!(asked!($query, $question, $row).max(<$row>::PAGES).unwrap(), expected.2.1);
        assert_eq!(asked!($query, $question, $row).avg(<$row>::PAGES).unwrap(), expected.3);
        assert_eq!(
            asked!($query, $question, $row).count_distinct(<$row>::LENT_TO).unwrap(),
            expected.4
        );
        assert_eq!(asked!($query, $question, $row).sum(<$row>::PRICE).unwrap(), expected.5);
        let lent = || all.iter().filter_map(|book| book.lent_to.clone());
        assert_eq!(asked!($query, $question, $row).min(<$row>::LENT_TO).unwrap(), lent().min());
        assert_eq!(asked!($query, $question, $row).max(<$row>::LENT_TO).unwrap(), lent().max());
        let codes: u64 = all.iter().filter_map(|book| book.code.map(u64::from)).sum();
        assert_eq!(asked!($query, $question, $row).sum(<$row>::CODE).unwrap(), codes);

        let by_kind = grouped(&found, |book| book.kind);
        let groups = asked!($query, $question, $row).group_by(<$row>::KIND);
        assert_eq!(groups.aggregate(totals!($row)).all().unwrap(), by_kind);
        let pages: Vec<(Kind, u64)> = by_kind.iter().map(|(kind, all)| (*kind, all.1)).collect();
        assert_eq!(
            asked!($query, $question, $row).group_by(<$row>::KIND).sum(<$row>::PAGES).unwrap(),
            pages
        );
        let counts: Vec<(Kind, usize)> = by_kind.iter().map(|(kind, all)| (*kind, all.0)).collect();
        assert_eq!(asked!($query, $question, $row).group_by(<$row>::KIND).count().unwrap(), counts);

        let initial = |title: &String| title.chars().next();
        let by_two = grouped(&found, |book| (book.pages, initial(&book.title)));
        let key = (<$row>::PAGES, <$row>::TITLE.map(initial));
        let groups = asked!($query, $question, $row).group_by(key).aggregate(totals!($row));
        assert_eq!(groups.all().unwrap(), by_two);
        let mut window = by_two.clone();
        window.retain(|(_, all)| all.0 > 1);
        window.sort_by(|(_, a), (_, b)| b.1.cmp(&a.1));
        window.truncate(2);
        let groups = groups.having(|_, all| all.0 > 1).limit(2);
        assert_eq!(groups.sort_by(|(_, a), (_, b)| b.1.cmp(&a.1)).all().unwrap(), window);
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_aggregate_is_what_a_plain_look_gives(
        before in prop::collection::vec(book(), 0..30),
        after in prop::collection::vec(book(), 0..8),
        removed in prop::collection::vec(0..30i64, 0..4),
        questions in prop::collection::vec(question(), 1..4),
    ) {
        check_everywhere!(check, questions, before, removed, after);
    }

    #[test]
    fn a_watched_aggregate_is_what_a_fresh_one_is(
        start in prop::collection::vec(book(), 0..10),
        questions in prop::collection::vec(question(), 1..4),
        events in prop::collection::vec(
            (any::<bool>(), prop::collection::vec(book(), 0..4), prop::collection::vec(0..30i64, 0..3)),
            1..15,
        ),
    ) {
        let (app, other) = (Shelf::in_memory().unwrap(), Shelf::in_memory().unwrap());
        app.books.insert_many(by_key(start)).unwrap();
        let mut followed: Vec<_> = questions.iter().map(|question| {
            let query = || asked!(app.books.query(), question, Book);
            let whole = query().aggregate(totals!(Book)).watch().unwrap();
            let groups = query().group_by(Book::KIND).aggregate(totals!(Book));
            let groups = groups.having(|_, all| all.1 > 0).watch().unwrap();
            (question, whole, groups, None, None)
        }).collect();
        for (is_local, books, removed) in events {
            let to = if is_local { &app } else { &other };
            to.transaction(|tx| {
                for id in &removed {
                    tx.remove::<Book>(id)?;
                }
                books.iter().try_for_each(|book| tx.put(book))
            }).unwrap();
            if !is_local {
                exchange(&other, &app);
            }
            let now: Vec<Book> = app.books.iter().unwrap().map(Result::unwrap).collect();
            for (question, whole, groups, last_whole, last_groups) in &mut followed {
                let found = question.answer(&now);
                if let Some(value) = whole.try_recv().unwrap() {
                    *last_whole = Some(value);
                }
                if let Some(value) = groups.try_recv().unwrap() {
                    *last_groups = Some(value);
                }
                let all: Vec<&Book> = found.iter().collect();
                prop_assert_eq!(*last_whole, Some(totals(&all)), "{:?}", question);
                let mut expected = grouped(&found, |book| book.kind);
                expected.retain(|(_, all)| all.1 > 0);
                prop_assert_eq!(last_groups.as_ref(), Some(&expected), "{:?}", question);
            }
        }
    }
}

fn plain(id: i64, title: &str, pages: u16) -> Book {
    let (title, kind, code) = (title.to_owned(), Kind::Novel, None);
    Book { id, title, kind, pages, lent_to: None, price: 0.0, tags: Vec::new(), code }
}

fn thousand() -> Shelf {
    let app = Shelf::in_memory().unwrap();
    let kinds = [Kind::Novel, Kind::Atlas, Kind::Comic];
    let rows = (0..1000).map(|id| Book {
        kind: kinds[usize::try_from(id % 3).unwrap()],
        ..plain(id, "old", u16::try_from(id % 10).unwrap())
    });
    app.books.insert_many(rows).unwrap();
    app
}

/// Returns the number of rows, and of index entries, that some work reads.
fn reads(app: &Shelf, work: impl FnOnce()) -> (u64, u64) {
    let before = app.handle().touched();
    work();
    let after = app.handle().touched();
    (after.0 - before.0, after.1 - before.1)
}

#[test]
fn a_commit_costs_a_watched_aggregate_the_rows_that_it_changes() {
    let app = thousand();
    let sums = app.books.query().group_by(Book::KIND).aggregate(Book::PAGES.sum());
    let watch = sums.watch().unwrap();
    let total = app.books.filter(Book::TITLE.eq("old")).aggregate((count(), Book::PRICE.sum()));
    let total = total.watch().unwrap();
    assert_eq!(watch.recv().unwrap()[0], (Kind::Novel, 1503));
    assert_eq!(total.recv().unwrap(), (1000, 0.0));
    let read = reads(&app, || {
        app.books.update(&0, |book| book.pages = 8).unwrap();
    });
    assert_eq!(read, (4, 0), "of the row before and after, for each of the two");
    assert_eq!(watch.recv().unwrap()[0], (Kind::Novel, 1511));
    app.books.update(&0, |book| book.title = "new".into()).unwrap();
    assert_eq!(total.recv().unwrap(), (999, 0.0));
}

#[test]
fn an_index_with_the_columns_is_enough() {
    let app = thousand();
    let all = app.books.query();
    // A row for each group, which says what the group has in common.
    let read = reads(&app, || {
        let sums = all.clone().group_by(Book::KIND).sum(Book::PAGES).unwrap();
        assert_eq!(sums, [(Kind::Novel, 1503), (Kind::Atlas, 1497), (Kind::Comic, 1500)]);
    });
    assert_eq!(read, (3, 1000));
    let read = reads(&app, || assert_eq!(all.sum(Book::PRICE).unwrap(), 0.0));
    assert_eq!(read, (0, 1000));
    let novels = app.books.filter(Book::KIND.eq(Kind::Novel));
    let read = reads(&app, || assert_eq!(novels.sum(Book::PAGES).unwrap(), 1503));
    assert_eq!(read, (1, 334));
    let read = reads(&app, || assert_eq!(novels.max(Book::PAGES).unwrap(), Some(9)));
    assert_eq!(read, (1, 1));
    // Not if it has too many values before the column that is needed.
    let by_title = all.group_by(Book::TITLE.map(String::len));
    let read = reads(&app, || assert_eq!(by_title.sum(Book::CODE).unwrap(), [(3, 0)]));
    assert_eq!(read, (1000, 0));
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "numbers", index(part, small, wide))]
struct Number {
    #[key]
    id: u32,
    part: u8,
    small: i64,
    wide: i128,
    natural: u64,
}

#[derive(Store)]
#[store(name = "numbers")]
struct Numbers {
    numbers: Table<Number>,
}

fn number(id: u32, small: i64, wide: i128) -> Number {
    Number { id, part: 1, small, wide, natural: small.unsigned_abs() }
}

#[test]
fn a_sum_that_is_out_of_range_is_an_error_with_the_row_and_the_column() {
    let app = Numbers::in_memory().unwrap();
    let rows = [number(1, i64::MAX, 1), number(2, 1, i128::MAX), number(3, -5, -1)];
    let watch = app.numbers.query().aggregate(Number::SMALL.sum()).watch().unwrap();
    assert_eq!(watch.recv().unwrap(), 0);
    app.numbers.insert_many(&rows).unwrap();
    // On the way it is out of range, which makes no difference.
    assert_eq!(app.numbers.query().sum(Number::SMALL).unwrap(), i64::MAX - 4);
    assert_eq!(watch.recv().unwrap(), i64::MAX - 4);
    assert_eq!(app.numbers.query().sum(Number::WIDE).unwrap(), i128::MAX);
    assert_eq!(app.numbers.query().avg(Number::SMALL).unwrap(), Some((1_u64 << 63) as f64 / 3.0));

    app.numbers.insert(&number(4, 5, 7)).unwrap();
    let refused = |error: heirloom::Error, key: &str, field: &str| {
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        let place = (error.table(), error.key(), error.field());
        assert_eq!(place, (Some("numbers"), Some(key), Some(field)), "{error}");
        assert!(error.store().is_some(), "{error}");
    };
    // Which row it is follows from the order in which they are read: here that of an index, and
    // here that of their keys.
    refused(app.numbers.query().sum(Number::SMALL).unwrap_err(), "1", "small");
    let from_rows = app.numbers.filter(Number::ID.ge(1));
    refused(from_rows.sum(Number::SMALL).unwrap_err(), "4", "small");
    let groups = from_rows.group_by(Number::PART);
    refused(groups.sum(Number::SMALL).unwrap_err(), "4", "small");
    refused(app.numbers.query().sum(Number::WIDE).unwrap_err(), "4", "wide");
    refused(watch.recv().unwrap_err(), "4", "small");
    // The watch goes on.
    app.numbers.remove(&1).unwrap();
    assert_eq!(watch.recv().unwrap(), 1);
    assert_eq!(app.numbers.query().sum(Number::NATURAL).unwrap(), 11);
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Payment {
    #[key]
    number: u32,
    #[index]
    shop: String,
    price: Decimal,
    tip: Option<Decimal>,
}

#[derive(Store)]
struct Payments {
    payments: Table<Payment>,
}

#[test]
fn decimals_are_summed_exactly() {
    let app = Payments::in_memory().unwrap();
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    let all = app.payments.query();
    assert_eq!(all.sum(Payment::PRICE).unwrap(), Decimal::ZERO);
    let sums = all.clone().group_by(Payment::SHOP).aggregate((
        Payment::PRICE.sum(),
        Payment::TIP.sum(),
        Payment::TIP.avg(),
    ));
    let watch = sums.watch().unwrap();
    assert!(watch.recv().unwrap().is_empty());
    let rows = [
        (1, "a", "0.1", Some("0.50")),
        (2, "a", "0.20", None),
        (3, "b", "-7", Some("1.5")),
        (4, "a", "0.700", Some("1")),
    ];
    let row = |(number, shop, price, tip): (u32, &str, &str, Option<&str>)| Payment {
        number,
        shop: shop.into(),
        price: decimal(price),
        tip: tip.map(decimal),
    };
    app.payments.insert_many(rows.map(row)).unwrap();
    let of_shops = [
        ("a".to_owned(), (Decimal::ONE, decimal("1.5"), Some(0.75))),
        ("b".to_owned(), (decimal("-7"), decimal("1.5"), Some(1.5))),
    ];
    assert_eq!(sums.all().unwrap(), of_shops);
    assert_eq!(watch.recv().unwrap(), of_shops);
    // As it is written: without the zeros of its addends.
    assert_eq!(
        app.payments.filter(Payment::SHOP.eq("a")).sum(Payment::PRICE).unwrap().to_string(),
        "1"
    );

    app.payments.update(&2, |row| row.price = Decimal::MAX).unwrap();
    assert_eq!(all.sum(Payment::PRICE).unwrap(), Decimal::MAX - Decimal::from(6));
    app.payments.update(&3, |row| row.price = Decimal::ONE).unwrap();
    let error = all.sum(Payment::PRICE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    assert_eq!((error.key(), error.field()), (Some("3"), Some("price")));
}

#[test]
fn a_row_that_does_not_decode_is_an_error_unless_there_is_a_filter() {
    let (app, peer) = (App::in_memory().unwrap(), LooseApp::in_memory().unwrap());
    peer.rows.put(&loose(1, |_| {})).unwrap();
    peer.rows.put(&loose(2, |row| drop(row.insert("count".into(), "many".into())))).unwrap();
    exchange(&peer, &app);
    let sums = app.rows.query().aggregate((count(), Strict::LEVEL.sum()));
    assert_eq!(sums.get().unwrap_err().kind(), ErrorKind::InvalidRow);
    assert_eq!(app.rows.filter(Strict::ID.ge(0)).count_distinct(Strict::ID).unwrap(), 1);
    let watch = sums.watch().unwrap();
    assert_eq!(watch.recv().unwrap().0, 1);
    app.rows.put(&repaired(2)).unwrap();
    assert_eq!(watch.recv().unwrap().0, 2);
    assert_eq!(sums.get().unwrap().0, 2);
}

#[test]
fn a_watch_ends_with_its_store_and_with_code_that_panics() {
    let app = thousand();
    let count_all = app.books.query().aggregate(count()).watch().unwrap();
    let first = app.books.order_by(Book::TITLE).limit(3);
    let limited = first.aggregate(Book::PAGES.sum()).watch().unwrap();
    let panics = Book::PAGES.map(|pages| {
        assert!(*pages < 100, "too many");
        *pages
    });
    let panicking = app.books.query().group_by(panics).aggregate(count()).watch().unwrap();
    assert_eq!(panicking.recv().unwrap().len(), 10);
    assert_eq!((count_all.recv().unwrap(), limited.recv().unwrap()), (1000, 3));
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| panicking.recv());
        std::panic::set_hook(Box::new(|_| {}));
        app.books.put(&plain(5, "", 100)).unwrap();
        drop(std::panic::take_hook());
        waiting.join().unwrap()
    });
    assert_eq!(waiting.unwrap_err().kind(), ErrorKind::Custom);
    assert_eq!(panicking.recv().unwrap_err().kind(), ErrorKind::Closed);
    // Another watch is none the worse, and gives what it has before it ends.
    assert_eq!(limited.try_recv().unwrap(), Some(101));
    assert_eq!(limited.try_recv().unwrap(), None);
    app.books.remove(&7).unwrap();
    drop(app);
    assert_eq!(count_all.recv().unwrap(), 999);
    assert_eq!(count_all.recv().unwrap_err().kind(), ErrorKind::Closed);
}
