//! The files of the published crates.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_owned()
}

fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).expect("a file of the repository")
}

#[test]
fn the_minimum_rust_version_is_the_same_wherever_it_stands() {
    let manifest = read("Cargo.toml");
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'))
        .expect("the workspace states it");
    for file in ["README.md", "runtime/src/lib.rs"] {
        let text = read(file).replace('\n', " ");
        let stated: Vec<&str> = text
            .split("Rust ")
            .map(|rest| rest.strip_prefix("version is ").unwrap_or(rest))
            .filter(|rest| rest.starts_with("1."))
            .filter_map(|rest| rest.split_whitespace().next())
            .map(|stated| stated.trim_end_matches(['.', ',', ';']))
            .collect();
        assert!(!stated.is_empty(), "{file} does not state the minimum Rust version");
        assert!(stated.iter().all(|stated| *stated == version), "{file}: {stated:?}, {version}");
    }
    // All tests run with it, so that it is known to be enough.
    let toolchain = read("rust-toolchain.toml");
    assert!(toolchain.contains(&format!("channel = \"{version}.")), "{toolchain}");
}

#[test]
fn published_crates_have_their_licences_and_a_page() {
    for package in ["heirloom", "heirloom-macros"] {
        let output = Command::new(env!("CARGO"))
            .args(["package", "--list", "--allow-dirty", "--locked", "--package", package])
            .current_dir(repository())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let files = String::from_utf8(output.stdout).expect("cargo prints text");
        for file in ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/lib.rs"] {
            assert!(files.lines().any(|line| line == file), "{package} lacks {file}: {files}");
        }
    }
}
