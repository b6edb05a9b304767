//! The canonical form of a schema, and the fingerprint made of it.
//!
//! Two schemas have one fingerprint exactly if they say the same about what is stored: the order
//! of fields, the names of Rust types, docs, indexes and reserved names make no difference.
//!
//! Each JSON Schema is reduced to a hash of its keywords, in which the schemas inside it stand for
//! themselves by their hashes. A reference is the hash of what it refers to, so that a type of its
//! own and the same written out are one. The hashes of named types are made in rounds, each from
//! those of the round before, until they no longer change; those of recursive types never stop
//! changing, and are what they are after [`ROUNDS`].

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use twox_hash::XxHash3_128;

use super::describe::TYPES;
use super::{FieldDefault, FieldSchema, Schema};

/// How deep named types may be nested for a difference to be seen, and how often a recursive type
/// is unrolled. Part of what a fingerprint is: never to be changed.
const ROUNDS: usize = 64;

/// The fingerprint of a schema: 32 hexadecimal digits.
pub(super) fn fingerprint(schema: &Schema) -> String {
    let types = hash_types(&schema.types);
    let tables = schema.tables.iter().map(|(name, table)| {
        let fields = fields(&table.fields, &types);
        let key: Vec<&str> = table.key.iter().flat_map(|key| [&*key.field, &*key.kind]).collect();
        let mut table_json = json!({ "key": key, "fields": fields });
        if table.merges_fields {
            table_json["merge"] = json!("fields");
        }
        if !table.checks.is_empty() {
            table_json["checks"] = rules(&table.checks);
        }
        (name.clone(), table_json)
    });
    let groups =
        schema.groups.iter().map(|(name, group)| (name.clone(), fields(&group.fields, &types)));
    let mut canonical = json!({
        "epoch": schema.epoch,
        "tables": Value::Object(tables.collect()),
        "groups": Value::Object(groups.collect()),
    });
    // The entries of a group have no other names beside them.
    let checked = schema.groups.iter().filter(|(_, group)| !group.checks.is_empty());
    let checks: Map<_, _> =
        checked.map(|(name, group)| (name.clone(), rules(&group.checks))).collect();
    if !checks.is_empty() {
        canonical["group_checks"] = Value::Object(checks);
    }
    hash(&canonical)
}

fn rules(checks: &[String]) -> Value {
    let mut checks = checks.to_vec();
    checks.sort();
    json!(checks)
}

fn fields(fields: &BTreeMap<String, FieldSchema>, types: &BTreeMap<&str, String>) -> Value {
    let fields = fields.iter().map(|(name, field)| {
        let default = match &field.default {
            FieldDefault::Required => json!("required"),
            FieldDefault::Optional => json!("optional"),
            FieldDefault::Constant { value } => json!({ "value": value }),
            FieldDefault::Computed { code } => json!({ "code": code }),
            FieldDefault::Unstable => json!("unstable"),
        };
        let mut aliases = field.aliases.clone();
        aliases.sort();
        let references = field.references.as_ref();
        let mut field_json = json!({
            "aliases": aliases,
            "default": default,
            "nullable": field.nullable,
            "schema": hash_schema(&field.schema, types),
        });
        if let Some(table) = references {
            field_json["references"] = json!(table);
        }
        if let Some(merge) = &field.merge {
            field_json["merge"] = json!(merge);
        }
        (name.clone(), field_json)
    });
    Value::Object(fields.collect())
}

/// The hashes of all named types.
fn hash_types(types: &BTreeMap<String, Value>) -> BTreeMap<&str, String> {
    let mut hashes: BTreeMap<&str, String> =
        types.keys().map(|name| (name.as_str(), String::new())).collect();
    for _ in 0..ROUNDS {
        let next: BTreeMap<&str, String> = types
            .iter()
            .map(|(name, schema)| (name.as_str(), hash_schema(schema, &hashes)))
            .collect();
        if next == hashes {
            break;
        }
        hashes = next;
    }
    hashes
}

fn hash_schema(schema: &Value, types: &BTreeMap<&str, String>) -> String {
    let Value::Object(keywords) = schema else { return hash(schema) };
    if keywords.len() == 1
        && let Some(known) = refers_to(keywords, types)
    {
        return known.clone();
    }
    let mut canonical = Map::new();
    for (name, value) in keywords {
        let (name, value) = match (name.as_str(), value) {
            ("$ref", _) => {
                let known = refers_to(keywords, types);
                ("$ref", known.map_or_else(|| value.clone(), |known| json!(known)))
            }
            ("properties" | "patternProperties" | "dependentSchemas", Value::Object(named)) => {
                let named = named.iter();
                let hashed = named.map(|(key, schema)| (key.clone(), hashed(schema, types)));
                (name.as_str(), Value::Object(hashed.collect()))
            }
            // Which of the two schemars writes depends on the docs of an enum's variants. A schema that
            // has both means both.
            ("oneOf" | "anyOf", Value::Array(choices)) => {
                let is_other = name == "oneOf" && keywords.contains_key("anyOf");
                let name = if is_other { "oneOf" } else { "anyOf" };
                let (variants, others) = split_variants(choices);
                let mut choices: Vec<Value> =
                    others.into_iter().map(|choice| hashed(choice, types)).collect();
                if !variants.is_empty() {
                    let variants = json!({ "enum": sorted(variants) });
                    if choices.is_empty() && keywords.len() == 1 {
                        return hash(&variants);
                    }
                    choices.push(json!(hash(&variants)));
                }
                (name, Value::Array(sorted(choices)))
            }
            // The listed values tell the type.
            ("type", _) if keywords.contains_key("enum") || keywords.contains_key("const") => {
                continue;
            }
            ("const", value) if !keywords.contains_key("enum") => ("enum", json!([value])),
            ("enum" | "required" | "type", Value::Array(values)) => {
                (name.as_str(), Value::Array(sorted(values.clone())))
            }
            ("allOf" | "prefixItems", Value::Array(schemas)) => {
                let schemas = schemas.iter().map(|schema| hashed(schema, types));
                (name.as_str(), Value::Array(schemas.collect()))
            }
            (
                "additionalProperties"
                | "items"
                | "contains"
                | "not"
                | "if"
                | "then"
                | "else"
                | "propertyNames"
                | "unevaluatedProperties"
                | "unevaluatedItems",
                schema,
            ) => (name.as_str(), hashed(schema, types)),
            (name, value) => (name, value.clone()),
        };
        canonical.insert(name.to_owned(), value);
    }
    hash(&Value::Object(canonical))
}

fn hashed(schema: &Value, types: &BTreeMap<&str, String>) -> Value {
    json!(hash_schema(schema, types))
}

fn refers_to<'t>(
    keywords: &Map<String, Value>,
    types: &'t BTreeMap<&str, String>,
) -> Option<&'t String> {
    types.get(keywords.get("$ref")?.as_str()?.strip_prefix(TYPES)?)
}

/// The values of those choices that are nothing but listed values, and the other choices.
fn split_variants(choices: &[Value]) -> (Vec<Value>, Vec<&Value>) {
    let mut variants = Vec::new();
    let mut others = Vec::new();
    for choice in choices {
        let listed = choice.as_object().filter(|keywords| {
            keywords.keys().all(|keyword| matches!(keyword.as_str(), "const" | "enum" | "type"))
        });
        match listed.map(|keywords| (keywords.get("const"), keywords.get("enum"))) {
            Some((Some(value), None)) => variants.push(value.clone()),
            Some((None, Some(Value::Array(values)))) => variants.extend(values.iter().cloned()),
            _ => others.push(choice),
        }
    }
    (variants, others)
}

fn sorted(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_by_cached_key(text);
    values
}

fn hash(value: &Value) -> String {
    format!("{:032x}", XxHash3_128::oneshot(text(value).as_bytes()))
}

/// Compact JSON with sorted keys. An app may have turned on the feature of serde_json that keeps
/// keys in another order.
fn text(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (name, value) in members {
                text.push_str(&Value::String(name.clone()).to_string());
                text.push(':');
                write(value, text);
                text.push(',');
            }
            text.push('}');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}
