//! Rows together with those that they refer to, and with those that refer to them.

use std::any::TypeId;
use std::collections::HashMap;

use super::handle::TableOf;
use super::query::{AsOf, At, Query, Within, read};
use super::read::{typed_in_scan, typed_text};
use super::snapshot::Snapshot;
use super::table::Table;
use super::trait_store::Store;
use super::transaction::Transaction;
use crate::error::Result;
use crate::query::column::Column;
use crate::query::{Buffer, Condition, Expr, Node, Source, Spec};
use crate::row::{BorrowedFrom, Key, Reference, Row};

/// The type of the key that a column refers to.
type KeyOf<V> = <<V as Reference>::Row as Row>::Key;

/// A row, and the one that it refers to.
type Pair<R, V> = (R, Option<<V as Reference>::Row>);

impl<R: Row, V: Reference + 'static, C> Column<R, V, C> {
    /// Matches rows that refer to a row which meets a condition. One that refers to nothing, or dangles,
    /// does not match.
    ///
    /// When the query is run, the condition is asked first, of the same view, and the keys of the rows that
    /// meet it are looked up in the index of the reference. Such a query cannot be watched by
    /// [`Query::watch`], since it changes with the other table, too; [`Store::watch`] can.
    ///
    /// ```
    /// # use heirloom::{Ref, Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Account { #[key] id: u32, name: String }
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Txn { #[key] id: u32, account: Ref<Account>, cents: i64 }
    /// # #[derive(Store)]
    /// # struct Ledger { accounts: Table<Account>, txns: Table<Txn> }
    /// # let app = Ledger::in_memory()?;
    /// # app.accounts.insert(&Account { id: 1, name: "Giro".into() })?;
    /// # app.txns.insert(&Txn { id: 7, account: Ref::new(1_u32), cents: -450 })?;
    /// let of_giro = Txn::ACCOUNT.is(Account::NAME.eq("Giro"));
    /// assert_eq!(app.txns.filter(of_giro & Txn::CENTS.lt(0)).count()?, 1);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn is(self, condition: impl Condition<V::Row>) -> Expr<R> {
        fn keys<T: Row>(source: Source<'_>, condition: Node) -> Result<Vec<Vec<u8>>> {
            let spec = Spec { filter: Some(condition), ..Spec::default() };
            source.keys(&spec, &mut Buffer::<T>::new(read()))
        }
        Expr::refers(self.erased(), V::IS_OPTION, condition.into_expr(), keys::<V::Row>)
    }
}

impl<R: Row> Table<R> {
    /// Returns a query for the rows that refer to the row under a key, whether there is one or not.
    ///
    /// ```
    /// # use heirloom::{Ref, Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Account { #[key] name: String }
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Txn { #[key] id: u32, account: Ref<Account>, cents: i64 }
    /// # #[derive(Store)]
    /// # struct Ledger { accounts: Table<Account>, txns: Table<Txn> }
    /// # let app = Ledger::in_memory()?;
    /// # app.accounts.insert(&Account { name: "Giro".into() })?;
    /// # app.txns.insert(&Txn { id: 7, account: Ref::new("Giro"), cents: -450 })?;
    /// let booked = app.txns.referrers(Txn::ACCOUNT, "Giro").order_by(Txn::CENTS);
    /// assert_eq!(booked.explain(), "index (account) of `txn`, 1 range, sorted by cents");
    /// assert_eq!(booked.first()?.unwrap().id, 7);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn referrers<V: Reference + 'static, C>(
        &self,
        column: Column<R, V, C>,
        key: &(impl BorrowedFrom<KeyOf<V>> + ?Sized),
    ) -> Query<R> {
        self.filter(refers_to(column, key))
    }
}

impl<S: Store> Snapshot<S> {
    /// Returns a query for the rows that referred to the row under a key.
    #[must_use]
    pub fn referrers<R: TableOf<S>, V: Reference + 'static, C>(
        &self,
        column: Column<R, V, C>,
        key: &(impl BorrowedFrom<KeyOf<V>> + ?Sized),
    ) -> Query<R, AsOf> {
        self.filter(refers_to(column, key))
    }
}

impl<S: Store> Transaction<'_, S> {
    /// Returns a query for the rows that refer to the row under a key, the transaction's own writes
    /// included.
    #[must_use]
    pub fn referrers<R: TableOf<S>, V: Reference + 'static, C>(
        &mut self,
        column: Column<R, V, C>,
        key: &(impl BorrowedFrom<KeyOf<V>> + ?Sized),
    ) -> Query<R, Within<'_>> {
        self.filter(refers_to(column, key))
    }
}

fn refers_to<R: Row, V: Reference + 'static, C>(
    column: Column<R, V, C>,
    key: &(impl BorrowedFrom<KeyOf<V>> + ?Sized),
) -> Expr<R> {
    column.eq(key.with(|key| V::of_key(key.clone())))
}

impl<R: Row, A: At> Query<R, A> {
    /// Returns the rows of the result, each with the row that a column refers to; `None` if it refers to
    /// nothing, or dangles. All of them are as of one view.
    ///
    /// A row that several refer to is read once, and then cloned.
    ///
    /// ```
    /// # use heirloom::{Ref, Store, Table};
    /// # #[derive(Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Account { #[key] id: u32, name: String }
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Txn { #[key] id: u32, account: Ref<Account>, cents: i64 }
    /// # #[derive(Store)]
    /// # struct Ledger { accounts: Table<Account>, txns: Table<Txn> }
    /// # let app = Ledger::in_memory()?;
    /// # app.accounts.insert(&Account { id: 1, name: "Giro".into() })?;
    /// # app.txns.insert(&Txn { id: 7, account: Ref::new(1_u32), cents: -450 })?;
    /// for (txn, account) in app.txns.filter(Txn::CENTS.lt(0)).with(Txn::ACCOUNT)? {
    ///     let name = account.map_or("?".into(), |account| account.name);
    ///     println!("{name}: {}", txn.cents);
    /// }
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`all`](Self::all); [`InvalidRow`](crate::ErrorKind::InvalidRow) also if a row that is
    /// referred to does not decode.
    pub fn with<V, C>(&self, column: Column<R, V, C>) -> Result<Vec<Pair<R, V>>>
    where
        V: Reference<Row: Clone> + 'static,
    {
        let (source, spec) = self.prepared()?;
        let referred = source.table_of(TypeId::of::<V::Row>()).map(|table| source.of_table(table));
        let referred = self.placed(referred)?;
        self.at.reads(referred.table_idx);
        let rows = self.placed(all::<R>(source, spec))?;
        let key_of = |row: &R| {
            let mut found = None;
            column.show(row, &mut |reference| {
                found = reference.target().map(|key| key.to_bytes().as_slice().to_vec());
            });
            found
        };
        let keys: Vec<Option<Vec<u8>>> = rows.iter().map(key_of).collect();
        let mut distinct: Vec<&[u8]> = keys.iter().flatten().map(Vec::as_slice).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let found = look_up::<V::Row>(&referred, &distinct);
        let found = found.map_err(|error| referred.placed(error))?;
        let pairs = rows.into_iter().zip(&keys).map(|(row, key)| {
            let place = key.as_ref().and_then(|key| distinct.binary_search(&key.as_slice()).ok());
            (row, place.and_then(|place| found.get(place)?.clone()))
        });
        Ok(pairs.collect())
    }

    /// Returns the rows of the result, each with all rows of another table that refer to it by a column,
    /// in the order of their keys. All of them are as of one view.
    ///
    /// ```
    /// # use heirloom::{Ref, Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Account { #[key] name: String }
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Txn { #[key] id: u32, account: Ref<Account>, cents: i64 }
    /// # #[derive(Store)]
    /// # struct Ledger { accounts: Table<Account>, txns: Table<Txn> }
    /// # let app = Ledger::in_memory()?;
    /// # app.accounts.insert(&Account { name: "Giro".into() })?;
    /// # app.txns.insert(&Txn { id: 7, account: Ref::new("Giro"), cents: -450 })?;
    /// for (account, txns) in app.accounts.query().limit(20).with_many(Txn::ACCOUNT)? {
    ///     println!("{}: {} bookings", account.name, txns.len());
    /// }
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`all`](Self::all); [`WrongStore`](crate::ErrorKind::WrongStore) if the store has no
    /// table of the rows that refer.
    pub fn with_many<M, V, C>(&self, column: Column<M, V, C>) -> Result<Vec<(R, Vec<M>)>>
    where
        M: Row,
        V: Reference<Row = R> + 'static,
    {
        let (source, spec) = self.prepared()?;
        let referring = source.table_of(TypeId::of::<M>()).map(|table| source.of_table(table));
        let referring = self.placed(referring)?;
        self.at.reads(referring.table_idx);
        let rows = self.placed(all::<R>(source, spec))?;
        let mut places = HashMap::with_capacity(rows.len());
        for (place, row) in rows.iter().enumerate() {
            places.insert(row.key().into_owned(), place);
        }
        let references = rows.iter().map(|row| V::of_key(row.key().into_owned()));
        let condition = column.is_in(references).into_node();
        let spec = Spec { filter: Some(condition), ..Spec::default() };
        let many = all::<M>(referring.clone(), spec).map_err(|error| referring.placed(error))?;
        let mut pairs: Vec<(R, Vec<M>)> = rows.into_iter().map(|row| (row, Vec::new())).collect();
        for referrer in many {
            let mut place = None;
            column.show(&referrer, &mut |reference| {
                place = reference.target().and_then(|key| places.get(key)).copied();
            });
            if let Some((_, many)) = place.and_then(|place| pairs.get_mut(place)) {
                many.push(referrer);
            }
        }
        Ok(pairs)
    }
}

fn all<R: Row>(source: Source<'_>, spec: Spec) -> Result<Vec<R>> {
    let mut buffer = Buffer::new(read());
    source.run(spec, &mut buffer)?.all(&mut buffer)?;
    Ok(buffer.into_result())
}

/// The rows under some keys, as a source has them.
fn look_up<T: Row>(source: &Source<'_>, keys: &[&[u8]]) -> Result<Vec<Option<T>>> {
    let look_up = |key: &&[u8]| {
        if let Some(op) = source.written.and_then(|written| written.get(*key)) {
            let (Some(json), Some(key)) = (&op.json, T::Key::from_bytes(key)) else {
                return Ok(None);
            };
            return typed_text(&key, json).map(Some);
        }
        let stored = source.view.row(source.table_idx, key)?;
        stored.map(|stored| typed_in_scan(key, &stored)).transpose()
    };
    keys.iter().map(look_up).collect()
}
