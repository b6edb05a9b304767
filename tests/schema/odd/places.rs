//! Structs may stand in functions, in modules and in macros, with types from around them.

#![deny(missing_docs, unreachable_pub, warnings, clippy::all, clippy::pedantic)]
#![allow(clippy::let_and_return, reason = "a default may be a block with statements")]

use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Level {
    /// Low.
    #[default]
    Low,
    /// High.
    High,
}

mod inner {
    use super::{Deserialize, Id, JsonSchema, Kv, Serialize, Store, Table};

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "inner")]
    pub(super) struct Row {
        pub(super) id: Id<Self>,
        #[evolve(default = super::Level::High)]
        pub(super) level: super::Level,
        #[evolve(default = Self::LIMIT)]
        #[column(name = "LIMIT_COLUMN")]
        pub(super) limit: u8,
        #[evolve(default = |limit, level| Self::describe(limit, level))]
        pub(super) text: String,
    }

    impl Row {
        const LIMIT: u8 = 3;

        fn describe(limit: u8, level: super::Level) -> String {
            format!("{limit} {level:?}")
        }
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    pub(super) struct Group {
        #[evolve(default)]
        pub(super) level: super::Level,
    }

    #[derive(Store)]
    pub(super) struct App {
        pub(super) rows: Table<Row>,
        pub(super) group: Kv<Group>,
    }
}

macro_rules! row {
    ($name:ident, $field:ident: $type:ty = $default:expr) => {
        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        struct $name {
            id: Id<$name>,
            #[evolve(default = $default)]
            $field: $type,
            #[evolve(default = |$field| $field.is_some())]
            known: bool,
        }
    };
}

row!(Generated, text: Option<String> = "said");

fn local() -> heirloom::Result<()> {
    use std::time::Duration;

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    struct Local {
        #[key]
        number: u32,
        #[evolve(default = Duration::from_secs(3))]
        time: Duration,
        #[evolve(default = Vec::new())]
        list: Vec<u8>,
        #[evolve(default = [1, 2, 3])]
        array: [u8; 3],
        #[evolve(default = (-1, Some(LOCAL)))]
        pair: (i8, Option<u8>),
        #[evolve(default = const { u8::MAX - 1 })]
        block: u8,
        #[evolve(default = {
            let half = u8::MAX / 2;
            half
        })]
        body: u8,
        #[evolve(default = if LOCAL > 2 { "" } else { "big" }.is_empty())]
        branch: bool,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    struct Settings {
        #[evolve(default = 0.5)]
        volume: f32,
    }

    #[derive(Store)]
    struct App {
        locals: Table<Local>,
        generated: Table<Generated>,
        settings: Kv<Settings>,
    }

    const LOCAL: u8 = 1;

    let app = App::in_memory()?;
    if let Some(local) = app.locals.get(&1)? {
        let Local { number, time, list, array, pair, block, body, branch } = local;
        println!("{number} {time:?} {list:?} {array:?} {pair:?} {block} {body} {branch}");
    }
    if let Some(Generated { id, text, known }) = app.generated.get(&Id::new())? {
        println!("{id} {text:?} {known}");
    }
    println!("{}", app.settings.get()?.volume);
    Ok(())
}

#[test]
fn they_work_where_they_stand() -> heirloom::Result<()> {
    let app = inner::App::in_memory()?;
    if let Some(row) = app.rows.get(&Id::new())? {
        println!("{} {:?} {} {}", row.id, row.level, row.limit, row.text);
    }
    println!("{:?}", app.group.get()?.level);
    local()
}
