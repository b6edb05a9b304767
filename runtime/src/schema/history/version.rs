//! [`Version`]: an additive state of a schema, as it was recorded.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::{Change, Schema};

/// A recorded state of a store's schema: the schema, the day, and the changes since the version
/// before.
///
/// Recorded in the history file by `HEIRLOOM=record cargo test`, and in each store that code of
/// this version has written to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    pub(super) epoch: u32,
    /// Nothing if the code keeps no history.
    #[serde(rename = "version", default, skip_serializing_if = "Option::is_none")]
    pub(super) number: Option<u32>,
    pub(super) fingerprint: String,
    #[serde(default)]
    pub(super) parent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) date: Option<String>,
    #[serde(default)]
    pub(super) changes: Vec<Change>,
    pub(super) schema: Schema,
}

impl Version {
    /// A version of code that keeps no history, or has not recorded this one.
    pub(crate) fn unrecorded(schema: Schema, parent: Option<&Self>) -> Self {
        Self {
            epoch: schema.epoch,
            number: None,
            fingerprint: schema.fingerprint(),
            parent: parent.map(|parent| parent.fingerprint.clone()),
            date: None,
            changes: parent.map(|parent| changes(&parent.schema, &schema)).unwrap_or_default(),
            schema,
        }
    }

    /// Returns the epoch it belongs to.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Returns its number in the history file, from 1; `None` for code that keeps no history.
    pub fn number(&self) -> Option<u32> {
        self.number
    }

    /// Returns the fingerprint of its schema.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns the fingerprint of the version before it.
    pub fn parent(&self) -> Option<&str> {
        self.parent.as_deref()
    }

    /// Returns the day it was recorded, as `2026-11-20`, in UTC.
    pub fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    /// Returns the changes since the version before it.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Returns the schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}

pub(super) fn changes(old: &Schema, new: &Schema) -> Vec<Change> {
    old.diff(new).into_iter().collect()
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "version {number}")?,
            None => write!(f, "the version with the fingerprint {}", self.fingerprint)?,
        }
        if self.epoch > 0 {
            write!(f, " of epoch {}", self.epoch)?;
        }
        match &self.date {
            Some(date) => write!(f, ", recorded on {date}"),
            None => Ok(()),
        }
    }
}
