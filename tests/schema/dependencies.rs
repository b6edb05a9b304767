//! The crates that a user of heirloom builds along with it stay few.

use std::collections::BTreeSet;
use std::process::Command;

/// The crates that heirloom builds, itself included, as `name version`.
fn crates() -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "heirloom", "--edges", "normal,build", "--prefix", "none"])
        .args(["--locked", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("cargo prints text");
    let crates =
        lines.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
    crates.filter(|name| !name.is_empty()).collect()
}

fn versions_of<'c>(crates: &'c BTreeSet<String>, name: &str) -> Vec<&'c str> {
    crates.iter().filter_map(|c| c.strip_prefix(name)?.strip_prefix(" v")).collect()
}

#[test]
fn the_tree_is_about_fifty_crates_with_one_syn_and_no_async_runtime() {
    let crates = crates();
    assert!(crates.len() <= 57, "{} crates: {crates:#?}", crates.len());
    let syn = versions_of(&crates, "syn");
    assert_eq!(syn.len(), 1, "{syn:?}");
    assert!(syn[0].starts_with("3."), "{syn:?}");
    for runtime in ["tokio", "async-std", "smol", "futures-executor", "async-executor"] {
        assert!(versions_of(&crates, runtime).is_empty(), "{runtime}");
    }
    // Users depend on heirloom, serde and schemars; a second copy of these would not fit theirs.
    for shared in ["serde", "schemars", "uuid"] {
        assert_eq!(versions_of(&crates, shared).len(), 1, "{shared}");
    }
}
