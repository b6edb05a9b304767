//! Comparing two schemas: typed changes, each judged by a rule.

mod change;
mod rule;

pub use change::{Change, Class, Operation};
pub use rule::Rule;

use super::Schema;

/// What has changed between two schemas.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff(Vec<Change>);

impl Schema {
    /// What has changed from this schema to another.
    pub fn diff(&self, new: &Self) -> Diff {
        let _ = new;
        Diff::default()
    }
}

impl Diff {
    /// The changes that need an epoch or are never allowed.
    pub fn breaking(&self) -> impl Iterator<Item = &Change> {
        self.0.iter().filter(|change| change.class() >= Class::Breaking)
    }

    /// The class of the worst change.
    pub fn class(&self) -> Class {
        Class::Additive
    }
}

impl IntoIterator for Diff {
    type Item = Change;
    type IntoIter = std::vec::IntoIter<Change>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl std::fmt::Display for Diff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} changes", self.0.len())
    }
}
