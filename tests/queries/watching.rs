//! Live results: at every step what a fresh query gives, from no more than what changed.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use crate::shelf::{Ask, Book, By, Condition, Question, Shelf, Test, book, question};
use crate::support::loose::{App, LooseApp, loose, repaired};
use crate::support::{self, exchange, refused};
use futures_core::Stream;
use heirloom::__private::{StorageHook, StorageOp};
use heirloom::watch::Subscription;
use heirloom::watch::{Delta, Watch};
use heirloom::{ErrorKind, Store, Table};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many commits the watches are followed over.
const COMMITS: usize = 10_000;

/// Until other watches take the place of these.
const COMMITS_A_STORE: usize = 250;

#[derive(Debug, Clone)]
enum Event {
    Local(Vec<Book>, Vec<i64>),
    Remote(Vec<Book>, Vec<i64>),
}

fn event() -> impl Strategy<Value = Event> {
    let books = || prop::collection::vec(book(), 0..4);
    let ids = || prop::collection::vec(0..30i64, 0..3);
    prop_oneof![
        (books(), ids()).prop_map(|(books, ids)| Event::Local(books, ids)),
        (books(), ids()).prop_map(|(books, ids)| Event::Remote(books, ids)),
    ]
}

fn write(app: &Shelf, books: &[Book], removed: &[i64]) {
    app.transaction(|tx| {
        books.iter().try_for_each(|book| tx.put(book))?;
        removed.iter().try_for_each(|id| tx.remove::<Book>(id).map(drop))
    })
    .unwrap();
}

/// A watch, and the list that its deltas make.
struct Follower {
    question: Question,
    watch: Watch<Book>,
    list: Vec<Book>,
}

impl Follower {
    fn new(app: &Shelf, question: Question) -> Self {
        let watch = asked!(app.books.query(), &question, Book).watch().unwrap();
        Self { question, watch, list: Vec::new() }
    }

    /// Takes in what there is, and gives how many deltas it was.
    fn catch_up(&mut self) -> usize {
        let mut deltas = 0;
        while let Some(delta) = self.watch.try_recv().unwrap() {
            self.check(&delta);
            delta.apply(&mut self.list);
            deltas += 1;
        }
        deltas
    }

    /// Checks that a delta is true of the list before and after.
    fn check(&self, delta: &Delta<Book>) {
        let mut after = self.list.clone();
        delta.apply(&mut after);
        for removed in delta.removed() {
            assert_eq!(self.list[removed.position()], *removed.row(), "{delta:?}");
        }
        for inserted in delta.inserted() {
            assert_eq!(after[inserted.position()], *inserted.row(), "{delta:?}");
            assert!(self.list.iter().all(|book| book.id != inserted.row().id), "{delta:?}");
        }
        for updated in delta.updated() {
            assert_eq!(after[updated.position()], *updated.new(), "{delta:?}");
            assert!(self.list.contains(updated.old()), "{delta:?}");
            // As they are written: zero has two signs, which are equal.
            assert_ne!(format!("{:?}", updated.old()), format!("{:?}", updated.new()), "{delta:?}");
        }
        for moved in delta.moved() {
            assert_eq!(self.list[moved.from()].id, moved.row().id, "{delta:?}");
            assert_eq!(after[moved.to()], *moved.row(), "{delta:?}");
        }
    }
}

#[test]
fn deltas_make_what_a_fresh_query_gives_at_every_step() {
    let mut runner = TestRunner::new(ProptestConfig {
        cases: u32::try_from(COMMITS / COMMITS_A_STORE).unwrap(),
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    });
    let questions = prop::collection::vec(question(), 1..4);
    let events = prop::collection::vec(event(), COMMITS_A_STORE);
    runner
        .run(&(questions, events), |(questions, events)| {
            let (app, other) = (Shelf::in_memory().unwrap(), Shelf::in_memory().unwrap());
            let follow = |question: &Question| Follower::new(&app, question.clone());
            let mut followers: Vec<Follower> = questions.iter().map(follow).collect();
            // The same ones again, which are looked at now and then only.
            let mut slow: Vec<Follower> = questions.iter().map(follow).collect();
            followers.iter_mut().for_each(|follower| assert_eq!(follower.catch_up(), 1));
            for (number, event) in events.iter().enumerate() {
                match event {
                    Event::Local(books, removed) => write(&app, books, removed),
                    Event::Remote(books, removed) => {
                        write(&other, books, removed);
                        exchange(&other, &app);
                    }
                }
                let books: Vec<Book> = app.books.iter().unwrap().map(Result::unwrap).collect();
                for follower in &mut followers {
                    let before = follower.list.clone();
                    let deltas = follower.catch_up();
                    let fresh = follower.question.answer(&books);
                    assert_eq!(follower.list, fresh, "{number}: {:?}", follower.question);
                    // One delta a commit that changes the result, and none for others.
                    let expected = usize::from(before != fresh);
                    match event {
                        Event::Local(..) => assert_eq!(deltas, expected, "{number}: {event:?}"),
                        // An edit that the other writes again comes with a commit of its own.
                        Event::Remote(..) => {
                            assert!((expected..=2).contains(&deltas), "{number}: {event:?}");
                        }
                    }
                }
                if number % 100 == 99 {
                    for follower in &mut slow {
                        assert!(follower.catch_up() <= 64 + 1);
                        let fresh = follower.question.answer(&books);
                        assert_eq!(follower.list, fresh, "late: {:?}", follower.question);
                    }
                }
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

fn plain(id: i64, title: &str, pages: u16) -> Book {
    let (title, kind, code) = (title.to_owned(), crate::shelf::Kind::Novel, None);
    Book { id, title, kind, pages, lent_to: None, price: 0.0, tags: Vec::new(), code }
}

fn all() -> Question {
    Question { filter: None, order: Vec::new(), offset: 0, limit: None }
}

#[test]
fn a_commit_reads_its_rows_once_however_many_watch_and_nothing_for_other_tables() {
    let app = Shelf::in_memory().unwrap();
    app.books.insert_many((0..1000).map(|id| plain(id, "old", 7))).unwrap();
    let few = |pages| Condition::Pages(Test::Eq(pages));
    let mut followers: Vec<Follower> = (0..100)
        .map(|pages| Follower::new(&app, Question { filter: Some(few(pages)), ..all() }))
        .collect();
    followers.iter_mut().for_each(|follower| assert_eq!(follower.catch_up(), 1));
    let before = app.handle().touched();
    app.books.update(&500, |book| book.pages = 8).unwrap();
    let after = app.handle().touched();
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 0), "rows and entries read");
    let told: Vec<usize> = followers.iter_mut().map(Follower::catch_up).collect();
    let expected: Vec<usize> =
        (0..100).map(|pages| usize::from(pages == 7 || pages == 8)).collect();
    assert_eq!(told, expected);

    drop(followers);
    // The first commit afterwards finds that nobody looks any more.
    app.books.update(&500, |book| book.pages = 9).unwrap();
    let before = app.handle().touched();
    app.books.update(&500, |book| book.pages = 10).unwrap();
    assert_eq!(app.handle().touched(), before);
}

#[test]
fn a_window_reads_beyond_itself_only_when_it_runs_dry() {
    let app = Shelf::in_memory().unwrap();
    app.books.insert_many((0..2000).map(|id| plain(id, &format!("{id:04}"), 0))).unwrap();
    let question = Question { order: vec![By::Title(false)], limit: Some(20), ..all() };
    let mut follower = Follower::new(&app, question);
    follower.catch_up();
    let before = app.handle().touched();
    for id in 0..500 {
        app.books.remove(&id).unwrap();
        assert_eq!(follower.catch_up(), 1);
        assert_eq!(follower.list.first().map(|book| book.id), Some(id + 1));
        assert_eq!(follower.list.len(), 20);
    }
    let rows = app.handle().touched().0 - before.0;
    assert!(rows < 500 * 4, "{rows} rows read for 500 removals at the front of 20 out of 2,000");
}

#[test]
fn a_slow_reader_is_given_one_delta_for_many_commits() {
    let app = Shelf::in_memory().unwrap();
    let mut follower = Follower::new(&app, all());
    follower.catch_up();
    for round in 0..1000 {
        app.books.put(&plain(i64::from(round % 10), "", round)).unwrap();
    }
    assert_eq!(follower.catch_up(), 1);
    assert_eq!(follower.list.len(), 10);
    // If everything is as it was in the end, there is nothing to tell.
    let books = follower.list.clone();
    for _ in 0..100 {
        app.books.query().remove_all().unwrap();
        app.books.insert_many(&books).unwrap();
    }
    let told = follower.catch_up();
    assert!(told <= 1, "{told}");
    assert_eq!(follower.list, books);
}

#[test]
fn watches_end_with_the_store_and_give_what_is_left_first() {
    let app = Shelf::in_memory().unwrap();
    let watch = app.books.query().watch().unwrap();
    let mut derived = app.watch(|snap| snap.len::<Book>()).unwrap();
    assert_eq!(derived.recv().unwrap(), 0);
    let waiting = app.books.filter(Book::PAGES.gt(1_u16)).watch().unwrap();
    waiting.recv().unwrap();
    let waiter = thread::spawn(move || refused(waiting.recv()).kind());
    app.books.insert(&plain(1, "left", 1)).unwrap();
    drop(app);
    assert_eq!(waiter.join().unwrap(), ErrorKind::Closed);
    assert_eq!(watch.iter().count(), 2, "the whole, and what is left");
    assert_eq!(refused(watch.recv()).kind(), ErrorKind::Closed);
    assert_eq!(refused(watch.try_recv()).kind(), ErrorKind::Closed);
    assert_eq!(refused(derived.recv()).kind(), ErrorKind::Closed);
}

#[test]
fn waiting_ends_with_a_change_or_with_the_time() {
    let app = Arc::new(Shelf::in_memory().unwrap());
    let watch = app.books.query().watch().unwrap();
    assert!(watch.recv().unwrap().inserted().is_empty());
    assert!(watch.recv_timeout(Duration::from_millis(1)).unwrap().is_none());
    let writer = app.clone();
    let (go, gone) = channel();
    let thread = thread::spawn(move || {
        gone.recv().unwrap();
        writer.books.insert(&plain(1, "new", 1)).unwrap();
    });
    go.send(()).unwrap();
    assert_eq!(watch.recv().unwrap().inserted()[0].row().title, "new");
    thread.join().unwrap();
}

#[test]
fn a_commit_inside_an_observer_and_a_panicking_one_harm_no_watch() {
    let app = Arc::new(Shelf::in_memory().unwrap());
    let inner = app.clone();
    let _panics = app.books.observe(|_| panic!("on purpose")).unwrap();
    let _writes = app
        .books
        .observe(move |changes| {
            if changes.iter().any(|change| *change.key() == 1) {
                // A watch may begin while commits are told, too.
                let watch = inner.books.filter(Book::ID.ge(0_i64)).watch().unwrap();
                assert_eq!(watch.recv().unwrap().inserted().len(), 1);
                inner.books.insert(&plain(2, "inner", 1)).unwrap();
            }
        })
        .unwrap();
    let mut follower = Follower::new(&app, all());
    follower.catch_up();
    app.books.insert(&plain(1, "outer", 1)).unwrap();
    assert_eq!(follower.catch_up(), 2);
    assert_eq!(follower.list.len(), 2);
}

#[test]
fn many_threads_write_and_one_list_stays_exact() {
    let app = Shelf::in_memory().unwrap();
    thread::scope(|scope| {
        for writer in 0..4 {
            let app = &app;
            scope.spawn(move || {
                for number in 0..100u16 {
                    let id = i64::from(number % 25) * 4 + writer;
                    app.books.put(&plain(id, &format!("{number}"), number)).unwrap();
                }
            });
        }
        // It begins in the middle of it all.
        let question = Question { order: vec![By::Pages(true)], ..all() };
        let mut follower = Follower::new(&app, question.clone());
        let mut seen = BTreeMap::new();
        while follower.list.len() < 100 || follower.list.iter().any(|book| book.pages < 75) {
            let delta = follower.watch.recv().unwrap();
            follower.check(&delta);
            delta.apply(&mut follower.list);
            *seen.entry(follower.list.len()).or_insert(0) += 1;
        }
        assert_eq!(follower.list, asked!(app.books.query(), &question, Book).all().unwrap());
    });
}

#[test]
fn who_joins_a_result_while_it_is_computed_is_given_the_whole_first() {
    const WATCHERS: usize = 4;
    let app = Shelf::in_memory().unwrap();
    app.books.insert_many((0..200).map(|id| plain(id, "one", 1))).unwrap();
    let (together, partial) = (Barrier::new(WATCHERS), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..WATCHERS {
            scope.spawn(|| {
                for round in 0..2_000 {
                    // Each time a question that nobody has asked before, and that all match.
                    let query = app.books.filter(Book::ID.ge(-1 - round));
                    together.wait();
                    let watch = query.watch().unwrap();
                    // Counted and not asserted here, since the others wait for this thread.
                    if watch.recv().unwrap().inserted().len() != 200 {
                        partial.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(partial.into_inner(), 0);
}

#[test]
fn a_derived_value_follows_what_it_read_and_nothing_else() {
    let app = support::Notebook::in_memory().unwrap();
    let mut derived = app
        .watch(|snap| {
            let settings = snap.group::<support::Settings>()?;
            // Rows are looked at only while the theme is dark.
            Ok(match settings.theme.as_str() {
                "dark" => Some(snap.filter(support::Note::STARS.gt(0_i64)).count()?),
                _ => None,
            })
        })
        .unwrap();
    assert_eq!(derived.recv().unwrap(), None);
    app.notes.insert(&support::note(1, "one")).unwrap();
    assert!(derived.try_recv().unwrap().is_none(), "it read no notes");
    app.settings.theme.set("dark").unwrap();
    assert_eq!(derived.recv().unwrap(), Some(0));
    app.notes.update(&1, |note| note.stars = 3).unwrap();
    assert_eq!(derived.recv().unwrap(), Some(1));
    assert!(derived.try_recv().unwrap().is_none());
    app.settings.theme.set("light").unwrap();
    assert_eq!(derived.recv().unwrap(), None);
    app.notes.update(&1, |note| note.stars = 4).unwrap();
    assert!(derived.try_recv().unwrap().is_none(), "it does not read notes any more");
}

#[test]
fn a_derived_value_whose_closure_panics_is_computed_when_it_is_asked_for_again() {
    let app = support::Notebook::in_memory().unwrap();
    let mut calls = 0;
    let mut derived = app
        .watch(move |snap| {
            calls += 1;
            assert!(calls != 1 && calls != 3, "this one fails");
            snap.query::<support::Note>().count()
        })
        .unwrap();
    let panics = |derived: &mut heirloom::watch::WatchValue<_, usize>| {
        catch_unwind(AssertUnwindSafe(|| derived.try_recv())).is_err()
    };
    assert!(panics(&mut derived));
    assert_eq!(derived.try_recv().unwrap(), Some(0));
    app.notes.insert(&support::note(1, "one")).unwrap();
    assert!(panics(&mut derived));
    assert_eq!(derived.try_recv().unwrap(), Some(1));
    app.notes.insert(&support::note(2, "two")).unwrap();
    assert_eq!(derived.try_recv().unwrap(), Some(2));
    assert!(derived.try_recv().unwrap().is_none());
}

/// Books on a disk that refuses to be read, from some read on after a large commit.
struct Refusing {
    app: Shelf,
    refuses: Arc<AtomicBool>,
    left: Arc<AtomicUsize>,
    _trap: Subscription,
}

impl Refusing {
    /// Of the reads after a commit of more than 30 books, the `nth` is refused, and all after it.
    fn new(nth: usize) -> Self {
        let left = Arc::new(AtomicUsize::new(usize::MAX));
        let refuses = Arc::new(AtomicBool::new(false));
        let (counter, refused, trapped) = (left.clone(), refuses.clone(), left.clone());
        let hook: StorageHook = Arc::new(move |op| {
            if op != StorageOp::Read || counter.load(Ordering::SeqCst) == usize::MAX {
                return Ok(());
            }
            if counter.load(Ordering::SeqCst) > 0 {
                counter.fetch_sub(1, Ordering::SeqCst);
                return Ok(());
            }
            refused.store(true, Ordering::SeqCst);
            Err(std::io::Error::other("refused on purpose"))
        });
        let app = Shelf::builder().storage_and_read_hook(hook).in_memory().unwrap();
        app.books.insert_many((0..200).map(|id| plain(id, "book", 1))).unwrap();
        // Told before those that watch, since it was there before them.
        let trap = app.books.observe(move |changes| {
            if changes.iter().count() > 30 {
                trapped.store(nth, Ordering::SeqCst);
            }
        });
        Self { app, refuses, left, _trap: trap.unwrap() }
    }

    /// Two books, with as many beyond them known as are taken away by [`remove_many`](Self::remove_many).
    fn first(&self) -> Follower {
        Follower::new(&self.app, Question { limit: Some(2), ..all() })
    }

    /// Takes away so many of the first books that the next ones have to be read.
    fn remove_many(&self) {
        self.app.books.filter(Book::ID.between(1_i64, 60_i64)).remove_all().unwrap();
    }
}

/// The error of a watch on a disk that refuses.
fn assert_lost(error: &heirloom::Error) {
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    assert_eq!((error.store(), error.table()), (Some("shelf"), Some("books")));
    let text = error.to_string();
    assert!(text.contains("live result") && text.contains("watch the query again"), "{text}");
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source());
    assert!(causes.last().unwrap().to_string().contains("refused on purpose"), "{error:?}");
}

fn ids(books: &[Book]) -> Vec<i64> {
    books.iter().map(|book| book.id).collect()
}

#[test]
fn whichever_read_fails_a_watch_is_exact_or_says_so_and_ends() {
    let mut failures = 0;
    for nth in 0.. {
        let disk = Refusing::new(nth);
        let (mut small, mut whole) = (disk.first(), Follower::new(&disk.app, all()));
        let mut behind = disk.first();
        small.catch_up();
        behind.catch_up();
        // So far behind that its deltas have become one.
        for pages in 10..110 {
            disk.app.books.update(&0, |book| book.pages = pages).unwrap();
            small.catch_up();
        }
        disk.app.books.update(&0, |book| book.pages = 5).unwrap();
        disk.remove_many();
        if !disk.refuses.load(Ordering::SeqCst) {
            small.catch_up();
            whole.catch_up();
            behind.catch_up();
            assert_eq!((ids(&small.list), ids(&behind.list)), (vec![0, 61], vec![0, 61]));
            assert_eq!(whole.list.len(), 140);
            break;
        }
        failures += 1;
        while let Ok(delta) = small.watch.recv().inspect_err(assert_lost) {
            small.check(&delta);
            delta.apply(&mut small.list);
        }
        assert_eq!((ids(&small.list), small.list[0].pages), (vec![0, 1], 5), "what was before");
        assert_eq!(refused(small.watch.recv()).kind(), ErrorKind::Closed, "the error comes once");
        assert_eq!(refused(small.watch.try_recv()).kind(), ErrorKind::Closed);
        assert_eq!(small.watch.iter().count(), 0);
        assert_lost(behind.watch.iter().next().unwrap().as_ref().unwrap_err());
        assert_eq!(refused(behind.watch.recv()).kind(), ErrorKind::Closed);

        // The result that needed no more than it got goes on, and a new watch has a result of its
        // own.
        disk.left.store(usize::MAX, Ordering::SeqCst);
        disk.app.books.update(&199, |book| book.pages = 7).unwrap();
        let mut again = disk.first();
        again.catch_up();
        disk.app.books.remove(&61).unwrap();
        again.catch_up();
        assert_eq!(ids(&again.list), [0, 62]);
        let told = loop {
            match whole.watch.try_recv() {
                Ok(Some(delta)) => delta.apply(&mut whole.list),
                Ok(None) => break Ok(ids(&whole.list)),
                Err(error) => break Err(error),
            }
        };
        match told {
            Ok(ids) => assert!(nth >= 60 && ids.len() == 139, "read {nth}: {ids:?}"),
            Err(error) => assert!(nth < 60, "{error}"),
        }
    }
    assert!(failures > 60, "{failures}: of the rows that changed, then of those after them");
}

#[test]
fn whoever_waits_is_told_of_a_failure() {
    let disk = Refusing::new(0);
    let waiting = disk.first().watch;
    waiting.recv().unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| refused(waiting.recv()));
        disk.remove_many();
        assert_lost(&waiter.join().unwrap());
    });
    let refusing = Refusing::new(0);
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let mut context = Context::from_waker(&waker);
    let mut stream = pin!(refusing.first().watch);
    let mut poll = || stream.as_mut().poll_next(&mut context);
    assert!(matches!(poll(), Poll::Ready(Some(Ok(_)))));
    assert!(poll().is_pending());
    refusing.remove_many();
    assert_eq!(bell.0.load(Ordering::SeqCst), 1);
    assert!(matches!(poll(), Poll::Ready(Some(Err(error))) if error.table() == Some("books")));
    assert!(matches!(poll(), Poll::Ready(None)));
}

static PANICS: AtomicBool = AtomicBool::new(false);

/// Panics while it is decoded, as soon as it is told to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "u8")]
struct Touchy(u8);

impl From<u8> for Touchy {
    fn from(value: u8) -> Self {
        assert!(!PANICS.load(Ordering::SeqCst), "on purpose");
        Self(value)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
struct Mimosa {
    #[key]
    number: u32,
    leaves: Touchy,
}

#[derive(Store)]
struct Garden {
    mimosas: Table<Mimosa>,
}

#[test]
fn a_row_that_panics_while_it_is_decoded_ends_the_watches_that_it_belongs_to() {
    let garden = Garden::in_memory().unwrap();
    let _trap = garden.mimosas.observe(|_| PANICS.store(true, Ordering::SeqCst)).unwrap();
    let watch = garden.mimosas.query().watch().unwrap();
    watch.recv().unwrap();
    garden.mimosas.insert(&Mimosa { number: 1, leaves: Touchy(1) }).unwrap();
    PANICS.store(false, Ordering::SeqCst);
    let error = refused(watch.recv());
    assert_eq!(error.kind(), ErrorKind::Custom, "{error}");
    assert_eq!((error.store(), error.table()), (Some("garden"), Some("mimosa")));
    assert_eq!(refused(watch.recv()).kind(), ErrorKind::Closed);
    let again = garden.mimosas.query().watch().unwrap();
    assert_eq!(again.recv().unwrap().inserted().len(), 1);
}

#[test]
fn invalid_rows_are_no_part_of_a_live_result() {
    let (app, peer) = (App::in_memory().unwrap(), LooseApp::in_memory().unwrap());
    let watch = app.rows.query().watch().unwrap();
    watch.recv().unwrap();
    app.rows.insert(&repaired(1)).unwrap();
    assert_eq!(watch.recv().unwrap().inserted().len(), 1);
    // A peer writes what does not decode.
    exchange(&app, &peer);
    peer.rows.put(&loose(1, |row| drop(row.insert("count".into(), "many".into())))).unwrap();
    exchange(&app, &peer);
    assert_eq!(watch.recv().unwrap().removed().len(), 1);
    app.rows.put(&repaired(1)).unwrap();
    assert_eq!(watch.recv().unwrap().inserted().len(), 1);
}

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_watch_is_a_stream_that_wakes_its_task_and_ends_with_the_store() {
    let app = Shelf::in_memory().unwrap();
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(bell.clone());
    let mut context = Context::from_waker(&waker);
    let mut watch = pin!(app.books.filter(Book::PAGES.eq(7_u16)).watch().unwrap());
    let mut poll = || watch.as_mut().poll_next(&mut context);
    assert!(matches!(poll(), Poll::Ready(Some(Ok(delta))) if delta.inserted().is_empty()));
    assert!(poll().is_pending());
    app.books.insert(&plain(1, "other", 8)).unwrap();
    assert_eq!(bell.0.load(Ordering::SeqCst), 0, "nothing that it watches has changed");
    app.books.insert(&plain(2, "new", 7)).unwrap();
    assert_eq!(bell.0.load(Ordering::SeqCst), 1);
    assert!(matches!(poll(), Poll::Ready(Some(Ok(delta))) if delta.inserted().len() == 1));
    assert!(poll().is_pending());
    drop(app);
    assert_eq!(bell.0.load(Ordering::SeqCst), 2);
    assert!(matches!(poll(), Poll::Ready(None)));
}
