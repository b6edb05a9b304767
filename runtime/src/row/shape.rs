//! [`Shape`]: the facts about a type's values that its JSON Schema states: which of them are sets,
//! maps or tuples, and which variant of an enum a value is.
//!
//! It is only used to tell values apart, never to refuse one. Where a schema says nothing, or is
//! written by hand and says something wrong, a value is taken as the text it is.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::Record;
use super::json::{JsonValue, Kind};

/// How many schemas are asked about a value in a variant, at most: those of recursive types without
/// a tag could be asked for ever.
const MAX_STEPS: usize = 4096;

/// How the text of an id's pattern ends: see [`Id`](super::Id).
const ID_PATTERN: &str = "_[0-7][0-9a-hjkmnp-tv-z]{25}$";

/// The JSON Schema of a record, compiled. That of a default says nothing.
#[derive(Debug, Default)]
pub struct Shape {
    schemas: Vec<Schema>,
    root: usize,
}

/// One schema, those inside it by their index.
#[derive(Debug, Default)]
struct Schema {
    is_never: bool,
    /// The kinds of value it allows, as bits; 0 if it does not say.
    kinds: u8,
    is_integer: bool,
    minimum: Option<f64>,
    maximum: Option<f64>,
    /// The only values that it allows, as text.
    values: Vec<String>,
    properties: BTreeMap<String, usize>,
    required: Vec<String>,
    /// The schemas of the values of a map.
    values_of_map: Vec<usize>,
    /// Whether there are no members but the named ones.
    is_closed: bool,
    is_set: bool,
    is_tuple: bool,
    is_id: bool,
    prefix: Vec<usize>,
    items: Option<usize>,
    /// The schemas that apply as well.
    all: Vec<usize>,
    /// Lists of schemas, of each of which one applies.
    choices: Vec<Vec<usize>>,
    /// Whether something in it comes in no order.
    sorts: bool,
    /// Whether it has alternatives that JSON alone may not tell apart.
    is_ambiguous: bool,
}

/// The shape of a record, made at first use and kept.
#[derive(Debug)]
pub struct ShapeOnce(OnceLock<Shape>);

impl ShapeOnce {
    /// One that is made at first use.
    #[expect(clippy::new_without_default, reason = "it stands in a static")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The shape of the record, which has a JSON Schema.
    pub fn of<T: Record>(&self) -> &Shape {
        self.get(T::schema_in)
    }

    fn get(&self, json_schema: fn(&mut SchemaGenerator) -> schemars::Schema) -> &Shape {
        self.0.get_or_init(|| Shape::compile(&whole_schema(json_schema)))
    }
}

/// The JSON Schema of a type, with those of the types in it.
pub(crate) fn whole_schema(json_schema: fn(&mut SchemaGenerator) -> schemars::Schema) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = json_schema(&mut generator);
    let types = generator.take_definitions(true);
    if !types.is_empty() {
        schema.insert("$defs".to_owned(), types.into());
    }
    schema.to_value()
}

impl Shape {
    /// The shape of a record of which nothing is known.
    pub(super) const NOTHING: Self = Self { schemas: Vec::new(), root: 0 };

    /// The shape of a JSON Schema.
    pub(crate) fn compile(schema: &Value) -> Self {
        let mut compiler = Compiler { whole: schema, schemas: Vec::new(), named: BTreeMap::new() };
        let root = compiler.schema(schema);
        let mut shape = Self { schemas: compiler.schemas, root };
        shape.spread(|schema| schema.sorts, |schema| schema.sorts = true);
        shape.spread(|schema| schema.is_ambiguous, |schema| schema.is_ambiguous = true);
        shape
    }

    /// Says of each schema what is so of one inside it.
    fn spread(&mut self, is_so: impl Fn(&Schema) -> bool, say: impl Fn(&mut Schema)) {
        loop {
            let of_part = |part: usize| self.schemas.get(part).is_some_and(&is_so);
            let news: Vec<usize> = (0..self.schemas.len())
                .filter(|&index| !is_so(&self.schemas[index]))
                .filter(|&index| self.schemas[index].parts().any(of_part))
                .collect();
            if news.is_empty() {
                return;
            }
            news.into_iter().for_each(|index| say(&mut self.schemas[index]));
        }
    }

    /// The facts about the whole.
    pub(crate) fn whole(&self) -> Known<'_> {
        Known { shape: self, schemas: vec![self.root] }
    }

    /// The facts about a field of a record.
    pub(crate) fn field(&self, name: &str) -> Known<'_> {
        let properties = self.schemas.get(self.root).map(|schema| &schema.properties);
        let field = properties.and_then(|properties| properties.get(name));
        Known { shape: self, schemas: field.copied().into_iter().collect() }
    }
}

impl Schema {
    fn parts(&self) -> impl Iterator<Item = usize> {
        let properties = self.properties.values().chain(&self.values_of_map);
        let lists = self.prefix.iter().chain(&self.items);
        let also = self.all.iter().chain(self.choices.iter().flatten());
        properties.chain(lists).chain(also).copied()
    }
}

struct Compiler<'v> {
    whole: &'v Value,
    schemas: Vec<Schema>,
    /// The types that schemas refer to by name.
    named: BTreeMap<String, usize>,
}

impl Compiler<'_> {
    fn schema(&mut self, schema: &Value) -> usize {
        let index = self.schemas.len();
        self.schemas.push(Schema::default());
        let compiled = match schema {
            Value::Bool(false) => Schema { is_never: true, ..Schema::default() },
            Value::Object(keywords) => {
                if std::ptr::eq(schema, self.whole) {
                    self.named.insert("#".to_owned(), index);
                }
                self.keywords(keywords)
            }
            _ => Schema::default(),
        };
        self.schemas[index] = compiled;
        index
    }

    fn keywords(&mut self, keywords: &Map<String, Value>) -> Schema {
        let mut schema = Schema::default();
        match keywords.get("type") {
            Some(Value::String(name)) => schema.allow(name),
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).for_each(|name| schema.allow(name));
            }
            _ => {}
        }
        let number = |name: &str| keywords.get(name).and_then(Value::as_f64);
        (schema.minimum, schema.maximum) = (number("minimum"), number("maximum"));
        schema.values.extend(keywords.get("const").map(Value::to_string));
        if let Some(Value::Array(values)) = keywords.get("enum") {
            schema.values.extend(values.iter().map(Value::to_string));
        }
        if let Some(Value::Object(named)) = keywords.get("properties") {
            for (name, property) in named {
                let property = self.schema(property);
                schema.properties.insert(name.clone(), property);
            }
        }
        if let Some(Value::Array(names)) = keywords.get("required") {
            schema.required.extend(names.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        if let Some(Value::Object(patterns)) = keywords.get("patternProperties") {
            schema.values_of_map.extend(patterns.values().map(|values| self.schema(values)));
        }
        for name in ["additionalProperties", "unevaluatedProperties"] {
            match keywords.get(name) {
                Some(Value::Bool(false)) => schema.is_closed = name == "additionalProperties",
                Some(values) => schema.values_of_map.push(self.schema(values)),
                None => {}
            }
        }
        schema.is_set = keywords.get("uniqueItems") == Some(&Value::Bool(true));
        if let Some(Value::Array(items)) = keywords.get("prefixItems") {
            schema.is_tuple = true;
            schema.prefix = items.iter().map(|item| self.schema(item)).collect();
        }
        schema.items = keywords.get("items").map(|items| self.schema(items));
        schema.is_id = keywords
            .get("pattern")
            .and_then(Value::as_str)
            .is_some_and(|pattern| pattern.ends_with(ID_PATTERN));
        if let Some(Value::String(reference)) = keywords.get("$ref") {
            schema.all.extend(self.reference(reference));
        }
        if let Some(Value::Array(schemas)) = keywords.get("allOf") {
            schema.all.extend(schemas.iter().map(|also| self.schema(also)).collect::<Vec<_>>());
        }
        for name in ["oneOf", "anyOf"] {
            if let Some(Value::Array(schemas)) = keywords.get(name) {
                let choices: Vec<usize> = schemas.iter().map(|one| self.schema(one)).collect();
                // The `null` of an `Option` is told from everything else.
                let others = schemas.iter().filter(|one| one["type"] != "null").count();
                schema.is_ambiguous |= name == "anyOf" && others > 1;
                schema.choices.push(choices);
            }
        }
        schema.sorts = schema.is_set || !schema.values_of_map.is_empty();
        schema
    }

    /// The schema that is referred to.
    fn reference(&mut self, reference: &str) -> Option<usize> {
        if let Some(&known) = self.named.get(reference) {
            return Some(known);
        }
        let pointer = percent_decoded(reference.strip_prefix('#')?);
        let schema = self.whole.pointer(&pointer)?;
        // Known before it is read, since it may refer to itself.
        let index = self.schemas.len();
        self.named.insert(reference.to_owned(), index);
        self.schema(schema);
        Some(index)
    }
}

impl Schema {
    fn allow(&mut self, name: &str) {
        self.is_integer |= name == "integer";
        self.kinds |= match name {
            "null" => bit(Kind::Null),
            "boolean" => bit(Kind::Bool),
            "integer" | "number" => bit(Kind::Number),
            "string" => bit(Kind::Text),
            "array" => bit(Kind::Array),
            "object" => bit(Kind::Object),
            _ => 0,
        };
    }
}

fn bit(kind: Kind) -> u8 {
    1 << kind as u8
}

fn percent_decoded(text: &str) -> String {
    let (bytes, mut decoded, mut at) = (text.as_bytes(), Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).filter(|_| byte == b'%');
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The schemas that apply to a value, before the value is looked at.
#[derive(Debug, Clone)]
pub(crate) struct Known<'s> {
    shape: &'s Shape,
    schemas: Vec<usize>,
}

impl<'s> Known<'s> {
    fn schemas(&self) -> impl Iterator<Item = &'s Schema> {
        self.schemas.iter().filter_map(|&index| self.shape.schemas.get(index))
    }

    /// Returns whether something in such a value comes in no order.
    pub(crate) fn sorts(&self) -> bool {
        self.schemas().any(|schema| schema.sorts)
    }

    /// Returns whether such a value has alternatives that JSON alone may not tell apart.
    pub(crate) fn is_ambiguous(&self) -> bool {
        self.schemas().any(|schema| schema.is_ambiguous)
    }

    /// The member of a struct whose values have such alternatives.
    pub(crate) fn ambiguous_member(&self) -> Option<&'s str> {
        let is_ambiguous =
            |index: usize| self.shape.schemas.get(index).is_some_and(|schema| schema.is_ambiguous);
        let mut members = self.schemas().flat_map(|schema| &schema.properties);
        members.find(|&(_, &index)| is_ambiguous(index)).map(|(name, _)| name.as_str())
    }

    /// Returns whether a value meets all of them; without any, it does.
    #[cfg(feature = "csv")]
    pub(crate) fn is_met_by(&self, value: JsonValue<'_>) -> bool {
        let mut steps = MAX_STEPS;
        self.schemas.iter().all(|&index| self.shape.meets(index, value, true, &mut steps))
    }

    /// The schemas that apply to this value, the variant that it is among them.
    pub(crate) fn of(&self, value: JsonValue<'_>) -> Facts<'s> {
        let mut facts =
            Facts { known: Known { shape: self.shape, schemas: Vec::new() }, variant: Vec::new() };
        let (mut open, mut steps) = (self.schemas.clone(), MAX_STEPS);
        while let Some(index) = open.pop() {
            let Some(schema) = self.shape.schemas.get(index) else { continue };
            if facts.known.schemas.contains(&index) {
                continue;
            }
            facts.known.schemas.push(index);
            open.extend(&schema.all);
            for (list, choices) in schema.choices.iter().enumerate() {
                let Some(chosen) = self.shape.choose(choices, value, &mut steps) else { continue };
                open.push(choices[chosen]);
                // Beside fields of a struct, it is an enum that was flattened into them.
                if schema.properties.is_empty() {
                    facts.variant.push((index, list, chosen));
                }
            }
        }
        facts.variant.sort_unstable();
        facts
    }
}

impl Shape {
    /// The first of several schemas that a value meets.
    fn choose(&self, choices: &[usize], value: JsonValue<'_>, steps: &mut usize) -> Option<usize> {
        let may = |&(_, index): &(usize, &usize)| self.meets(*index, value, false, &mut 64);
        let mut likely = choices.iter().enumerate().filter(may);
        let first = likely.next();
        let Some(second) = likely.next() else { return first.map(|(chosen, _)| chosen) };
        first
            .into_iter()
            .chain([second])
            .chain(likely)
            .find(|(_, index)| self.meets(**index, value, true, steps))
            .map(|(chosen, _)| chosen)
    }

    /// Returns whether a value meets a schema; at a glance, or to all depths.
    fn meets(&self, index: usize, value: JsonValue<'_>, deep: bool, steps: &mut usize) -> bool {
        let Some(schema) = self.schemas.get(index) else { return true };
        if *steps == 0 {
            return true;
        }
        *steps -= 1;
        schema.allows(value)
            && self.members_meet(schema, value, deep, steps)
            && (!deep || self.elements_meet(schema, value, steps))
            && schema.all.iter().all(|&also| self.meets(also, value, deep, steps))
            && (!deep || {
                let mut lists = schema.choices.iter();
                lists.all(|list| list.iter().any(|&one| self.meets(one, value, deep, steps)))
            })
    }

    fn members_meet(
        &self,
        schema: &Schema,
        value: JsonValue<'_>,
        deep: bool,
        steps: &mut usize,
    ) -> bool {
        if value.kind() != Kind::Object {
            return true;
        }
        if schema.required.iter().any(|name| value.member(name).is_none()) {
            return false;
        }
        value.members().all(|member| match schema.properties.get(&*member.name()) {
            // The tag of a variant is all that a glance is for.
            Some(&property) => {
                let is_tag = self.schemas.get(property).is_some_and(|tag| !tag.values.is_empty());
                !(deep || is_tag) || self.meets(property, member.value, deep, steps)
            }
            None if schema.values_of_map.is_empty() => !schema.is_closed,
            None => {
                let mut values = schema.values_of_map.iter();
                !deep || values.any(|&values| self.meets(values, member.value, deep, steps))
            }
        })
    }

    fn elements_meet(&self, schema: &Schema, value: JsonValue<'_>, steps: &mut usize) -> bool {
        value.elements().enumerate().all(|(nth, element)| {
            let item = schema.prefix.get(nth).or(schema.items.as_ref());
            item.is_none_or(|&item| self.meets(item, element, true, steps))
        })
    }
}

impl Schema {
    fn allows(&self, value: JsonValue<'_>) -> bool {
        let (kind, text) = (value.kind(), value.text());
        if self.is_never || (self.kinds != 0 && self.kinds & bit(kind) == 0) {
            return false;
        }
        if kind == Kind::Number {
            let number = text.parse::<f64>().unwrap_or_default();
            let is_fraction = self.is_integer && text.contains(['.', 'e', 'E']);
            let is_beyond = self.minimum.is_some_and(|minimum| number < minimum)
                || self.maximum.is_some_and(|maximum| number > maximum);
            if is_fraction || is_beyond {
                return false;
            }
        }
        self.values.is_empty() || self.values.iter().any(|allowed| allowed == text)
    }
}

/// The facts about one value.
#[derive(Debug)]
pub(crate) struct Facts<'s> {
    known: Known<'s>,
    /// Which variants it is of which enums.
    variant: Vec<(usize, usize, usize)>,
}

impl<'s> Facts<'s> {
    fn schemas(&self) -> impl Iterator<Item = &'s Schema> {
        self.known.schemas()
    }

    /// Returns whether both are values of the same variant.
    pub(crate) fn is_same_variant(&self, other: &Self) -> bool {
        self.variant == other.variant
    }

    /// Returns whether the order of its elements means nothing.
    pub(crate) fn is_set(&self) -> bool {
        self.schemas().any(|schema| schema.is_set)
    }

    /// Returns whether its elements are told apart by their positions.
    pub(crate) fn is_tuple(&self) -> bool {
        self.schemas().any(|schema| schema.is_tuple)
    }

    /// Returns whether its schema says what the members are.
    pub(crate) fn has_members(&self) -> bool {
        self.schemas()
            .any(|schema| !schema.properties.is_empty() || !schema.values_of_map.is_empty())
    }

    /// Returns whether a member is a field of a struct.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.schemas().any(|schema| schema.properties.contains_key(name))
    }

    /// Returns whether members that are not fields of a struct are entries of a map.
    pub(crate) fn is_map(&self) -> bool {
        self.schemas().any(|schema| !schema.values_of_map.is_empty())
    }

    /// The facts about a member.
    pub(crate) fn member(&self, name: &str) -> Known<'s> {
        let named = self.schemas().filter_map(|schema| schema.properties.get(name).copied());
        let mut schemas: Vec<usize> = named.collect();
        if schemas.is_empty() {
            schemas.extend(self.schemas().flat_map(|schema| &schema.values_of_map));
        }
        Known { shape: self.known.shape, schemas }
    }

    /// The facts about an element.
    pub(crate) fn element(&self, nth: usize) -> Known<'s> {
        let of = |schema: &'s Schema| schema.prefix.get(nth).or(schema.items.as_ref()).copied();
        Known { shape: self.known.shape, schemas: self.schemas().filter_map(of).collect() }
    }

    /// The names of the members that are an `Id<_>`.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &'s str> {
        let shape = self.known.shape;
        self.schemas().flat_map(move |schema| {
            let is_id = move |property: usize| shape.schemas.get(property).is_some_and(|s| s.is_id);
            let ids = schema.properties.iter().filter(move |&(_, &property)| is_id(property));
            ids.map(|(name, _)| name.as_str())
        })
    }
}
