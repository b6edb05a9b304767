//! The lines of a history file: where its versions begin and end, and whether they were
//! changed by hand.

use twox_hash::XxHash3_128;

use crate::error::{Error, ErrorKind, Result};

/// The kind that a history file states.
pub(super) const KIND: &str = "schema history";
/// The newest layout that is known here.
pub(super) const FORMAT: u32 = 1;

/// The line that the versions come after.
pub(super) const VERSIONS: &str = "  \"versions\": [";
const OPEN: &str = "    {";
const CLOSE: [&str; 2] = ["    }", "    },"];
const CHECKSUM: &str = "      \"checksum\": ";
const FINGERPRINT: &str = "      \"fingerprint\": ";

/// The lines of one version, between its braces.
#[derive(Debug, Clone)]
pub(super) struct VersionLines<'t> {
    pub(super) lines: Vec<&'t str>,
}

impl<'t> VersionLines<'t> {
    /// The member of this name, which stands on a line of its own.
    pub(super) fn member(&self, name: &str) -> Option<&'t str> {
        let start = format!("      \"{name}\": ");
        self.lines.iter().find_map(|line| line.strip_prefix(&*start))
    }

    /// A member that is text, without its quotes; `none` for `null`.
    pub(super) fn text(&self, name: &str) -> &'t str {
        let value = self.member(name).unwrap_or("").trim_end_matches(',');
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        unquoted.unwrap_or(if value == "null" { "none" } else { value })
    }

    /// The other of two versions that were merged into one: lines that both had in the same place
    /// stand there once, the others after each other.
    fn second(&self) -> Option<Self> {
        let mut lines = self.lines.iter().enumerate();
        let mut starts = lines.by_ref().filter(|(_, line)| line.starts_with(FINGERPRINT));
        let (start, _) = starts.nth(1)?;
        let own = self.lines.iter().skip(start);
        Some(Self { lines: own.chain(&self.lines).copied().collect() })
    }

    /// Whether its lines are those that were recorded.
    pub(super) fn is_intact(&self) -> bool {
        self.text("checksum") == checksum(&self.lines)
    }

    /// Its JSON.
    pub(super) fn json(&self) -> String {
        format!("{{{}}}", self.lines.join("\n"))
    }
}

/// The checksum of a version's lines, to be written among them.
pub(super) fn checksum(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines.iter().filter(|line| !line.starts_with(CHECKSUM)) {
        text.push_str(line);
        text.push('\n');
    }
    format!("{:032x}", XxHash3_128::oneshot(text.as_bytes()))
}

/// The first lines of a file, up to its versions, and the versions.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    pub(super) head: Vec<&'t str>,
    pub(super) entries: Vec<VersionLines<'t>>,
}

/// Splits a file into its parts.
pub(super) fn split(text: &str) -> Result<Lines<'_>> {
    if text.lines().any(is_marker) {
        return Err(in_conflict(text));
    }
    let mut lines = text.lines();
    let head: Vec<&str> = lines.by_ref().take_while(|line| *line != VERSIONS).collect();
    let mut entries = Vec::new();
    loop {
        match lines.next() {
            Some(OPEN) => {
                let mut entry = VersionLines { lines: Vec::new() };
                loop {
                    match lines.next() {
                        Some(line) if CLOSE.contains(&line) => break,
                        Some(line) => entry.lines.push(line),
                        None => return Err(truncated(&head)),
                    }
                }
                if let Some(second) = entry.second() {
                    return Err(branches(&entry, &second));
                }
                entries.push(entry);
            }
            Some("  ]" | "  ],") if ends(lines.clone()) => {
                return Ok(Lines { head, entries });
            }
            _ => return Err(truncated(&head)),
        }
    }
}

/// Whether nothing but empty lines comes after the last brace.
fn ends<'t>(mut lines: impl DoubleEndedIterator<Item = &'t str>) -> bool {
    lines.rfind(|line| !line.trim_ascii().is_empty()) == Some("}")
}

fn truncated(head: &[&str]) -> Error {
    let text = head.join("\n");
    if text.trim().is_empty() {
        return refused("the history file is empty")
            .help("restore it from version control; if there never was one, remove the file");
    }
    if !text.contains(KIND) {
        return not_ours();
    }
    refused("the history file is cut short, or is not laid out as it was recorded")
        .help("restore it from version control, and let no formatter change it")
}

pub(super) fn not_ours() -> Error {
    refused("the file is not a schema history")
        .help("check the path that `history = \"…\"` names; heirloom writes that file itself")
}

pub(super) fn refused(what: &str) -> Error {
    Error::new(ErrorKind::InvalidHistory, what)
}

fn is_marker(line: &str) -> bool {
    line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") || line == "======="
}

/// The error for a file that two branches have added a version to.
fn in_conflict(text: &str) -> Error {
    // Lines that both sides share may stand outside the markers, so both files are put together
    // again first.
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut in_ours, mut in_theirs) = (true, true);
    for line in text.lines() {
        if line.starts_with("<<<<<<< ") {
            in_theirs = false;
        } else if line.starts_with("||||||| ") {
            // The common ancestor of both, which some settings of git show.
            (in_ours, in_theirs) = (false, false);
        } else if line == "=======" {
            (in_ours, in_theirs) = (false, true);
        } else if line.starts_with(">>>>>>> ") {
            (in_ours, in_theirs) = (true, true);
        } else {
            if in_ours {
                ours.push(line);
            }
            if in_theirs {
                theirs.push(line);
            }
        }
    }
    branches(&VersionLines { lines: newest(ours) }, &VersionLines { lines: newest(theirs) })
}

/// The lines of the newest version among these.
fn newest(mut lines: Vec<&str>) -> Vec<&str> {
    let start = lines.iter().rposition(|line| *line == OPEN).unwrap_or(0);
    lines.split_off(start)
}

/// The error for two versions that were both recorded after the same one.
pub(super) fn branches(first: &VersionLines<'_>, second: &VersionLines<'_>) -> Error {
    let named = |entry: &VersionLines<'_>| {
        format!(
            "version {} with fingerprint {} and parent {}",
            entry.text("version"),
            entry.text("fingerprint"),
            entry.text("parent")
        )
    };
    refused("two branches have both recorded a version")
        .expecting(named(first))
        .finding(named(second))
        .help(
            "keep the one that others have already, remove the other's lines, and record your \
             changes on top of it: `HEIRLOOM=record cargo test`",
        )
}
