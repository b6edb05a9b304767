//! Summaries: frames with a right checksum around anything, and what a store makes of them.
#![no_main]

#[allow(dead_code, reason = "not every target uses all of it")]
#[path = "app.rs"]
mod app;
#[allow(dead_code, reason = "not every target uses all of it")]
#[path = "../../tests/support/forge.rs"]
mod forge;

use std::sync::LazyLock;

use app::Notebook;
use heirloom::sync::Summary;
use heirloom::ErrorKind;
use libfuzzer_sys::fuzz_target;

static APP: LazyLock<Notebook> = LazyLock::new(|| {
    let app = Notebook::in_memory().expect("a store in memory");
    app.settings.theme.set(&"dark".to_owned()).expect("a write");
    app
});

fuzz_target!(|data: &[u8]| {
    let Some((&how, data)) = data.split_first() else { return };
    let sealed = forge::sealed(b"HLsm", data);
    let bytes = if how == 0 { data } else { &sealed };
    let Ok(summary) = Summary::from_bytes(bytes) else { return };
    let again = Summary::from_bytes(&summary.to_bytes());
    assert!(again.is_ok_and(|again| again == summary));
    if let Err(error) = APP.changes_since(&summary) {
        assert_eq!(error.kind(), ErrorKind::WrongStore, "{error}");
    }
});
