//! Each sentence of `docs/guarantees.md` names a test that there is.

use std::fs;
use std::path::Path;

/// Returns the texts between backticks that are `file::function`.
fn named(text: &str) -> Vec<(&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|name| name.split_once(".rs::")).collect()
}

#[test]
fn the_guarantees_are_shown_by_tests_that_exist() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(tests.join("../docs/guarantees.md")).unwrap();
    let mut sentences = 0;
    for sentence in page.split("\n- ").skip(1) {
        let sentence = sentence.split("\n\n").next().unwrap();
        assert!(!named(sentence).is_empty(), "no test is named: {sentence}");
        sentences += 1;
    }
    assert!(sentences > 40, "{sentences}");
    for (file, function) in named(&page) {
        let path = tests.join(file).with_extension("rs");
        let code = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let found = code.match_indices(&format!("fn {function}(")).any(|(at, _)| {
            // Below the attribute that makes it a test, and others.
            let before = &code[..at];
            let attributes = &before[before.rfind('}').unwrap_or(0)..];
            attributes.contains("#[test]")
        });
        assert!(found, "there is no test `{file}.rs::{function}`");
    }
}
