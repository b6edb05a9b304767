//! The history file: any text, which is refused or reads the same again.
#![no_main]

#[allow(dead_code, reason = "not every target uses all of it")]
#[path = "app.rs"]
mod app;

use app::Notebook;
use heirloom::schema::History;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(mut history) = History::parse(text) else { return };
    let again = History::parse(history.text()).expect("what was read reads again");
    assert_eq!(again.store(), history.store());
    assert_eq!(again.versions().len(), history.versions().len());
    let schema = Notebook::schema();
    drop(history.check(&schema));
    let before = history.text().to_owned();
    match history.record(&schema, "2026-11-20") {
        Ok(_) => assert!(History::parse(history.text()).is_ok()),
        Err(_) => assert_eq!(history.text(), before),
    }
});
