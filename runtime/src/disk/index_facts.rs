//! The facts about its indexes that the file records.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Every index in the file, so that all of these are kept up to date by the code that writes, or
/// forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct IndexFacts(pub(crate) BTreeMap<String, IndexFact>);

/// The recorded facts about one index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexFact {
    /// A hash of what decides how the fields that it covers read.
    pub(crate) basis: u64,
    /// A hash of what decides which rows decode at all, for the code that has written all entries;
    /// `None` once several have, of which one does not decode all that the others do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) row_basis: Option<u64>,
    /// While it is being built, the bytes of the key that it has come to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) built_to: Option<Vec<u8>>,
}

impl IndexFacts {
    /// Reads them from JSON. An index whose record does not parse is built again.
    pub(crate) fn parse(json: &[u8]) -> Self {
        serde_json::from_slice(json).unwrap_or_default()
    }

    /// Whether some index is not complete.
    pub(crate) fn are_building(&self) -> bool {
        self.0.values().any(|fact| fact.built_to.is_some())
    }
}

impl IndexFact {
    /// Whether the row under this key has its entries; the others come with the build.
    pub(crate) fn holds(&self, key: &[u8]) -> bool {
        // Before the first key there is nothing; an empty text is a key, too.
        self.built_to.as_deref().is_none_or(|end| !end.is_empty() && key <= end)
    }
}
