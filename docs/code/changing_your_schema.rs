//! The code of the guide page on changing a schema, and the histories that its versions record.

use std::fs;
use std::path::Path;

use heirloom::schema::{Diff, History};

mod v1 {
    // [v1]
    use heirloom::{Id, Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        pub id: Id<Note>,
        pub text: String,
        #[evolve(default)]
        pub pinned: bool,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        #[evolve(default = "light")]
        pub theme: String,
    }

    #[derive(Store)]
    #[store(name = "notebook", history = "../docs/changing-your-schema/1.json")]
    pub struct Notebook {
        pub notes: Table<Note>,
        pub settings: Kv<Settings>,
    }
    // [end]
}

mod v2 {
    use heirloom::{Id, Kv, Open, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    pub use super::v1::Settings;

    // [v2]
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        pub id: Id<Note>,
        // Another name in the code, and the same in the data.
        #[serde(rename = "text")]
        pub body: String,
        #[evolve(default)]
        pub pinned: bool,
        // Absent reads as `None`. Newer code may know more colors: this code keeps them.
        pub color: Option<Open<Color>>,
        // Absent reads as what is computed from the fields above.
        #[evolve(default = |body| body.split_whitespace().count() as u32)]
        pub words: u32,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub enum Color {
        Yellow,
        Blue,
    }

    // New tables and kv groups are free as well.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tags")]
    pub struct Tag {
        #[key]
        pub name: String,
    }
    // [end]

    #[derive(Store)]
    #[store(name = "notebook", history = "../docs/changing-your-schema/2.json")]
    pub struct Notebook {
        pub notes: Table<Note>,
        pub tags: Table<Tag>,
        pub settings: Kv<Settings>,
    }
}

mod v3 {
    use heirloom::{Id, Kv, Open, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    pub use super::v2::{Color, Settings, Tag};

    // [v3]
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", removes(pinned))]
    pub struct Note {
        pub id: Id<Note>,
        #[serde(rename = "text")]
        pub body: String,
        pub color: Option<Open<Color>>,
        #[evolve(default = |body| body.split_whitespace().count() as u32)]
        pub words: u32,
    }
    // [end]

    #[derive(Store)]
    #[store(name = "notebook", history = "../docs/changing-your-schema/3.json")]
    pub struct Notebook {
        pub notes: Table<Note>,
        pub tags: Table<Tag>,
        pub settings: Kv<Settings>,
    }
}

/// Version 2 with an enum that cannot grow.
mod closed {
    use heirloom::{Id, Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    pub use super::v2::{Color, Settings, Tag};

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        id: Id<Note>,
        #[serde(rename = "text")]
        body: String,
        #[evolve(default)]
        pinned: bool,
        color: Option<Color>,
        #[evolve(default = |body| body.split_whitespace().count() as u32)]
        words: u32,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    #[allow(dead_code)]
    pub struct Notebook {
        notes: Table<Note>,
        tags: Table<Tag>,
        settings: Kv<Settings>,
    }
}

/// Version 3 with another form of a variant.
mod shaded {
    use heirloom::{Id, Kv, Open, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    pub use super::v2::{Settings, Tag};

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub enum Color {
        Yellow,
        Blue(u8),
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", removes(pinned))]
    pub struct Note {
        id: Id<Note>,
        #[serde(rename = "text")]
        body: String,
        color: Option<Open<Color>>,
        #[evolve(default = |body| body.split_whitespace().count() as u32)]
        words: u32,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    #[allow(dead_code)]
    pub struct Notebook {
        notes: Table<Note>,
        tags: Table<Tag>,
        settings: Kv<Settings>,
    }
}

use v2::Color;

// [open]
use heirloom::Open;

fn shown(color: &Open<Color>) -> String {
    match color {
        Open::Known(Color::Yellow) => "yellow".into(),
        Open::Known(Color::Blue) => "blue".into(),
        Open::Unknown(color) => format!("{color}, a newer color"),
    }
}
// [end]

#[test]
fn an_open_enum_keeps_the_variants_of_newer_code() -> Result<(), serde_json::Error> {
    // [unknown]
    assert_eq!(shown(&Color::Blue.into()), "blue");
    let newer: Open<Color> = serde_json::from_str(r#"{"Rgb":[1,2,3]}"#)?;
    assert_eq!(shown(&newer), r#"{"Rgb":[1,2,3]}, a newer color"#);
    assert_eq!(serde_json::to_string(&newer)?, r#"{"Rgb":[1,2,3]}"#);
    // [end]
    assert_eq!(shown(&Color::Yellow.into()), "yellow");
    Ok(())
}

#[test]
fn old_code_can_tell_that_newer_code_exists() -> heirloom::Result<()> {
    use v1::Notebook;

    crate::enter_folder();
    let path = "notebook-of-two-versions.redb";
    // [newer]
    let app = Notebook::open(path)?;
    if let Some(newer) = app.status()?.newer_version() {
        println!("there is an update of the app: {newer}");
    }
    let told = app.on_newer_schema(|version| println!("a device runs {version} now"))?;
    // [end]
    drop((app, told));
    let newer = v2::Notebook::open(path)?;
    newer.tags.insert(&v2::Tag { name: "garden".into() })?;
    drop(newer);
    assert!(Notebook::open(path)?.status()?.newer_version().is_some());
    // [refuse]
    let refused = Notebook::builder().refuse_newer_schema(true).open(path);
    // [end]
    assert_eq!(refused.err().unwrap().kind(), heirloom::ErrorKind::NewerSchema);
    Ok(())
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/changing-your-schema")
}

#[test]
fn the_histories_are_those_of_the_structs() {
    let schemas = [v1::Notebook::schema(), v2::Notebook::schema(), v3::Notebook::schema()];
    let mut history = History::new("notebook");
    for (count, schema) in (1..).zip(&schemas) {
        assert!(history.record(schema, "2026-11-20").unwrap());
        let file = folder().join(format!("{count}.json"));
        if std::env::var_os("HEIRLOOM").is_some_and(|value| value == "record") {
            fs::write(&file, history.text()).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap().replace("\r\n", "\n"), history.text());
    }
}

#[test]
fn the_page_shows_the_tables_that_the_test_of_a_store_prints() {
    let page = fs::read_to_string(folder().with_extension("md")).unwrap();
    let shows = |diff: Diff| assert!(page.contains(&diff.to_string()), "{diff}");
    shows(v1::Notebook::schema().diff(&v2::Notebook::schema()));
    shows(closed::Notebook::schema().lint());
    shows(v3::Notebook::schema().diff(&shaded::Notebook::schema()));
    assert!(v3::Notebook::schema().lint().is_empty());
}
