//! [`Groups`]: an aggregate over each group.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::error::Result;
use crate::query::Columns;
use crate::query::aggregate::{Aggregate, Tally};
use crate::row::Row;
use crate::store::query::{At, Committed, Query};
use crate::store::watch_aggregate::WatchAggregate;

/// The result of an aggregate over each group of rows; made by
/// [`GroupBy::aggregate`](super::GroupBy::aggregate).
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
pub struct Groups<R, K: Columns<R>, G: Aggregate<R>, A = Committed> {
    pub(super) query: Query<R, A>,
    pub(super) key: K,
    pub(super) aggregate: G,
    pub(super) window: GroupWindow<K::Value, G::Output>,
}

/// Which groups are given, and in which order.
pub(super) struct GroupWindow<V, O> {
    having: Vec<Having<V, O>>,
    compare: Option<Compare<V, O>>,
    limit: Option<usize>,
}

type Having<V, O> = Arc<dyn Fn(&V, &O) -> bool + Send + Sync>;
type Compare<V, O> = Arc<dyn Fn(&(V, O), &(V, O)) -> Ordering + Send + Sync>;

impl<V, O> GroupWindow<V, O> {
    pub(super) const WHOLE: Self = Self { having: Vec::new(), compare: None, limit: None };

    fn of(&self, mut groups: Vec<(V, O)>) -> Vec<(V, O)> {
        groups.retain(|(value, output)| self.having.iter().all(|having| having(value, output)));
        if let Some(compare) = &self.compare {
            groups.sort_by(|a, b| compare(a, b));
        }
        groups.truncate(self.limit.unwrap_or(usize::MAX));
        groups
    }
}

impl<R: Row, K: Columns<R>, G: Aggregate<R>, A: At> Groups<R, K, G, A> {
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

impl<R: Row + Send + Sync, K: Columns<R>, G: Aggregate<R>> Groups<R, K, G> {
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
