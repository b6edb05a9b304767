//! [`Open`]: an enum that keeps the variants it does not know.

mod capture;
mod known;
mod write;

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer};
use serde::ser::{Serialize, Serializer};

/// A value of the enum `T`, or a variant that this code does not know.
///
/// Newer code may write variants that older code lacks. Older code does not read a row with such a
/// variant, so that a variant can only be added with an epoch. A field of type `Open<T>` has no such
/// limit: a variant that this code does not know is kept as JSON, shown by
/// [`UnknownVariant::json`], and written back as it is. Adding a variant to `T` is then free.
///
/// Declare every enum that may ever grow as `Open<T>` before the first release: a field that
/// becomes `Open<T>` later needs an epoch, once. For an enum that is complete for ever, such as the
/// days of the week, the plain type is simpler.
///
/// `T` derives `Serialize`, `Deserialize` and `JsonSchema`, tagged in whichever way. `Open<T>` can
/// stand wherever `T` can: in fields, entries, `Option`s, lists, maps and other enums.
///
/// Only a variant whose *name* is unknown is kept this way. A known variant with data that does not
/// decode makes the row invalid, as in a plain enum. An enum that is `untagged` has no names, and
/// neither has a hand-written `Deserialize` that does not report an unknown variant.
///
/// Known variants compare as in `T`. They come before unknown ones, which are equal if their JSON
/// text is, and ordered by it. To be compared, ordered or indexed, `T` derives
/// [`Comparable`](macro@crate::Comparable).
///
/// ```
/// use heirloom::{Comparable, Id, Open, Store, Table};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, PartialEq, PartialOrd, Comparable, Serialize, Deserialize, JsonSchema)]
/// pub enum Status { Pending, Done }
///
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
/// #[table(name = "tasks")]
/// pub struct Task {
///     pub id: Id<Task>,
///     #[evolve(default = Open::Known(Status::Pending))]
///     pub status: Open<Status>,
/// }
/// # #[derive(Store)]
/// # struct Tasks { tasks: Table<Task> }
///
/// let task = Task { id: Id::new(), status: Status::Done.into() };
/// let shown = match &task.status {
///     Open::Known(Status::Pending) => "to do".to_owned(),
///     Open::Known(Status::Done) => "done".to_owned(),
///     Open::Unknown(variant) => format!("{variant}, made by a newer version of the app"),
/// };
/// assert_eq!(shown, "done");
///
/// # let app = Tasks::in_memory()?;
/// # app.tasks.insert(&task)?;
/// assert_eq!(app.tasks.filter(Task::STATUS.eq(Status::Done)).count()?, 1);
/// # Ok::<(), heirloom::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Open<T> {
    /// A variant that this code knows.
    Known(T),
    /// A variant that newer code has added.
    Unknown(UnknownVariant),
}

impl<T> Open<T> {
    /// Returns the value if this code knows its variant.
    ///
    /// ```
    /// use heirloom::Open;
    ///
    /// let open = Open::Known(true);
    /// assert_eq!(open.known(), Some(&true));
    /// ```
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

impl<T> From<T> for Open<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: Default> Default for Open<T> {
    fn default() -> Self {
        Self::Known(T::default())
    }
}

impl<T: PartialEq> PartialEq<T> for Open<T> {
    fn eq(&self, other: &T) -> bool {
        self.known() == Some(other)
    }
}

/// A variant of an enum that this code does not know, as the JSON that newer code wrote.
///
/// It comes from reading; there is no way to make one.
///
/// ```
/// use heirloom::Open;
///
/// #[derive(Debug, serde::Deserialize)]
/// enum Status { Pending, Done }
///
/// let status: Open<Status> = serde_json::from_str(r#"{"Archived":{"year":2031}}"#)?;
/// let Open::Unknown(variant) = status else { unreachable!() };
/// assert_eq!(variant.json(), r#"{"Archived":{"year":2031}}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownVariant {
    json: Box<str>,
}

impl UnknownVariant {
    /// The same value in one spelling, so that equal variants have equal texts.
    fn of(json: &str) -> serde_json::Result<Self> {
        let mut text = Vec::with_capacity(json.len());
        write::json(json, &mut serde_json::Serializer::new(&mut text))?;
        let json = String::from_utf8(text).map_err(de::Error::custom)?;
        Ok(Self { json: json.into_boxed_str() })
    }

    /// Returns its JSON: a text such as `"Archived"`, or an object if the variant has data, with its
    /// members sorted by name and its numbers as 64-bit integers or floats. The stored value keeps its
    /// own spelling as long as it is not moved. An integer beyond 64 bits is shown as the nearest float,
    /// and written so if it is moved; in a known variant, a write of one is refused.
    pub fn json(&self) -> &str {
        &self.json
    }
}

/// Its JSON.
impl fmt::Display for UnknownVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.json)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Open<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = capture::json(deserializer)?;
        match known::decode(&json).map_err(de::Error::custom)? {
            Some(value) => Ok(Self::Known(value)),
            None => UnknownVariant::of(&json).map(Self::Unknown).map_err(de::Error::custom),
        }
    }
}

impl<T: Serialize> Serialize for Open<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Unknown(variant) => write::json(&variant.json, serializer),
        }
    }
}

/// That of the enum, and any text or object beside it.
impl<T: JsonSchema> JsonSchema for Open<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Open_{}", T::schema_name()).into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("heirloom::Open<{}>", T::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                generator.subschema_for::<T>(),
                { "type": "string" },
                { "type": "object", "additionalProperties": true },
            ],
        })
    }
}
