//! [`Compared`]: the result of comparing code and recorded versions, recorded so that it is done
//! once.

use serde::{Deserialize, Serialize};

use super::recorded::recorded;
use super::refusal::{refuse_breaking, refuse_newer};
use crate::disk::{Meta, View};
use crate::engine::meta_keys;
use crate::error::Result;
use crate::schema::{Code, Comparison};

/// That code was compared with the recorded versions and may be used with them. Recorded in the file
/// whenever a version is added to it, so that it always speaks of all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct Compared {
    /// The fingerprint of the code.
    code: String,
    /// The length of its history file.
    history: usize,
    /// The fingerprint of the newest version that came after it.
    newer: Option<String>,
}

impl Compared {
    pub(super) fn of(code: &Code, comparison: &Comparison<'_>) -> Self {
        Self {
            code: code.fingerprint().to_owned(),
            history: code.history_len(),
            newer: comparison.newest().map(|version| version.fingerprint().to_owned()),
        }
    }

    /// Whether a recorded version came after the code.
    pub(in crate::engine) fn knows_newer(&self) -> bool {
        self.newer.is_some()
    }

    /// Compares code with an existing file, unless the file records that this was done; tells whether
    /// it does.
    pub(in crate::engine) fn with_file(
        code: &Code,
        meta: &Meta,
        view: &View,
        refuse_newer_schema: bool,
    ) -> Result<(Self, bool)> {
        let may_be_used = |recorded: &Self| {
            recorded.history == code.history_len()
                && recorded.code == code.fingerprint()
                && !(refuse_newer_schema && recorded.newer.is_some())
        };
        if let Some(recorded) = Self::recorded(meta).filter(may_be_used) {
            return Ok((recorded, true));
        }
        let comparison = code.compare(recorded(view)?)?;
        refuse_breaking(code, &comparison)?;
        if let Some(version) = comparison.newest().filter(|_| refuse_newer_schema) {
            return Err(refuse_newer(code, version));
        }
        Ok((Self::of(code, &comparison), false))
    }

    fn recorded(meta: &Meta) -> Option<Self> {
        serde_json::from_str(meta.text(meta_keys::COMPARED)?).ok()
    }
}
