//! Columns of rows: the same as those of whole rows, and no more than these are decoded.

use std::cell::Cell;

use crate::shelf::{Ask, Book, Plain, Question, book, question};
use crate::support::exchange;
use crate::support::loose::{App, LooseApp, Strict, loose};
use heirloom::{ErrorKind, Fields, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// A query of whatever kind selects what a plain look gives.
macro_rules! check {
    ($query:expr, $question:expr, $books:expr, $row:ty) => {{
        let found = $question.answer($books);
        let of = |book: &Book| (book.lent_to.clone(), book.pages, book.tags.len());
        let expected: Vec<_> = found.iter().map(of).collect();
        let columns = (<$row>::LENT_TO, <$row>::PAGES, <$row>::TAGS.map(Vec::len));
        let select = asked!($query, $question, $row).select(columns);
        assert_eq!(select.all().unwrap(), expected);
        assert_eq!(select.first().unwrap().as_ref(), expected.first());
        let rows: Vec<_> = select.iter().unwrap().map(Result::unwrap).collect();
        assert_eq!(rows, expected);

        let mut kinds: Vec<_> = found.iter().map(|book| book.kind).collect();
        kinds.sort();
        kinds.dedup();
        let select = asked!($query, $question, $row).select(<$row>::KIND);
        assert_eq!(select.distinct().all().unwrap(), kinds);
        let mut lent: Vec<_> =
            found.iter().map(|book| (book.lent_to.clone(), book.pages)).collect();
        lent.sort();
        lent.dedup();
        let select = asked!($query, $question, $row).select((<$row>::LENT_TO, <$row>::PAGES));
        assert_eq!(select.distinct().all().unwrap(), lent);
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn columns_are_those_of_the_rows(
        before in prop::collection::vec(book(), 0..30),
        after in prop::collection::vec(book(), 0..8),
        removed in prop::collection::vec(0..30i64, 0..4),
        questions in prop::collection::vec(question(), 1..4),
    ) {
        check_everywhere!(check, questions, before, removed, after);
    }
}

thread_local! {
    static DECODED: Cell<usize> = const { Cell::new(0) };
}

/// A text that counts how often it is decoded, and is never "bad".
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(transparent)]
struct Counted(String);

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DECODED.set(DECODED.get() + 1);
        let text = String::deserialize(deserializer)?;
        if text == "bad" { Err(D::Error::custom("bad")) } else { Ok(Self(text)) }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Fields)]
struct Place {
    city: String,
    zip: Option<u32>,
}

macro_rules! notes {
    ($row:ident, $store:ident { $($fields:tt)* }) => {
        #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "notes")]
        struct $row {
            #[key]
            id: u32,
            #[index]
            due: u32,
            body: Counted,
            $($fields)*
        }

        #[derive(Store)]
        #[store(name = "notes")]
        struct $store {
            notes: Table<$row>,
        }
    };
}

notes!(Old, OldNotes { title: Option<String>, });
notes!(Note, Notes {
    #[serde(alias = "heading")]
    title: Option<String>,
    place: Option<Place>,
    #[evolve(default = 7)]
    level: u8,
    #[evolve(default = |due, level| due + u32::from(level))]
    sum: u32,
    #[serde(default)]
    tags: Vec<String>,
    twice: Option<Option<u8>>,
});

fn decoded<T>(work: impl FnOnce() -> T) -> (T, usize) {
    DECODED.set(0);
    let value = work();
    (value, DECODED.get())
}

fn old(id: u32, due: u32) -> Old {
    Old { id, due, body: Counted("long".into()), title: (id == 1).then(|| "one".to_owned()) }
}

#[test]
fn only_the_columns_are_decoded_and_missing_ones_have_their_defaults() {
    let (before, app) = (OldNotes::in_memory().unwrap(), Notes::in_memory().unwrap());
    before.notes.insert_many([old(1, 30), old(2, 20), old(3, 10)]).unwrap();
    exchange(&before, &app);
    let place = Place { city: "Ulm".into(), zip: Some(89) };
    let new = Note {
        id: 4,
        due: 5,
        body: Counted("short".into()),
        title: None,
        place: Some(place),
        level: 1,
        sum: 2,
        tags: vec!["a \"b\" {".into()],
        twice: Some(None),
    };
    app.notes.insert(&new).unwrap();

    let touched = app.handle().touched().0;
    let select =
        app.notes.order_by(Note::DUE).select((Note::TITLE, Note::LEVEL, Note::SUM, Note::TAGS));
    let (found, times) = decoded(|| select.all().unwrap());
    assert_eq!(times, 0);
    assert_eq!(app.handle().touched().0 - touched, 4, "the rows that the query itself reads");
    let one = (Some("one".to_owned()), 7, 37, vec![]);
    let new = (None, 1, 2, vec!["a \"b\" {".to_owned()]);
    assert_eq!(found, [new, (None, 7, 17, vec![]), (None, 7, 27, vec![]), one]);

    let cities = app.notes.filter(Note::DUE.lt(15)).select(Note::PLACE.field(Place::CITY));
    let (found, times) = decoded(|| cities.all().unwrap());
    assert_eq!((found, times), (vec![None, Some("Ulm".to_owned())], 0));
    let (found, times) = decoded(|| cities.iter().unwrap().count());
    assert_eq!((found, times), (2, 0));
    let snapshot = app.snapshot().unwrap();
    let (found, times) = decoded(|| snapshot.query::<Note>().select(Note::SUM).first().unwrap());
    assert_eq!((found, times), (Some(37), 0));
    app.transaction(|tx| {
        let (found, times) = decoded(|| tx.query::<Note>().select((Note::ID, Note::ID)).all());
        assert_eq!((found?.len(), times), (4, 0));
        Ok(())
    })
    .unwrap();

    // A condition that no index serves needs the row, and so does what its text does not say.
    let (_, times) =
        decoded(|| app.notes.filter(Note::LEVEL.eq(7)).select(Note::ID).all().unwrap());
    assert!(times > 0);
    let twice = app.notes.query().select(Note::TWICE).all().unwrap();
    assert_eq!(twice, [None, None, None, Some(None)]);
}

#[test]
fn many_rows_are_selected_by_several_threads() {
    let app = Notes::in_memory().unwrap();
    let before = OldNotes::in_memory().unwrap();
    before.notes.insert_many((0..20_000).map(|id| old(id, id / 3))).unwrap();
    exchange(&before, &app);
    let select = app.notes.order_by(Note::DUE).select((Note::ID, Note::SUM));
    let expected: Vec<_> = (0..20_000).map(|id| (id, id / 3 + 7)).collect();
    assert_eq!(select.all().unwrap(), expected);
}

#[test]
fn a_row_that_does_not_decode_is_an_error_whatever_is_selected() {
    let (strict, loose_app) = (App::in_memory().unwrap(), LooseApp::in_memory().unwrap());
    loose_app.rows.insert(&loose(1, |_| {})).unwrap();
    loose_app.rows.insert(&loose(2, |row| drop(row.insert("rate".into(), "much".into())))).unwrap();
    exchange(&loose_app, &strict);
    let select = strict.rows.query().select(Strict::ID);
    assert_eq!(select.all().unwrap_err().kind(), ErrorKind::InvalidRow);
    let rows: Vec<_> = select.iter().unwrap().map(|row| row.ok()).collect();
    assert_eq!(rows, [Some(1), None]);
    assert_eq!(strict.rows.filter(Strict::ID.gt(0)).select(Strict::ID).all().unwrap(), [1]);

    // If there is an index, it says so.
    let (notes, wrong) = (Notes::in_memory().unwrap(), WrongNotes::in_memory().unwrap());
    wrong.notes.insert(&Wrong { id: 9, due: 1, body: "bad".into() }).unwrap();
    exchange(&wrong, &notes);
    notes.notes.insert(&Note { id: 1, due: 2, ..serde_json::from_str(NOTE).unwrap() }).unwrap();
    let select = notes.notes.query().select(Note::DUE);
    assert_eq!(select.all().unwrap_err().field(), Some("body"));
    assert_eq!(notes.notes.filter(Note::DUE.gt(0)).select(Note::DUE).all().unwrap(), [2]);
}

const NOTE: &str = r#"{"id":0,"due":0,"body":"","level":0,"sum":0}"#;

#[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
struct Wrong {
    #[key]
    id: u32,
    #[index]
    due: u32,
    body: String,
}

#[derive(Store)]
#[store(name = "notes")]
struct WrongNotes {
    notes: Table<Wrong>,
}

#[test]
fn distinct_values_are_followed() {
    let app = Notes::in_memory().unwrap();
    let note = |id, due| Note { id, due, ..serde_json::from_str(NOTE).unwrap() };
    let watch = app.notes.query().select(Note::DUE).distinct().watch().unwrap();
    assert!(watch.recv().unwrap().is_empty());
    app.notes.insert_many([note(1, 5), note(2, 3), note(3, 5)]).unwrap();
    assert_eq!(watch.recv().unwrap(), [3, 5]);
    app.notes.remove(&1).unwrap();
    app.notes.remove(&2).unwrap();
    assert_eq!(watch.recv().unwrap(), [5]);
}

#[test]
fn distinct_values_come_from_an_index_alone() {
    let app = Notes::in_memory().unwrap();
    let note = |id, due| Note { id, due, ..serde_json::from_str(NOTE).unwrap() };
    app.notes.insert_many((0..300).map(|id| note(id, id % 3))).unwrap();
    let before = app.handle().touched();
    assert_eq!(app.notes.query().select(Note::DUE).distinct().all().unwrap(), [0, 1, 2]);
    let after = app.handle().touched();
    assert_eq!((after.0 - before.0, after.1 - before.1), (3, 300));
}
