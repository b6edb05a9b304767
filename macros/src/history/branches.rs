//! Versions that are not one line: two branches have both recorded one.

use super::file::RESTORE;
use super::lines::{Version, is_marker};

/// Whether each version has the number after the one before it, and was recorded after it.
pub(super) fn chain(versions: &[Version<'_>], path: &str) -> Result<(), String> {
    let mut parent = "null";
    for (index, version) in versions.iter().enumerate() {
        let is_next = version.number.parse() == Ok(index + 1);
        if !is_next || version.parent != parent {
            let same = versions[..index].iter().find(|before| before.number == version.number);
            return Err(match same {
                Some(other) => branches(other, version, path),
                None => broken(version, parent, path),
            });
        }
        parent = version.fingerprint;
    }
    Ok(())
}

fn broken(version: &Version<'_>, parent: &str, path: &str) -> String {
    format!(
        "version {} in `{path}` was recorded after another version than the one before it: its \
         parent is {}, and the version before it is {}; versions are neither removed nor moved: \
         {RESTORE}",
        version.number,
        named(version.parent),
        named(parent)
    )
}

/// The message on a file in which a merge has left both sides.
pub(super) fn in_conflict(text: &str, path: &str) -> String {
    // Lines that both sides share may stand outside of the markers, so both files are put together
    // again first.
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut in_ours, mut in_theirs) = (true, true);
    for line in text.lines() {
        if is_marker(line) {
            (in_ours, in_theirs) = match line.as_bytes().first() {
                Some(b'<') => (true, false),
                // The common ancestor of both, which some settings of git show.
                Some(b'|') => (false, false),
                Some(b'=') => (false, true),
                _ => (true, true),
            };
            continue;
        }
        if in_ours {
            ours.push(line);
        }
        if in_theirs {
            theirs.push(line);
        }
    }
    match (Version::last_of(&ours), Version::last_of(&theirs)) {
        (Some(ours), Some(theirs)) if ours.fingerprint != theirs.fingerprint => {
            branches(&ours, &theirs, path)
        }
        _ => format!("the history file `{path}` has conflict markers; {RESTORE}"),
    }
}

/// The message on two versions that were both recorded after the same one.
fn branches(first: &Version<'_>, second: &Version<'_>, path: &str) -> String {
    let what = if first.number == second.number {
        format!("version {}", first.number)
    } else {
        format!("versions, {} and {}", first.number, second.number)
    };
    format!(
        "in `{path}`, two branches have both recorded {what}:\n\
         - version {}: fingerprint {}, parent {}\n\
         - version {}: fingerprint {}, parent {}\n\
         keep the one that was merged or released first, delete the other entry, and record again: \
         `HEIRLOOM=record cargo test`",
        first.number,
        first.fingerprint,
        named(first.parent),
        second.number,
        second.fingerprint,
        named(second.parent)
    )
}

fn named(fingerprint: &str) -> &str {
    if fingerprint == "null" { "none" } else { fingerprint }
}
