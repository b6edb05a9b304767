//! Changes: frames with a right checksum around anything, and frames of good updates under any names.
//!
//! yrs reads the inside of an update, which this target leaves alone: the updates that it applies
//! are good ones.
#![no_main]

#[allow(dead_code, reason = "not every target uses all of it")]
#[path = "app.rs"]
mod app;
#[allow(dead_code, reason = "not every target uses all of it")]
#[path = "../../tests/support/forge.rs"]
mod forge;

use app::Notebook;
use heirloom::sync::Changes;
use heirloom::ErrorKind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&how, data)) = data.split_first() else { return };
    match how {
        0 => decodes(data),
        1 => decodes(&forge::sealed(b"HLch", data)),
        _ => applies(data),
    }
});

/// Checks that bytes which decode encode to bytes which decode to the same.
fn decodes(bytes: &[u8]) {
    if let Ok(changes) = Changes::from_bytes(bytes) {
        let again = Changes::from_bytes(&changes.to_bytes());
        assert!(again.is_ok_and(|again| again == changes));
    }
}

/// A store applies changes or refuses them, and can be written afterwards.
fn applies(data: &[u8]) {
    const NAMES: [&str; 6] = ["0", "head", "1", "1.0/0", "0.1/1", ""];
    let app = Notebook::in_memory().expect("a store in memory");
    for (step, bytes) in data.chunks(4).take(16).enumerate() {
        let Some((&name, rest)) = bytes.split_first() else { continue };
        let any = String::from_utf8_lossy(rest);
        let document = NAMES.get(usize::from(name)).copied().unwrap_or(&any);
        let client = u64::from(rest.first().copied().unwrap_or(5) % 4) + 5;
        let update = forge::update(
            client,
            step as u64 % 3,
            "table:notes",
            &[("1", forge::Value::Text("{\"id\":1}"))],
        );
        let store = if name == u8::MAX { "other" } else { "notebook" };
        let Ok(changes) = Changes::from_bytes(&forge::framed(store, document, &update)) else {
            continue;
        };
        if let Err(error) = app.apply(&changes) {
            let kind = error.kind();
            let refused = [ErrorKind::InvalidUpdate, ErrorKind::NewerEpoch, ErrorKind::WrongStore];
            assert!(refused.contains(&kind), "{error}");
        }
    }
    app.settings.theme.set(&"dark".to_owned()).expect("a store that can be written");
}
