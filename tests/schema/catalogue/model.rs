//! Types made at run time: their JSON Schema as schemars writes it, rows, and how serde reads them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// A type of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    Bool,
    Int(Int),
    Float,
    Text,
    Option(Box<Type>),
    List(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Struct(Fields),
    Enum { units: BTreeSet<String>, data: BTreeMap<String, Fields>, is_open: bool },
}

impl Type {
    /// Whether there is an enum of one unit in it.
    pub fn has_type_of_one_value(&self) -> bool {
        let any = |fields: &Fields| fields.values().any(|field| field.ty.has_type_of_one_value());
        match self {
            Self::Option(inner) | Self::List(inner) | Self::Map(inner) => {
                inner.has_type_of_one_value()
            }
            Self::Tuple(types) => types.iter().any(Self::has_type_of_one_value),
            Self::Struct(fields) => any(fields),
            Self::Enum { units, data, .. } => {
                (units.len() == 1 && data.is_empty()) || data.values().any(any)
            }
            _ => false,
        }
    }
}

/// An integer type, by its format and what it holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Int(pub &'static str, pub i64, pub i64);

pub const INTS: [Int; 5] = [
    Int("uint8", 0, 255),
    Int("int8", -128, 127),
    Int("int32", i32::MIN as i64, i32::MAX as i64),
    Int("uint32", 0, u32::MAX as i64),
    Int("int64", i64::MIN, i64::MAX),
];

pub type Fields = BTreeMap<String, Field>;

/// A field of a struct.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub ty: Type,
    /// Whether serde fills it where it is absent; an `Option` needs no default.
    pub has_default: bool,
}

impl Field {
    /// Returns the value that an absent field reads as.
    pub fn filling(&self) -> Option<Value> {
        match (&self.ty, self.has_default) {
            (Type::Option(_), _) => Some(Value::Null),
            (ty, true) => Some(ty.default()),
            (_, false) => None,
        }
    }
}

impl Type {
    pub fn default(&self) -> Value {
        match self {
            Self::Bool => json!(false),
            Self::Int(_) => json!(0),
            Self::Float => json!(0.0),
            Self::Text => json!(""),
            Self::Option(_) => Value::Null,
            Self::List(_) => json!([]),
            Self::Map(_) => json!({}),
            Self::Tuple(items) => items.iter().map(Self::default).collect(),
            Self::Struct(fields) => {
                fields.iter().map(|(name, field)| (name.clone(), field.ty.default())).collect()
            }
            Self::Enum { units, .. } => json!(units.first().expect("a unit variant")),
        }
    }

    /// The JSON Schema, with structs and enums under names of their own.
    pub fn schema(&self, types: &mut Map<String, Value>) -> Value {
        match self {
            Self::Bool => json!({ "type": "boolean" }),
            Self::Int(Int(format, min, max)) if *max <= 255 => {
                json!({ "type": "integer", "format": format, "minimum": min, "maximum": max })
            }
            Self::Int(Int(format, 0, _)) => {
                json!({ "type": "integer", "format": format, "minimum": 0 })
            }
            Self::Int(Int(format, ..)) => json!({ "type": "integer", "format": format }),
            Self::Float => json!({ "type": "number", "format": "double" }),
            Self::Text => json!({ "type": "string" }),
            Self::Option(inner) => optional(inner.schema(types)),
            Self::List(item) => json!({ "type": "array", "items": item.schema(types) }),
            Self::Map(value) => {
                json!({ "type": "object", "additionalProperties": value.schema(types) })
            }
            Self::Tuple(items) => {
                let (len, items) = (items.len(), items.iter().map(|item| item.schema(types)));
                let items: Vec<Value> = items.collect();
                json!({ "type": "array", "prefixItems": items, "minItems": len, "maxItems": len })
            }
            Self::Struct(fields) => {
                let schema = struct_schema(fields, types);
                named(schema, types)
            }
            Self::Enum { units, data, is_open } => {
                let mut all = Vec::new();
                all.push(json!({ "type": "string", "enum": units }));
                for (name, fields) in data {
                    all.push(json!({
                        "type": "object",
                        "properties": { name: struct_schema(fields, types) },
                        "required": [name],
                        "additionalProperties": false,
                    }));
                }
                let schema = match (is_open, all.len()) {
                    (true, _) => {
                        all.push(json!({ "type": "string" }));
                        json!({ "anyOf": all })
                    }
                    (false, 1) => all.remove(0),
                    (false, _) => json!({ "oneOf": all }),
                };
                named(schema, types)
            }
        }
    }

    /// Values that reach every end of the type, of all ages.
    pub fn values(&self) -> Vec<Value> {
        match self {
            Self::Bool => vec![json!(true), json!(false)],
            Self::Int(Int(_, min, max)) => vec![json!(min), json!(max)],
            Self::Float => vec![json!(1.5), json!(1e300)],
            Self::Text => vec![json!("text"), json!("")],
            Self::Option(inner) => {
                let mut values = inner.values();
                values.push(Value::Null);
                values
            }
            // Each in a list of its own: an old one would make the whole list old.
            Self::List(item) => {
                let lists = item.values().into_iter().map(|value| json!([value]));
                lists.chain([json!([]), json!([item.values()[0], item.values()[0]])]).collect()
            }
            Self::Map(value) => {
                let maps = value.values().into_iter().map(|value| json!({ "key": value }));
                maps.chain([json!({})]).collect()
            }
            Self::Tuple(items) => {
                let all: Vec<Vec<Value>> = items.iter().map(Self::values).collect();
                one_at_a_time(&all).into_iter().map(Value::Array).collect()
            }
            Self::Struct(fields) => struct_values(fields),
            Self::Enum { units, data, is_open } => {
                let mut values: Vec<Value> = units.iter().map(|unit| json!(unit)).collect();
                for (name, fields) in data {
                    values.extend(struct_values(fields).into_iter().map(|of| json!({ name: of })));
                }
                values.extend(is_open.then(|| json!("text")));
                values
            }
        }
    }

    /// A value as serde reads it.
    pub fn read(&self, value: &Value) -> Result<Value, String> {
        let refuse = || Err(format!("{value} is no {self:?}"));
        match (self, value) {
            (Self::Bool, Value::Bool(_)) | (Self::Text, Value::String(_)) => Ok(value.clone()),
            (Self::Int(Int(_, min, max)), Value::Number(number)) => match number.as_i64() {
                Some(n) if (min..=max).contains(&&n) => Ok(value.clone()),
                _ => refuse(),
            },
            (Self::Float, Value::Number(number)) => Ok(json!(number.as_f64())),
            (Self::Option(_), Value::Null) => Ok(Value::Null),
            (Self::Option(inner), value) => inner.read(value),
            (Self::List(item), Value::Array(items)) => {
                items.iter().map(|value| item.read(value)).collect()
            }
            (Self::Tuple(types), Value::Array(items)) if types.len() == items.len() => {
                types.iter().zip(items).map(|(ty, value)| ty.read(value)).collect()
            }
            (Self::Map(ty), Value::Object(values)) => {
                let read = values.iter().map(|(key, value)| Ok((key.clone(), ty.read(value)?)));
                read.collect::<Result<Map<_, _>, String>>().map(Value::Object)
            }
            (Self::Struct(fields), Value::Object(object)) => read_struct(fields, object),
            (Self::Enum { units, is_open, .. }, Value::String(word)) => {
                match *is_open || units.contains(word) {
                    true => Ok(value.clone()),
                    false => refuse(),
                }
            }
            (Self::Enum { data, .. }, Value::Object(object)) => {
                let mut entries = object.iter();
                match (entries.next(), entries.next()) {
                    (Some((name, Value::Object(of))), None) if data.contains_key(name) => {
                        Ok(json!({ name: read_struct(&data[name], of)? }))
                    }
                    _ => refuse(),
                }
            }
            _ => refuse(),
        }
    }

    /// Another value of the same form.
    pub fn nudge(&self, value: &mut Value) {
        match (self, value) {
            (Self::Bool, Value::Bool(flag)) => *flag = !*flag,
            (Self::Int(Int(_, min, max)), value) => {
                *value = if *value == json!(max) { json!(min) } else { json!(max) };
            }
            (Self::Float, value) => *value = json!(-2.5),
            (Self::Text, Value::String(text)) => text.push('.'),
            (Self::Option(inner), value) if !value.is_null() => inner.nudge(value),
            (Self::List(item), Value::Array(items)) => {
                items.iter_mut().for_each(|value| item.nudge(value));
            }
            (Self::Tuple(types), Value::Array(items)) => {
                types.iter().zip(items).for_each(|(ty, value)| ty.nudge(value));
            }
            (Self::Map(ty), Value::Object(values)) => {
                values.values_mut().for_each(|value| ty.nudge(value));
            }
            (Self::Struct(fields), Value::Object(object)) => nudge_struct(fields, object),
            (Self::Enum { data, .. }, Value::Object(object)) => {
                for (name, value) in object.iter_mut() {
                    if let (Some(fields), Value::Object(of)) = (data.get(name), value) {
                        nudge_struct(fields, of);
                    }
                }
            }
            _ => {}
        }
    }
}

fn nudge_struct(fields: &Fields, object: &mut Map<String, Value>) {
    for (name, field) in fields {
        if let Some(value) = object.get_mut(name) {
            field.ty.nudge(value);
        }
    }
}

fn optional(mut schema: Value) -> Value {
    match schema.get("type").cloned() {
        Some(Value::String(name)) if schema.get("enum").is_none() => {
            schema["type"] = json!([name, "null"]);
            schema
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

fn named(schema: Value, types: &mut Map<String, Value>) -> Value {
    let name = format!("Type{}", types.len());
    types.insert(name.clone(), schema);
    json!({ "$ref": format!("#/types/{name}") })
}

fn struct_schema(fields: &Fields, types: &mut Map<String, Value>) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|(name, field)| (name.clone(), field.ty.schema(types))).collect();
    let required = fields.iter().filter(|(_, field)| field.filling().is_none());
    let required: Vec<&String> = required.map(|(name, _)| name).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn read_struct(fields: &Fields, object: &Map<String, Value>) -> Result<Value, String> {
    let read = fields.iter().map(|(name, field)| {
        let value = match (object.get(name), field.filling()) {
            (Some(value), _) => field.ty.read(value)?,
            (None, Some(filling)) => filling,
            (None, None) => return Err(format!("missing field `{name}`")),
        };
        Ok((name.clone(), value))
    });
    read.collect::<Result<Map<_, _>, String>>().map(Value::Object)
}

/// Structs with every field there, and each that may be absent once absent.
fn struct_values(fields: &Fields) -> Vec<Value> {
    let all: Vec<Vec<Value>> = fields.values().map(|field| field.ty.values()).collect();
    let object = |values: Vec<Value>| fields.keys().cloned().zip(values).collect::<Map<_, _>>();
    let mut structs: Vec<Value> =
        one_at_a_time(&all).into_iter().map(|values| Value::Object(object(values))).collect();
    for (name, _) in fields.iter().filter(|(_, field)| field.filling().is_some()) {
        let mut without = structs[0].clone();
        without.as_object_mut().expect("an object").remove(name);
        structs.push(without);
    }
    structs
}

/// The first of each list, and then each of the others once.
fn one_at_a_time(all: &[Vec<Value>]) -> Vec<Vec<Value>> {
    let first: Vec<Value> = all.iter().map(|values| values[0].clone()).collect();
    let mut rows = vec![first.clone()];
    for (index, values) in all.iter().enumerate() {
        for value in &values[1..] {
            let mut row = first.clone();
            row[index] = value.clone();
            rows.push(row);
        }
    }
    rows
}
