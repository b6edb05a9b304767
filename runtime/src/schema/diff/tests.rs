//! Rules, one by one, on JSON Schemas as schemars writes them; and schemas that no derive writes.

use serde_json::{Value, json};

use super::{Change, Class, Diff, Operation, Rule};
use crate::schema::Schema;

/// A schema of one table with one field of this JSON Schema.
fn of(schema: Value) -> Schema {
    of_types(schema, json!({}))
}

fn of_types(schema: Value, types: Value) -> Schema {
    let id = json!({
        "type": "u32", "default": { "kind": "required" },
        "schema": { "type": "integer", "format": "uint32", "minimum": 0 },
    });
    let value = json!({ "type": "T", "default": { "kind": "required" }, "schema": schema });
    let rows = json!({
        "key": { "field": "id", "kind": "unsigned" },
        "fields": { "id": id, "value": value },
    });
    serde_json::from_value(json!({ "epoch": 0, "tables": { "rows": rows }, "types": types }))
        .unwrap()
}

fn rules(diff: &Diff) -> Vec<&str> {
    diff.iter().map(Change::rule).collect()
}

/// The rules and places of the changes from one JSON Schema of a field to another.
#[track_caller]
fn check(old: Value, new: Value, expected: &[(&str, &str)]) {
    let (old, new) = (of(old), of(new));
    let diff = old.diff(&new);
    let found: Vec<(&str, &str)> =
        diff.iter().map(|change| (change.rule(), change.field().unwrap_or(""))).collect();
    assert_eq!(found, expected, "{diff}");
    assert!(old.diff(&old).is_empty());
    assert!(new.diff(&new).is_empty());
}

fn int(format: &str) -> Value {
    json!({ "type": "integer", "format": format })
}

#[test]
fn numbers() {
    check(int("int32"), int("int64"), &[("number-widened", "value")]);
    check(int("int64"), int("int32"), &[("number-narrowed", "value")]);
    check(int("int64"), int("uint64"), &[("number-narrowed", "value")]);
    check(int("int"), int("int64"), &[]);
    check(int("uint64"), int("uint"), &[]);
    check(
        int("int32"),
        json!({ "type": "number", "format": "double" }),
        &[("integer-to-float", "value")],
    );
    check(json!({ "type": "number" }), int("int32"), &[("float-to-integer", "value")]);
    let float = |format| json!({ "type": "number", "format": format });
    check(float("float"), float("double"), &[("number-widened", "value")]);
    check(float("double"), float("float"), &[("number-narrowed", "value")]);
    check(
        json!({ "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255 }),
        json!({ "type": "integer", "format": "uint8", "minimum": 1, "maximum": 255 }),
        &[("number-narrowed", "value")],
    );
    check(
        json!({ "type": "integer", "format": "int8", "not": { "const": 0 } }),
        int("int8"),
        &[("number-widened", "value")],
    );
}

#[test]
fn limits() {
    let range = |min: i64, max: i64| json!({ "type": "integer", "format": "int32", "minimum": min, "maximum": max });
    check(range(1, 5), range(1, 6), &[("limit-loosened", "value")]);
    check(range(1, 5), range(2, 5), &[("limit-tightened", "value")]);
    let both = [("limit-tightened", "value"), ("limit-loosened", "value")];
    check(range(1, 5), range(2, 6), &both);
    check(
        json!({ "type": "integer", "format": "int32", "exclusiveMinimum": 0 }),
        json!({ "type": "integer", "format": "int32", "minimum": 1 }),
        &[],
    );
    let text = |keyword: &str, value: Value| json!({ "type": "string", keyword: value });
    let plain = json!({ "type": "string" });
    check(plain.clone(), text("maxLength", json!(5)), &[("limit-tightened", "value")]);
    check(text("minLength", json!(5)), plain.clone(), &[("limit-loosened", "value")]);
    check(plain.clone(), text("minLength", json!(0)), &[]);
    check(
        text("pattern", json!("a")),
        text("pattern", json!("b")),
        &[("pattern-changed", "value")],
    );
    check(plain.clone(), text("pattern", json!("a")), &[("limit-tightened", "value")]);
    check(text("pattern", json!("a")), plain, &[("limit-loosened", "value")]);
    let list = |max: u8| json!({ "type": "array", "items": true, "maxItems": max });
    check(list(3), list(2), &[("limit-tightened", "value")]);
}

#[test]
fn texts() {
    let format = |format: &str| json!({ "type": "string", "format": format });
    let plain = json!({ "type": "string" });
    check(plain.clone(), format("uuid"), &[("type-changed", "value")]);
    check(format("date"), format("date-time"), &[("type-changed", "value")]);
    // Formats that no type stands behind, and those of a newer schemars.
    check(plain.clone(), format("email"), &[("unjudged-difference", "value")]);
    check(format("date-time"), format("moment"), &[("unjudged-difference", "value")]);
    let id = |table: &str| {
        let pattern = format!("^{table}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$");
        json!({ "type": "string", "pattern": pattern })
    };
    check(id("tags"), id("labels"), &[("reference-changed", "value")]);
    check(id("tags"), plain, &[("type-changed", "value")]);
}

#[test]
fn places_are_named() {
    let of = |leaf: Value| {
        json!({
            "type": "object",
            "properties": {
                "by_day": { "type": "object", "additionalProperties": {
                    "type": "array", "items": { "type": "array", "prefixItems": [
                        { "type": "string" },
                        { "oneOf": [
                            { "type": "string", "enum": ["Open"] },
                            {
                                "type": "object", "properties": { "Failed": leaf },
                                "required": ["Failed"], "additionalProperties": false,
                            },
                        ] },
                    ], "minItems": 2, "maxItems": 2 },
                } },
            },
            "required": ["by_day"],
        })
    };
    check(
        of(json!({ "type": "string" })),
        of(json!({ "type": "boolean" })),
        &[("type-changed", "value.by_day{}[][1].Failed")],
    );
}

#[test]
fn what_is_not_stored_is_no_change() {
    let old = of_types(
        json!({ "$ref": "#/types/A" }),
        json!({ "A": { "type": "object", "properties": { "n": { "type": "string" } }, "required": ["n"] } }),
    );
    let new = of(json!({
        "title": "B", "description": "Documented.", "examples": [{ "n": "" }], "deprecated": true,
        "type": "object", "required": ["n"], "$comment": "c",
        "properties": { "n": { "type": "string", "default": "a", "readOnly": true } },
    }));
    assert!(old.diff(&new).is_empty(), "{}", old.diff(&new));
    assert!(new.diff(&old).is_empty());
    // A union of one, and of texts that are written one by one.
    check(
        json!({ "type": "string", "enum": ["A", "B"] }),
        json!({ "oneOf": [
            { "const": "B", "type": "string", "description": "the second" },
            { "type": "string", "enum": ["A"] },
        ] }),
        &[],
    );
    check(
        json!({ "type": ["string", "null"] }),
        json!({ "anyOf": [{ "type": "null" }, { "type": "string" }] }),
        &[],
    );
    check(json!({ "allOf": [{ "type": "string" }] }), json!({ "type": "string" }), &[]);
    check(json!({}), json!(true), &[]);
}

#[test]
fn an_array_of_a_fixed_length_is_a_tuple() {
    let int = json!({ "type": "boolean" });
    check(
        json!({ "type": "array", "items": int, "minItems": 2, "maxItems": 2 }),
        json!({ "type": "array", "prefixItems": [int, int], "minItems": 2, "maxItems": 2 }),
        &[],
    );
}

#[test]
fn what_is_not_understood_is_at_most_doubtful() {
    let plain = json!({ "type": "object", "properties": { "n": { "type": "string" } } });
    let unknown: [(&str, Value); 8] = [
        ("x-new", json!(1)),
        ("if", json!({ "type": "string" })),
        ("not", json!({ "type": "number" })),
        ("propertyNames", json!({ "maxLength": 3 })),
        ("dependentSchemas", json!({ "n": true })),
        ("$dynamicRef", json!("#x")),
        ("contains", json!([])),
        ("type", json!(["object", "decimal"])),
    ];
    for (keyword, value) in unknown {
        let mut more = plain.clone();
        more[keyword] = value;
        check(plain.clone(), more.clone(), &[("unjudged-difference", "value")]);
        check(more, plain.clone(), &[("unjudged-difference", "value")]);
    }
}

#[test]
fn renames_are_hints_and_never_guesses() {
    let object = |names: &[&str]| {
        let properties: serde_json::Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
        json!({ "type": "object", "properties": properties, "required": names })
    };
    let (old, new) = (of(object(&["a", "keep"])), of(object(&["b", "c", "keep"])));
    let diff = old.diff(&new);
    let hints: Vec<_> = diff.iter().filter(|change| change.is_candidate()).collect();
    let pairs: Vec<_> = hints.iter().map(|change| (change.old(), change.new())).collect();
    assert_eq!(pairs, [(Some("a"), Some("b")), (Some("a"), Some("c"))]);
    assert_eq!(hints[0].operation(), Operation::RenameField);
    assert_eq!((hints[0].rule(), hints[0].class()), ("field-renamed-inside", Class::Warn));
    let facts: Vec<_> = diff.iter().filter(|change| !change.is_candidate()).collect();
    let facts: Vec<_> = facts.iter().map(|change| change.operation()).collect();
    assert_eq!(facts, [Operation::RemoveField, Operation::AddField, Operation::AddField]);

    // The same name in another case is told apart from what else is possible.
    let diff = of(object(&["first_name", "keep"])).diff(&of(object(&["firstName", "b", "keep"])));
    let hints: Vec<_> = diff.iter().filter(|change| change.is_candidate()).collect();
    assert_eq!(hints.len(), 1, "{diff}");
    assert_eq!(hints[0].rule(), "field-case-changed");
}

#[test]
fn a_removal_that_is_declared_is_no_rename() {
    let field = json!({ "type": "T", "default": { "kind": "optional" }, "schema": { "type": ["string", "null"] } });
    let (mut old, mut new) = (of(json!(true)), of(json!(true)));
    let fields = |schema: &mut Schema, name: &str| {
        let field = serde_json::from_value(field.clone()).unwrap();
        schema.tables.get_mut("rows").unwrap().fields.insert(name.to_owned(), field);
    };
    fields(&mut old, "was");
    fields(&mut new, "is");
    let diff = old.diff(&new);
    assert_eq!(rules(&diff), ["field-removed", "field-added-optional", "field-renamed"]);
    assert!(diff.breaking().next().unwrap().advice().unwrap().contains("rename = \"was\""));
    let reserved = json!({ "table": "rows", "field": "was" });
    new.reserved.insert(serde_json::from_value(reserved).unwrap());
    let diff = old.diff(&new);
    assert_eq!(rules(&diff), ["field-removed", "field-added-optional"]);
    assert_eq!(diff.class(), Class::Warn);
}

#[test]
fn a_hint_that_nobody_can_answer_does_not_break() {
    let open = |names: &[&str]| json!({ "anyOf": [{ "type": "string", "enum": names }, { "type": "string" }] });
    let changes = [
        ("variant-removed-from-open", "value.A"),
        ("variant-added-to-open", "value.C"),
        ("variant-renamed-in-open", "value.C"),
    ];
    check(open(&["A", "B"]), open(&["B", "C"]), &changes);
    let optional = |name: &str| json!({ "type": "object", "properties": { name: { "type": ["string", "null"] } } });
    let diff = of(optional("a")).diff(&of(optional("b")));
    assert_eq!(diff.class(), Class::Warn, "{diff}");
}

#[test]
fn indexes_are_compared_by_their_fields() {
    let indexed = |indexes: Value| {
        let mut schema = of(json!(true));
        let rows = schema.tables.get_mut("rows").unwrap();
        rows.indexes = serde_json::from_value(indexes).unwrap();
        schema
    };
    let plain = json!([{ "fields": ["value"] }]);
    let unique = json!([{ "fields": ["value"], "unique": true }]);
    let cases = [
        (json!([]), plain.clone(), vec!["index-added"]),
        (plain.clone(), json!([]), vec!["index-removed"]),
        (json!([]), unique.clone(), vec!["uniqueness-added"]),
        (plain.clone(), unique.clone(), vec!["uniqueness-added"]),
        (unique.clone(), plain.clone(), vec!["uniqueness-removed"]),
        (plain.clone(), json!([{ "fields": ["value"] }, { "fields": ["value"] }]), vec![]),
    ];
    for (old, new, expected) in cases {
        assert_eq!(rules(&indexed(old).diff(&indexed(new))), expected);
    }
}

#[test]
fn what_newer_code_recorded_is_read() {
    let recorded = json!([
        { "operation": "AddTrigger", "rule": "trigger-added", "class": "curious", "table": "rows",
          "why": ["a key", "of later"] },
        { "operation": "AddField", "rule": "field-added-optional", "class": "additive",
          "table": "rows", "field": "n", "new": "text" },
    ]);
    let diff: Diff = serde_json::from_value(recorded).unwrap();
    let changes: Vec<&Change> = diff.iter().collect();
    assert_eq!(changes[0].operation(), Operation::Unknown);
    assert_eq!((changes[0].rule(), changes[0].class()), ("trigger-added", Class::Breaking));
    assert_eq!(changes[0].advice(), None);
    assert_eq!(changes[1].class(), Class::Additive);
    let again: Diff = serde_json::from_value(serde_json::to_value(&diff).unwrap()).unwrap();
    assert_eq!(again.len(), 2);
    for class in [Class::Additive, Class::Default, Class::Warn, Class::Breaking, Class::Error] {
        let json = serde_json::to_value(class).unwrap();
        assert_eq!(json, class.to_string());
        assert_eq!(serde_json::from_value::<Class>(json).unwrap(), class);
    }
}

#[test]
fn a_report_names_place_and_way_out() {
    let diff = of(json!({ "type": "string" })).diff(&of(json!({ "type": "boolean" })));
    let expected = "\
class     rule          where       change
breaking  type-changed  rows.value  text → boolean
          keep the type; add a new field beside it with `#[evolve(default = |value| …)]`, or raise \
                    the epoch";
    assert_eq!(diff.to_string(), expected);
    let change = diff.iter().next().unwrap();
    assert_eq!(
        change.to_string(),
        "breaking: type-changed, table `rows`, field `value`: text → boolean"
    );
    assert_eq!(Diff::default().to_string(), "no changes");
    assert!(diff.needs_epoch());
}

#[test]
fn breaking_changes_have_advice() {
    for rule in Rule::all().iter().filter(|rule| rule.class() >= Class::Breaking) {
        assert!(!rule.advice.is_empty(), "{}", rule.id());
    }
}

#[test]
fn recursive_types_are_compared_once() {
    let tree = |leaf: Value| {
        of_types(
            json!({ "$ref": "#/types/Tree" }),
            json!({
                "Tree": { "type": "object", "required": ["kids", "other"], "properties": {
                    "kids": { "type": "array", "items": { "$ref": "#/types/Tree" } },
                    "other": { "$ref": "#/types/Other" },
                } },
                "Other": { "type": "object", "required": ["leaf"], "properties": {
                    "leaf": leaf,
                    "back": { "anyOf": [{ "$ref": "#/types/Tree" }, { "type": "null" }] },
                } },
            }),
        )
    };
    let diff = tree(json!({ "type": "string" })).diff(&tree(json!({ "type": "boolean" })));
    assert_eq!(diff.class(), Class::Breaking);
    let places: Vec<_> = diff.iter().filter_map(Change::field).collect();
    assert_eq!(places, ["value.other.leaf"]);
}

#[test]
fn no_schema_makes_it_panic_or_hang() {
    let mut deep = json!({ "type": "string" });
    for _ in 0..100 {
        deep = json!({ "type": "array", "items": deep });
    }
    let mut chain = serde_json::Map::new();
    let mut doubling = serde_json::Map::new();
    for i in 0..2000 {
        let next = json!({ "$ref": format!("#/types/T{}", i + 1) });
        chain.insert(format!("T{i}"), json!({ "type": "array", "items": next }));
    }
    for i in 0..24 {
        let next = json!({ "$ref": format!("#/types/T{}", i + 1) });
        doubling.insert(format!("T{i}"), json!({ "anyOf": [next, next, { "type": "null" }] }));
    }
    let wide: Vec<Value> = (0..5000).map(|i| json!({ "const": i })).collect();
    let structs: Vec<Value> = (0..300)
        .map(|i| json!({ "type": "object", "properties": { format!("p{i}"): true } }))
        .collect();
    let first = json!({ "$ref": "#/types/T0" });
    let schemas = [
        of(json!(null)),
        of(json!(7)),
        of(json!("text")),
        of(json!([[], {}])),
        of(json!(true)),
        of(json!(false)),
        of(json!({ "type": 7, "enum": "x", "properties": [], "required": {}, "anyOf": {} })),
        of(json!({ "type": "integer", "minimum": 1e300, "maximum": "x", "multipleOf": null })),
        of(json!({ "type": "array", "minItems": u64::MAX, "maxItems": u64::MAX, "items": 3 })),
        of(json!({ "$ref": "#/types/Nowhere" })),
        of(json!({ "$ref": "https://example.com" })),
        of_types(first.clone(), json!({ "T0": { "$ref": "#/types/T0" } })),
        of_types(
            first.clone(),
            json!({ "T0": { "anyOf": [{ "$ref": "#/types/T0" }, { "$ref": "#/types/T1" }] },
                    "T1": { "allOf": [{ "$ref": "#/types/T0" }, { "$ref": "#/types/T1" }] } }),
        ),
        of(deep),
        of_types(first.clone(), Value::Object(chain)),
        of_types(first, Value::Object(doubling)),
        of(json!({ "oneOf": wide })),
        of(json!({ "anyOf": structs })),
        of(json!({ "oneOf": [false], "anyOf": [true] })),
        of(json!({ "allOf": [{ "anyOf": [true, false] }, { "anyOf": [{}, {}] }], "not": {} })),
    ];
    // So that even a schema and itself are compared place by place.
    let mut others = schemas.to_vec();
    for other in &mut others {
        other.reserved.insert(serde_json::from_value(json!({ "field": "" })).unwrap());
    }
    for (i, old) in schemas.iter().enumerate() {
        for (j, new) in others.iter().enumerate() {
            let diff = old.diff(new);
            _ = diff.to_string();
            if i == j {
                assert!(diff.is_empty(), "{i}: {diff}");
            }
        }
    }
}

#[test]
fn computed_defaults_are_compared_as_they_are_recorded() {
    let of_code = |code: &str| -> Schema {
        let mut schema = of(json!({ "type": "string" }));
        let fields = &mut schema.tables.get_mut("rows").unwrap().fields;
        let default = json!({ "kind": "computed", "code": code });
        fields.get_mut("value").unwrap().default = serde_json::from_value(default).unwrap();
        schema
    };
    // Space in a text is a part of the value.
    let (old, new) = (of_code("|id| label(id, \" \")"), of_code("|id| label(id, \"\")"));
    let diff = old.diff(&new);
    assert_eq!(rules(&diff), ["default-changed"]);
    assert!(diff.to_string().contains("label(id, \" \")"), "{diff}");
    assert!(old.diff(&old).is_empty());
}
