//! Generated code takes nothing from the prelude or from what stands around it.

#![deny(warnings, clippy::all, clippy::pedantic)]
#![allow(clippy::option_option, reason = "it tells absent from null")]
#![allow(non_camel_case_types, dead_code, reason = "these names are there to be in the way")]

mod app {
    pub(crate) struct Result;
    pub(crate) struct Option;
    pub(crate) struct String;
    pub(crate) struct Vec;
    pub(crate) struct Ok;
    pub(crate) struct Err;
    pub(crate) struct Some;
    pub(crate) struct None;
    pub(crate) struct Default;
    pub(crate) struct Clone;
    pub(crate) struct Debug;
    pub(crate) struct From;
    pub(crate) struct AsRef;
    pub(crate) struct FnOnce;
    pub(crate) struct Record;
    pub(crate) struct Row;
    pub(crate) struct Group;
    pub(crate) struct Above;
    pub(crate) struct Entry;
    pub(crate) struct Handle;
    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod heirloom {}

    #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, ::heirloom::Table)]
    pub(crate) struct Note {
        pub(crate) id: ::heirloom::Id<Note>,
        #[evolve(default = "none")]
        pub(crate) title: ::std::string::String,
        #[evolve(default = ::core::option::Option::Some(3))]
        pub(crate) size: ::core::option::Option<u8>,
        #[evolve(default)]
        pub(crate) seen: bool,
        #[evolve(default = |title, seen| title.len() + usize::from(seen))]
        pub(crate) length: usize,
        pub(crate) maybe: ::core::option::Option<::core::option::Option<u8>>,
        #[evolve(default = |maybe| maybe.is_some())]
        pub(crate) known: bool,
    }

    #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, ::heirloom::Kv)]
    pub(crate) struct Settings {
        #[evolve(default = "en")]
        pub(crate) language: ::std::string::String,
    }

    #[derive(::heirloom::Store)]
    pub(crate) struct App {
        pub(crate) notes: ::heirloom::Table<Note>,
        pub(crate) settings: ::heirloom::Kv<Settings>,
    }

    #[derive(
        Clone_,
        PartialEq,
        Eq,
        Hash,
        serde::Serialize,
        serde::Deserialize,
        schemars::JsonSchema,
        ::heirloom::Key,
    )]
    pub(crate) struct Isbn(::std::string::String);
    use ::std::clone::Clone as Clone_;
}

#[test]
fn nothing_in_the_way_is_taken() -> heirloom::Result<()> {
    let app = app::App::in_memory()?;
    app.notes.get(&heirloom::Id::new())?;
    app.settings.language.get()?;
    Ok(())
}
