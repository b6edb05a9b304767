//! The values of rows for indexes: the same reading of them as in all other places.

use std::fmt::Write as _;

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};
use twox_hash::XxHash3_64;

use super::variants::variants_of;
use super::{Defaults, decode};
use crate::row::{IndexValues, Key, Row, whole_schema};
use crate::schema::descriptor::{
    ComputedDef, DefaultKind, FieldDef, IndexBasis, IndexDef, IndexVisitor, KeyKind,
    ReferenceVisitor, ValueTraits,
};

/// Changes with everything about the entries of an index that is not said by the row's own types:
/// how values are encoded, and how entries are kept.
const ENCODING_VERSION: u32 = 4;

/// Visits the values of a stored row for each index; false if the row does not decode, or says
/// it has another key.
pub(crate) fn index_values<R: Row>(json: &[u8], key: &[u8], visit: &mut IndexVisitor<'_>) -> bool {
    let Ok(row) = decode::<R>(json) else { return false };
    if row.key().to_bytes().as_slice() != key {
        return false;
    }
    let values_of = |index: usize, values: &mut IndexValues| row.index_values(index, values);
    visit_values(R::INDEXES, &values_of, visit);
    true
}

fn visit_values(
    indexes: &[IndexDef],
    values_of: &dyn Fn(usize, &mut IndexValues),
    visit: &mut IndexVisitor<'_>,
) {
    let mut values = IndexValues::default();
    for (index, def) in indexes.iter().enumerate() {
        values.clear();
        values_of(index, &mut values);
        let mut traits = ValueTraits { is_cut: values.is_cut, is_null: values.is_null };
        if !def.each {
            visit(index, &values.bytes, traits);
            continue;
        }
        for item in 0..values.ends.len() {
            visit(index, values.value(item), traits);
            // It is about the row, which is to be noted once.
            traits.is_cut = false;
        }
    }
}

/// Visits the references of a stored row; false if the row does not decode.
pub(crate) fn references_of<R: Row>(json: &[u8], visit: &mut ReferenceVisitor<'_>) -> bool {
    let Ok(row) = decode::<R>(json) else { return false };
    row.references(visit);
    true
}

/// Returns the basis of the entries of a table's indexes.
///
/// A computed default and a computed column count by their text; what functions they call do is nothing we
/// could see.
pub(crate) fn index_basis<R: Row>() -> IndexBasis {
    let basis = Basis {
        schema: stable_schema(R::schema_in),
        defaults: Defaults::of::<R>(),
        key: R::Key::KINDS,
        variants_of: variants_of::<R>,
    };
    // How the values of each index are compared, field by field, in the order of the indexes.
    let mut codings = Vec::new();
    R::index_codings(&mut |coding| codings.push(coding.to_owned()));
    basis.of_indexes(R::INDEXES, R::COMPUTED, codings)
}

/// The basis of the entries of a table's indexes, without the type of its rows.
struct Basis {
    schema: Value,
    defaults: Defaults,
    key: &'static [KeyKind],
    variants_of: fn(&str) -> &'static [&'static str],
}

impl Basis {
    fn of_indexes(
        &self,
        indexes: &[IndexDef],
        computed: &[ComputedDef],
        codings: Vec<String>,
    ) -> IndexBasis {
        let mut codings = codings.into_iter();
        let indexes = indexes.iter().map(|index| {
            let mut roots = index.roots.to_vec();
            let mut comparison = if index.each { " each".to_owned() } else { String::new() };
            for ((field, is_path), coding) in index.columns().zip(codings.by_ref()) {
                let computed = computed.iter().find(|computed| is_path && computed.name == field);
                // Writing to a string cannot fail.
                let _ = match computed {
                    Some(ComputedDef { rust_type, code, reads, .. }) => {
                        roots.extend(*reads);
                        write!(comparison, " {coding} {field:?} {rust_type} {code:?}")
                    }
                    None if is_path => write!(comparison, " {coding} {field:?}"),
                    None => write!(comparison, " {coding} {:?}", (self.variants_of)(field)),
                };
            }
            let positions = roots.iter().filter_map(|name| self.position(name));
            self.of_fields(positions.collect(), &comparison)
        });
        let indexes = indexes.collect();
        let all = (0..self.defaults.fields().len()).collect();
        IndexBasis { row: self.of_fields(all, ""), indexes }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.defaults.fields().iter().position(|field| field.name == name)
    }

    /// A hash of all that decides how the fields at these positions read and compare: their names,
    /// types to any depth, defaults, and the fields that these are computed from.
    fn of_fields(&self, mut positions: Vec<usize>, comparison: &str) -> u64 {
        let kinds: Vec<&str> = self.key.iter().map(KeyKind::name).collect();
        let mut basis = format!("{ENCODING_VERSION} {kinds:?}{comparison}");
        let mut types = Types { schema: &self.schema, names: Vec::new() };
        let mut at = 0;
        while let Some(&index) = positions.get(at) {
            at += 1;
            let Some(field) = self.defaults.fields().get(index) else { continue };
            let FieldDef { name, rust_type, aliases, default, nullable, .. } = field;
            // Writing to a string cannot fail.
            let _ = write!(basis, " {name:?} {rust_type:?} {aliases:?} {default:?} {nullable}");
            let _ = write!(basis, " {:?} {}", self.constant(index), types.of_field(name));
            if matches!(default, DefaultKind::Computed(_)) {
                for source in field.reads.iter().filter_map(|name| self.position(name)) {
                    if !positions.contains(&source) {
                        positions.push(source);
                    }
                }
            }
        }
        let mut at = 0;
        while at < types.names.len() {
            let _ = write!(basis, " {}", types.named(at));
            at += 1;
        }
        XxHash3_64::oneshot(basis.as_bytes())
    }

    /// The JSON of a default that reads no other field; nothing if it differs between two looks.
    fn constant(&self, index: usize) -> Option<String> {
        let default = self.defaults.fields().get(index)?.default;
        let default = || match default {
            DefaultKind::Serde => self.defaults.alone(index),
            _ if default.is_evolve() => self.defaults.of_field(&|_| None, index).ok(),
            _ => None,
        };
        default().filter(|first| Some(first) == default().as_ref())
    }
}

/// The JSON Schema of a row, without what differs between two looks at it: a default below the
/// fields of the row that serde takes from a clock, or a set.
fn stable_schema(json_schema: fn(&mut SchemaGenerator) -> Schema) -> Value {
    common(whole_schema(json_schema), whole_schema(json_schema))
}

fn common(first: Value, second: Value) -> Value {
    match (first, second) {
        (first, second) if first == second => first,
        (Value::Object(first), Value::Object(mut second)) => {
            let members = first.into_iter().map(|(name, value)| {
                let other = second.remove(&name).unwrap_or_default();
                (name, common(value, other))
            });
            Value::Object(members.collect())
        }
        (Value::Array(first), Value::Array(second)) if first.len() == second.len() => {
            Value::Array(first.into_iter().zip(second).map(|(a, b)| common(a, b)).collect())
        }
        _ => Value::Null,
    }
}

/// The JSON Schemas of the types that fields refer to, numbered as they come, since the names of
/// types in the code mean nothing.
struct Types<'s> {
    schema: &'s Value,
    names: Vec<String>,
}

impl Types<'_> {
    fn of_field(&mut self, name: &str) -> Value {
        match self.schema.get("properties").and_then(|properties| properties.get(name)) {
            Some(schema) => self.essence(schema),
            // A schema written by hand may name its fields elsewhere: then all of it counts.
            None => self.essence(self.schema),
        }
    }

    /// The schema of the type at a position of `names`.
    fn named(&mut self, at: usize) -> Value {
        let pointer = self.names.get(at).and_then(|name| name.strip_prefix('#'));
        match pointer.and_then(|pointer| self.schema.pointer(pointer)) {
            Some(schema) => self.essence(schema),
            None => Value::Null,
        }
    }

    /// A schema without comments, and with numbers in the place of types' names.
    fn essence(&mut self, schema: &Value) -> Value {
        let keywords = match schema {
            Value::Object(keywords) => keywords,
            Value::Array(schemas) => {
                return schemas.iter().map(|schema| self.essence(schema)).collect();
            }
            other => return other.clone(),
        };
        let mut essence = Map::new();
        for (keyword, value) in keywords {
            let value = match (keyword.as_str(), value) {
                ("title" | "description" | "$schema" | "$comment" | "examples" | "$defs", _) => {
                    continue;
                }
                ("$ref", Value::String(name)) => {
                    let known = self.names.iter().position(|known| known == name);
                    let number = known.unwrap_or_else(|| {
                        self.names.push(name.clone());
                        self.names.len() - 1
                    });
                    number.into()
                }
                // Values, not schemas.
                ("default" | "const" | "enum", value) => value.clone(),
                // Here the names are those of fields, not keywords.
                ("properties" | "patternProperties" | "dependentSchemas", Value::Object(named)) => {
                    let named = named.iter().map(|(name, of)| (name.clone(), self.essence(of)));
                    Value::Object(named.collect())
                }
                (_, value) => self.essence(value),
            };
            essence.insert(keyword.clone(), value);
        }
        Value::Object(essence)
    }
}
