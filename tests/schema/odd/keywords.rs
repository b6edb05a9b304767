//! Fields and types may be named with keywords, and like what is generated.

#![deny(missing_docs, unreachable_pub, warnings, clippy::all, clippy::pedantic)]

use heirloom::{Id, Key, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A raw name.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
pub struct r#Try {
    /// Raw too.
    #[key]
    pub r#type: Id<r#Try>,
    /// Again.
    #[evolve(default = |r#type| r#type.to_string())]
    pub r#match: String,
}

/// Fields named like the locals, methods and types of generated code.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
pub struct Locals {
    /// The key.
    #[key]
    pub key: Isbn,
    /// Above.
    #[evolve(default = 1)]
    pub above: u8,
    /// Index.
    #[evolve(default = |above, key| above + u8::try_from(key.0.len()).unwrap_or(0))]
    pub index: u8,
    /// Value.
    #[evolve(default = |index, above| index + above)]
    pub value: u8,
    /// Compute.
    #[evolve(default = |value| value)]
    pub compute: u8,
    /// Serializer.
    #[evolve(default)]
    pub serializer: u8,
    /// Self-like.
    #[serde(default)]
    pub record: Option<Vec<Self>>,
    /// Serialized by hand.
    #[evolve(default = |compute| compute)]
    #[serde(with = "by_hand")]
    #[schemars(with = "String")]
    pub text: u8,
    /// Reads what is read by hand.
    #[evolve(default = |text| text)]
    pub json: u8,
}

mod by_hand {
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
    pub(super) fn serialize<S: Serializer>(value: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
pub struct Isbn(String);

/// A key with a named field.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
#[serde(transparent)]
pub struct Number {
    /// A keyword inside.
    pub r#move: u64,
}

/// Entries named like the methods of their group and of their handles.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Kv)]
pub struct Settings {
    /// Get.
    #[evolve(default = "g")]
    pub get: String,
    #[evolve(default)]
    set: String,
    #[evolve(default)]
    maker: u8,
    #[evolve(default)]
    handle: u8,
    r#type: Option<u8>,
    #[evolve(default = 3)]
    #[serde(with = "by_hand")]
    #[schemars(with = "String")]
    text: u8,
    hidden: Option<Hidden>,
}

/// A type that nobody else sees.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Hidden {
    level: u8,
}

/// Tables named like the methods of the store.
#[derive(Debug, Store)]
pub struct App {
    /// Open.
    pub open: Table<r#Try>,
    /// Handle.
    pub handle: Table<Locals>,
    /// Attach.
    pub attach: Kv<Settings>,
}

#[test]
fn their_entries_and_tables_work() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    let id = Id::new();
    app.open.insert(&Try { r#type: id, r#match: String::new() })?;
    app.open.get(&id)?;
    app.attach.get.get()?;
    app.attach.set.get()?;
    app.attach.maker.get()?;
    app.attach.handle.get()?;
    app.attach.r#type.get()?;
    app.attach.text.get()?;
    app.attach.hidden.get()?;
    let Settings { set, maker, handle, r#type, text, hidden, .. } = app.attach.get()?;
    println!("{set}{maker}{handle}{type:?}{text}{}", hidden.map_or(0, |hidden| hidden.level));
    Ok(())
}
