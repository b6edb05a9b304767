//! [`Class`]: how safe a change is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The safety of a change, from harmless to never allowed.
///
/// Devices upgrade in any order, so a change is judged in three directions: new code reads old
/// rows, old code reads new rows, and old code edits a new row and writes it back.
///
/// ```
/// use heirloom::schema::Class;
///
/// assert!(Class::Warn < Class::Breaking);
/// assert_eq!(Class::Breaking.to_string(), "breaking");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Class {
    /// Safe in all three directions.
    Additive = 0,
    /// Safe because a read-time default fills what old rows lack.
    Default = 1,
    /// Nothing fails, but something reads differently in old and new code.
    Warn = 2,
    /// Never allowed, with an epoch or without.
    Error = 4,
    /// Something fails or is lost: needs an epoch. A class that only a newer heirloom knows reads
    /// as this one.
    #[serde(other)]
    Breaking = 3,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Additive => "additive",
            Self::Default => "default",
            Self::Warn => "warn",
            Self::Breaking => "breaking",
            Self::Error => "error",
        })
    }
}
