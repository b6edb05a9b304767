//! [`GroupBy`]: the rows of a query in groups.

use super::Groups;
use super::groups::GroupWindow;
use crate::error::Result;
use crate::query::Columns;
use crate::query::aggregate::{Aggregate, Count};
use crate::query::column::Column;
use crate::query::path::{Fold, Member};
use crate::query::{OrderedColumn, SummableColumn};
use crate::row::Row;
use crate::store::query::{At, Committed, Query};

/// The rows of a query in groups; made by [`Query::group_by`].
pub struct GroupBy<R, K, A = Committed> {
    pub(super) query: Query<R, A>,
    pub(super) key: K,
}

impl<R: Row, K: Columns<R>, A: At> GroupBy<R, K, A> {
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
