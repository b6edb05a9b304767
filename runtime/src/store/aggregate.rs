//! Aggregates of a query: of all rows ([`Aggregation`]), or of groups of them ([`GroupBy`],
//! [`Groups`]).

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::query::{At, Committed, Query, read};
use super::watch_aggregate::WatchAggregate;
use crate::error::Result;
use crate::query::aggregate::{
    Aggregate, Count, GroupKey, Step, Tally, Whole, first_by_index, fold,
};
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

/// The rows of a query in groups; made by [`Query::group_by`].
pub struct GroupBy<R, K, A = Committed> {
    query: Query<R, A>,
    key: K,
}

/// The result of an aggregate over each group of rows; made by [`GroupBy::aggregate`].
///
/// Groups come in the order of what their rows have in common, as [`order_by`](Query::order_by)
/// would order rows by it. A group has one row at least. Nothing is read until [`all`](Self::all) or
/// [`watch`](Self::watch).
///
/// ```
/// use heirloom::query::count;
/// # use heirloom::{Store, Table};
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
/// # struct City { #[key] name: String, country: String, people: u32 }
/// # #[derive(Store)]
/// # struct Atlas { cities: Table<City> }
/// # let atlas = Atlas::in_memory()?;
/// # for (name, country, people) in [("Bern", "ch", 134), ("Basel", "ch", 173), ("Ulm", "de", 126)] {
/// #     atlas.cities.insert(&City { name: name.into(), country: country.into(), people })?;
/// # }
/// let countries = atlas.cities.query().group_by(City::COUNTRY).aggregate((count(), City::PEOPLE.sum()));
/// let several = countries.having(|_, (cities, _)| *cities > 1);
/// assert_eq!(several.all()?, [("ch".to_owned(), (2, 307))]);
/// # Ok::<(), heirloom::Error>(())
/// ```
pub struct Groups<R, K: GroupKey<R>, G: Aggregate<R>, A = Committed> {
    query: Query<R, A>,
    key: K,
    aggregate: G,
    window: GroupWindow<K::Value, G::Output>,
}

/// Which groups are given, and in which order.
struct GroupWindow<V, O> {
    having: Vec<Having<V, O>>,
    compare: Option<Compare<V, O>>,
    limit: Option<usize>,
}

type Having<V, O> = Arc<dyn Fn(&V, &O) -> bool + Send + Sync>;
type Compare<V, O> = Arc<dyn Fn(&(V, O), &(V, O)) -> Ordering + Send + Sync>;

impl<V, O> GroupWindow<V, O> {
    const WHOLE: Self = Self { having: Vec::new(), compare: None, limit: None };

    fn of(&self, mut groups: Vec<(V, O)>) -> Vec<(V, O)> {
        groups.retain(|(value, output)| self.having.iter().all(|having| having(value, output)));
        if let Some(compare) = &self.compare {
            groups.sort_by(|a, b| compare(a, b));
        }
        groups.truncate(self.limit.unwrap_or(usize::MAX));
        groups
    }
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
    Groups [R: Row, K: GroupKey<R>, G: Aggregate<R>, A] [R, K, G, A];
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
        let source = self.at.source(self.table_idx);
        let first = first_by_index(source, &self.spec, order.into_column(), condition, read::<R>());
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

    fn tally<K: GroupKey<R>, G: Aggregate<R>>(
        &self,
        key: K,
        aggregate: G,
    ) -> Result<Tally<R, K, G>> {
        let mut tally = Tally::new(key, aggregate);
        let source = self.at.source(self.table_idx);
        let done = fold(&mut tally, &source, &self.spec, read(), Step::Final, false);
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
    pub fn group_by<K: GroupKey<R>>(self, key: K) -> GroupBy<R, K::Itself, A> {
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

impl<R: Row, K: GroupKey<R>, A: At> GroupBy<R, K, A> {
    fn groups<G: Aggregate<R>>(&self, aggregate: G) -> Result<Vec<(K::Value, G::Output)>> {
        let tally = self.query.tally(self.key.clone(), aggregate)?;
        self.query.placed(tally.groups())
    }

    /// Returns each group with its number of rows.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if there is no filter and a row does not decode.
    pub fn count(&self) -> Result<Vec<(K::Value, usize)>> {
        self.groups(Count)
    }

    /// Returns each group with the sum of a column.
    ///
    /// # Errors
    ///
    /// The errors of [`Query::sum`].
    pub fn sum<T, C: 'static>(&self, column: Column<R, T, C>) -> Result<Vec<(K::Value, T::Total)>>
    where
        T: SummableColumn<C, Total: Send + 'static> + 'static,
    {
        self.groups(column.sum())
    }

    /// Returns each group with the least value of a column; `None` if there is none in it.
    ///
    /// # Errors
    ///
    /// The errors of [`count`](Self::count).
    #[expect(clippy::type_complexity, reason = "an `Option` of the column's own type")]
    pub fn min<T, C>(
        &self,
        column: Column<R, T, C>,
    ) -> Result<Vec<(K::Value, <C::Kind as Fold<T>>::To)>>
    where
        T: OrderedColumn<C> + 'static,
        C: Member<R, T, Kind: Fold<T, To: Clone + Send + 'static>> + 'static,
    {
        self.groups(column.min())
    }

    /// Returns each group with the greatest value of a column; `None` if there is none in it.
    ///
    /// # Errors
    ///
    /// The errors of [`count`](Self::count).
    #[expect(clippy::type_complexity, reason = "an `Option` of the column's own type")]
    pub fn max<T, C>(
        &self,
        column: Column<R, T, C>,
    ) -> Result<Vec<(K::Value, <C::Kind as Fold<T>>::To)>>
    where
        T: OrderedColumn<C> + 'static,
        C: Member<R, T, Kind: Fold<T, To: Clone + Send + 'static>> + 'static,
    {
        self.groups(column.max())
    }

    /// Returns each group with the mean of a column; `None` if it has no value in it.
    ///
    /// # Errors
    ///
    /// The errors of [`count`](Self::count).
    pub fn avg<T, C: 'static>(
        &self,
        column: Column<R, T, C>,
    ) -> Result<Vec<(K::Value, Option<f64>)>>
    where
        T: SummableColumn<C> + 'static,
    {
        self.groups(column.avg())
    }

    /// Returns each group with the number of different values of a column, `None` left out.
    ///
    /// # Errors
    ///
    /// The errors of [`count`](Self::count).
    pub fn count_distinct<T: 'static, C: 'static>(
        &self,
        column: Column<R, T, C>,
    ) -> Result<Vec<(K::Value, usize)>> {
        self.groups(column.count_distinct())
    }

    /// Returns what an aggregate, or a tuple of several, makes of each group: to be narrowed, ordered,
    /// got or watched.
    #[must_use]
    pub fn aggregate<G: Aggregate<R>>(self, aggregate: G) -> Groups<R, K, G::Itself, A> {
        let Self { query, key } = self;
        Groups { query, key, aggregate: aggregate.itself(), window: GroupWindow::WHOLE }
    }
}

impl<R: Row, K: GroupKey<R>, G: Aggregate<R>, A: At> Groups<R, K, G, A> {
    /// Keeps the groups that meet a condition; several must all be met.
    ///
    /// It is given what the rows have in common, and what the aggregate made of them.
    #[must_use]
    pub fn having(
        mut self,
        condition: impl Fn(&K::Value, &G::Output) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.window.having.push(Arc::new(condition));
        self
    }

    /// Orders the groups by comparing two of them, as [`slice::sort_by`] does. Equal ones stay in the
    /// order of what their rows have in common.
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
    /// let countries = atlas.cities.query().group_by(City::COUNTRY).aggregate(City::PEOPLE.sum());
    /// let largest = countries.sort_by(|(_, a), (_, b)| b.cmp(a)).limit(1);
    /// assert_eq!(largest.all()?, [("ch".to_owned(), 307)]);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn sort_by(
        mut self,
        compare: impl Fn(&(K::Value, G::Output), &(K::Value, G::Output)) -> Ordering
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.window.compare = Some(Arc::new(compare));
        self
    }

    /// Limits the result to so many groups.
    #[must_use]
    pub fn limit(mut self, groups: usize) -> Self {
        self.window.limit = Some(groups);
        self
    }

    /// Returns the groups: what the rows of each have in common, with what the aggregate makes of
    /// them.
    ///
    /// # Errors
    ///
    /// The errors of [`Query::sum`].
    pub fn all(&self) -> Result<Vec<(K::Value, G::Output)>> {
        let tally = self.query.tally(self.key.clone(), self.aggregate.clone())?;
        self.query.placed(tally.groups()).map(|groups| self.window.of(groups))
    }
}

impl<R: Row + Send + Sync, K: GroupKey<R>, G: Aggregate<R>> Groups<R, K, G> {
    /// Follows the groups: first as they are, then as commits change them.
    ///
    /// A commit costs what it changes: each of its rows is read as it was and as it is. Each value
    /// has all groups. Rows that do not decode are left out.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Payment { #[key] number: u32, who: String, cents: i64 }
    /// # #[derive(Store)]
    /// # struct App { payments: Table<Payment> }
    /// # let app = App::in_memory()?;
    /// let sums = app.payments.query().group_by(Payment::WHO).aggregate(Payment::CENTS.sum());
    /// let watch = sums.watch()?;
    /// assert!(watch.recv()?.is_empty());
    ///
    /// app.payments.insert(&Payment { number: 1, who: "ada".into(), cents: 250 })?;
    /// assert_eq!(watch.recv()?, [("ada".to_owned(), 250)]);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read.
    #[expect(clippy::type_complexity, reason = "the pairs that `all` gives")]
    pub fn watch(&self) -> Result<WatchAggregate<Vec<(K::Value, G::Output)>>> {
        let GroupWindow { having, compare, limit } = &self.window;
        let window =
            GroupWindow { having: having.clone(), compare: compare.clone(), limit: *limit };
        let make = move |tally: &Tally<R, K, G>| tally.groups().map(|groups| window.of(groups));
        let tally = Tally::new(self.key.clone(), self.aggregate.clone());
        WatchAggregate::new(&self.query, tally, Box::new(make))
    }
}
