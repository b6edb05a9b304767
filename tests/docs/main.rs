//! The code that README and guides show compiles, runs, and is what they show.

mod guarantees;
mod pages;
mod words;

/// Runs what follows in a folder of its own, so that pages may name files as an app would.
fn enter_folder() {
    static FOLDER: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        std::env::set_current_dir(folder.path()).unwrap();
        folder
    });
}

mod first {
    include!("../../examples/first/main.rs");

    #[test]
    fn it_runs() {
        crate::enter_folder();
        main().unwrap();
    }
}
#[path = "../../docs/code/async_apps.rs"]
mod async_apps;
#[path = "../../docs/code/breaking_changes.rs"]
#[allow(dead_code, reason = "pages show whole structs")]
mod breaking_changes;
#[path = "../../docs/code/changing_your_schema.rs"]
#[allow(dead_code, reason = "pages show whole structs")]
mod changing_your_schema;
#[path = "../../docs/code/concurrent_edits.rs"]
mod concurrent_edits;
#[path = "../../docs/code/known.rs"]
mod known;
#[path = "../../docs/code/queries.rs"]
mod queries;
#[path = "../../docs/code/readme.rs"]
mod readme;
#[path = "../../docs/code/relations.rs"]
mod relations;
#[path = "../../docs/code/testing.rs"]
#[allow(dead_code, reason = "pages show whole structs")]
mod testing;
#[path = "../../docs/code/transfer.rs"]
mod transfer;
#[path = "../../docs/code/values.rs"]
mod values;
