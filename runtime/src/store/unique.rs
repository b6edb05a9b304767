//! Rows by the values that no two of them have: `get_by`, `upsert_by`, `insert_or_ignore`; and by
//! several keys at once.

use super::handle::{Handle, TableOf};
use super::overlay::{Overlay, rekeyed};
use super::query::read;
use super::snapshot::Snapshot;
use super::table::Table;
use super::trait_store::Store;
use super::transaction::Transaction;
use crate::error::Result;
use crate::query::column::Column;
use crate::query::{Buffer, ColumnOperand, Field, Node, Ranges, Source, Spec, UniqueColumn};
use crate::row::{BorrowedFrom, IndexValues, Key, Row};
use crate::schema::descriptor::TableIdx;

/// The key of the first row that meets a condition.
fn first_key<R: Row>(source: Source<'_>, condition: Node) -> Result<Option<R::Key>> {
    let spec = Spec { filter: Some(condition), limit: Some(1), ..Spec::default() };
    let keys = source.keys(&spec, &mut Buffer::<R>::new(read()))?;
    Ok(keys.first().and_then(|key| R::Key::from_bytes(key)))
}

/// The condition that a row has the values of another in all fields of an index; nothing if one of
/// them is `None`, which conflicts with nothing.
fn same_values<R: Row>(row: &R, index: usize) -> Option<Node> {
    let mut values = IndexValues::default();
    row.index_values(index, &mut values);
    if values.is_null {
        return None;
    }
    let is_cut = values.is_cut;
    let nodes = R::INDEXES.get(index)?.columns().enumerate().map(|(place, (name, is_path))| {
        let encode = move |row: &R, bytes: &mut Vec<u8>| {
            let mut values = IndexValues::default();
            row.index_values(index, &mut values);
            bytes.extend_from_slice(values.value(place));
        };
        // A value that an index holds a part of is not served by it: no index has it under the
        // other kind of name.
        let field = Field::new(name, is_path != is_cut, encode);
        Node::Within(field, Ranges::point(values.value(place).to_vec()))
    });
    Some(Node::All(nodes.collect()))
}

impl Overlay<'_> {
    fn source(&self, handle: &Handle, table_idx: TableIdx) -> Source<'_> {
        let engine = handle.engine().clone();
        Source::new(engine, self.view.clone(), table_idx, Some(&*self.batch))
    }

    fn insert_or_ignore<R: Row>(
        &mut self,
        handle: &Handle,
        table_idx: TableIdx,
        row: &R,
    ) -> Result<bool> {
        if self.contains::<R>(table_idx, &row.key())? {
            return Ok(false);
        }
        for (index, _) in R::INDEXES.iter().enumerate().filter(|(_, index)| index.unique) {
            let Some(condition) = same_values(row, index) else { continue };
            if first_key::<R>(self.source(handle, table_idx), condition)?.is_some() {
                return Ok(false);
            }
        }
        self.insert(table_idx, row)?;
        Ok(true)
    }

    fn upsert_by<R: Row, T: 'static, C>(
        &mut self,
        handle: &Handle,
        table_idx: TableIdx,
        column: Column<R, T, C>,
        row: &R,
    ) -> Result<R::Key> {
        let (condition, is_some) = column.same_as(row);
        let known = match is_some {
            true => first_key::<R>(self.source(handle, table_idx), condition)?,
            false => None,
        };
        match known.filter(|key| *key != *row.key()) {
            Some(key) => {
                let row = rekeyed(row, &key, self.get(table_idx, &key)?)?;
                self.put(table_idx, &row)?;
                Ok(key)
            }
            None => {
                self.put(table_idx, row)?;
                Ok(row.key().into_owned())
            }
        }
    }

    fn remove_many<'k, R: Row, K>(
        &mut self,
        table_idx: TableIdx,
        keys: impl IntoIterator<Item = &'k K>,
    ) -> Result<usize>
    where
        K: BorrowedFrom<R::Key> + ?Sized + 'k,
    {
        let mut count = 0;
        for key in keys {
            count += usize::from(key.with(|key| self.remove::<R>(table_idx, key))?);
        }
        Ok(count)
    }
}

impl<R: Row> Table<R> {
    /// Returns the row with a value in a column that is unique, or is the key; `None` if there is
    /// none.
    ///
    /// If two devices have given one value twice, it is the row with the least key, on every device,
    /// until that is resolved; [`conflicts`](Self::conflicts) lists both.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Account { #[key] number: u32, #[index(unique)] name: String }
    /// # #[derive(Store)]
    /// # struct Bank { accounts: Table<Account> }
    /// # let bank = Bank::in_memory()?;
    /// bank.accounts.insert(&Account { number: 7, name: "Giro".into() })?;
    /// assert_eq!(bank.accounts.get_by(Account::NAME, "Giro")?.unwrap().number, 7);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read.
    pub fn get_by<T: 'static, C: UniqueColumn>(
        &self,
        column: Column<R, T, C>,
        value: impl ColumnOperand<T, C>,
    ) -> Result<Option<R>> {
        self.filter(column.eq(value)).first()
    }

    /// Returns the rows under some keys, in the order of the keys, all as of one moment; `None` if
    /// there is none.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Task { #[key] name: String, done: bool }
    /// # #[derive(Store)]
    /// # struct App { tasks: Table<Task> }
    /// # let app = App::in_memory()?;
    /// app.tasks.insert(&Task { name: "sow".into(), done: false })?;
    /// let rows = app.tasks.get_many(["dig", "sow"])?;
    /// assert!(rows[0].is_none() && rows[1].is_some());
    /// assert_eq!(app.tasks.remove_many(["dig", "sow"])?, 1);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if one of them does not decode.
    pub fn get_many<'k, K: BorrowedFrom<R::Key> + ?Sized + 'k>(
        &self,
        keys: impl IntoIterator<Item = &'k K>,
    ) -> Result<Vec<Option<R>>> {
        let view = self.handle.engine().view();
        let get = |key: &'k K| {
            key.with(|key: &R::Key| {
                let stored = view.row(self.table_idx, key.to_bytes().as_slice())?;
                stored.map(|stored| super::read::typed_row(key, &stored)).transpose()
            })
        };
        self.placed(keys.into_iter().map(get).collect())
    }

    /// Removes the rows under some keys, in one transaction, and returns how many there were.
    ///
    /// # Errors
    ///
    /// The errors of [`remove`](Self::remove).
    pub fn remove_many<'k, K: BorrowedFrom<R::Key> + ?Sized + 'k>(
        &self,
        keys: impl IntoIterator<Item = &'k K>,
    ) -> Result<usize> {
        self.write(|overlay| overlay.remove_many::<R, K>(self.table_idx, keys))
    }

    /// Inserts a row unless there is one under its key, or one with its values in a unique index.
    /// Returns whether it was inserted.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Account { #[key] number: u32, #[index(unique)] name: String }
    /// # #[derive(Store)]
    /// # struct Bank { accounts: Table<Account> }
    /// # let bank = Bank::in_memory()?;
    /// let giro = |number| Account { number, name: "Giro".into() };
    /// assert!(bank.accounts.insert_or_ignore(&giro(7))?);
    /// assert!(!bank.accounts.insert_or_ignore(&giro(8))?);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`insert`](Self::insert), apart from the two that it ignores.
    pub fn insert_or_ignore(&self, row: &R) -> Result<bool> {
        self.write(|overlay| overlay.insert_or_ignore(&self.handle, self.table_idx, row))
    }

    /// Inserts a row, or replaces the one that has its value in a unique column. Returns the key
    /// under which it stands now.
    ///
    /// A row that is replaced keeps its key. If the value is `None`, which conflicts with nothing, the
    /// row is put under its own key.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Txn { #[key] number: u32, #[index(unique)] bank_ref: String, cents: i64 }
    /// # #[derive(Store)]
    /// # struct Bank { txns: Table<Txn> }
    /// # let bank = Bank::in_memory()?;
    /// bank.txns.insert(&Txn { number: 1, bank_ref: "a-7".into(), cents: 5 })?;
    /// let read_again = Txn { number: 2, bank_ref: "a-7".into(), cents: 6 };
    /// assert_eq!(bank.txns.upsert_by(Txn::BANK_REF, &read_again)?, 1);
    /// assert_eq!(bank.txns.get(&1)?.unwrap().cents, 6);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`put`](Self::put); [`InvalidRow`](crate::ErrorKind::InvalidRow) if the row that
    /// it would replace does not decode.
    pub fn upsert_by<T: 'static, C: UniqueColumn>(
        &self,
        column: Column<R, T, C>,
        row: &R,
    ) -> Result<R::Key> {
        self.write(|overlay| overlay.upsert_by(&self.handle, self.table_idx, column, row))
    }
}

impl<S: Store> Snapshot<S> {
    /// Returns the row that had a value in a column that is unique, or is the key; `None` if there
    /// was none.
    ///
    /// # Errors
    ///
    /// The errors of [`Table::get_by`].
    pub fn get_by<R: TableOf<S>, T: 'static, C: UniqueColumn>(
        &self,
        column: Column<R, T, C>,
        value: impl ColumnOperand<T, C>,
    ) -> Result<Option<R>> {
        self.filter(column.eq(value)).first()
    }

    /// Returns the rows under some keys, in the order of the keys; `None` if there was none.
    ///
    /// # Errors
    ///
    /// The errors of [`Table::get_many`].
    pub fn get_many<'k, R: TableOf<S>, K: BorrowedFrom<R::Key> + ?Sized + 'k>(
        &self,
        keys: impl IntoIterator<Item = &'k K>,
    ) -> Result<Vec<Option<R>>> {
        keys.into_iter().map(|key| self.get(key)).collect()
    }
}

impl<S: Store> Transaction<'_, S> {
    /// Returns the row with a value in a column that is unique, or is the key, the transaction's own
    /// writes included; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The errors of [`Table::get_by`].
    pub fn get_by<R: TableOf<S>, T: 'static, C: UniqueColumn>(
        &mut self,
        column: Column<R, T, C>,
        value: impl ColumnOperand<T, C>,
    ) -> Result<Option<R>> {
        self.filter(column.eq(value)).first()
    }

    /// Returns the rows under some keys, in the order of the keys, the transaction's own writes
    /// included; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The errors of [`Table::get_many`].
    pub fn get_many<'k, R: TableOf<S>, K: BorrowedFrom<R::Key> + ?Sized + 'k>(
        &self,
        keys: impl IntoIterator<Item = &'k K>,
    ) -> Result<Vec<Option<R>>> {
        keys.into_iter().map(|key| self.get(key)).collect()
    }

    /// Removes the rows under some keys and returns how many there were.
    ///
    /// # Errors
    ///
    /// The errors of [`Table::remove`].
    pub fn remove_many<'k, R: TableOf<S>, K: BorrowedFrom<R::Key> + ?Sized + 'k>(
        &mut self,
        keys: impl IntoIterator<Item = &'k K>,
    ) -> Result<usize> {
        let removed = self.overlay.remove_many::<R, K>(R::TABLE_IDX, keys);
        self.placed(removed)
    }

    /// Inserts a row unless there is one under its key, or one with its values in a unique index.
    /// Returns whether it was inserted. See [`Table::insert_or_ignore`].
    ///
    /// # Errors
    ///
    /// The errors of [`Table::insert_or_ignore`].
    pub fn insert_or_ignore<R: TableOf<S>>(&mut self, row: &R) -> Result<bool> {
        let done = self.overlay.insert_or_ignore(self.store.handle(), R::TABLE_IDX, row);
        self.placed(done)
    }

    /// Inserts a row, or replaces the one that has its value in a unique column. Returns the key
    /// under which it stands now. See [`Table::upsert_by`].
    ///
    /// # Errors
    ///
    /// The errors of [`Table::upsert_by`].
    pub fn upsert_by<R: TableOf<S>, T: 'static, C: UniqueColumn>(
        &mut self,
        column: Column<R, T, C>,
        row: &R,
    ) -> Result<R::Key> {
        let done = self.overlay.upsert_by(self.store.handle(), R::TABLE_IDX, column, row);
        self.placed(done)
    }
}
