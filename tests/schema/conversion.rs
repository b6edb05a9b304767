//! Conversions of rows and groups from one epoch to the next.
#![allow(dead_code, reason = "the stores are there for their schemas")]

use heirloom::__private::{Converted, ConvertedGroup, Failure, SourceDef, StoreDef};
use heirloom::Store;
use heirloom::schema::Record;

/// The JSON of a row that was stored so many conversions ago, as of now.
fn convert(def: &StoreDef, table: &str, steps: u32, json: &str) -> Result<Converted, Failure> {
    let table = def.tables.iter().find(|def| def.name == table).expect("a table of that name");
    (table.convert)(steps, json)
}

#[track_caller]
fn converted(def: &StoreDef, table: &str, steps: u32, json: &str) -> String {
    convert(def, table, steps, json).expect("it converts").json
}

/// A kv group that was stored so many conversions ago, as of now.
fn group(def: &StoreDef, group: &str, steps: u32, entries: &[(&str, &str)]) -> ConvertedGroup {
    let group = def.groups.iter().find(|def| def.name == group).expect("a group of that name");
    let entries = entries.iter().map(|(name, json)| ((*name).to_owned(), (*json).to_owned()));
    (group.convert)(steps, &entries.collect())
}

/// Three epochs of one store.
mod epochs {
    pub mod v0 {
        use heirloom::{Id, Kv, Store, Table};
        use schemars::JsonSchema;
        use serde::{Deserialize, Serialize};

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "recordings")]
        pub struct Recording {
            pub id: Id<Recording>,
            pub text: String,
            pub completed: bool,
            // A private field is taken apart by its own epoch.
            duration: f32,
            tags: Vec<Id<Tag>>,
            parent: Option<Id<Recording>>,
            legacy_path: Option<String>,
            note: Option<String>,
        }

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "tags")]
        pub struct Tag {
            pub id: Id<Tag>,
            pub name: String,
        }

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "scratch")]
        pub struct Scratch {
            #[key]
            pub name: String,
        }

        #[derive(Serialize, Deserialize, JsonSchema, Kv)]
        #[kv(name = "settings")]
        #[serde(rename_all = "camelCase")]
        pub struct Settings {
            #[evolve(default = "en")]
            pub ui_language: String,
            #[evolve(default)]
            pub volume: u8,
            pub last_synced_at: Option<String>,
        }

        #[derive(Store)]
        #[store(name = "whispering")]
        pub struct Whispering {
            pub recordings: Table<Recording>,
            pub tags: Table<Tag>,
            pub scratch: Table<Scratch>,
            pub settings: Kv<Settings>,
        }
    }

    pub mod v1 {
        use heirloom::{Id, Kv, Store, Table};
        use schemars::JsonSchema;
        use serde::{Deserialize, Serialize};

        use super::v0;

        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Status {
            Pending,
            Transcribed,
        }

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "recordings", previous = v0::Recording, removes(legacy_path))]
        #[serde(rename_all = "camelCase")]
        pub struct Recording {
            pub id: Id<Recording>,
            #[evolve(renamed_from = "text")]
            pub title: String,
            #[evolve(with = |completed| {
                if completed { Status::Transcribed } else { Status::Pending }
            })]
            pub status: Status,
            pub duration: f64,
            pub tags: Vec<Id<super::v1::Tag>>,
            pub parent: Option<Id<Recording>>,
            #[evolve(default = "nothing noted")]
            pub note: Option<String>,
            #[evolve(with = |completed, text| completed && !text.is_empty())]
            pub is_done: bool,
            #[evolve(default)]
            pub stars: u8,
            #[evolve(default = |title, stars, parent| {
                title.len() + usize::from(stars) + usize::from(parent.is_some())
            })]
            pub weight: usize,
            pub color: Option<String>,
        }

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "labels", previous = v0::Tag)]
        pub struct Tag {
            pub id: Id<Tag>,
            pub name: String,
        }

        #[derive(Serialize, Deserialize, JsonSchema, Kv)]
        #[kv(name = "settings", previous = v0::Settings, removes(last_synced_at))]
        pub struct Settings {
            #[evolve(default = "en", renamed_from = "ui_language")]
            pub language: String,
            #[evolve(default)]
            pub volume: u16,
            #[evolve(default, with = |volume| volume > 100)]
            pub loud: bool,
            #[evolve(default = 3)]
            pub retries: u8,
        }

        #[derive(Store)]
        #[store(name = "whispering", epoch = 1, previous = v0::Whispering, drops(scratch))]
        pub struct Whispering {
            pub recordings: Table<Recording>,
            pub tags: Table<Tag>,
            pub settings: Kv<Settings>,
        }
    }

    pub mod v2 {
        use heirloom::migration::Migration;
        use heirloom::{Id, Kv, Store, Table};
        use schemars::JsonSchema;
        use serde::{Deserialize, Serialize};

        use super::v1;
        pub use super::v1::Settings;

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "recordings", previous = v1::Recording, try_from)]
        pub struct Recording {
            pub id: Id<Recording>,
            pub title: String,
            pub stars: u64,
        }

        impl TryFrom<v1::Recording> for Recording {
            type Error = String;

            fn try_from(previous: v1::Recording) -> Result<Self, String> {
                if previous.title.is_empty() {
                    return Err("a recording has a title now".to_owned());
                }
                Ok(Self {
                    id: previous.id.cast(),
                    title: previous.title.to_uppercase(),
                    stars: previous.stars.into(),
                })
            }
        }

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "labels", previous = v1::Tag, from)]
        pub struct Label {
            pub id: Id<Label>,
            pub words: Vec<String>,
        }

        impl From<v1::Tag> for Label {
            fn from(previous: v1::Tag) -> Self {
                let words = previous.name.split(' ').map(str::to_owned).collect();
                Self { id: previous.id.cast(), words }
            }
        }

        /// A table of words would be filled here.
        fn count_words(_: &mut Migration<v1::Whispering, Whispering>) -> heirloom::Result<()> {
            Ok(())
        }

        #[derive(Store)]
        #[store(
            name = "whispering",
            epoch = 2,
            previous = v1::Whispering,
            migrate = count_words
        )]
        pub struct Whispering {
            pub recordings: Table<Recording>,
            pub labels: Table<Label>,
            // Of the very same type: it is taken over as it is.
            pub settings: Kv<Settings>,
        }
    }
}

use epochs::{v0, v1, v2};

const ID: &str = "01h455vb4pex5vsknk084sn02q";

fn recording(more: &str) -> String {
    format!(
        r#"{{"id":"recordings_{ID}","text":"Standup","completed":true,"duration":61.5,"tags":["tags_{ID}"],"parent":"recordings_{ID}"{more}}}"#
    )
}

#[test]
fn fields_are_moved_renamed_widened_computed_and_begun() {
    let old = recording(r#","legacy_path":"/a","note":null"#);
    assert_eq!(
        converted(&v1::Whispering::DEF, "recordings", 1, &old),
        format!(
            r#"{{"id":"recordings_{ID}","title":"Standup","status":"transcribed","duration":61.5,"tags":["labels_{ID}"],"parent":"recordings_{ID}","note":null,"isDone":true,"stars":0,"weight":8,"color":null}}"#
        )
    );
}

#[test]
fn what_has_moved_says_where_from() {
    let def = v1::Whispering::DEF;
    let step = def.tables[0].step.expect("it follows");
    assert_eq!(step.name, "recordings");
    assert_eq!(step.fields.len(), 8);
    let sources = step.sources.expect("the derive converts");
    assert_eq!(
        sources,
        [
            SourceDef::Moved("id"),
            SourceDef::Moved("text"),
            SourceDef::Computed(&["completed"]),
            SourceDef::Moved("duration"),
            SourceDef::Moved("tags"),
            SourceDef::Moved("parent"),
            SourceDef::Moved("note"),
            SourceDef::Computed(&["completed", "text"]),
            SourceDef::New,
            SourceDef::New,
            SourceDef::New,
        ]
    );
    // By its stored name, whatever it is called in Rust.
    let settings = def.groups[0].step.expect("it follows");
    let sources = settings.sources.expect("the derive converts");
    assert_eq!(
        sources,
        [
            SourceDef::Moved("uiLanguage"),
            SourceDef::Moved("volume"),
            SourceDef::Computed(&["volume"]),
            SourceDef::New,
        ]
    );
    assert!(v2::Whispering::DEF.tables[0].step.expect("it follows").sources.is_none());
    assert!(v0::Whispering::DEF.tables[0].step.is_none());
}

#[test]
fn a_store_says_what_it_follows_from_and_what_it_drops() {
    let def = v2::Whispering::DEF;
    assert_eq!(def.epoch, 2);
    let step = def.step.expect("it follows");
    assert_eq!((step.previous.name, step.previous.epoch), ("whispering", 1));
    assert!(step.drops.is_empty() && step.migrate.is_some());
    let step = step.previous.step.expect("that follows too");
    assert_eq!((step.previous.epoch, step.drops), (0, &["scratch"][..]));
    assert!(step.previous.step.is_none());
}

#[test]
fn a_chain_of_epochs_is_one_conversion() {
    let old = recording("");
    assert_eq!(
        converted(&v2::Whispering::DEF, "recordings", 2, &old),
        format!(r#"{{"id":"recordings_{ID}","title":"STANDUP","stars":0}}"#)
    );
    let tag = format!(r#"{{"id":"tags_{ID}","name":"to do"}}"#);
    let label = convert(&v2::Whispering::DEF, "labels", 2, &tag).expect("it converts");
    assert_eq!(label.json, format!(r#"{{"id":"labels_{ID}","words":["to","do"]}}"#));
    assert_eq!(label.key_text, format!("labels_{ID}"));
}

#[test]
fn what_is_not_known_is_kept_on_the_way() {
    let old = recording(r#","mood":{"a":1},"stars":"what older code meant by it""#);
    let new = converted(&v1::Whispering::DEF, "recordings", 1, &old);
    assert!(new.contains(r#""mood":{"a":1}"#), "{new}");
    assert!(new.contains(r#""stars":0"#) && !new.contains("meant"), "{new}");
    let new = converted(&v2::Whispering::DEF, "recordings", 2, &old);
    assert!(new.contains(r#""mood":{"a":1}"#), "{new}");
}

#[test]
fn a_conversion_that_fails_says_why() {
    let old = recording("").replace("Standup", "");
    let failure = convert(&v2::Whispering::DEF, "recordings", 2, &old).expect_err("no title");
    assert!(failure.reason.contains("a recording has a title now"), "{failure:?}");
    let old = recording("").replace("61.5", "\"long\"");
    let failure = convert(&v2::Whispering::DEF, "recordings", 2, &old).expect_err("no number");
    assert_eq!(failure.field.as_deref(), Some("duration"));
}

#[test]
fn groups_are_converted_entry_by_entry() {
    let def = v1::Whispering::DEF;
    let all = group(&def, "settings", 1, &[("uiLanguage", "\"de\""), ("volume", "101")]);
    assert!(all.failures.is_empty());
    let entries: Vec<(&str, &str)> =
        all.entries.iter().map(|(name, json)| (name.as_str(), json.as_str())).collect();
    assert_eq!(entries, [("language", "\"de\""), ("loud", "true"), ("volume", "101")]);
    // An entry that was never set goes on reading as its default, that of a new entry too.
    assert!(group(&def, "settings", 1, &[]).entries.is_empty());
    let kept = group(&def, "settings", 1, &[("theme", "1"), ("lastSyncedAt", "\"now\"")]);
    assert_eq!(kept.entries.keys().collect::<Vec<_>>(), ["theme"]);
    assert_eq!(v1::Settings::FIELDS.len(), 4);
}

/// Conversions that the derive writes for types of all sorts.
mod types {
    use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

    use heirloom::{Id, Row, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::converted;

    /// It is no `Clone`, and need be none to move.
    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Inner {
        a: u8,
    }

    mod v0 {
        use super::*;

        // Private types of private fields are nobody else's concern.
        #[derive(Serialize, Deserialize, JsonSchema)]
        enum Secret {
            A,
        }

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "things")]
        #[serde(rename_all = "kebab-case")]
        pub struct Thing {
            pub id: Id<Thing>,
            inner: Inner,
            ids: BTreeSet<Id<Thing>>,
            more_ids: HashSet<Id<Thing>>,
            queue: VecDeque<Option<Id<Thing>>>,
            numbers: Vec<u8>,
            maybe: Option<f32>,
            now_optional: String,
            id_now_optional: Id<Thing>,
            twice: Option<Option<u8>>,
            map: BTreeMap<String, u8>,
            r#type: String,
            own_serde: u8,
            secret: Secret,
        }

        #[derive(Store)]
        #[store(name = "app")]
        pub struct App {
            things: Table<Thing>,
        }
    }

    const LIMIT: usize = 9;

    fn seven() -> u32 {
        7
    }

    mod as_text {
        use serde::{Deserialize, Deserializer, Serializer};

        pub fn serialize<S: Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(&value.to_string())
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
            String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
        }
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "things", previous = v0::Thing, removes("secret"))]
    struct Thing {
        id: Id<Self>,
        inner: Inner,
        ids: BTreeSet<Id<Thing>>,
        more_ids: HashSet<Id<Thing>>,
        queue: VecDeque<Option<Id<Thing>>>,
        numbers: Vec<u16>,
        maybe: Option<f64>,
        now_optional: Option<String>,
        id_now_optional: Option<Id<Thing>>,
        twice: Option<Option<u8>>,
        map: BTreeMap<String, u8>,
        #[evolve(renamed_from = "type")]
        #[serde(rename = "type")]
        kind: String,
        #[serde(with = "as_text")]
        #[schemars(with = "String")]
        own_serde: u32,
        #[serde(default = "seven")]
        by_serde: u32,
        #[evolve(default = LIMIT)]
        constant: usize,
        #[evolve(default = |own_serde, twice| own_serde * 2 + u32::from(twice.is_some()))]
        #[serde(with = "as_text")]
        #[schemars(with = "String")]
        double: u32,
        #[evolve(with = || Self::start())]
        begun: String,
    }

    impl Thing {
        fn start() -> String {
            "begun".to_owned()
        }
    }

    #[derive(Store)]
    #[store(name = "app", epoch = 1, previous = v0::App)]
    struct App {
        things: Table<Thing>,
    }

    #[test]
    fn are_carried_over_to_what_is_inside() {
        let id = format!("\"things_{}\"", super::ID);
        let old = format!(
            r#"{{"id":{id},"inner":{{"a":1,"b":2}},"ids":[{id}],"more-ids":[{id}],"queue":[null,{id}],"numbers":[1,2],"maybe":0.5,"now-optional":"x","id-now-optional":{id},"twice":null,"map":{{"k":1}},"type":"t","own-serde":21,"secret":"A"}}"#
        );
        assert_eq!(
            converted(&App::DEF, "things", 1, &old),
            format!(
                r#"{{"id":{id},"inner":{{"a":1,"b":2}},"ids":[{id}],"more_ids":[{id}],"queue":[null,{id}],"numbers":[1,2],"maybe":0.5,"now_optional":"x","id_now_optional":{id},"twice":null,"map":{{"k":1}},"type":"t","own_serde":"21","by_serde":7,"constant":9,"double":"43","begun":"begun"}}"#
            )
        );
        // The outer `None` is absent, before and after.
        let old = old.replace(r#""twice":null,"#, "");
        let new = converted(&App::DEF, "things", 1, &old);
        assert!(!new.contains("twice") && new.contains(r#""double":"42""#), "{new}");
        assert_eq!(Thing::TABLE, "things");
    }
}

/// A struct in a function has a struct in the same function before it.
#[test]
fn a_step_may_be_taken_anywhere() {
    use heirloom::Table;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    struct OldNote {
        #[key]
        name: String,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", previous = OldNote)]
    struct Note {
        #[key]
        #[evolve(renamed_from = "name")]
        title: String,
    }

    let def = heirloom::__private::table_def::<Note>();
    let new = (def.convert)(1, r#"{"name":"a"}"#).expect("it converts");
    assert_eq!((new.json.as_str(), new.key_text.as_str()), (r#"{"title":"a"}"#, "a"));
}
