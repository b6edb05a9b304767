//! The traits that the derives implement: [`Record`] for both, [`Row`] for tables, [`Group`] for kv
//! groups.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Above, DefaultError, IndexValues, Key, Shape};
use crate::schema::descriptor::{
    CheckDef, ComputedDef, FieldDef, IndexDef, ReferenceDef, StampDef,
};

/// A struct that is stored as a JSON object: what rows and kv groups have in common.
///
/// Implemented by `#[derive(Table)]` and `#[derive(Kv)]`.
pub trait Record: Serialize + DeserializeOwned + HasSchema + Sized + Send + 'static {
    /// The fields, in declaration order.
    #[doc(hidden)]
    const FIELDS: &'static [FieldDef];

    /// The stored names of fields that it had once and has no more.
    #[doc(hidden)]
    const REMOVED: &'static [&'static str] = &[];

    /// How it follows from the record of the epoch before.
    #[doc(hidden)]
    const STEP: Option<super::Step<Self>> = None;

    /// The rules of its values.
    #[doc(hidden)]
    const CHECKS: &'static [CheckDef] = &[];

    /// Whether it keeps a rule.
    #[doc(hidden)]
    fn keeps(&self, check: usize) -> bool {
        let _ = check;
        true
    }

    /// The facts about its values that its JSON Schema states.
    #[doc(hidden)]
    fn shape() -> &'static Shape {
        static NOTHING: Shape = Shape::NOTHING;
        &NOTHING
    }

    /// Whether both are equal, if the type has an equality.
    #[doc(hidden)]
    fn is_same(&self, other: &Self) -> Option<bool> {
        let _ = other;
        None
    }

    /// The JSON text of the default of field `index`, which may read the fields above it.
    #[doc(hidden)]
    fn default_of(index: usize, above: &Above<'_>) -> Result<String, DefaultError>;
}

/// A type that has a JSON Schema: every `JsonSchema`.
///
/// A trait of its own for the compiler's message, which must not have `JsonSchema` as a supertrait:
/// that would be reported in its place.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no JSON Schema",
    label = "not `JsonSchema`",
    note = "if the type is yours, add `#[derive(schemars::JsonSchema)]` to it; if it is of another crate, \
            switch on heirloom's feature for that crate, as in `heirloom = {{ features = [\"jiff\"] }}`: \
            `bigdecimal`, `chrono`, `indexmap`, `jiff`, `rust_decimal`, `semver`, `smol_str` or `url`"
)]
pub trait HasSchema {
    /// Returns the JSON Schema, and adds those of the types in it to the generator's.
    fn schema_in(generator: &mut SchemaGenerator) -> Schema;
}

#[diagnostic::do_not_recommend]
impl<T: JsonSchema> HasSchema for T {
    fn schema_in(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Asks for it.
#[doc(hidden)]
pub const fn has_schema<T: HasSchema>() {}

/// A row of a table: implemented by `#[derive(Table)]`.
///
/// Rows can be sent between threads, since several of these read a large result.
///
/// ```
/// use heirloom::{Row, Table};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, JsonSchema, Table)]
/// struct Track {
///     #[key]
///     number: u32,
///     title: String,
/// }
///
/// assert_eq!(Track::TABLE, "track");
/// assert_eq!(*Track { number: 7, title: "Intro".into() }.key(), 7);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of a table",
    label = "not a row",
    note = "add `#[derive(heirloom::Table)]` to `{Self}`"
)]
pub trait Row: Record {
    /// The type of the key.
    type Key: Key;

    /// The row itself: if it is not one, code that names it so has no other mistake.
    #[doc(hidden)]
    type Itself;

    /// The stored name of the table, which is also the prefix of its ids.
    const TABLE: &'static str;

    /// Which of the fields are the key.
    #[doc(hidden)]
    const KEY_FIELDS: &'static [usize];
    /// Whether edits of different fields both survive.
    const MERGES_FIELDS: bool = false;

    /// The indexes of the table.
    #[doc(hidden)]
    const INDEXES: &'static [IndexDef] = &[];

    /// Adds the values by which an index orders this row.
    #[doc(hidden)]
    fn index_values(&self, index: usize, values: &mut IndexValues) {
        let _ = (index, values);
    }

    /// Shows how the values of each index are compared.
    #[doc(hidden)]
    fn index_codings(see: &mut dyn FnMut(&str)) {
        let _ = see;
    }

    /// The fields that refer to rows.
    #[doc(hidden)]
    const REFERENCES: &'static [ReferenceDef] = &[];

    /// Shows the number of each reference that refers to a row, and the bytes of that row's key.
    #[doc(hidden)]
    fn references(&self, see: &mut dyn FnMut(usize, &[u8])) {
        let _ = see;
    }

    /// Makes a reference refer to nothing, if it may.
    #[doc(hidden)]
    fn clear_reference(&mut self, number: usize) {
        let _ = number;
    }

    /// The fields that heirloom fills with times.
    #[doc(hidden)]
    const STAMPS: &'static [StampDef] = &[];

    /// The columns that are computed from its fields.
    #[doc(hidden)]
    const COMPUTED: &'static [ComputedDef] = &[];

    /// Whether a column can be computed of this row, which it cannot if that panics.
    #[doc(hidden)]
    fn is_computed(&self, column: usize) -> bool {
        let _ = column;
        true
    }

    /// Returns the key of this row: borrowed if it is one field, made of them if it is several.
    fn key(&self) -> Cow<'_, Self::Key>;
}

/// Returns the stored names of the fields that are a row's key, as errors name them.
pub(crate) fn key_names(fields: &[FieldDef], places: &[usize]) -> String {
    let names: Vec<&str> = places.iter().map(|&place| fields[place].name).collect();
    names.join(", ")
}

/// A group of single values: implemented by `#[derive(Kv)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kv group",
    label = "not a kv group",
    note = "add `#[derive(heirloom::Kv)]` to `{Self}`"
)]
pub trait Group: Record {
    /// The stored name of the group.
    const GROUP: &'static str;

    /// The group itself: if it is not one, code that names it so has no other mistake.
    #[doc(hidden)]
    type Itself;

    /// One [`Entry`](crate::Entry) handle for each field.
    type Entries: Send + Sync + 'static;

    /// Makes the entry handles of an open store.
    #[doc(hidden)]
    fn entries(maker: &crate::store::EntryMaker<Self>) -> Self::Entries;
}
