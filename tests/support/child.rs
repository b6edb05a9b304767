//! A test that runs itself again as another process.

use std::process::{Command, Output};

const VARIABLE: &str = "HEIRLOOM_TESTS_CHILD";

/// Returns the role that the parent gives this process; `None` in the parent.
pub fn role() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

/// Runs a test alone, in a new process, which finds `role`. Its name is
/// `concat!(module_path!(), "::the_test")`.
pub fn run(name: &str, role: &str) -> Output {
    command(name, role).output().unwrap()
}

/// Returns the command that [`run`] runs.
pub fn command(name: &str, role: &str) -> Command {
    let (_, name) = name.split_once("::").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(VARIABLE, role)
        .env("RUST_BACKTRACE", "0");
    command
}

/// The lines that the child printed after a mark that nothing else prints.
pub fn said(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(|line| Some(line.split_once("said: ")?.1.to_owned())).collect()
}
