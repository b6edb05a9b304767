//! From which line each row of an import has come.

use std::collections::HashMap;

use twox_hash::XxHash3_64;

use crate::error::Error;

/// The lines of what an import has read: rules that are about several rows are checked once all are read, and
/// their errors name a row.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// By the hash of a table and the text of a key, or of a group and an entry.
    lines: HashMap<u64, u64>,
    is_all_read: bool,
}

impl Places {
    /// Remembers where a row, or an entry, was read.
    pub(super) fn add(&mut self, of: &str, key: &str, line: u64) {
        self.lines.insert(hash(of, key), line);
    }

    /// Says that nothing more comes: the errors of single lines have named them.
    pub(super) fn all_read(&mut self) {
        self.is_all_read = true;
    }

    /// The error with the line of the row that it is about.
    pub(super) fn named(&self, error: Error) -> Error {
        if !self.is_all_read {
            return error;
        }
        let line = match (error.table(), error.key(), error.group(), error.field()) {
            (Some(table), Some(key), ..) => self.lines.get(&hash(table, key)),
            // Of the entries that a rule reads, the one that came last has broken it.
            (None, _, Some(group), Some(entries)) => {
                let lines = entries.split(", ").filter_map(|it| self.lines.get(&hash(group, it)));
                lines.max()
            }
            _ => None,
        };
        match line {
            Some(line) => error.in_line(&format!("line {line}")),
            None => error,
        }
    }
}

fn hash(of: &str, key: &str) -> u64 {
    XxHash3_64::oneshot(key.as_bytes()) ^ XxHash3_64::oneshot(of.as_bytes()).rotate_left(29)
}
