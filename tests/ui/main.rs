//! Code that does not compile, and how the compiler says so.
//!
//! The first line of each fixture states the rule it breaks. `CONTRIBUTING.md` says how to run one of
//! them, and how to record what the compiler says now.

mod histories;

/// One run for all of them: each would check and clean what fixtures depend on, and `pass` would
/// build all of it once more.
#[test]
fn mistakes_are_reported_once_and_with_the_fix() {
    histories::write();
    let cases = trybuild::TestCases::new();
    for topic in [
        "attribute",
        "bounds",
        "computed",
        "default",
        "epoch",
        "field",
        "guide",
        "history",
        "index",
        "key",
        "kv",
        "many",
        "name",
        "newtype",
        "merge",
        "query",
        "reference",
        "rule",
        "serde",
        "shape",
        "store",
        "time",
    ] {
        cases.compile_fail(format!("ui/{topic}/*.rs"));
    }
}

/// The type that a comparison compares is seen only once the whole program is built: with a program
/// among the cases that is to be built, all are.
#[test]
fn comparisons_that_cannot_be_right_do_not_build() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/compare/*.rs");
    cases.pass("ui/compare/pass/*.rs");
}
