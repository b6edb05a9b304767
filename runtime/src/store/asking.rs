//! The methods that begin a query: of a table, of a snapshot, of a transaction.

use super::handle::TableOf;
use super::overlay::Overlay;
use super::query::{AsOf, Query, Within};
use super::snapshot::Snapshot;
use super::table::Table;
use super::trait_store::Store;
use super::transaction::Transaction;
use crate::engine::Topic;
use crate::query::{Condition, IntoOrder};
use crate::row::Row;

impl<R: Row> Table<R> {
    /// Returns a query for all rows, to be narrowed and ordered.
    #[must_use]
    pub fn query(&self) -> Query<R> {
        Query::on_table(&self.handle, self.table_idx)
    }

    /// Returns a query for the rows that meet a condition.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: u32 }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # atlas.cities.insert(&City { name: "Bern".into(), people: 134_000 })?;
    /// let large = atlas.cities.filter(City::PEOPLE.gt(100_000)).all()?;
    /// assert_eq!(large.len(), 1);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn filter(&self, condition: impl Condition<R>) -> Query<R> {
        self.query().filter(condition)
    }

    /// Returns a query for the rows that meet a condition in code, as the last resort; see
    /// [`Query::filter_by`].
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: u32 }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # atlas.cities.insert(&City { name: "Bern".into(), people: 134_000 })?;
    /// let short = atlas.cities.filter_by(|city| city.name.len() < 5);
    /// assert_eq!(short.count()?, 1);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn filter_by(&self, test: impl Fn(&R) -> bool + Send + Sync + 'static) -> Query<R> {
        self.query().filter_by(test)
    }

    /// Returns a query for all rows in an order.
    #[must_use]
    pub fn order_by(&self, order: impl IntoOrder<R>) -> Query<R> {
        self.query().order_by(order)
    }

    /// Returns a query for the first rows in the order of their keys.
    #[must_use]
    pub fn limit(&self, rows: usize) -> Query<R> {
        self.query().limit(rows)
    }
}

impl<S: Store> Snapshot<S> {
    /// Returns a query for all rows of the table of `R`, as they were.
    #[must_use]
    pub fn query<R: TableOf<S>>(&self) -> Query<R, AsOf> {
        self.reads(Topic::Table(R::TABLE_IDX));
        Query::on_snapshot(&self.handle, &self.view, self.reads.clone(), R::TABLE_IDX)
    }

    /// Returns a query for the rows that met a condition.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: u32 }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// let before = atlas.snapshot()?;
    /// atlas.cities.insert(&City { name: "Bern".into(), people: 134_000 })?;
    /// assert_eq!(before.filter(City::PEOPLE.gt(0)).count()?, 0);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn filter<R: TableOf<S>>(&self, condition: impl Condition<R>) -> Query<R, AsOf> {
        self.query().filter(condition)
    }

    /// Returns a query for the rows that met a condition in code, as the last resort; see
    /// [`Query::filter_by`].
    #[must_use]
    pub fn filter_by<R: TableOf<S>>(
        &self,
        test: impl Fn(&R) -> bool + Send + Sync + 'static,
    ) -> Query<R, AsOf> {
        self.query().filter_by(test)
    }

    /// Returns a query for all rows, as they were, in an order.
    #[must_use]
    pub fn order_by<R: TableOf<S>>(&self, order: impl IntoOrder<R>) -> Query<R, AsOf> {
        self.query().order_by(order)
    }

    /// Returns a query for the first rows in the order of their keys, as they were.
    #[must_use]
    pub fn limit<R: TableOf<S>>(&self, rows: usize) -> Query<R, AsOf> {
        self.query().limit(rows)
    }
}

impl<S: Store> Transaction<'_, S> {
    /// Returns a query for all rows of the table of `R`, the transaction's own writes included.
    #[must_use]
    pub fn query<R: TableOf<S>>(&mut self) -> Query<R, Within<'_>> {
        let overlay = Overlay { view: self.overlay.view, batch: self.overlay.batch };
        Query::in_transaction(self.store.handle(), overlay, R::TABLE_IDX)
    }

    /// Returns a query for the rows that meet a condition, the transaction's own writes included.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Task { #[key] name: String, done: bool }
    /// # #[derive(Store)]
    /// # struct App { tasks: Table<Task> }
    /// # let app = App::in_memory()?;
    /// app.transaction(|tx| {
    ///     tx.insert(&Task { name: "sow".into(), done: true })?;
    ///     assert_eq!(tx.filter(Task::DONE.eq(true)).remove_all()?, 1);
    ///     Ok(())
    /// })?;
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn filter<R: TableOf<S>>(&mut self, condition: impl Condition<R>) -> Query<R, Within<'_>> {
        self.query().filter(condition)
    }

    /// Returns a query for the rows that meet a condition in code, as the last resort, the transaction's
    /// own writes included; see [`Query::filter_by`].
    #[must_use]
    pub fn filter_by<R: TableOf<S>>(
        &mut self,
        test: impl Fn(&R) -> bool + Send + Sync + 'static,
    ) -> Query<R, Within<'_>> {
        self.query().filter_by(test)
    }

    /// Returns a query for all rows in an order, the transaction's own writes included.
    #[must_use]
    pub fn order_by<R: TableOf<S>>(&mut self, order: impl IntoOrder<R>) -> Query<R, Within<'_>> {
        self.query().order_by(order)
    }

    /// Returns a query for the first rows in the order of their keys, the transaction's own writes
    /// included.
    #[must_use]
    pub fn limit<R: TableOf<S>>(&mut self, rows: usize) -> Query<R, Within<'_>> {
        self.query().limit(rows)
    }
}
