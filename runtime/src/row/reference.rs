//! [`Ref`]: a field that refers to a row of another table by its key.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Comparable, Id, Key, KeyBytes, KeyField, Row, SortKey};
use crate::error::{Error, Result};
use crate::schema::descriptor::KeyKind;

/// A reference to a row of table `T`: the key of that row, typed.
///
/// It is stored as the key is stored, so a field that was an `Id<Account>` may become a `Ref<Account>`
/// and the other way round. It compares and orders like the key. [`get`](Self::get) reads the row from a store, a
/// transaction or a snapshot.
///
/// ```
/// use heirloom::{Id, Ref, Store, Table};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
/// #[table(name = "accounts")]
/// struct Account {
///     id: Id<Account>,
///     name: String,
/// }
///
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
/// #[table(name = "txns")]
/// struct Txn {
///     id: Id<Txn>,
///     account: Ref<Account>,
///     cents: i64,
/// }
///
/// #[derive(Store)]
/// struct Ledger {
///     accounts: Table<Account>,
///     txns: Table<Txn>,
/// }
///
/// let app = Ledger::in_memory()?;
/// let giro = Account { id: Id::new(), name: "Giro".into() };
/// let txn = Txn { id: Id::new(), account: Ref::to(&giro), cents: -450 };
/// assert!(app.txns.insert(&txn).is_err()); // there is no such account yet
///
/// app.accounts.insert(&giro)?;
/// app.txns.insert(&txn)?;
/// assert_eq!(txn.account.get(&app)?, Some(giro));
/// # Ok::<(), heirloom::Error>(())
/// ```
///
/// # What is kept
///
/// A field of type `Ref<T>` or `Option<Ref<T>>` of a row is checked when this device commits: the row it
/// refers to must exist. What happens when that row is removed says `#[reference(on_remove = …)]`. A
/// merge is never refused, so a row may refer to one that another device has removed at the same time:
/// [`Store::dangling`](crate::Store::dangling) lists these. A `Ref` inside of a list or a nested struct,
/// or in a kv group, is a typed key that is not checked.
pub struct Ref<T: Row> {
    key: T::Key,
}

impl<T: Row> Ref<T> {
    /// Makes a reference to the row under a key, whether there is one or not.
    ///
    /// ```
    /// # use heirloom::{Ref, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Country { #[key] code: String }
    /// let swiss: Ref<Country> = Ref::new("ch");
    /// assert_eq!(swiss.key(), "ch");
    /// ```
    pub fn new(key: impl Into<T::Key>) -> Self {
        Self { key: key.into() }
    }

    /// Makes a reference to a row.
    pub fn to(row: &T) -> Self {
        Self { key: row.key().into_owned() }
    }

    /// Returns the key of the row that it refers to.
    pub fn key(&self) -> &T::Key {
        &self.key
    }

    /// Returns the key of the row that it refers to, without a copy.
    pub fn into_key(self) -> T::Key {
        self.key
    }
}

impl<T: Row> Clone for Ref<T> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone() }
    }
}

impl<T: Row> Copy for Ref<T> where T::Key: Copy {}

impl<T: Row> PartialEq for Ref<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<T: Row> Eq for Ref<T> {}

/// The order of keys in the table.
impl<T: Row> Ord for Ref<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.to_bytes().as_slice().cmp(other.key.to_bytes().as_slice())
    }
}

impl<T: Row> PartialOrd for Ref<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Row> Hash for Ref<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl<T: Row> fmt::Display for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.key.to_text())
    }
}

impl<T: Row> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T: Row> FromStr for Ref<T> {
    type Err = Error;

    /// Parses the text of a key.
    ///
    /// # Errors
    ///
    /// [`WrongId`](crate::ErrorKind::WrongId) if it is not a key of the table, or is an id of another.
    fn from_str(text: &str) -> Result<Self> {
        T::Key::from_text(text).map(|key| Self { key })
    }
}

impl<T: Row<Key = Id<T>>> From<Id<T>> for Ref<T> {
    fn from(id: Id<T>) -> Self {
        Self { key: id }
    }
}

impl<T: Row> From<&T> for Ref<T> {
    fn from(row: &T) -> Self {
        Self::to(row)
    }
}

impl<T: Row> Serialize for Ref<T>
where
    T::Key: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.key.serialize(serializer)
    }
}

impl<'de, T: Row> Deserialize<'de> for Ref<T>
where
    T::Key: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::Key::deserialize(deserializer).map(|key| Self { key })
    }
}

/// That of the key.
impl<T: Row> JsonSchema for Ref<T>
where
    T::Key: JsonSchema,
{
    fn inline_schema() -> bool {
        T::Key::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::Key::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::Key::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::Key::json_schema(generator)
    }
}

impl<T: Row> Comparable for Ref<T> {
    fn sort_key(&self, key: &mut SortKey<'_>) {
        key.push_key(&self.key);
    }
}

impl<T: Row> KeyField for Ref<T>
where
    T::Key: KeyField,
{
    const KIND: KeyKind = T::Key::KIND;
}

impl<T: Row> Key for Ref<T> {
    const KINDS: &'static [KeyKind] = T::Key::KINDS;

    fn to_text(&self) -> String {
        self.key.to_text()
    }

    fn from_text(text: &str) -> Result<Self> {
        text.parse()
    }

    fn to_bytes(&self) -> KeyBytes<'_> {
        self.key.to_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        T::Key::from_bytes(bytes).map(|key| Self { key })
    }
}

/// The type of a field that refers to a row: [`Ref`], and an `Option` of one.
///
/// Implemented for these; do not implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a reference to a row",
    label = "not a `heirloom::Ref<_>`",
    note = "a field that refers to a row is of type `heirloom::Ref<_>`, or an `Option` of one"
)]
pub trait Reference: Sized {
    /// The type of the row.
    type Row: Row;

    /// Whether it may refer to nothing.
    #[doc(hidden)]
    const IS_OPTION: bool;

    /// The key of the row.
    #[doc(hidden)]
    fn target(&self) -> Option<&<Self::Row as Row>::Key>;

    /// A reference to the row under a key.
    #[doc(hidden)]
    fn of_key(key: <Self::Row as Row>::Key) -> Self;

    /// Makes it refer to nothing, if it may.
    #[doc(hidden)]
    fn clear(&mut self);
}

impl<T: Row> Reference for Ref<T> {
    type Row = T;
    const IS_OPTION: bool = false;

    fn target(&self) -> Option<&T::Key> {
        Some(&self.key)
    }

    fn of_key(key: T::Key) -> Self {
        Self { key }
    }

    fn clear(&mut self) {}
}

impl<T: Row> Reference for Option<Ref<T>> {
    type Row = T;
    const IS_OPTION: bool = true;

    fn target(&self) -> Option<&T::Key> {
        self.as_ref().map(Ref::key)
    }

    fn of_key(key: T::Key) -> Self {
        Some(Ref { key })
    }

    fn clear(&mut self) {
        *self = None;
    }
}

/// Shows the key that a field refers to.
#[doc(hidden)]
pub fn refer<F: Reference>(number: usize, field: &F, see: &mut dyn FnMut(usize, &[u8])) {
    if let Some(key) = field.target() {
        see(number, key.to_bytes().as_slice());
    }
}

/// Asks whether a type that is not written as a reference is one: `<RefersTo<T>>::IS_REFERENCE`, with
/// [`NoReference`] in scope.
#[derive(Debug)]
#[doc(hidden)]
pub struct RefersTo<T>(std::marker::PhantomData<T>);

impl<T: Row> RefersTo<Ref<T>> {
    /// It is one.
    pub const IS_REFERENCE: bool = true;
}

impl<T: Row> RefersTo<Option<Ref<T>>> {
    /// It is one.
    pub const IS_REFERENCE: bool = true;
}

/// Any other type.
#[doc(hidden)]
pub trait NoReference {
    /// It is not.
    const IS_REFERENCE: bool = false;
}

impl<T> NoReference for RefersTo<T> {}

/// Refuses a reference under another name, which nothing would check.
#[doc(hidden)]
#[track_caller]
pub const fn written_as_reference(is_reference: bool) {
    assert!(
        !is_reference,
        "a reference under another name; write the field's type as `Ref<_>` or `Option<Ref<_>>`, by \
         which heirloom knows to check it and to index it"
    );
}
