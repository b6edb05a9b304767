//! What does not compile, and how the compiler says so; and odd things that do compile.
//!
//! The first line of each fixture states the rule it breaks. After a change to a message, run
//! `TRYBUILD=overwrite cargo test -p heirloom-tests --test ui` and read what changed.

#[path = "../support/histories.rs"]
mod histories;

#[test]
fn mistakes_are_reported_once_and_with_the_fix() {
    histories::write();
    let cases = trybuild::TestCases::new();
    for topic in [
        "attribute",
        "bounds",
        "default",
        "epoch",
        "field",
        "history",
        "index",
        "key",
        "kv",
        "many",
        "name",
        "newtype",
        "query",
        "serde",
        "shape",
        "store",
    ] {
        cases.compile_fail(format!("ui/{topic}/*.rs"));
    }
}

/// What is compared is seen only once the whole program is built: with a program among the cases that
/// is to be built, all are.
#[test]
fn comparisons_that_cannot_be_right_do_not_build() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/compare/*.rs");
    cases.pass("ui/compare/pass/*.rs");
}

#[test]
fn odd_but_valid_structs_compile_without_a_warning() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
}

#[test]
fn changes_that_need_no_epoch_compile() {
    histories::write();
    trybuild::TestCases::new().pass("ui/history/pass/*.rs");
}
