//! Queries: every way to the rows gives the same, which is what looking at everything gives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::shelf::{Ask, Book, Kind, Plain, PlainShelf, Question, Shelf, book, question};
use crate::support::{self, exchange, refused};
use heirloom::__private::{StorageHook, StorageOp};
use heirloom::ErrorKind;
use proptest::prelude::*;

/// One commit.
#[derive(Debug, Clone)]
enum Event {
    Put(Vec<Book>),
    Remove(Vec<i64>),
    /// Writes of another device come in.
    Receive(Vec<Book>, Vec<i64>),
}

fn event() -> impl Strategy<Value = Event> {
    let books = || prop::collection::vec(book(), 1..6);
    let ids = || prop::collection::vec(0..30i64, 0..4);
    prop_oneof![
        4 => books().prop_map(Event::Put),
        2 => ids().prop_map(Event::Remove),
        2 => (books(), ids()).prop_map(|(books, ids)| Event::Receive(books, ids)),
    ]
}

fn write(app: &Shelf, books: &[Book], removed: &[i64]) {
    app.transaction(|tx| {
        books.iter().try_for_each(|book| tx.put(book))?;
        removed.iter().try_for_each(|id| tx.remove::<Book>(id).map(drop))
    })
    .unwrap();
}

fn content(app: &Shelf) -> BTreeMap<i64, Book> {
    app.books.iter().unwrap().map(|book| book.map(|book| (book.id, book)).unwrap()).collect()
}

/// All ways to ask give the answer of a plain list.
fn check(app: &Shelf, plain: &PlainShelf, question: &Question) {
    let books = content(app);
    let expected = question.answer(books.values());
    let query = asked!(app.books.query(), question, Book);
    let why = format!("{question:?}\nby: {}", query.explain());
    assert_eq!(query.all().unwrap(), expected, "{why}");
    let streamed: heirloom::Result<Vec<Book>> = query.iter().unwrap().collect();
    assert_eq!(streamed.unwrap(), expected, "{why}");
    assert_eq!(query.count().unwrap(), expected.len(), "{why}");
    assert_eq!(query.first().unwrap().as_ref(), expected.first(), "{why}");
    let keys: Vec<i64> = expected.iter().map(|book| book.id).collect();
    assert_eq!(query.keys().unwrap(), keys, "{why}");
    match &expected[..] {
        [book] => assert_eq!(query.one().unwrap(), *book, "{why}"),
        _ => assert_eq!(refused(query.one()).kind(), ErrorKind::RowCount, "{why}"),
    }
    let snapshot = app.snapshot().unwrap();
    assert_eq!(asked!(snapshot.query::<Book>(), question, Book).all().unwrap(), expected, "{why}");
    let scanned = asked!(plain.books.query(), question, Plain).all().unwrap();
    let expected: Vec<Plain> = expected.into_iter().map(Plain::from).collect();
    assert_eq!(scanned, expected, "{question:?} by scan");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_way_gives_what_a_plain_list_gives(
        events in prop::collection::vec(event(), 1..8),
        questions in prop::collection::vec(question(), 1..12),
        written in prop::collection::vec(book(), 0..5),
        removed in prop::collection::vec(0..30i64, 0..3),
    ) {
        let app = Shelf::in_memory().unwrap();
        let other = Shelf::in_memory().unwrap();
        for event in &events {
            match event {
                Event::Put(books) => write(&app, books, &[]),
                Event::Remove(ids) => write(&app, &[], ids),
                Event::Receive(books, ids) => {
                    write(&other, books, ids);
                    exchange(&other, &app);
                }
            }
            let plain = PlainShelf::in_memory().unwrap();
            plain.books.insert_many(content(&app).into_values().map(Plain::from)).unwrap();
            questions.iter().for_each(|question| check(&app, &plain, question));
        }
        let expected: Vec<Vec<Book>> = {
            let mut books = content(&app);
            written.iter().for_each(|book| drop(books.insert(book.id, book.clone())));
            removed.iter().for_each(|id| drop(books.remove(id)));
            questions.iter().map(|question| question.answer(books.values())).collect()
        };
        // A transaction sees its own writes, whichever way it looks.
        app.transaction(|tx| {
            written.iter().try_for_each(|book| tx.put(book))?;
            removed.iter().try_for_each(|id| tx.remove::<Book>(id).map(drop))?;
            for (question, expected) in questions.iter().zip(&expected) {
                let query = asked!(tx.query::<Book>(), question, Book);
                assert_eq!(query.all()?, *expected, "{question:?}\nin a transaction: {}", query.explain());
                assert_eq!(query.count()?, expected.len(), "{question:?} in a transaction");
                let keys: Vec<i64> = expected.iter().map(|book| book.id).collect();
                assert_eq!(query.keys()?, keys, "{question:?} in a transaction");
            }
            Ok(())
        }).unwrap();
        assert_sound(&app);
    }

    #[test]
    fn update_all_and_remove_all_do_it_to_just_those_rows(
        books in prop::collection::vec(book(), 0..20),
        question in question(),
    ) {
        let app = Shelf::in_memory().unwrap();
        write(&app, &books, &[]);
        let mut model = content(&app);
        let chosen = question.answer(model.values());
        let query = asked!(app.books.query(), &question, Book);
        // The field that many questions ask for changes under the query.
        prop_assert_eq!(query.update_all(|book| book.pages = 4 - book.pages).unwrap(), chosen.len());
        for book in &chosen {
            model.get_mut(&book.id).unwrap().pages = 4 - book.pages;
        }
        prop_assert_eq!(&content(&app), &model);
        let chosen = question.answer(model.values());
        prop_assert_eq!(query.remove_all().unwrap(), chosen.len());
        chosen.iter().for_each(|book| drop(model.remove(&book.id)));
        prop_assert_eq!(&content(&app), &model);
        assert_sound(&app);
    }
}

/// Indexes say what the rows say.
fn assert_sound(app: &Shelf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.redb");
    app.backup(&path).unwrap();
    support::assert_sound::<Shelf>(&path);
}

/// Rows of an index are looked up some at a time; a read that fails loses none of those before it.
#[test]
fn whichever_read_fails_the_rows_before_it_come_and_then_the_error() {
    let left = Arc::new(AtomicUsize::new(usize::MAX));
    let counter = left.clone();
    let hook: StorageHook = Arc::new(move |op| {
        let is_over = |n: usize| (n != usize::MAX).then(|| n.checked_sub(1)).flatten();
        match op == StorageOp::Read && counter.load(SeqCst) != usize::MAX {
            true if counter.fetch_update(SeqCst, SeqCst, is_over).is_err() => {
                Err(std::io::Error::other("refused on purpose"))
            }
            _ => Ok(()),
        }
    });
    let app = Shelf::builder().storage_and_read_hook(hook).in_memory().unwrap();
    let titled = |id| Book {
        id,
        title: "the same".into(),
        kind: Kind::Novel,
        pages: 1,
        lent_to: None,
        price: 1.0,
        tags: Vec::new(),
        code: None,
    };
    app.books.insert_many((0..100).map(titled)).unwrap();
    let query = || app.books.filter(Book::TITLE.eq("the same"));
    assert!(query().explain().contains("index"), "{}", query().explain());
    let mut most = 0;
    for nth in 0.. {
        left.store(nth, SeqCst);
        let all = query().all();
        left.store(nth, SeqCst);
        let mut ids = Vec::new();
        let mut failed = None;
        match query().iter() {
            Ok(mut rows) => {
                for row in rows.by_ref() {
                    match row {
                        Ok(row) => ids.push(row.id),
                        Err(error) => {
                            failed = Some(error);
                            break;
                        }
                    }
                }
            }
            Err(error) => failed = Some(error),
        }
        left.store(usize::MAX, SeqCst);
        assert_eq!(ids, (0..ids.len() as i64).collect::<Vec<_>>(), "read {nth}");
        most = most.max(ids.len());
        match (all, failed) {
            (Ok(all), None) => {
                assert_eq!((all.len(), ids.len()), (100, 100));
                break;
            }
            (all, failed) => {
                for error in [all.err(), failed].into_iter().flatten() {
                    assert_eq!(error.kind(), ErrorKind::Storage, "read {nth}: {error}");
                }
            }
        }
    }
    assert!(most > 50, "{most}");
    assert_eq!(query().count().unwrap(), 100);
}
