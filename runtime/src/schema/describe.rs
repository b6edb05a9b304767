//! From the descriptor that the derives write to a [`Schema`], with the JSON Schemas of schemars.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::descriptor::{CheckDef, DefaultKind, FieldDef, ReferenceDef, StoreDef, TableDef};
use super::{
    FieldDefault, FieldSchema, GroupSchema, IndexSchema, KeySchema, Reserved, Schema, TableSchema,
};

/// The prefix of references to the JSON Schemas of named types in a [`Schema`].
pub(super) const TYPES: &str = "#/types/";

/// The schema of a store's code and its fingerprint, made at first use and kept.
#[derive(Debug)]
pub struct Described(OnceLock<(Schema, String)>);

impl Described {
    /// One that is made at first use.
    #[expect(clippy::new_without_default, reason = "it stands in a static")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    fn get(&self, def: &StoreDef) -> &(Schema, String) {
        self.0.get_or_init(|| {
            let schema = describe(def);
            let fingerprint = schema.fingerprint();
            (schema, fingerprint)
        })
    }

    pub(crate) fn schema(&self, def: &StoreDef) -> &Schema {
        &self.get(def).0
    }

    pub(crate) fn fingerprint(&self, def: &StoreDef) -> &str {
        &self.get(def).1
    }
}

/// The parts of one record that describing it needs: its JSON Schema, and the defaults of its
/// fields.
#[derive(Debug, Clone, Copy)]
pub struct RecordDef {
    /// Adds the JSON Schema of the record to the generator's.
    pub json_schema: fn(&mut SchemaGenerator) -> schemars::Schema,
    /// The JSON text of the default of a field that reads no other.
    pub default_of: fn(usize) -> Option<String>,
    /// The stored names of removed fields.
    pub removed: &'static [&'static str],
}

/// The schema of the store that a descriptor describes.
pub(crate) fn describe(def: &StoreDef) -> Schema {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/types".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let mut schema = Schema {
        epoch: def.epoch,
        tables: BTreeMap::new(),
        groups: BTreeMap::new(),
        types: BTreeMap::new(),
        reserved: Default::default(),
    };
    for table in def.tables {
        let mut fields = fields(&mut generator, table.fields, &table.record, table.references);
        for stamp in table.stamps {
            if let Some(field) = fields.get_mut(stamp.field) {
                field.filled = Some(stamp.kind.name().to_owned());
            }
        }
        schema.tables.insert(table.name.to_owned(), describe_table(table, fields));
        schema.reserved.extend(table.record.removed.iter().map(|field| Reserved {
            table: Some(table.name.to_owned()),
            group: None,
            field: (*field).to_owned(),
        }));
    }
    for group in def.groups {
        let fields = fields(&mut generator, group.fields, &group.record, &[]);
        schema
            .groups
            .insert(group.name.to_owned(), GroupSchema { checks: codes(group.checks), fields });
        schema.reserved.extend(group.record.removed.iter().map(|field| Reserved {
            table: None,
            group: Some(group.name.to_owned()),
            field: (*field).to_owned(),
        }));
    }
    let types = generator.take_definitions(true);
    schema.types = types.into_iter().map(|(name, ty)| (name, plain(ty))).collect();
    schema
}

fn describe_table(table: &TableDef, fields: BTreeMap<String, FieldSchema>) -> TableSchema {
    let key = table.key_names().zip(table.key);
    let key =
        key.map(|(name, kind)| KeySchema { field: name.to_owned(), kind: kind.name().to_owned() });
    let indexes = table.indexes.iter().map(|index| IndexSchema {
        fields: index.fields.iter().map(|field| (*field).to_owned()).collect(),
        unique: index.unique,
        each: index.each,
    });
    let merges_fields = table.merges_fields;
    let checks = codes(table.checks);
    let computed = table.computed.iter();
    let computed = computed.map(|computed| (computed.name.to_owned(), computed.code.to_owned()));
    TableSchema {
        key: key.collect(),
        indexes: indexes.collect(),
        merges_fields,
        checks,
        computed: computed.collect(),
        fields,
    }
}

fn codes(checks: &[CheckDef]) -> Vec<String> {
    checks.iter().map(|check| check.code.to_owned()).collect()
}

fn fields(
    generator: &mut SchemaGenerator,
    defs: &[FieldDef],
    record: &RecordDef,
    references: &[ReferenceDef],
) -> BTreeMap<String, FieldSchema> {
    let whole = (record.json_schema)(generator).to_value();
    let properties = whole.get("properties");
    let fields = defs.iter().enumerate().map(|(index, def)| {
        let schema = properties.and_then(|properties| properties.get(def.name)).cloned();
        // A schema written by hand may leave a field out; then it may be anything.
        let schema = plain(schema.unwrap_or(Value::Bool(true)));
        let mut aliases: Vec<String> = def.aliases.iter().map(|&name| name.to_owned()).collect();
        aliases.sort();
        let field = FieldSchema {
            rust_type: def.rust_type.to_owned(),
            default: default(index, def, record, schema["uniqueItems"] == true),
            aliases,
            nullable: def.nullable,
            references: references
                .iter()
                .find(|reference| reference.field == def.name)
                .map(|reference| reference.table.to_owned()),
            filled: None,
            merge: def.merge.map(|merge| merge.word().to_owned()),
            schema,
        };
        (def.name.to_owned(), field)
    });
    fields.collect()
}

fn default(index: usize, def: &FieldDef, record: &RecordDef, is_set: bool) -> FieldDefault {
    match def.default {
        DefaultKind::Required => FieldDefault::Required,
        DefaultKind::Optional => FieldDefault::Optional,
        DefaultKind::Computed(code) => FieldDefault::Computed { code: code.to_owned() },
        DefaultKind::Serde | DefaultKind::Type | DefaultKind::Value(_) => {
            let value = || {
                let json = (record.default_of)(index)?;
                let mut value: Value = serde_json::from_str(&json).ok()?;
                // A set may come in another order each time, which means nothing.
                if let (true, Some(items)) = (is_set, value.as_array_mut()) {
                    items.sort_by_cached_key(Value::to_string);
                }
                Some(value)
            };
            match (value(), value()) {
                (Some(first), Some(second)) if first == second => {
                    FieldDefault::Constant { value: first }
                }
                _ => FieldDefault::Unstable,
            }
        }
    }
}

/// Keywords that say nothing about values.
///
/// The defaults that serde fills in below the fields of a row are among them: a function may give
/// another each time, and a schema must say the same today and tomorrow.
pub(super) const PROSE: [&str; 10] = [
    "$comment",
    "$id",
    "$schema",
    "default",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];

/// Keywords whose members have the names of fields and types, which may be those of keywords.
const NAMED: [&str; 7] = [
    "$defs",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
    "properties",
];

/// A JSON Schema without prose.
fn plain(schema: Value) -> Value {
    match schema {
        Value::Object(keywords) => {
            let keywords = keywords.into_iter().filter(|(name, _)| !PROSE.contains(&&**name));
            let keywords = keywords.map(|(name, value)| {
                let value = match (name.as_str(), value) {
                    (name, Value::Object(named)) if NAMED.contains(&name) => Value::Object(
                        named.into_iter().map(|(name, schema)| (name, plain(schema))).collect(),
                    ),
                    // Values, not schemas.
                    ("const" | "enum", value) => value,
                    (_, value) => plain(value),
                };
                (name, value)
            });
            Value::Object(keywords.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        other => other,
    }
}
