//! The newest version, as far as structs are compared with it.

use serde_json::{Map, Value};

use super::lines::Entry;

/// A recorded version of a store.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) version: u32,
    pub(super) epoch: u64,
    pub(crate) tables: Vec<Struct>,
    pub(crate) groups: Vec<Struct>,
}

/// A table or a kv group.
#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) name: String,
    /// The fields that are the key of a table; nothing for a kv group.
    pub(crate) key: Option<Vec<Key>>,
    pub(crate) fields: Vec<Field>,
    /// The stored names of fields that were removed.
    pub(crate) reserved: Vec<String>,
}

/// A field that is the key of a table, or a part of it.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) field: String,
    pub(crate) kind: String,
}

/// A stored field.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// The type as written.
    pub(crate) ty: String,
    /// The default of a row that lacks the field; `required` if there is none.
    pub(crate) default: String,
}

/// Reads a version; nothing if it is not laid out as one. Members that a newer heirloom adds are
/// passed over.
pub(super) fn recorded(entry: &Entry<'_>) -> Option<Recorded> {
    let version: Value = serde_json::from_str(&entry.json()).ok()?;
    let schema = &version["schema"];
    Some(Recorded {
        version: version["version"].as_u64()?.try_into().ok()?,
        epoch: version["epoch"].as_u64()?,
        tables: structs(schema, "tables", "table")?,
        groups: structs(schema, "groups", "group")?,
    })
}

fn structs(schema: &Value, member: &str, noun: &str) -> Option<Vec<Struct>> {
    let none = Map::new();
    let named = match schema.get(member) {
        Some(named) => named.as_object()?,
        None => &none,
    };
    let structs = named.iter().map(|(name, recorded)| {
        let fields = recorded["fields"].as_object()?;
        Some(Struct {
            key: recorded.get("key").map(|recorded| match recorded.as_array() {
                Some(several) => several.iter().map(key).collect(),
                None => vec![key(recorded)],
            }),
            fields: fields.iter().map(field).collect::<Option<_>>()?,
            reserved: reserved(schema, noun, name),
            name: name.clone(),
        })
    });
    structs.collect()
}

fn key(key: &Value) -> Key {
    Key {
        field: text(&key["field"]).unwrap_or_default(),
        kind: text(&key["kind"]).unwrap_or_default(),
    }
}

fn field((name, field): (&String, &Value)) -> Option<Field> {
    Some(Field {
        name: name.clone(),
        ty: text(&field["type"])?,
        default: text(&field["default"]["kind"])?,
    })
}

fn reserved(schema: &Value, noun: &str, name: &str) -> Vec<String> {
    let reserved = schema["reserved"].as_array();
    let own = reserved.into_iter().flatten().filter(|reserved| reserved[noun] == name);
    own.filter_map(|reserved| text(&reserved["field"])).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
