//! Fingerprints tell exactly what is stored: nothing that only the code shows, all that the data
//! shows.

use std::collections::{BTreeMap, BTreeSet};

use heirloom::schema::Schema;
use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The fingerprint of a store with one table, of which these are the fields beside the key.
macro_rules! fingerprint {
    ($($fields:tt)*) => {{
        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "rows")]
        struct Row {
            #[key]
            id: u32,
            $($fields)*
        }
        #[derive(Store)]
        #[store(name = "app")]
        struct App {
            #[allow(dead_code)]
            rows: Table<Row>,
        }
        let fingerprint = App::schema().fingerprint();
        let again: Schema =
            serde_json::from_str(&serde_json::to_string(&App::schema()).unwrap()).unwrap();
        assert_eq!(again.fingerprint(), fingerprint, "as data it is the same");
        fingerprint
    }};
}

/// A type of this shape and name.
macro_rules! ty {
    ($($item:tt)*) => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        $($item)*
    };
}

mod first {
    use super::*;

    ty! {
        pub enum Status { Pending, Failed { why: String } }
    }
    ty! {
        pub struct Town { pub name: String, pub zip: Option<u32> }
    }
    ty! {
        pub struct Tree { pub label: String, pub children: Vec<Tree> }
    }
    ty! {
        pub enum Plain { A, B }
    }
    ty! {
        #[serde(transparent)]
        pub struct Name(pub String);
    }
}

/// The same on the wire.
mod second {
    use super::*;

    ty! {
        /// With docs.
        #[serde(rename = "Whatever")]
        pub enum State {
            /// Of a variant.
            #[serde(rename = "Failed")]
            Broken {
                /// Of a field.
                #[serde(rename = "why")]
                reason: String,
            },
            Pending,
        }
    }
    ty! {
        pub struct Place { pub zip: Option<u32>, #[serde(rename = "name")] pub called: String }
    }
    ty! {
        pub struct Node { pub children: Vec<Node>, pub label: String }
    }
    ty! {
        pub enum Letters {
            /// Documented variants are listed in another way.
            B,
            /// As schemars has it.
            A,
        }
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "recordings")]
struct Recording {
    id: Id<Recording>,
    title: String,
    transcript: Option<String>,
    #[evolve(default)]
    duration: f64,
    #[evolve(default = |transcript| u8::from(transcript.is_some()))]
    priority: u8,
    #[evolve(default = first::Plain::A)]
    plain: first::Plain,
    town: first::Town,
    tree: first::Tree,
    status: first::Status,
    tags: BTreeSet<String>,
    counts: BTreeMap<String, (u8, i64)>,
}

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
struct Settings {
    #[evolve(default = "en")]
    language: String,
}

#[derive(Store)]
#[store(name = "whispering")]
#[allow(dead_code)]
struct Whispering {
    recordings: Table<Recording>,
    settings: Kv<Settings>,
}

/// Recorded histories refer to versions by these: they never change.
#[test]
fn fingerprints_are_the_same_in_every_build_and_release() {
    assert_eq!(Whispering::schema().fingerprint(), "d5c11bafd3c50f21b90ac5b19c877cc0");
    assert_eq!(fingerprint!(), "8e9c5cd8b7799709db4259223215fb11");
    assert_eq!(fingerprint!(town: first::Town,), "0ffd875cbcbf593eff0317d433b37616");
    assert_eq!(fingerprint!(tree: first::Tree,), "98ca45b9a8e75bfb656b01cafb056592");
}

#[test]
fn what_only_the_code_shows_makes_no_difference() {
    let plain = fingerprint!(a: String, #[evolve(default = 3)] b: u8,);
    // The order of fields, docs, names in Rust, the way a constant is written, indexes.
    const THREE: u8 = 3;
    assert_eq!(fingerprint!(#[evolve(default = 3)] b: u8, a: String,), plain);
    assert_eq!(
        fingerprint!(
            /// The title.
            a: String,
            #[evolve(default = THREE)]
            #[serde(rename = "b")]
            count: u8,
        ),
        plain
    );
    assert_eq!(fingerprint!(a: std::string::String, #[evolve(default = 1 + 2)] b: u8,), plain);
    assert_eq!(fingerprint!(a: first::Name, #[evolve(default = 3)] b: u8,), plain);
    assert_eq!(fingerprint!(a: Box<str>, #[evolve(default = 3)] b: u8,), plain);

    assert_eq!(
        fingerprint!(#[index] a: String, #[index(unique)] #[evolve(default = 3)] b: u8,),
        plain
    );
    // Nor if a default is computed from fields.
    assert_eq!(
        fingerprint!(
            #[serde(rename = "first-name")]
            first: String,
            #[serde(rename = "type")]
            kind: u8,
            #[evolve(default = |first, kind| first.len() + usize::from(kind))]
            x: usize,
        ),
        fingerprint!(
            #[serde(rename = "first-name")]
            given: String,
            r#type: u8,
            #[evolve(default = |given, r#type| given.len() + usize::from(r#type))]
            x: usize,
        )
    );
    assert_eq!(fingerprint!(x: second::State,), fingerprint!(x: first::Status,));
    assert_eq!(fingerprint!(x: second::Place,), fingerprint!(x: first::Town,));
    assert_eq!(fingerprint!(x: second::Node,), fingerprint!(x: first::Tree,));
    assert_eq!(fingerprint!(x: second::Letters,), fingerprint!(x: first::Plain,));
    assert_eq!(
        fingerprint!(x: Vec<second::Letters>, y: second::Letters,),
        fingerprint!(y: first::Plain, x: Vec<first::Plain>,)
    );
}

/// Facts that make no difference to the fingerprint are told all the same.
#[test]
fn a_schema_tells_keys_indexes_defaults_and_types_as_written() {
    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "people", unique(city, name))]
    struct Person {
        #[key]
        email: String,
        #[index]
        city: String,
        #[evolve(default = "")]
        name: String,
    }
    #[derive(Store)]
    #[store(name = "app")]
    #[allow(dead_code)]
    struct App {
        people: Table<Person>,
    }
    let people = serde_json::to_value(&App::schema().tables["people"]).unwrap();
    assert_eq!(people["key"], serde_json::json!({ "field": "email", "kind": "text" }));
    assert_eq!(
        people["indexes"],
        serde_json::json!([
            { "fields": ["city"], "unique": false },
            { "fields": ["city", "name"], "unique": true },
        ])
    );
    assert_eq!(
        people["fields"]["name"],
        serde_json::json!({
            "type": "String",
            "default": { "kind": "constant", "value": "" },
            "schema": { "type": "string" },
        })
    );
}

#[test]
fn a_default_that_is_a_set_has_no_order() {
    fn words() -> std::collections::HashSet<String> {
        ["a", "b", "c", "d", "e", "f", "g", "h"].map(str::to_owned).into()
    }
    let one = fingerprint!(#[serde(default = "words")] a: std::collections::HashSet<String>,);
    let other = fingerprint!(#[serde(default = "words")] a: std::collections::HashSet<String>,);
    assert_eq!(one, other);
}

#[test]
fn what_the_data_shows_makes_a_difference() {
    mod nested {
        use super::*;
        ty! {
            pub enum Status { Pending, Failed { why: Option<String> } }
        }
        ty! {
            #[serde(tag = "kind")]
            pub enum Tagged { Pending, Failed { why: String } }
        }
        ty! {
            #[serde(untagged)]
            pub enum Untagged { Pending, Failed { why: String } }
        }
        ty! {
            pub struct Deep { pub a: Vec<Option<first::Town>> }
        }
        ty! {
            pub struct Deeper { pub a: Vec<Option<Renamed>> }
        }
        ty! {
            pub struct Renamed { pub name: String, pub plz: Option<u32> }
        }
        ty! {
            pub struct Tree { pub label: String, pub children: Vec<Branch> }
        }
        ty! {
            pub struct Branch { pub label: Option<String>, pub children: Vec<Tree> }
        }
        ty! {
            pub enum Three { A, B, C }
        }
        ty! {
            pub struct Ranged { #[schemars(range(max = 10))] pub n: u8 }
        }
        ty! {
            pub struct Ranged2 { #[schemars(range(max = 11))] pub n: u8 }
        }
    }
    let all = [
        fingerprint!(),
        fingerprint!(a: String,),
        fingerprint!(b: String,),
        fingerprint!(#[serde(rename = "c")] a: String,),
        fingerprint!(#[serde(alias = "c")] a: String,),
        fingerprint!(a: Option<String>,),
        fingerprint!(a: Option<Option<String>>,),
        fingerprint!(#[evolve(default)] a: String,),
        fingerprint!(#[evolve(default = "x")] a: String,),
        fingerprint!(#[evolve(default = |id| id.to_string())] a: String,),
        fingerprint!(#[evolve(default = |id| (id + 1).to_string())] a: String,),
        fingerprint!(a: u8,),
        fingerprint!(a: u16,),
        fingerprint!(a: i64,),
        fingerprint!(a: u64,),
        fingerprint!(a: f64,),
        fingerprint!(a: bool,),
        fingerprint!(a: Vec<u8>,),
        fingerprint!(a: BTreeSet<u8>,),
        fingerprint!(a: (u8, u8),),
        fingerprint!(a: (u8, u8, u8),),
        fingerprint!(a: [u8; 3],),
        fingerprint!(a: BTreeMap<String, u8>,),
        fingerprint!(a: BTreeMap<String, u16>,),
        fingerprint!(a: first::Plain,),
        fingerprint!(a: nested::Three,),
        fingerprint!(a: first::Status,),
        fingerprint!(a: nested::Status,),
        fingerprint!(a: nested::Tagged,),
        fingerprint!(a: nested::Untagged,),
        fingerprint!(a: first::Town,),
        fingerprint!(a: nested::Deep,),
        fingerprint!(a: nested::Deeper,),
        fingerprint!(a: first::Tree,),
        fingerprint!(a: nested::Tree,),
        fingerprint!(a: nested::Ranged,),
        fingerprint!(a: nested::Ranged2,),
        fingerprint!(a: Id<Recording>,),
        fingerprint!(a: uuid::Uuid,),
    ];
    let distinct: BTreeSet<&String> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn names_of_tables_and_groups_keys_and_the_epoch_make_a_difference() {
    let schema = serde_json::to_value(Whispering::schema()).unwrap();
    let changed = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut schema = schema.clone();
        change(&mut schema);
        serde_json::from_value::<Schema>(schema).unwrap().fingerprint()
    };
    let rename = |value: &mut serde_json::Value, from: &str, to: &str| {
        let members = value.as_object_mut().unwrap();
        let moved = members.remove(from).unwrap();
        members.insert(to.to_owned(), moved);
    };
    let all = [
        changed(&|_| {}),
        changed(&|schema| schema["epoch"] = 1.into()),
        changed(&|schema| rename(&mut schema["tables"], "recordings", "records")),
        changed(&|schema| rename(&mut schema["groups"], "settings", "options")),
        changed(&|schema| schema["tables"]["recordings"]["key"]["field"] = "title".into()),
        changed(&|schema| schema["tables"]["recordings"]["key"]["kind"] = "text".into()),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    // Nor do members that a newer heirloom may add.
    assert_eq!(changed(&|schema| schema["novelty"] = 1.into()), all[0]);
}

/// schemars writes one of the two for an enum; a schema written by hand may have both.
#[test]
fn all_keywords_of_a_json_schema_make_a_difference() {
    let schema = serde_json::to_value(Whispering::schema()).unwrap();
    let with = |json_schema: serde_json::Value| {
        let mut schema = schema.clone();
        schema["tables"]["recordings"]["fields"]["title"]["schema"] = json_schema;
        serde_json::from_value::<Schema>(schema).unwrap().fingerprint()
    };
    let choices = |keyword: &str, limit: u32| serde_json::json!({ keyword: [{ "type": "integer", "maximum": limit }, { "type": "null" }] });
    let both = |one: serde_json::Value, other: serde_json::Value| {
        let mut both = one;
        both.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        both
    };
    let all = [
        with(choices("oneOf", 1)),
        with(both(choices("oneOf", 1), choices("anyOf", 1))),
        with(both(choices("oneOf", 2), choices("anyOf", 1))),
        with(both(choices("oneOf", 1), choices("anyOf", 2))),
        with(serde_json::json!({ "const": 1 })),
        with(serde_json::json!({ "const": 1, "enum": [1, 2] })),
        with(serde_json::json!({ "const": 2, "enum": [1, 2] })),
        with(serde_json::json!({ "const": 2, "enum": [2, 3] })),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert_eq!(with(choices("anyOf", 1)), all[0]);

    // A reference is what it refers to, wherever it stands.
    let dependent = |ty: &str| {
        let ty = serde_json::json!({ "$ref": format!("#/types/{ty}") });
        with(serde_json::json!({ "type": "object", "dependentSchemas": { "zip": ty } }))
    };
    assert_eq!(dependent("Town"), dependent("Town"));
    assert_ne!(dependent("Town"), dependent("Tree"));
}

/// A keyword of JSON Schema is not one if it is the name of a field.
#[test]
fn fields_with_the_names_of_keywords_are_kept() {
    ty! {
        #[schemars(extend("dependentRequired" = { "title": ["default"], "default": ["title"] }))]
        struct Page { title: Option<String>, default: Option<String> }
    }
    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    struct Row {
        #[key]
        number: u32,
        page: Page,
    }
    #[derive(Store)]
    #[allow(dead_code)]
    struct App {
        rows: Table<Row>,
    }
    assert_eq!(
        App::schema().types["Page"]["dependentRequired"],
        serde_json::json!({ "title": ["default"], "default": ["title"] })
    );
}

#[test]
fn a_schema_from_elsewhere_may_be_anything() {
    let parse = |types: serde_json::Value| {
        let schema = serde_json::json!({
            "epoch": 0,
            "tables": { "t": {
                "key": { "field": "id", "kind": "id" },
                "fields": { "a": {
                    "type": "X", "default": { "kind": "required" }, "schema": { "$ref": "#/types/A" }
                } },
            } },
            "types": types,
        });
        serde_json::from_value::<Schema>(schema).unwrap().fingerprint()
    };
    let odd = [
        serde_json::json!({}),
        serde_json::json!({ "A": true }),
        serde_json::json!({ "A": 5 }),
        serde_json::json!({ "A": { "$ref": "#/types/A" } }),
        serde_json::json!({ "A": { "$ref": 7 } }),
        serde_json::json!({ "A": { "anyOf": [] } }),
        serde_json::json!({ "A": { "enum": 3, "properties": [], "required": "x" } }),
    ];
    assert_eq!(odd.iter().map(|types| parse(types.clone())).collect::<BTreeSet<_>>().len(), 7);

    // Forty types, each with two fields of the next: 2^40 paths, and no more work than forty.
    let wide: serde_json::Map<_, _> = (0..40)
        .map(|index| {
            let next = serde_json::json!({ "$ref": format!("#/types/T{}", index + 1) });
            let ty = serde_json::json!({ "properties": { "a": next, "b": next } });
            (if index == 0 { "A".to_owned() } else { format!("T{index}") }, ty)
        })
        .collect();
    assert_eq!(parse(wide.clone().into()), parse(wide.into()));
}
