//! Stored rows: any text under a key, as another program may write it.
#![no_main]

#[allow(dead_code, reason = "not every target uses all of it")]
#[path = "app.rs"]
mod app;
#[allow(dead_code, reason = "not every target uses all of it")]
#[path = "../../tests/support/forge.rs"]
mod forge;

use app::{Note, Notebook};
use heirloom::__private::{decode_row, write_back};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let decodes = decode_row::<Note>(text);
    // A change of one field leaves a row that decodes, and that has the change.
    if let Ok(note) = &decodes {
        let written = write_back::<Note>(text, |note| note.count = !note.count);
        if let Ok(written) = written {
            let again = decode_row::<Note>(&written).expect("what was written decodes");
            assert_eq!(again.count, !note.count);
            assert_eq!(again.title, note.title);
        }
    }

    // Valid and invalid rows add up, in the table and in an index.
    let app = Notebook::in_memory().expect("a store in memory");
    let update = forge::update(5, 0, "table:notes", &[("1", forge::Value::Text(text))]);
    app.apply(&forge::changes(&update)).expect("a good update");
    let valid = app.notes.iter().expect("rows").filter(Result::is_ok).count();
    let invalid = app.notes.invalid().expect("rows").len();
    assert_eq!(valid + invalid, app.notes.len().expect("a count"));
    app.build_indexes().expect("indexes");
    let by_title = app.notes.query().order_by(Note::TITLE.asc());
    assert_eq!(by_title.keys().is_ok_and(|keys| keys.len() == 1), valid == 1);
});
