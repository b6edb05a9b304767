//! [`Query`]: rows by conditions, in an order.

mod results;
mod rows;
mod select;
mod view;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

pub use self::rows::QueryRows;
pub use self::select::{Distinct, Select, SelectRows};
pub(in crate::store) use self::view::At;
pub(in crate::store) use self::view::read;
use self::view::source;
pub use self::view::{AsOf, Committed, Within};
use super::handle::Handle;
use super::overlay::Overlay;
use super::snapshot::Reads;
use super::watch::Watch;
use crate::disk::View;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{ColumnOrder, Condition, Cursor, Expr, IntoOrder, Node, Order, Spec};
use crate::row::{Key, Row};
use crate::schema::descriptor::TableIdx;

/// A query: rows of a table by conditions, in an order.
///
/// Made by [`Table::filter`](crate::Table::filter), [`Table::order_by`](crate::Table::order_by) and
/// [`Table::query`](crate::Table::query); by the methods of the same names on a
/// [`Snapshot`](crate::Snapshot), for rows as they were, and on a
/// [`Transaction`](crate::Transaction), for rows with its own writes over them. Nothing is read
/// until a method asks for rows, and each of these reads the newest commit anew. It is a handle of the store, as a
/// table is: while there is one, the store stays open.
///
/// Without `order_by`, rows come in the order of their keys. With it, rows that are equal in all of
/// its columns come in the order of their keys, in the direction of the last column. The rows and
/// their order do not depend on whether an index is used or the table is scanned;
/// [`explain`](Self::explain) says which.
///
/// ```
/// # use heirloom::{Store, Table};
/// # #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
/// # struct City { #[key] name: String, country: String, people: u32 }
/// # #[derive(Store)]
/// # struct Atlas { cities: Table<City> }
/// # let atlas = Atlas::in_memory()?;
/// # for (name, country, people) in [("Bern", "ch", 134), ("Basel", "ch", 173), ("Ulm", "de", 126)] {
/// #     atlas.cities.insert(&City { name: name.into(), country: country.into(), people })?;
/// # }
/// let swiss = atlas.cities.filter(City::COUNTRY.eq("ch")).order_by(City::PEOPLE.desc());
/// assert_eq!(swiss.count()?, 2);
/// assert_eq!(swiss.first()?.unwrap().name, "Basel");
/// for city in swiss.limit(10).iter()? {
///     println!("{}", city?.name);
/// }
/// # Ok::<(), heirloom::Error>(())
/// ```
///
/// # Rows that do not decode
///
/// A condition cannot be evaluated on such a row, so a query with a filter skips it. Without a
/// filter it is an error: an `Err` item of [`iter`](Self::iter), an `Err` of [`all`](Self::all).
/// [`Table::invalid`](crate::Table::invalid) lists them.
pub struct Query<R, A = Committed> {
    pub(super) at: A,
    pub(super) table_idx: TableIdx,
    pub(super) spec: Spec,
    row: PhantomData<fn(&R)>,
}

impl<R: Row> Query<R> {
    pub(super) fn on_table(handle: &Handle, table_idx: TableIdx) -> Self {
        Self { at: Committed(handle.clone()), table_idx, spec: Spec::default(), row: PhantomData }
    }

    /// Iterates over the rows, read as they are asked for, from one consistent view.
    ///
    /// If an index or the key has the order asked for, one row is kept in memory at a time. Any
    /// other order is sorted first; with a limit, as many rows are kept as that.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read. A row that does not
    /// decode is an `Err` item, and the rest still come.
    pub fn iter(&self) -> Result<QueryRows<'static, R>> {
        let handle = self.at.0.clone();
        let source = source(&handle, handle.engine().view(), self.table_idx);
        let spec = self.resolved(&source)?;
        QueryRows::new(source, spec, handle)
    }

    /// Updates every row of the result, in one transaction, and returns their number.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Task { #[key] name: String, done: bool, tries: u32 }
    /// # #[derive(Store)]
    /// # struct App { tasks: Table<Task> }
    /// # let app = App::in_memory()?;
    /// # app.tasks.insert(&Task { name: "sow".into(), done: false, tries: 9 })?;
    /// let given_up = app.tasks.filter(Task::TRIES.gt(5)).update_all(|task| task.done = true)?;
    /// assert_eq!(given_up, 1);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`KeyChanged`](ErrorKind::KeyChanged) if `change` alters a key;
    /// [`InvalidRow`](ErrorKind::InvalidRow) if there is no filter and a row does not decode.
    /// Nothing has changed then.
    pub fn update_all(&self, change: impl FnMut(&mut R)) -> Result<usize> {
        self.write(|query| query.update_all(change))
    }

    /// Removes every row of the result, in one transaction, and returns their number.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](ErrorKind::InvalidRow) if there is no filter and a row does not decode;
    /// nothing was removed then. [`discard`](crate::Table::discard) removes such a row.
    pub fn remove_all(&self) -> Result<usize> {
        self.write(|query| query.remove_all())
    }

    /// Follows the result: first the whole of it, then how each commit changes it.
    ///
    /// Rows that do not decode are not part of it. All who watch the same query share the work, and
    /// commits that change no row of the table cost nothing. It keeps the result in memory; for a
    /// count or another small value, use [`Store::watch`](crate::Store::watch).
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Task { #[key] name: String, done: bool }
    /// # #[derive(Store)]
    /// # struct App { tasks: Table<Task> }
    /// # let app = App::in_memory()?;
    /// let watch = app.tasks.filter(Task::DONE.eq(false)).watch()?;
    /// assert!(watch.recv()?.inserted().is_empty());
    ///
    /// app.tasks.insert(&Task { name: "sow".into(), done: false })?;
    /// assert_eq!(watch.recv()?.inserted()[0].row().name, "sow");
    ///
    /// app.tasks.insert(&Task { name: "dig".into(), done: true })?;
    /// assert!(watch.try_recv()?.is_none());
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written;
    /// [`InvalidValue`](ErrorKind::InvalidValue) after [`before`](Self::before), whose rows have no
    /// first one to start from.
    pub fn watch(&self) -> Result<Watch<R>>
    where
        R: Send + Sync,
    {
        if self.spec.is_reversed {
            let error =
                Error::new(ErrorKind::InvalidValue, "the rows before a row cannot be watched");
            return self.placed(Err(error.help("watch the query without `before`")));
        }
        self.refuse_referred()?;
        self.placed(Watch::new(&self.at.0, self.table_idx, self.spec.clone(), read()))
    }

    /// Refuses to follow a condition on referred rows, which changes with these.
    pub(super) fn refuse_referred(&self) -> Result<()> {
        if !self.spec.filter.as_ref().is_some_and(Node::has_referred) {
            return Ok(());
        }
        let error = Error::new(
            ErrorKind::InvalidValue,
            "a condition on the row that a column refers to cannot be watched",
        );
        self.placed(Err(error.help(
            "watch a closure that asks it: `app.watch(|snap| snap.filter(…).all())` runs it again when \
             one of the tables changes",
        )))
    }

    pub(super) fn committed(&self) -> &Handle {
        &self.at.0
    }

    fn write<T>(&self, work: impl FnOnce(Query<R, Within<'_>>) -> Result<T>) -> Result<T> {
        let handle = &self.at.0;
        handle.transaction(|view, batch| {
            let overlay = Overlay { view, batch };
            work(Query {
                at: Within { handle, overlay },
                table_idx: self.table_idx,
                spec: self.spec.clone(),
                row: PhantomData,
            })
        })
    }
}

impl<R: Row> Query<R, AsOf> {
    pub(super) fn on_snapshot(
        handle: &Handle,
        view: &Arc<View>,
        reads: Option<Arc<Reads>>,
        table_idx: TableIdx,
    ) -> Self {
        let at = AsOf { handle: handle.clone(), view: view.clone(), reads };
        Self { at, table_idx, spec: Spec::default(), row: PhantomData }
    }

    /// Iterates over the rows, read as they are asked for.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read. A row that does not
    /// decode is an `Err` item, and the rest still come.
    pub fn iter(&self) -> Result<QueryRows<'static, R>> {
        let source = source(&self.at.handle, self.at.view.clone(), self.table_idx);
        let spec = self.resolved(&source)?;
        QueryRows::new(source, spec, self.at.handle.clone())
    }
}

impl<'q, R: Row> Query<R, Within<'q>> {
    pub(super) fn in_transaction(
        handle: &'q Handle,
        overlay: Overlay<'q>,
        table_idx: TableIdx,
    ) -> Self {
        Self { at: Within { handle, overlay }, table_idx, spec: Spec::default(), row: PhantomData }
    }

    /// Iterates over the rows, those of the transaction among them.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read. A row that does not
    /// decode is an `Err` item, and the rest still come.
    pub fn iter(&self) -> Result<QueryRows<'_, R>> {
        let handle = self.at.handle.clone();
        let (source, spec) = self.prepared()?;
        QueryRows::new(source, spec, handle)
    }

    /// Updates every row of the result and returns their number.
    ///
    /// # Errors
    ///
    /// [`KeyChanged`](ErrorKind::KeyChanged) if `change` alters a key;
    /// [`InvalidRow`](ErrorKind::InvalidRow) if there is no filter and a row does not decode.
    pub fn update_all(mut self, mut change: impl FnMut(&mut R)) -> Result<usize> {
        // All keys first, since what is written changes what is found.
        let keys = self.keys()?;
        for key in &keys {
            self.at.overlay.update::<R>(self.table_idx, key, &mut change)?;
        }
        Ok(keys.len())
    }

    /// Removes every row of the result and returns their number.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](ErrorKind::InvalidRow) if there is no filter and a row does not decode.
    pub fn remove_all(mut self) -> Result<usize> {
        let keys = self.keys()?;
        for key in &keys {
            self.at.overlay.remove::<R>(self.table_idx, key)?;
        }
        Ok(keys.len())
    }
}

impl<R: Row, A: At> Query<R, A> {
    /// Adds a condition, combined with AND.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Task { #[key] name: String, done: bool, tries: u32 }
    /// # #[derive(Store)]
    /// # struct App { tasks: Table<Task> }
    /// # let app = App::in_memory()?;
    /// # app.tasks.insert(&Task { name: "sow".into(), done: false, tries: 9 })?;
    /// let open = app.tasks.filter(Task::DONE.eq(false));
    /// assert_eq!(open.filter(Task::TRIES.gt(5)).count()?, 1);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn filter(mut self, condition: impl Condition<R>) -> Self {
        self.spec.add_filter(condition.into_expr().into_node());
        self
    }

    /// Orders the rows by a column, or by several as a tuple, each with [`asc`](crate::Column::asc)
    /// or [`desc`](crate::Column::desc). A second call orders the rows that are equal so far.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Task { #[key] name: String, done: bool, tries: u32 }
    /// # #[derive(Store)]
    /// # struct App { tasks: Table<Task> }
    /// # let app = App::in_memory()?;
    /// # app.tasks.insert(&Task { name: "sow".into(), done: false, tries: 9 })?;
    /// let tasks = app.tasks.order_by((Task::DONE, Task::TRIES.desc()));
    /// assert_eq!(tasks.first()?.unwrap().name, "sow");
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn order_by(mut self, order: impl IntoOrder<R>) -> Self {
        self.spec.order.extend(order.into_order().into_iter().map(Order::into_column));
        self
    }

    /// Adds a condition that is a function of the app's own, combined with AND.
    ///
    /// It is the last resort: no index serves it, so every row that meets the other conditions is
    /// read. It must be pure; a watched query calls it for each row that a commit changes.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Task { #[key] name: String, done: bool, tries: u32 }
    /// # #[derive(Store)]
    /// # struct App { tasks: Table<Task> }
    /// # let app = App::in_memory()?;
    /// # app.tasks.insert(&Task { name: "sow".into(), done: false, tries: 9 })?;
    /// let odd = app.tasks.filter(Task::DONE.eq(false)).filter_by(|task| task.tries % 2 == 1);
    /// assert_eq!(odd.count()?, 1);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn filter_by(mut self, test: impl Fn(&R) -> bool + Send + Sync + 'static) -> Self {
        self.spec.add_filter(Expr::test(test).into_node());
        self
    }

    /// Keeps the rows that come after a row in the order of the query.
    ///
    /// This is how to page through a list: an index that serves the order goes to the place at once,
    /// however deep it lies. The row need not be there any more, nor meet the conditions: what counts
    /// is its place, by the values that it has in the columns of the order, and by its key. Call
    /// `order_by` first.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Task { #[key] name: String, #[index] due: u32 }
    /// # #[derive(Store)]
    /// # struct App { tasks: Table<Task> }
    /// # let app = App::in_memory()?;
    /// # for (name, due) in [("sow", 1), ("dig", 2), ("water", 3), ("rest", 4), ("eat", 5)] {
    /// #     app.tasks.insert(&Task { name: name.into(), due })?;
    /// # }
    /// let tasks = app.tasks.order_by(Task::DUE);
    /// let first = tasks.clone().limit(2).all()?;
    /// let second = tasks.clone().after(&first[1]).limit(2).all()?;
    /// assert_eq!(second[0].name, "water");
    ///
    /// let back = tasks.before(&second[0]).limit(2).all()?;
    /// assert_eq!(back[0].name, "sow");
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The methods that read rows return [`InvalidValue`](ErrorKind::InvalidValue) if `order_by` was
    /// called after it.
    #[must_use]
    pub fn after(mut self, row: &R) -> Self {
        if std::mem::take(&mut self.spec.is_reversed) {
            self.flip_order();
        }
        self.set_cursor(row);
        self
    }

    /// Keeps the rows that come before a row in the order of the query; with a limit, those nearest
    /// to it, still in that order. Otherwise it is like [`after`](Self::after), which it replaces.
    ///
    /// Rows are given once all of them have been found.
    #[must_use]
    pub fn before(mut self, row: &R) -> Self {
        if self.spec.order.is_empty() {
            self.spec.order.extend(ColumnOrder::of_keys::<R>());
        }
        if !std::mem::replace(&mut self.spec.is_reversed, true) {
            self.flip_order();
        }
        self.set_cursor(row);
        self
    }

    fn flip_order(&mut self) {
        let order = std::mem::take(&mut self.spec.order);
        self.spec.order = order.into_iter().map(ColumnOrder::flipped).collect();
    }

    fn set_cursor(&mut self, row: &R) {
        let key = row.key();
        let cursor = Cursor::new(&self.spec.order, row, key.to_bytes().as_slice());
        self.spec.cursor = Some(cursor);
    }

    /// Skips the first `rows` rows; more than there are gives an empty result.
    ///
    /// The skipped rows are still walked over. To page through a long list, use
    /// [`after`](Self::after).
    #[must_use]
    pub fn offset(mut self, rows: usize) -> Self {
        self.spec.offset = rows;
        self
    }

    /// Limits the result to `rows` rows. If they come in order, no more are read.
    #[must_use]
    pub fn limit(mut self, rows: usize) -> Self {
        self.spec.limit = Some(rows);
        self
    }

    pub(super) fn placed<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.map_err(|error| self.at.handle().placed(error.at_table(R::TABLE)))
    }
}

impl<R: Row> Clone for Query<R> {
    fn clone(&self) -> Self {
        Self {
            at: self.at.clone(),
            table_idx: self.table_idx,
            spec: self.spec.clone(),
            row: PhantomData,
        }
    }
}

impl<R: Row> Clone for Query<R, AsOf> {
    fn clone(&self) -> Self {
        Self {
            at: self.at.clone(),
            table_idx: self.table_idx,
            spec: self.spec.clone(),
            row: PhantomData,
        }
    }
}

impl<R: Row, A> fmt::Debug for Query<R, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("table", &R::TABLE).field("spec", &self.spec).finish()
    }
}
