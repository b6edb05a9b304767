//! Aggregates of a query: of all rows ([`Aggregation`]), or of groups of them ([`GroupBy`],
//! [`Groups`]).

mod group_by;
mod groups;

use std::fmt;

pub use self::group_by::GroupBy;
pub use self::groups::Groups;
use super::query::{At, Committed, Query, read};
use super::watch_aggregate::WatchAggregate;
use crate::error::Result;
use crate::query::Columns;
use crate::query::aggregate::{Aggregate, Step, Tally, Whole, first_by_index, fold};
use crate::query::column::Column;
use crate::query::path::{Fold, Member};
use crate::query::{Node, Order, OrderedColumn, SummableColumn};
use crate::row::Row;

/// The result of an aggregate over the rows of a query; made by [`Query::aggregate`].
///
/// Nothing is read until [`get`](Self::get) or [`watch`](Self::watch).
pub struct Aggregation<R, G, A = Committed> {
    query: Query<R, A>,
    aggregate: G,
}

macro_rules! debug_as_query {
    ($($name:ident [$($generics:tt)*] [$($arguments:tt)*];)*) => {
        $(impl<$($generics)*> fmt::Debug for $name<$($arguments)*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("query", &self.query).finish_non_exhaustive()
            }
        })*
    };
}

debug_as_query! {
    Aggregation [R: Row, G, A] [R, G, A];
    GroupBy [R: Row, K, A] [R, K, A];
    Groups [R: Row, K: Columns<R>, G: Aggregate<R>, A] [R, K, G, A];
}

impl<R: Row, A: At> Query<R, A> {
    /// Returns the sum of a column over the rows of the result; 0 of no rows.
    ///
    /// `None` is left out. See [`Summable`](crate::query::Summable) for the type of the sum. If an
    /// index holds the conditions and the column, no row is read.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, country: String, people: u32 }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # for (name, country, people) in [("Bern", "ch", 134), ("Basel", "ch", 173), ("Ulm", "de", 126)] {
    /// #     atlas.cities.insert(&City { name: name.into(), country: country.into(), people })?;
    /// # }
    /// let swiss = atlas.cities.filter(City::COUNTRY.eq("ch"));
    /// assert_eq!(swiss.sum(City::PEOPLE)?, 307);
    /// assert_eq!(swiss.max(City::PEOPLE)?, Some(173));
    /// assert_eq!(swiss.avg(City::PEOPLE)?, Some(153.5));
    /// assert_eq!(atlas.cities.query().count_distinct(City::COUNTRY)?, 2);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidValue`](crate::ErrorKind::InvalidValue) if a sum of integers is out of the range of
    /// its type, with the row at which it left that; [`InvalidRow`](crate::ErrorKind::InvalidRow) if
    /// there is no filter and a row does not decode.
    pub fn sum<T, C: 'static>(&self, column: Column<R, T, C>) -> Result<T::Total>
    where
        T: SummableColumn<C, Total: Send + 'static> + 'static,
    {
        self.total(column.sum())
    }

    /// Returns the least value of a column; `None` if there is none.
    ///
    /// `None` and NaN are left out.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if there is no filter and a row does not decode.
    pub fn min<T, C>(&self, column: Column<R, T, C>) -> Result<<C::Kind as Fold<T>>::To>
    where
        T: OrderedColumn<C> + 'static,
        C: Member<R, T, Kind: Fold<T, To: Clone + Send + 'static>> + 'static,
    {
        match self.first_by(column.asc(), column.has_value())? {
            Some(row) => Ok(value_in(column, row.as_ref())),
            None => self.total(column.min()),
        }
    }

    /// Returns the greatest value of a column; `None` if there is none.
    ///
    /// `None` and NaN are left out.
    ///
    /// # Errors
    ///
    /// The errors of [`min`](Self::min).
    pub fn max<T, C>(&self, column: Column<R, T, C>) -> Result<<C::Kind as Fold<T>>::To>
    where
        T: OrderedColumn<C> + 'static,
        C: Member<R, T, Kind: Fold<T, To: Clone + Send + 'static>> + 'static,
    {
        match self.first_by(column.desc(), column.has_value())? {
            Some(row) => Ok(value_in(column, row.as_ref())),
            None => self.total(column.max()),
        }
    }

    /// The first row in an order, if an index gives it.
    #[expect(clippy::option_option, reason = "the inner one is whether there is such a row")]
    fn first_by(&self, order: Order<R>, condition: Node) -> Result<Option<Option<R>>> {
        let (source, spec) = self.prepared()?;
        let first = first_by_index(source, &spec, order.into_column(), condition, read::<R>());
        self.placed(first)
    }

    /// Returns the mean of a column; `None` if it has no value.
    ///
    /// It is the exact sum, divided by the number of values that are not `None`.
    ///
    /// # Errors
    ///
    /// The errors of [`min`](Self::min).
    pub fn avg<T, C: 'static>(&self, column: Column<R, T, C>) -> Result<Option<f64>>
    where
        T: SummableColumn<C> + 'static,
    {
        self.total(column.avg())
    }

    /// Returns the number of values of a column that differ from one another, `None` left out.
    ///
    /// # Errors
    ///
    /// The errors of [`min`](Self::min).
    pub fn count_distinct<T: 'static, C: 'static>(&self, column: Column<R, T, C>) -> Result<usize> {
        self.total(column.count_distinct())
    }

    fn total<G: Aggregate<R>>(&self, aggregate: G) -> Result<G::Output> {
        let tally = self.tally(Whole, aggregate)?;
        self.placed(tally.whole())
    }

    fn tally<K: Columns<R>, G: Aggregate<R>>(
        &self,
        key: K,
        aggregate: G,
    ) -> Result<Tally<R, K, G>> {
        let mut tally = Tally::new(key, aggregate);
        let (source, spec) = self.prepared()?;
        let done = fold(&mut tally, &source, &spec, read(), Step::Final, false);
        self.placed(done)?;
        Ok(tally)
    }

    /// Returns what an aggregate, or a tuple of several, makes of the rows: to be got, or watched.
    ///
    /// ```
    /// use heirloom::query::count;
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Payment { #[key] number: u32, cents: i64 }
    /// # #[derive(Store)]
    /// # struct App { payments: Table<Payment> }
    /// # let app = App::in_memory()?;
    /// let sums = app.payments.query().aggregate((count(), Payment::CENTS.sum()));
    /// let watch = sums.watch()?;
    /// assert_eq!(watch.recv()?, (0, 0));
    ///
    /// app.payments.insert(&Payment { number: 1, cents: 250 })?;
    /// assert_eq!(watch.recv()?, (1, 250));
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn aggregate<G: Aggregate<R>>(self, aggregate: G) -> Aggregation<R, G::Itself, A> {
        Aggregation { query: self, aggregate: aggregate.itself() }
    }

    /// Puts rows into groups that have a column in common, several as a tuple, or something computed
    /// by [`Column::map`].
    ///
    /// A limit of the query is one of rows, before they are grouped.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, country: String, people: u32 }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # for (name, country, people) in [("Bern", "ch", 134), ("Basel", "ch", 173), ("Ulm", "de", 126)] {
    /// #     atlas.cities.insert(&City { name: name.into(), country: country.into(), people })?;
    /// # }
    /// let people = atlas.cities.query().group_by(City::COUNTRY).sum(City::PEOPLE)?;
    /// assert_eq!(people, [("ch".to_owned(), 307), ("de".to_owned(), 126)]);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn group_by<K: Columns<R>>(self, key: K) -> GroupBy<R, K::Itself, A> {
        GroupBy { query: self, key: key.itself() }
    }
}

/// The value in a row, if there is a row.
fn value_in<R: Row, T, C>(column: Column<R, T, C>, row: Option<&R>) -> <C::Kind as Fold<T>>::To
where
    T: 'static,
    C: Member<R, T, Kind: Fold<T>>,
{
    let mut found = C::Kind::none();
    if let Some(row) = row {
        column.show(row, &mut |value| found = C::Kind::some(value));
    }
    found
}

impl<R: Row, G: Aggregate<R>, A: At> Aggregation<R, G, A> {
    /// Returns the result.
    ///
    /// # Errors
    ///
    /// The errors of [`Query::sum`].
    pub fn get(&self) -> Result<G::Output> {
        self.query.total(self.aggregate.clone())
    }
}

impl<R: Row + Send + Sync, G: Aggregate<R>> Aggregation<R, G> {
    /// Follows the result: first as it is, then as commits change it.
    ///
    /// A commit costs what it changes: each of its rows is read as it was and as it is. Rows that do
    /// not decode are left out.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read.
    pub fn watch(&self) -> Result<WatchAggregate<G::Output>> {
        let make = Box::new(|tally: &Tally<R, Whole, G>| tally.whole());
        WatchAggregate::new(&self.query, Tally::new(Whole, self.aggregate.clone()), make)
    }
}
