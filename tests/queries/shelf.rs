//! A table with many kinds of fields and indexes, its twin without indexes, and conditions that can
//! be asked of both and of a plain list.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use heirloom::query::{Expr, Order};
use heirloom::{Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    // In another order than that of their stored names.
    Novel,
    Atlas,
    Comic,
}

pub const KINDS: [Kind; 3] = [Kind::Novel, Kind::Atlas, Kind::Comic];

macro_rules! shelf {
    ($row:ident, $store:ident, $table:meta, $single:meta, $unique:meta) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "books")]
        #[$table]
        pub struct $row {
            #[key]
            pub id: i64,
            #[$single]
            pub title: String,
            #[evolve(default = Kind::Novel)]
            pub kind: Kind,
            #[evolve(default)]
            pub pages: u16,
            #[$single]
            pub lent_to: Option<String>,
            #[$single]
            #[evolve(default)]
            pub price: f64,
            #[evolve(default)]
            pub tags: Vec<String>,
            #[$unique]
            pub code: Option<u32>,
        }

        #[derive(Store)]
        #[store(name = "shelf")]
        pub struct $store {
            pub books: Table<$row>,
        }

        impl Ask for $row {
            fn expr(condition: &Condition) -> Expr<Self> {
                use Condition::*;
                match condition {
                    Id(test) => test.on(Self::ID),
                    Title(test) => test.on(Self::TITLE),
                    Kind(test) => test.on(Self::KIND),
                    Pages(test) => test.on(Self::PAGES),
                    Lent(test) => test.on(Self::LENT_TO),
                    LentToAnyone => Self::LENT_TO.is_some(),
                    LentToNobody => Self::LENT_TO.is_none(),
                    Price(test) => test.on(Self::PRICE),
                    Code(test) => test.on(Self::CODE),
                    TitleStarts(prefix) => Self::TITLE.starts_with(prefix),
                    LentStarts(prefix) => Self::LENT_TO.starts_with(prefix),
                    TitleContains(part) => Self::TITLE.contains(part),
                    HasTag(tag) => Self::TAGS.contains(tag),
                    And(a, b) => Self::expr(a) & Self::expr(b),
                    Or(a, b) => Self::expr(a) | Self::expr(b),
                    Not(a) => !Self::expr(a),
                }
            }

            fn order(by: By) -> Order<Self> {
                match by {
                    By::Id(false) => Self::ID.asc(),
                    By::Id(true) => Self::ID.desc(),
                    By::Title(false) => Self::TITLE.asc(),
                    By::Title(true) => Self::TITLE.desc(),
                    By::Kind(false) => Self::KIND.asc(),
                    By::Kind(true) => Self::KIND.desc(),
                    By::Pages(false) => Self::PAGES.asc(),
                    By::Pages(true) => Self::PAGES.desc(),
                    By::Lent(false) => Self::LENT_TO.asc(),
                    By::Lent(true) => Self::LENT_TO.desc(),
                    By::Price(false) => Self::PRICE.asc(),
                    By::Price(true) => Self::PRICE.desc(),
                }
            }
        }
    };
}

shelf!(Book, Shelf, table(index(kind, pages), index(pages, title, kind)), index, index(unique));
shelf!(Plain, PlainShelf, table(), cfg(all()), cfg(all()));

impl From<Book> for Plain {
    fn from(book: Book) -> Self {
        let Book { id, title, kind, pages, lent_to, price, tags, code } = book;
        Self { id, title, kind, pages, lent_to, price, tags, code }
    }
}

/// The questions to both twins.
pub trait Ask: heirloom::Row {
    fn expr(condition: &Condition) -> Expr<Self>;
    fn order(by: By) -> Order<Self>;
}

/// A test of one value.
#[derive(Debug, Clone)]
pub enum Test<T> {
    Eq(T),
    Ne(T),
    Lt(T),
    Le(T),
    Gt(T),
    Ge(T),
    Between(T, T),
    In(Vec<T>),
}

impl<T: Serialize + PartialOrd + Clone + 'static> Test<T> {
    fn on<R: heirloom::Row, C>(&self, column: heirloom::Column<R, T, C>) -> Expr<R> {
        match self {
            Self::Eq(a) => column.eq(a),
            Self::Ne(a) => column.ne(a),
            Self::Lt(a) => column.lt(a),
            Self::Le(a) => column.le(a),
            Self::Gt(a) => column.gt(a),
            Self::Ge(a) => column.ge(a),
            Self::Between(a, b) => column.between(a, b),
            Self::In(list) => column.is_in(list),
        }
    }

    fn holds(&self, value: &T) -> bool {
        match self {
            Self::Eq(a) => value == a,
            Self::Ne(a) => value != a,
            Self::Lt(a) => value < a,
            Self::Le(a) => value <= a,
            Self::Gt(a) => value > a,
            Self::Ge(a) => value >= a,
            Self::Between(a, b) => a <= value && value <= b,
            Self::In(list) => list.contains(value),
        }
    }
}

#[derive(Debug, Clone)]
pub enum Condition {
    Id(Test<i64>),
    Title(Test<String>),
    Kind(Test<Kind>),
    Pages(Test<u16>),
    Lent(Test<Option<String>>),
    LentToAnyone,
    LentToNobody,
    Price(Test<f64>),
    Code(Test<Option<u32>>),
    TitleStarts(String),
    LentStarts(String),
    TitleContains(String),
    HasTag(String),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
}

impl Condition {
    pub fn holds(&self, book: &Book) -> bool {
        match self {
            Self::Id(test) => test.holds(&book.id),
            Self::Title(test) => test.holds(&book.title),
            Self::Kind(test) => test.holds(&book.kind),
            Self::Pages(test) => test.holds(&book.pages),
            Self::Lent(test) => test.holds(&book.lent_to),
            Self::LentToAnyone => book.lent_to.is_some(),
            Self::LentToNobody => book.lent_to.is_none(),
            Self::Price(test) => test.holds(&book.price),
            Self::Code(test) => test.holds(&book.code),
            Self::TitleStarts(prefix) => book.title.starts_with(prefix),
            Self::LentStarts(prefix) => {
                book.lent_to.as_ref().is_some_and(|name| name.starts_with(prefix))
            }
            Self::TitleContains(part) => book.title.contains(part),
            Self::HasTag(tag) => book.tags.contains(tag),
            Self::And(a, b) => a.holds(book) && b.holds(book),
            Self::Or(a, b) => a.holds(book) || b.holds(book),
            Self::Not(a) => !a.holds(book),
        }
    }
}

/// A column to order by, and whether greatest come first.
#[derive(Debug, Clone, Copy)]
pub enum By {
    Id(bool),
    Title(bool),
    Kind(bool),
    Pages(bool),
    Lent(bool),
    Price(bool),
}

impl By {
    fn compare(self, a: &Book, b: &Book) -> Ordering {
        let (order, is_desc) = match self {
            Self::Id(desc) => (a.id.cmp(&b.id), desc),
            Self::Title(desc) => (a.title.cmp(&b.title), desc),
            Self::Kind(desc) => (a.kind.cmp(&b.kind), desc),
            Self::Pages(desc) => (a.pages.cmp(&b.pages), desc),
            Self::Lent(desc) => (a.lent_to.cmp(&b.lent_to), desc),
            Self::Price(desc) => (a.price.partial_cmp(&b.price).unwrap(), desc),
        };
        if is_desc { order.reverse() } else { order }
    }

    fn is_desc(self) -> bool {
        match self {
            Self::Id(desc)
            | Self::Title(desc)
            | Self::Kind(desc)
            | Self::Pages(desc)
            | Self::Lent(desc)
            | Self::Price(desc) => desc,
        }
    }
}

/// A whole query.
#[derive(Debug, Clone)]
pub struct Question {
    pub filter: Option<Condition>,
    pub order: Vec<By>,
    pub offset: usize,
    pub limit: Option<usize>,
}

impl Question {
    /// Which of two books comes first.
    pub fn compare(&self, a: &Book, b: &Book) -> Ordering {
        let by = self.order.iter().map(|by| by.compare(a, b));
        let keys = a.id.cmp(&b.id);
        let is_desc = self.order.last().is_some_and(|by| by.is_desc());
        by.fold(Ordering::Equal, Ordering::then).then(if is_desc { keys.reverse() } else { keys })
    }

    /// The answer by looking at everything.
    pub fn answer<'b>(&self, books: impl IntoIterator<Item = &'b Book>) -> Vec<Book> {
        let holds = |book: &&Book| self.filter.as_ref().is_none_or(|filter| filter.holds(book));
        let mut books: Vec<Book> = books.into_iter().filter(holds).cloned().collect();
        books.sort_by(|a, b| self.compare(a, b));
        books.into_iter().skip(self.offset).take(self.limit.unwrap_or(usize::MAX)).collect()
    }
}

/// Narrows a query of whatever kind to the question.
macro_rules! asked {
    ($query:expr, $question:expr, $row:ty) => {{
        let question: &Question = $question;
        let mut query = $query;
        if let Some(filter) = &question.filter {
            query = query.filter(<$row as Ask>::expr(filter));
        }
        for by in &question.order {
            query = query.order_by(<$row as Ask>::order(*by));
        }
        query = query.offset(question.offset);
        match question.limit {
            Some(limit) => query.limit(limit),
            None => query,
        }
    }};
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[ab]{0,2}",
        1 => "[\u{0}\u{1}a\u{ff}\u{10ffff}]{0,3}",
        // Beyond what an index holds of a value, and equal up to there.
        1 => "[ab]{0,1}".prop_map(|end| format!("{}{end}", "long".repeat(600))),
    ]
}

fn price() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(-0.0),
        Just(-1.5),
        Just(1e300),
        Just(-f64::MIN_POSITIVE),
        (0..5u8).prop_map(f64::from)
    ]
}

fn asked_price() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => price(),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
        1 => Just(f64::NAN),
    ]
}

fn test<T: std::fmt::Debug + Clone + 'static>(
    value: impl Strategy<Value = T> + Clone + 'static,
) -> impl Strategy<Value = Test<T>> {
    prop_oneof![
        4 => value.clone().prop_map(Test::Eq),
        1 => value.clone().prop_map(Test::Ne),
        1 => value.clone().prop_map(Test::Lt),
        1 => value.clone().prop_map(Test::Le),
        1 => value.clone().prop_map(Test::Gt),
        1 => value.clone().prop_map(Test::Ge),
        2 => (value.clone(), value.clone()).prop_map(|(a, b)| Test::Between(a, b)),
        2 => prop::collection::vec(value, 0..4).prop_map(Test::In),
    ]
}

/// Asks the questions of an indexed table and of a plain one, within a transaction that removes and puts books,
/// after it, and on a snapshot from before it.
macro_rules! check_everywhere {
    ($check:ident, $questions:expr, $before:expr, $removed:expr, $after:expr) => {{
        let (questions, before) = ($questions, crate::shelf::by_key($before));
        let (app, plain) = crate::shelf::shelves(&before);
        let snapshot = app.snapshot().unwrap();
        let left = before.iter().filter(|book| !$removed.contains(&book.id));
        let now = crate::shelf::by_key(left.chain(&$after).cloned());
        for question in &questions {
            $check!(app.books.query(), question, &before, Book);
            $check!(plain.books.query(), question, &before, Plain);
        }
        app.transaction(|tx| {
            for id in &$removed {
                tx.remove::<Book>(id)?;
            }
            // A unique code stays with its book.
            $after.iter().try_for_each(|book| tx.put(book))?;
            for question in &questions {
                $check!(tx.query::<Book>(), question, &now, Book);
            }
            Ok(())
        })
        .unwrap();
        for question in &questions {
            $check!(app.books.query(), question, &now, Book);
            $check!(snapshot.query::<Book>(), question, &before, Book);
        }
    }};
}

/// The last book under each key, in the order of keys.
pub fn by_key(books: impl IntoIterator<Item = Book>) -> Vec<Book> {
    let books: BTreeMap<i64, Book> = books.into_iter().map(|book| (book.id, book)).collect();
    books.into_values().collect()
}

/// Two stores with the same books, of which one has no index.
pub fn shelves(books: &[Book]) -> (Shelf, PlainShelf) {
    let (app, plain) = (Shelf::in_memory().unwrap(), PlainShelf::in_memory().unwrap());
    app.books.insert_many(books).unwrap();
    plain.books.insert_many(books.iter().cloned().map(Plain::from)).unwrap();
    (app, plain)
}

pub fn condition() -> impl Strategy<Value = Condition> {
    let text = || text().boxed();
    let id = prop_oneof![9 => 0..30i64, 1 => Just(i64::MIN), 1 => Just(i64::MAX)].boxed();
    let leaf = prop_oneof![
        2 => test(id).prop_map(Condition::Id),
        3 => test(text()).prop_map(Condition::Title),
        3 => test(prop::sample::select(&KINDS[..])).prop_map(Condition::Kind),
        3 => test((0..5u16).boxed()).prop_map(Condition::Pages),
        2 => test(prop::option::of(text()).boxed()).prop_map(Condition::Lent),
        1 => Just(Condition::LentToAnyone),
        1 => Just(Condition::LentToNobody),
        2 => test(asked_price().boxed()).prop_map(Condition::Price),
        1 => test(prop::option::of(0..30u32).boxed()).prop_map(Condition::Code),
        1 => text().prop_map(Condition::TitleStarts),
        1 => text().prop_map(Condition::LentStarts),
        1 => text().prop_map(Condition::TitleContains),
        1 => text().prop_map(Condition::HasTag),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            4 => two.clone().prop_map(|(a, b)| Condition::And(a.into(), b.into())),
            3 => two.prop_map(|(a, b)| Condition::Or(a.into(), b.into())),
            1 => inner.prop_map(|a| Condition::Not(a.into())),
        ]
    })
}

fn by() -> impl Strategy<Value = By> {
    (0..6u8, any::<bool>()).prop_map(|(column, desc)| match column {
        0 => By::Id(desc),
        1 => By::Title(desc),
        2 => By::Kind(desc),
        3 => By::Pages(desc),
        4 => By::Lent(desc),
        _ => By::Price(desc),
    })
}

pub fn question() -> impl Strategy<Value = Question> {
    (
        prop::option::weighted(0.85, condition()),
        prop::collection::vec(by(), 0..4),
        prop_oneof![3 => Just(0), 1 => 0..8usize, 1 => Just(usize::MAX)],
        prop::option::of(0..8usize),
    )
        .prop_map(|(filter, order, offset, limit)| Question { filter, order, offset, limit })
}

pub fn book() -> impl Strategy<Value = Book> {
    (
        0..30i64,
        text(),
        prop::sample::select(&KINDS[..]),
        0..5u16,
        prop::option::of(text()),
        price(),
        prop::collection::vec(text(), 0..3),
        any::<bool>(),
    )
        .prop_map(|(id, title, kind, pages, lent_to, price, tags, coded)| {
            // One of its own for each book, where it has any.
            let code = coded.then(|| u32::try_from(id).unwrap());
            Book { id, title, kind, pages, lent_to, price, tags, code }
        })
}
