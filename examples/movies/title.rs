//! A title, with a rule of its own.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cell::Cell;

/// A title that is text.
///
/// Its JSON Schema goes on saying what may be stored, which is any cell or none: a stricter one would
/// be a breaking change, and refused. That a title be text is a rule of this type's own, and rows
/// that break it are found, listed and repaired. A rule that all rows keep needs no such care.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Option<Cell>")]
#[schemars(with = "Option<Cell>")]
pub struct Title(String);

impl Title {
    pub fn new(title: String) -> Self {
        Self(title)
    }
}

impl From<&str> for Title {
    fn from(title: &str) -> Self {
        Self::new(title.to_owned())
    }
}

impl TryFrom<Option<Cell>> for Title {
    type Error = String;

    fn try_from(cell: Option<Cell>) -> Result<Self, String> {
        match cell {
            Some(Cell::Text(title)) => Ok(Self(title)),
            Some(number) => Err(format!("expected text, found the number {number}")),
            None => Err("expected text, found nothing".to_owned()),
        }
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
