//! The facts about a file, as a view has read them.

use std::ops::Range;

/// The facts about a file, by name.
#[derive(Debug, Default)]
pub(crate) struct Meta {
    /// Each name with its value after it.
    bytes: Vec<u8>,
    /// The ranges of the names and of the values.
    facts: Vec<(Range<usize>, Range<usize>)>,
}

impl Meta {
    pub(super) fn push(&mut self, name: &str, value: &[u8]) {
        let start = self.bytes.len();
        let end = start + name.len();
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(value);
        self.facts.push((start..end, end..self.bytes.len()));
    }

    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let mut facts = self.facts.iter();
        let (_, value) = facts.find(|(found, _)| self.bytes[found.clone()] == *name.as_bytes())?;
        Some(&self.bytes[value.clone()])
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.bytes(name)?.try_into().ok().map(u64::from_le_bytes)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.bytes(name)?).ok()
    }
}
