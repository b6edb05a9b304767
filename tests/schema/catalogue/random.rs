//! Random types and random changes to them: the lint gives what the round trips prove.

use std::collections::{BTreeMap, BTreeSet};

use heirloom::__private::patch_json;
use heirloom::schema::{Class, Schema};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::catalogue::model::{Field, Fields, INTS, Type};
use crate::catalogue::proof::{Version, class_of_facts, round_trips};
use crate::support::random::Random;

/// Types and changes from a seed, so that a failing pair can be made again.
struct Dice(Random);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0.below(sides)
    }

    fn ty(&mut self, depth: usize) -> Type {
        let inner = |dice: &mut Self| Box::new(dice.ty(depth - 1));
        match self.roll(if depth == 0 { 5 } else { 12 }) {
            0 => Type::Bool,
            1 | 2 => Type::Int(INTS[self.roll(INTS.len())]),
            3 => Type::Float,
            4 => Type::Text,
            5 => match self.ty(depth - 1) {
                // An `Option<Option<_>>` inside a value is an `Option`, to serde.
                Type::Option(inner) => *inner,
                inner => Type::Option(Box::new(inner)),
            },
            6 => Type::List(inner(self)),
            7 => Type::Map(inner(self)),
            8 => Type::Tuple((0..1 + self.roll(3)).map(|_| self.ty(depth - 1)).collect()),
            9 | 10 => Type::Struct(self.fields(depth - 1)),
            _ => {
                let units = (0..1 + self.roll(3)).map(|_| self.name("Unit"));
                let units = units.collect();
                let data = (0..self.roll(2)).map(|_| (self.name("Data"), self.fields(depth - 1)));
                let data = data.collect();
                Type::Enum { units, data, is_open: self.roll(3) == 0 }
            }
        }
    }

    /// At least one field is always there: a struct of which nothing needs to be there reads as
    /// much as a map does.
    fn fields(&mut self, depth: usize) -> Fields {
        let mut fields: Fields = (0..self.roll(3)).map(|_| self.field(depth)).collect();
        let must = Field { ty: Type::Int(INTS[0]), has_default: false };
        fields.insert("must".into(), must);
        fields
    }

    fn field(&mut self, depth: usize) -> (String, Field) {
        let ty = self.ty(depth);
        (self.name("field"), Field { ty, has_default: self.roll(2) == 0 })
    }

    fn name(&mut self, of: &str) -> String {
        format!("{of}{}", self.roll(4))
    }

    /// Another type, a step away.
    fn change(&mut self, ty: &Type) -> Type {
        match (self.roll(8), ty) {
            (0, _) => self.ty(2),
            (1, Type::Option(inner)) => (**inner).clone(),
            (1, ty) => Type::Option(Box::new(ty.clone())),
            (2, ty) => Type::List(Box::new(ty.clone())),
            (_, Type::Option(inner)) => match self.change(inner) {
                Type::Option(inner) => *inner,
                inner => Type::Option(Box::new(inner)),
            },
            (_, Type::List(item)) => Type::List(Box::new(self.change(item))),
            (_, Type::Map(value)) => Type::Map(Box::new(self.change(value))),
            (_, Type::Tuple(items)) => {
                let mut items = items.clone();
                let index = self.roll(items.len());
                match self.roll(4) {
                    0 => items.push(self.ty(1)),
                    _ => items[index] = self.change(&items[index]),
                }
                Type::Tuple(items)
            }
            (_, Type::Struct(fields)) => Type::Struct(self.change_fields(fields)),
            (_, Type::Enum { units, data, is_open }) => {
                let (mut units, mut data, mut is_open) = (units.clone(), data.clone(), *is_open);
                match self.roll(6) {
                    0 | 1 => _ = units.insert(self.name("Unit")),
                    2 if units.len() > 1 => _ = units.pop_first(),
                    3 => is_open = !is_open,
                    4 => _ = data.insert(self.name("Data"), self.fields(1)),
                    _ => {
                        if let Some(fields) = data.values_mut().next() {
                            *fields = self.change_fields(fields);
                        }
                    }
                }
                Type::Enum { units, data, is_open }
            }
            (_, Type::Int(_)) => Type::Int(INTS[self.roll(INTS.len())]),
            (_, ty) => ty.clone(),
        }
    }

    fn change_fields(&mut self, fields: &Fields) -> Fields {
        let mut fields = fields.clone();
        let others: Vec<String> = fields.keys().filter(|name| *name != "must").cloned().collect();
        let other = (!others.is_empty()).then(|| others[self.roll(others.len())].clone());
        match (self.roll(5), other) {
            (0 | 1, _) | (_, None) => {
                let (name, field) = self.field(1);
                fields.entry(name).or_insert(field);
            }
            (2, Some(name)) => _ = fields.remove(&name),
            (3, Some(name)) => {
                if let Some(field) = fields.get_mut(&name) {
                    field.has_default = !field.has_default;
                }
            }
            (_, Some(name)) => {
                if let Some(field) = fields.get_mut(&name) {
                    field.ty = self.change(&field.ty);
                }
            }
        }
        fields
    }
}

/// A row type with these fields beside its key.
fn schema(fields: &Fields) -> Schema {
    let mut types = Map::new();
    let mut described = Map::new();
    let key = Field { ty: Type::Int(INTS[3]), has_default: false };
    for (name, field) in fields.iter().chain([(&"id".to_owned(), &key)]) {
        let default = match field.filling() {
            None => json!({ "kind": "required" }),
            Some(Value::Null) => json!({ "kind": "optional" }),
            Some(value) => json!({ "kind": "constant", "value": value }),
        };
        let schema = field.ty.schema(&mut types);
        described
            .insert(name.clone(), json!({ "type": "T", "default": default, "schema": schema }));
    }
    let key = json!({ "field": "id", "kind": "unsigned" });
    let rows = json!({ "key": key, "fields": described });
    serde_json::from_value(json!({ "epoch": 0, "tables": { "rows": rows }, "types": types }))
        .expect("a schema")
}

fn version(fields: &Fields) -> Version {
    let ty = Type::Struct(fields.clone());
    let mut types = Map::new();
    let mut schema = ty.schema(&mut types);
    schema["types"] = types.into();
    let read = move |stored: &str| -> Result<Value, String> {
        ty.read(&serde_json::from_str(stored).map_err(|error| error.to_string())?)
    };
    let edits = fields.iter().map(|(name, field)| {
        let (read, schema) = (read.clone(), schema.clone());
        let (name, ty) = (name.clone(), field.ty.clone());
        let edit = move |stored: &str| {
            let before = read(stored)?;
            let mut after = before.clone();
            ty.nudge(&mut after[&name]);
            let written = patch_json(&schema, stored, &before.to_string(), &after.to_string());
            let written = written.expect("objects are patched");
            assert_eq!(read(&written)?, after, "a write reads as what was written");
            Ok(written)
        };
        Box::new(edit) as crate::catalogue::proof::Change
    });
    Version {
        rows: Type::Struct(fields.clone()).values().iter().map(Value::to_string).collect(),
        fields: fields.keys().map(|name| (name.clone(), Vec::new())).collect(),
        edits: edits.collect(),
        view: Box::new(read),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_lint_gives_what_the_trips_prove(seed: u64, steps in 0..4_usize) {
        prove(seed, steps)?;
    }
}

/// Two elements of a tuple that take each other's value stay where they are, with what is not known of
/// them.
#[test]
fn the_elements_of_a_tuple_do_not_move() {
    prove(1693939875231314805, 1).unwrap();
}

fn prove(seed: u64, steps: usize) -> Result<(), TestCaseError> {
    let mut dice = Dice(Random::new(seed));
    let old = dice.fields(3);
    let new = (0..steps).fold(old.clone(), |fields, _| dice.change_fields(&fields));
    // Of a type with one value no write can lose another, whatever the lint fears.
    prop_assume!(!Type::Struct(new.clone()).has_type_of_one_value());
    let diff = schema(&old).diff(&schema(&new));
    let outcome = round_trips(&version(&old), &version(&new));
    let told = format!("{old:#?}\n{new:#?}\n{diff}\n{outcome:#?}");
    prop_assert_eq!(class_of_facts(&diff), outcome.class(), "{}", told);
    prop_assert!(schema(&old).diff(&schema(&old)).is_empty());
    prop_assert_eq!(diff.is_empty(), schema(&old).fingerprint() == schema(&new).fingerprint());
    Ok(())
}

/// A property that never meets a class holds nothing about it.
#[test]
fn random_changes_are_of_every_class() {
    let mut met: BTreeMap<Class, usize> = BTreeMap::new();
    let mut rules = BTreeSet::new();
    for seed in 0..2000 {
        let mut dice = Dice(Random::new(seed));
        let old = dice.fields(3);
        let new = dice.change_fields(&old);
        let diff = schema(&old).diff(&schema(&new));
        *met.entry(class_of_facts(&diff)).or_default() += 1;
        rules.extend(diff.iter().map(|change| change.rule().to_owned()));
    }
    for class in [Class::Additive, Class::Default, Class::Warn, Class::Breaking] {
        assert!(met.get(&class).is_some_and(|&count| count > 20), "{met:?}");
    }
    assert!(rules.len() > 20, "{} {rules:?}", rules.len());
}
