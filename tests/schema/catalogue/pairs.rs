//! Every version of a field beside every other: the lint gives what the round trips prove, for
//! pairs that nobody thought of as well.

use heirloom::schema::Schema;
use serde_json::json;

use crate::catalogue::case::texts;
use crate::catalogue::proof::{Version, class_of_facts, round_trips};

struct Member {
    name: &'static str,
    schema: Schema,
    version: Version,
}

/// Row types with a field `value`, each with rows that reach the ends of what it can hold.
macro_rules! family {
    ($(
        version $name:ident { $($fields:tt)* } $(with { $($types:tt)* })? rows $rows:tt
        $(edit $edit:expr;)?
    )*) => {
        $(mod $name {
            #[allow(unused_imports, reason = "not every version needs all")]
            use crate::catalogue::prelude::*;
            $($($types)*)?
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "rows")]
            pub struct Row {
                #[key]
                pub id: u32,
                pub title: String,
                $($fields)*
            }
            #[derive(Store)]
            #[store(name = "catalogue")]
            #[allow(dead_code, reason = "only its schema is used")]
            pub struct App {
                rows: Table<Row>,
            }
        })*

        fn family() -> Vec<Member> {
            vec![$(Member {
                name: stringify!($name),
                schema: $name::App::schema().clone(),
                version: Version::of::<$name::Row>(
                    texts(&json!($rows)),
                    &[|row| row.title.push('!'), $($edit)?],
                ),
            }),*]
        }
    };
}

family! {
    version nothing {} rows [{}]
    version u8_ { pub value: u8, } rows [{ "value": 0 }, { "value": 255 }] edit |row| row.value ^= 1;
    version u8_too { #[serde(alias = "worth")] pub value: u8, }
        rows [{ "value": 0 }, { "value": 255 }, { "worth": 1 }]
    version i32_ { pub value: i32, } rows [{ "value": i32::MIN }, { "value": i32::MAX }]
        edit |row| row.value ^= 1;
    version i64_ { pub value: i64, } rows [{ "value": i64::MIN }, { "value": i64::MAX }]
    version u64_ { pub value: u64, } rows [{ "value": 0 }, { "value": u64::MAX }]
    version nonzero { pub value: std::num::NonZeroU8, } rows [{ "value": 1 }, { "value": 255 }]
    version f32_ { pub value: f32, } rows [{ "value": 1.5 }, { "value": -0.0 }]
    version f64_ { pub value: f64, } rows [{ "value": 1.5 }, { "value": 1e300 }]
    version boolean { pub value: bool, } rows [{ "value": true }, { "value": false }]
    version text { pub value: String, } rows [{ "value": "" }, { "value": "else" }]
        edit |row| row.value.push('.');
    version char_ { pub value: char, } rows [{ "value": "a" }]
    version uuid { pub value: uuid::Uuid, } rows [{ "value": "67e55044-10b1-426f-9247-bb680e5fe0c8" }]
    version optional { pub value: Option<u8>, } rows [{ "value": 255 }, { "value": null }, {}]
        edit |row| row.value = Some(3);
    version optional_text { pub value: Option<String>, } rows [{ "value": "else" }, { "value": null }, {}]
    version defaulted { #[evolve(default = 7)] pub value: u8, } rows [{ "value": 255 }, { "value": 0 }, {}]
    version defaulted_else { #[evolve(default = 8)] pub value: u8, }
        rows [{ "value": 255 }, { "value": 0 }, {}]
    version computed { #[evolve(default = |id| id as u8)] pub value: u8, }
        rows [{ "value": 255 }, { "value": 0 }, {}]
    version optional_defaulted { #[evolve(default = Some(7))] pub value: Option<u8>, }
        rows [{ "value": 255 }, { "value": null }, {}]
    version nullable { pub value: Option<Option<u8>>, } rows [{ "value": 255 }, { "value": null }, {}]
    version list { pub value: Vec<u8>, } rows [{ "value": [] }, { "value": [0, 255, 255] }]
        edit |row| row.value.push(1);
    version list_of_optional { pub value: Vec<Option<u8>>, } rows [{ "value": [0, null, 255] }]
    version list_of_text { pub value: Vec<String>, } rows [{ "value": ["a", "a"] }]
    version set { pub value: BTreeSet<u8>, } rows [{ "value": [0, 1, 255] }]
        edit |row| _ = row.value.insert(2);
    version pair { pub value: (u8, u8), } rows [{ "value": [255, 255] }] edit |row| row.value.0 ^= 1;
    version array { pub value: [u8; 2], } rows [{ "value": [255, 255] }]
    version mixed_pair { pub value: (u8, String), } rows [{ "value": [1, "a"] }]
    version swapped_pair { pub value: (String, u8), } rows [{ "value": ["a", 1] }]
    version map { pub value: BTreeMap<String, u8>, } rows [{ "value": { "mon": 255 } }]
        edit |row| _ = row.value.insert("tue".into(), 1);
    version map_by_number { pub value: BTreeMap<u32, u8>, } rows [{ "value": { "1": 255 } }]
    version map_of_optional { pub value: BTreeMap<String, Option<u8>>, }
        rows [{ "value": { "mon": 255, "tue": null } }]
    version anything { pub value: serde_json::Value, }
        rows [{ "value": [1, "a"] }, { "value": { "a": {} } }, { "value": null }, { "value": -1.5 }]
    version small { pub value: Inner, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub struct Inner { pub n: u8 }
        }
        rows [{ "value": { "n": 255 } }]
        edit |row| row.value.n ^= 1;
    version with_note { pub value: Inner, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub struct Inner { pub n: u8, pub note: Option<String> }
        }
        rows [{ "value": { "n": 255, "note": "a" } }, { "value": { "n": 0, "note": null } }]
        edit |row| row.value.n ^= 1;
    version with_default { pub value: Inner, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub struct Inner { pub n: u8, #[serde(default)] pub m: u8 }
        }
        rows [{ "value": { "n": 255, "m": 255 } }, { "value": { "n": 1 } }]
        edit |row| row.value.n ^= 1;
    version with_required { pub value: Inner, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub struct Inner { pub n: u8, pub m: u8 }
        }
        rows [{ "value": { "n": 255, "m": 255 } }]
    version only_note { pub value: Inner, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub struct Inner { pub note: Option<String> }
        }
        rows [{ "value": { "note": "a" } }, { "value": { "note": null } }, { "value": {} }]
    version list_of_small { pub value: Vec<Inner>, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub struct Inner { pub n: u8 }
        }
        rows [{ "value": [{ "n": 255 }, { "n": 1 }] }]
        edit |row| row.value.iter_mut().for_each(|inner| inner.n ^= 1);
    version list_with_note { pub value: Vec<Inner>, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub struct Inner { pub n: u8, pub note: Option<String> }
        }
        rows [{ "value": [{ "n": 255, "note": "a" }, { "n": 1, "note": null }] }]
        edit |row| row.value.iter_mut().for_each(|inner| inner.n ^= 1);
    version map_of_small { pub value: BTreeMap<String, Inner>, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub struct Inner { pub n: u8 }
        }
        rows [{ "value": { "a": { "n": 255 } } }]
        edit |row| row.value.values_mut().for_each(|inner| inner.n ^= 1);
    version map_with_note { pub value: BTreeMap<String, Inner>, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub struct Inner { pub n: u8, pub note: Option<String> }
        }
        rows [{ "value": { "a": { "n": 255, "note": "a" } } }]
    version optional_small { pub value: Option<Inner>, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub struct Inner { pub n: u8 }
        }
        rows [{ "value": { "n": 255 } }, { "value": null }, {}]
        edit |row| if let Some(inner) = &mut row.value { inner.n ^= 1 };
    version optional_with_note { pub value: Option<Inner>, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub struct Inner { pub n: u8, pub note: Option<String> }
        }
        rows [{ "value": { "n": 255, "note": "a" } }, { "value": null }, {}]
    version tree { pub value: Inner, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub struct Inner { pub n: u8, pub next: Option<Box<Inner>> }
        }
        rows [{ "value": { "n": 255, "next": { "n": 1, "next": null } } }]
        edit |row| if let Some(next) = &mut row.value.next { next.n ^= 1 };
    version tree_with_note { pub value: Inner, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub struct Inner { pub n: u8, pub next: Option<Box<Inner>>, pub note: Option<String> }
        }
        rows [{ "value": { "n": 255, "next": { "n": 1, "next": null, "note": "a" }, "note": "a" } }]
    version two { pub value: Choice, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub enum Choice { A, B }
        }
        rows [{ "value": "A" }, { "value": "B" }]
        edit |row| row.value = two::Choice::A;
    version three { pub value: Choice, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub enum Choice {
                A,
                /// Documented, which schemars writes otherwise.
                B,
                C,
            }
        }
        rows [{ "value": "A" }, { "value": "B" }, { "value": "C" }]
    version two_open { pub value: Choice, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub enum Choice { A, B, #[serde(untagged)] Else(String) }
        }
        rows [{ "value": "A" }, { "value": "B" }, { "value": "else" }]
    version three_open { pub value: Choice, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub enum Choice { A, B, C, #[serde(untagged)] Else(String) }
        }
        rows [{ "value": "A" }, { "value": "C" }, { "value": "else" }]
    version external { pub value: Choice, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub enum Choice { A, B { n: u8 } }
        }
        rows [{ "value": "A" }, { "value": { "B": { "n": 255 } } }]
        edit |row| if let external::Choice::B { n } = &mut row.value { *n ^= 1 };
    version external_with_note { pub value: Choice, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub enum Choice { A, B { n: u8, note: Option<String> } }
        }
        rows [{ "value": "A" }, { "value": { "B": { "n": 255, "note": "a" } } }]
    version internal { pub value: Choice, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            #[serde(tag = "kind")]
            pub enum Choice { A, B { n: u8 } }
        }
        rows [{ "value": { "kind": "A" } }, { "value": { "kind": "B", "n": 255 } }]
        edit |row| if let internal::Choice::B { n } = &mut row.value { *n ^= 1 };
    version internal_with_note { pub value: Choice, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            #[serde(tag = "kind")]
            pub enum Choice { A, B { n: u8, note: Option<String> } }
        }
        rows [{ "value": { "kind": "A" } }, { "value": { "kind": "B", "n": 255, "note": "a" } }]
    version adjacent { pub value: Choice, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            #[serde(tag = "kind", content = "data")]
            pub enum Choice { A, B { n: u8 } }
        }
        rows [{ "value": { "kind": "A" } }, { "value": { "kind": "B", "data": { "n": 255 } } }]
    version untagged { pub value: Choice, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            #[serde(untagged)]
            pub enum Choice { Number(u8), Text(String) }
        }
        rows [{ "value": 255 }, { "value": "else" }]
    version untagged_with_flag { pub value: Choice, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            #[serde(untagged)]
            pub enum Choice { Number(u8), Flag(bool), Text(String) }
        }
        rows [{ "value": 255 }, { "value": "else" }, { "value": true }]
    version untagged_structs { pub value: Choice, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            #[serde(untagged)]
            pub enum Choice { All { all: Vec<Choice> }, Not { not: Box<Choice> }, Leaf(u8) }
        }
        rows [{ "value": { "all": [1, { "not": 2 }] } }, { "value": 255 }]
    version open_data { pub value: Choice, }
        with {
            #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
            pub enum Choice { A, B { n: u8 }, #[serde(untagged)] Else(serde_json::Value) }
        }
        rows [{ "value": "A" }, { "value": { "B": { "n": 255 } } }, { "value": -1.5 }]
}

#[test]
fn every_pair_has_the_class_it_proves() {
    let family = family();
    let mut wrong = Vec::new();
    for old in &family {
        for new in &family {
            let diff = old.schema.diff(&new.schema);
            let outcome = round_trips(&old.version, &new.version);
            if class_of_facts(&diff) != outcome.class() {
                wrong.push(format!("{} → {}\n{diff}\n{outcome:#?}", old.name, new.name));
            }
        }
    }
    let count = family.len() * family.len();
    assert!(wrong.is_empty(), "{} of {count} pairs:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn a_version_does_not_differ_from_itself() {
    for member in family() {
        let diff = member.schema.diff(&member.schema);
        assert!(diff.is_empty(), "{}\n{diff}", member.name);
    }
}
