//! The meaning of the derives' attributes for stored names, defaults and keys.

use std::collections::BTreeMap;

use crate::support::give_rows;
use heirloom::schema::{Group, Record};
use heirloom::{Id, Key, Kv, Row, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The descriptors of a struct's fields: stored name, Rust name, type, aliases, default.
fn fields<R: Record>() -> Vec<(&'static str, &'static str, &'static str, Vec<&'static str>, String)>
{
    let fields = R::FIELDS.iter().map(|field| {
        let default = format!("{:?}", field.default);
        (field.name, field.rust_name, field.rust_type, field.aliases.to_vec(), default)
    });
    fields.collect()
}

fn stored_names<R: Record>() -> Vec<&'static str> {
    R::FIELDS.iter().map(|field| field.name).collect()
}

fn defaults<R: Record>() -> Vec<String> {
    R::FIELDS.iter().map(|field| format!("{:?}", field.default)).collect()
}

mod names {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    struct HTTPServer {
        #[key]
        port: u16,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    struct UserSettings {
        theme: Option<String>,
    }

    #[derive(Store)]
    struct MyApp2 {
        servers: Table<HTTPServer>,
    }

    #[derive(Store)]
    #[store(name = "other-name")]
    struct Named {
        settings: Kv<UserSettings>,
    }

    #[test]
    fn are_the_structs_in_snake_case_unless_given() {
        assert_eq!(HTTPServer::TABLE, "http_server");
        assert_eq!(UserSettings::GROUP, "user_settings");
        assert_eq!(MyApp2::DEF.name, "my_app2");
        assert_eq!(Named::DEF.name, "other-name");
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    struct Raw {
        id: u8,
        r#type: String,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[serde(rename_all = "camelCase")]
    struct Renamed {
        id: u8,
        first_name: String,
        #[serde(rename = "surname", alias = "last", alias = "family_name")]
        last_name: String,
        #[serde(rename(serialize = "born", deserialize = "born"))]
        date_of_birth: String,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[serde(rename_all(serialize = "SCREAMING-KEBAB-CASE", deserialize = "SCREAMING-KEBAB-CASE"))]
    struct BothSides {
        id: u8,
        r#do_it: bool,
    }

    #[test]
    fn of_fields_are_serdes() {
        assert_eq!(stored_names::<Raw>(), ["id", "type"]);
        assert_eq!(Raw::FIELDS[1].rust_name, "type");
        assert_eq!(stored_names::<Renamed>(), ["id", "firstName", "surname", "born"]);
        assert_eq!(Renamed::FIELDS[2].aliases, ["last", "family_name"]);
        assert!(Renamed::FIELDS[3].aliases.is_empty());
        assert_eq!(stored_names::<BothSides>(), ["ID", "DO-IT"]);
    }

    /// serde itself is the judge of what is written.
    #[test]
    fn of_fields_are_what_serde_writes() {
        let row = Renamed {
            id: 1,
            first_name: String::new(),
            last_name: String::new(),
            date_of_birth: String::new(),
        };
        let written = serde_json::to_value(&row).unwrap();
        let mut names = stored_names::<Renamed>();
        names.sort_unstable();
        let written: Vec<&String> = written.as_object().unwrap().keys().collect();
        assert_eq!(written, names);
    }

    macro_rules! every_rule {
        ($($module:ident $rule:literal;)*) => {
            $(mod $module {
                use super::*;

                #[derive(Default, Serialize, Deserialize, JsonSchema, Kv)]
                #[serde(rename_all = $rule)]
                struct Names {
                    plain: Option<u8>,
                    very_tasty: Option<u8>,
                    _with_more_2: Option<u8>,
                    r#type: Option<u8>,
                }

                #[test]
                fn is_applied_as_serde_applies_it() {
                    let written = serde_json::to_value(Names::default()).unwrap();
                    let mut names = stored_names::<Names>();
                    names.sort_unstable();
                    let written: Vec<&String> = written.as_object().unwrap().keys().collect();
                    assert_eq!(written, names);
                }
            })*
        };
    }

    every_rule! {
        lower "lowercase";
        upper "UPPERCASE";
        pascal "PascalCase";
        camel "camelCase";
        snake "snake_case";
        screaming_snake "SCREAMING_SNAKE_CASE";
        kebab "kebab-case";
        screaming_kebab "SCREAMING-KEBAB-CASE";
    }
}

mod keys {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    struct Marked {
        id: u8,
        #[key]
        number: u64,
    }

    #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
    struct Isbn(String);

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Key)]
    #[serde(transparent)]
    struct Number {
        value: i32,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    struct Book {
        #[key]
        isbn: Isbn,
    }

    #[test]
    fn are_the_marked_field_or_the_one_named_id() {
        assert_eq!(Marked::KEY_FIELDS, [1]);
        assert_eq!(*Marked { id: 1, number: 2 }.key(), 2);
        assert_eq!(Book { isbn: Isbn("978".into()) }.key().0, "978");
    }

    #[test]
    fn of_a_newtype_are_the_inner_ones() {
        assert_eq!(Isbn::KINDS, String::KINDS);
        assert_eq!(Number::KINDS, i32::KINDS);
        let key = Number { value: -7 };
        assert_eq!(key.to_text(), "-7");
        assert_eq!(Number::from_text("-7").unwrap(), key);
        assert!(Number::from_text("seven").is_err());
        assert_eq!(Isbn::from_text("978").unwrap(), Isbn("978".into()));
    }
}

mod by_hand {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("#{value}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
        let text = String::deserialize(from)?;
        text.trim_start_matches('#').parse().map_err(serde::de::Error::custom)
    }
}

mod descriptors {
    use super::*;

    #[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    enum Level {
        #[default]
        Low,
        High,
    }

    fn many() -> u32 {
        99
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    struct All {
        id: Id<Self>,
        required: Vec<Vec<u8>>,
        optional: Option<BTreeMap<String, Vec<(u8, u16)>>>,
        by_std_path: std::option::Option<u8>,
        #[serde(default)]
        by_serde: u32,
        #[serde(default = "many")]
        by_serde_path: u32,
        #[evolve(default)]
        by_type: Level,
        #[evolve(default = Level::High)]
        by_value: Level,
        #[evolve(default = "text")]
        by_text: String,
        #[evolve(default = |by_value , by_text| by_text.len()
            + if by_value == Level::Low { 0 } else { 1 })]
        computed: usize,
        #[serde(default)]
        #[evolve(default = -3)]
        both: i8,
        nullable: Option<Option<u8>>,
    }

    #[test]
    fn say_how_each_field_is_filled() {
        let row = |name, ty, default: &str| (name, name, ty, vec![], default.to_owned());
        assert_eq!(
            fields::<All>(),
            [
                row("id", "Id<Self>", "Required"),
                row("required", "Vec<Vec<u8>>", "Required"),
                row("optional", "Option<BTreeMap<String, Vec<(u8, u16)>>>", "Optional"),
                row("by_std_path", "std::option::Option<u8>", "Optional"),
                row("by_serde", "u32", "Serde"),
                row("by_serde_path", "u32", "Serde"),
                row("by_type", "Level", "Type"),
                row("by_value", "Level", r#"Value("Level::High")"#),
                row("by_text", "String", r#"Value("\"text\"")"#),
                row(
                    "computed",
                    "usize",
                    "Computed(\"|by_value, by_text| by_text.len() + if by_value == Level::Low { 0 } \
                     else { 1 }\")",
                ),
                row("both", "i8", r#"Value("-3")"#),
                row("nullable", "Option<Option<u8>>", "Optional"),
            ]
        );
        let nullable: Vec<bool> = All::FIELDS.iter().map(|field| field.nullable).collect();
        assert_eq!(nullable.iter().filter(|nullable| **nullable).count(), 1);
        assert!(nullable[11]);
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    struct ByHand {
        id: u8,
        #[serde(with = "optional")]
        #[schemars(with = "Option<u8>")]
        value: Option<u8>,
        #[serde(deserialize_with = "optional::deserialize", default)]
        other: Option<u8>,
        #[serde(serialize_with = "optional::serialize")]
        written: Option<u8>,
    }

    mod optional {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        pub(super) fn serialize<S: Serializer>(
            value: &Option<u8>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            value.serialize(to)
        }

        pub(super) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<u8>, D::Error> {
            Option::deserialize(from)
        }
    }

    /// serde does not take a missing field for `None` where a function reads it.
    #[test]
    fn know_that_an_option_read_by_a_function_is_required() {
        assert_eq!(defaults::<ByHand>(), ["Required", "Required", "Serde", "Optional"]);
        assert!(serde_json::from_str::<ByHand>(r#"{"id":1,"written":1}"#).is_err());
        assert!(serde_json::from_str::<ByHand>(r#"{"id":1,"value":1}"#).is_ok());
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    #[serde(default)]
    struct Whole {
        count: u8,
        name: Option<String>,
        #[evolve(default = 7)]
        own: u8,
    }

    impl Default for Whole {
        fn default() -> Self {
            Self { count: 5, name: Some("whole".into()), own: 1 }
        }
    }

    #[derive(Store)]
    struct WholeApp {
        whole: Kv<Whole>,
    }

    #[test]
    fn take_serdes_default_of_the_whole_struct() -> heirloom::Result<()> {
        assert_eq!(defaults::<Whole>(), ["Serde", "Serde", "Value(\"7\")"]);
        let app = WholeApp::in_memory()?;
        assert_eq!(app.whole.count.get()?, 5);
        assert_eq!(app.whole.name.get()?.as_deref(), Some("whole"));
        assert_eq!(app.whole.own.get()?, 7);
        let whole = app.whole.get()?;
        assert_eq!((whole.count, whole.own), (5, 7));
        Ok(())
    }
}

mod filling {
    use super::*;

    mod old {
        use super::*;

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "row")]
        pub(super) struct Row {
            pub(super) id: u32,
            pub(super) r#type: String,
            #[serde(rename = "old-name")]
            pub(super) renamed: u8,
            #[serde(skip_serializing_if = "Option::is_none")]
            pub(super) given: Option<u8>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub(super) maybe: Option<Option<u8>>,
        }

        #[derive(Store)]
        #[store(name = "filling")]
        pub(super) struct App {
            pub(super) rows: Table<Row>,
        }
    }

    const LIMIT: u8 = 4;

    fn eleven() -> u8 {
        11
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "row")]
    struct Row {
        id: u32,
        r#type: String,
        #[serde(alias = "old-name")]
        renamed: u8,
        given: Option<u8>,
        maybe: Option<Option<u8>>,
        #[evolve(default)]
        list: Vec<u8>,
        #[evolve(default = -LIMIT.cast_signed())]
        negative: i8,
        #[evolve(default = "text")]
        text: String,
        #[evolve(default = "text")]
        some_text: Option<String>,
        #[evolve(default = Some(3))]
        some: Option<u8>,
        #[evolve(default = [1, 2])]
        array: [u8; 2],
        #[evolve(default = Self::OWN)]
        #[column(name = "OWN_COLUMN")]
        own: u8,
        #[serde(default = "eleven")]
        by_serde: u8,
        #[evolve(default = |r#type, id: u32| format!("{type}{id}"))]
        computed: String,
        #[evolve(default = |computed, renamed, by_serde| {
            computed.len() + usize::from(renamed + by_serde)
        })]
        from_computed: usize,
        #[evolve(default = |maybe| match maybe {
            None => "absent",
            Some(None) => "null",
            Some(Some(_)) => "some",
        }.to_owned())]
        which: String,
        #[evolve(default = |given| given.is_none())]
        lacks: bool,
        #[evolve(default = 21)]
        #[serde(with = "by_hand")]
        #[schemars(with = "String")]
        hash: u8,
        #[evolve(default = |hash| hash + 1)]
        #[serde(with = "by_hand")]
        #[schemars(with = "String")]
        next: u8,
        #[evolve(default = |mut next| {
            next += 1;
            next
        })]
        after: u8,
    }

    impl Row {
        const OWN: u8 = 8;
    }

    #[derive(Store)]
    #[store(name = "filling")]
    struct App {
        rows: Table<Row>,
    }

    #[test]
    fn a_row_of_older_code_reads_with_every_default() -> heirloom::Result<()> {
        let before = old::App::in_memory()?;
        for (id, maybe) in [(1, None), (2, Some(None)), (3, Some(Some(5)))] {
            let (r#type, renamed) = ("t".to_owned(), 9);
            before.rows.insert(&old::Row { id, r#type, renamed, given: None, maybe })?;
        }
        let app = App::in_memory()?;
        give_rows(&before, &app);

        let row = app.rows.get(&1)?.unwrap();
        assert_eq!(
            row,
            Row {
                id: 1,
                r#type: "t".into(),
                renamed: 9,
                given: None,
                maybe: None,
                list: vec![],
                negative: -4,
                text: "text".into(),
                some_text: Some("text".into()),
                some: Some(3),
                array: [1, 2],
                own: 8,
                by_serde: 11,
                computed: "t1".into(),
                from_computed: 22,
                which: "absent".into(),
                lacks: true,
                hash: 21,
                next: 22,
                after: 23,
            }
        );
        assert_eq!(app.rows.get(&2)?.unwrap().which, "null");
        assert_eq!(app.rows.get(&3)?.unwrap().which, "some");

        // A value that was computed once is stored by the next write, and read back as it is.
        app.rows.update(&1, |row| row.hash = 90)?;
        let row = app.rows.get(&1)?.unwrap();
        assert_eq!((row.hash, row.next, row.after), (90, 22, 23));
        Ok(())
    }
}

mod entries {
    use super::*;

    /// Docs of the group.
    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[serde(rename_all = "camelCase")]
    struct Settings {
        /// The language.
        #[evolve(default = "en")]
        ui_language: String,
        #[evolve(default = |ui_language| ui_language.len())]
        name_length: usize,
        #[evolve(default = 3)]
        #[serde(with = "by_hand")]
        #[schemars(with = "String")]
        by_hand: u8,
        #[serde(serialize_with = "super::by_hand::serialize")]
        #[serde(deserialize_with = "super::by_hand::deserialize")]
        #[schemars(with = "String")]
        #[evolve(default)]
        both_ways: u8,
        maybe: Option<Option<u8>>,
        r#type: Option<u8>,
    }

    #[derive(Store)]
    struct App {
        settings: Kv<Settings>,
    }

    #[test]
    fn are_handles_named_like_the_fields() -> heirloom::Result<()> {
        let app = App::in_memory()?;
        let settings = &app.settings;
        assert_eq!(settings.ui_language.get()?, "en");
        assert_eq!(settings.by_hand.get()?, 3);
        assert_eq!(settings.r#type.get()?, None);
        assert_eq!(settings.maybe.get()?, None);

        settings.ui_language.set("english")?;
        assert_eq!(settings.name_length.get()?, 7);
        settings.by_hand.set(&200)?;
        assert_eq!(settings.by_hand.get()?, 200);
        settings.both_ways.set(&1)?;
        settings.maybe.set(&Some(None))?;
        assert_eq!(settings.maybe.get()?, Some(None));

        // The group as a whole reads what the entries wrote one by one.
        assert_eq!(
            settings.get()?,
            Settings {
                ui_language: "english".into(),
                name_length: 7,
                by_hand: 200,
                both_ways: 1,
                maybe: Some(None),
                r#type: None,
            }
        );

        settings.by_hand.reset()?;
        assert_eq!(settings.by_hand.get()?, 3);
        let kept = settings.by_hand.clone();
        assert!(!format!("{kept:?}").is_empty());
        Ok(())
    }
}

mod stores {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    struct A {
        id: Id<A>,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    struct B {
        id: Id<B>,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    struct K {
        one: Option<u8>,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    struct L {
        two: Option<u8>,
    }

    #[derive(Store)]
    struct Mixed {
        k: Kv<K>,
        a: Table<A>,
        l: heirloom::Kv<L>,
        b: heirloom::Table<B>,
    }

    #[test]
    fn list_tables_and_groups_in_the_order_of_their_fields() -> heirloom::Result<()> {
        use heirloom::schema::{GroupOf, TableOf};

        let tables: Vec<_> = Mixed::DEF.tables.iter().map(|table| table.name).collect();
        let groups: Vec<_> = Mixed::DEF.groups.iter().map(|group| group.name).collect();
        assert_eq!((tables, groups), (vec!["a", "b"], vec!["k", "l"]));
        assert_eq!(
            (<A as TableOf<Mixed>>::TABLE_IDX.0, <B as TableOf<Mixed>>::TABLE_IDX.0),
            (0, 1)
        );
        assert_eq!(
            (<K as GroupOf<Mixed>>::GROUP_IDX.0, <L as GroupOf<Mixed>>::GROUP_IDX.0),
            (0, 1)
        );

        let app = Mixed::in_memory()?;
        app.b.insert(&B { id: Id::new() })?;
        app.a.insert(&A { id: Id::new() })?;
        app.l.two.set(&Some(2))?;
        app.k.one.set(&Some(1))?;
        assert_eq!((app.a.len()?, app.b.len()?), (1, 1));
        assert_eq!((app.k.one.get()?, app.l.two.get()?), (Some(1), Some(2)));
        Ok(())
    }
}
