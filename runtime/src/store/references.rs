//! References between rows: reading what a row refers to, and what dangles.

use super::handle::{Handle, TableOf};
use super::snapshot::Snapshot;
use super::trait_store::Store;
use super::transaction::Transaction;
use crate::engine::Dangling;
use crate::error::Result;
use crate::row::{Key, Ref, Row};
use crate::schema::descriptor::{StoreDef, TableIdx};

/// A source of rows of type `T` by their key: a store that has the table, a transaction, or a
/// snapshot.
///
/// Implemented for all of these; do not implement it.
#[diagnostic::on_unimplemented(
    message = "rows of type `{T}` cannot be read from a `{Self}`",
    label = "has no table of `{T}`",
    note = "pass a reference to a store that has a field `Table<{T}>`, or to its transaction or snapshot"
)]
pub trait GetRow<T: Row> {
    /// Returns the row under a key.
    #[doc(hidden)]
    fn get_row(&self, key: &T::Key) -> Result<Option<T>>;
}

#[diagnostic::do_not_recommend]
impl<S: Store, T: TableOf<S>> GetRow<T> for S {
    fn get_row(&self, key: &T::Key) -> Result<Option<T>> {
        self.handle().get_row(T::TABLE_IDX, key)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Store, T: TableOf<S>> GetRow<T> for Transaction<'_, S> {
    fn get_row(&self, key: &T::Key) -> Result<Option<T>> {
        self.get(key)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Store, T: TableOf<S>> GetRow<T> for Snapshot<S> {
    fn get_row(&self, key: &T::Key) -> Result<Option<T>> {
        self.get(key)
    }
}

impl<T: Row> Ref<T> {
    /// Reads the row from a store, a transaction or a snapshot; `None` if the reference dangles.
    ///
    /// Do not call it for each row of a list: [`Query::with`](crate::Query::with) reads what all of them
    /// refer to, each once and from one view.
    ///
    /// ```
    /// # use heirloom::{Ref, Store, Table};
    /// # #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Country { #[key] code: String }
    /// # #[derive(Store)]
    /// # struct Atlas { countries: Table<Country> }
    /// # let atlas = Atlas::in_memory()?;
    /// let swiss: Ref<Country> = Ref::new("ch");
    /// assert_eq!(swiss.get(&atlas)?, None);
    ///
    /// atlas.transaction(|tx| {
    ///     tx.insert(&Country { code: "ch".into() })?;
    ///     assert!(swiss.get(tx)?.is_some());
    ///     Ok(())
    /// })?;
    /// assert!(swiss.get(&atlas.snapshot()?)?.is_some());
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if the stored row does not decode.
    pub fn get(&self, from: &impl GetRow<T>) -> Result<Option<T>> {
        from.get_row(self.key())
    }
}

/// A row type whose references all lead to tables of store `S`.
///
/// Implemented by `#[derive(Table)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of a table",
    label = "not a row",
    note = "add `#[derive(heirloom::Table)]` to `{Self}`"
)]
pub trait RefersWithin<S: Store>: Row {
    /// The tables that the references lead to.
    #[doc(hidden)]
    const TARGETS: &'static [TableIdx] = &[];
}

pub(super) fn dangling(handle: &Handle) -> Result<Vec<DanglingRef>> {
    let engine = handle.engine();
    let dangling = engine.dangling(&engine.view()).map_err(|error| handle.placed(error))?;
    Ok(dangling.into_iter().map(|dangling| DanglingRef::new(&engine.def, dangling)).collect())
}

/// A row that refers to one that is not there.
///
/// Returned by [`Store::dangling`](crate::Store::dangling).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DanglingRef {
    table: &'static str,
    key: String,
    field: &'static str,
    referred_table: &'static str,
    missing: String,
}

impl DanglingRef {
    pub(super) fn new(def: &StoreDef, dangling: Dangling) -> Self {
        let Dangling { table_idx, key, reference, missing } = dangling;
        let table = &def.tables[table_idx];
        Self {
            table: table.name,
            key: (table.key_text)(&key).unwrap_or_else(|| format!("{key:?}")),
            field: reference.field,
            referred_table: reference.table,
            missing,
        }
    }

    /// Returns the name of the table that has the row.
    pub fn table(&self) -> &'static str {
        self.table
    }

    /// Returns the key of the row, in its text form.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the key of the row, if that is in the table of `R`.
    pub fn key_of<R: Row>(&self) -> Option<R::Key> {
        if self.table != R::TABLE {
            return None;
        }
        R::Key::from_text(&self.key).ok()
    }

    /// Returns the stored name of the field that refers to what is missing.
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// Returns the name of the table that lacks the row.
    pub fn referred_table(&self) -> &'static str {
        self.referred_table
    }

    /// Returns the key that no row has, in its text form.
    pub fn missing(&self) -> &str {
        &self.missing
    }
}
