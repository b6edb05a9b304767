//! Updates: any bytes as the update of a document, in a frame with a right checksum.
//!
//! A store takes them or refuses them, can be written afterwards, and what it gives out makes the same
//! of a store that holds nothing.
#![no_main]

#[allow(dead_code, reason = "not every target uses all of it")]
#[path = "app.rs"]
mod app;
#[allow(dead_code, reason = "not every target uses all of it")]
#[path = "../../tests/support/forge.rs"]
mod forge;

use app::Notebook;
use heirloom::ErrorKind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let app = Notebook::in_memory().expect("a store in memory");
    // Updates that depend on each other, and that share clients with the good one.
    let good = forge::update(5, 0, "table:notes", &[("1", forge::Value::Text("{\"id\":1}"))]);
    app.apply(&forge::changes(&good)).expect("a good update");
    for update in data.split(|byte| *byte == 254) {
        if let Err(error) = app.apply(&forge::changes(update)) {
            assert_eq!(error.kind(), ErrorKind::InvalidUpdate, "{error}");
        }
    }
    app.settings.theme.set(&"dark".to_owned()).expect("a store that can be written");
    let copy = Notebook::in_memory().expect("a store in memory");
    let changes = app.changes_since(&copy.summary().expect("a summary")).expect("changes");
    copy.apply(&changes).expect("changes that a store gave out");
});
