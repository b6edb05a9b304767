//! Reading the recorded versions.

use std::sync::{Arc, PoisonError};

use crate::disk::{HEAD_DOCUMENT, StoredDocument, View};
use crate::doc::Root;
use crate::engine::claim::{Claim, Claims, EPOCHS};
use crate::engine::documents::DocName;
use crate::engine::frontier::{FRONTIERS, Frontier};
use crate::engine::late_edits::Copies;
use crate::engine::open::Engine;
use crate::error::Result;
use crate::row::Content;
use crate::schema::{Comparison, Version};

/// The kv group of the head document that holds the versions, by fingerprint.
pub(super) const VERSIONS: &str = "versions";

/// The recorded versions, in no order.
pub(crate) fn recorded(view: &View) -> Result<Vec<Version>> {
    let entries = view.entries(HEAD_DOCUMENT, VERSIONS)?;
    Ok(entries.iter().filter_map(|(name, _, content)| read(name, content)).collect())
}

/// The version that an entry holds; `None` if it does not parse, or has another name.
///
/// Reads a version. Any other entry is kept, since newer code may know it.
pub(super) fn read(name: &str, content: &Content) -> Option<Version> {
    let Content::Text(json) = content else { return None };
    let version: Version = serde_json::from_str(json).ok()?;
    let schema = version.schema();
    let is_true = version.epoch() == schema.epoch
        && version.fingerprint() == name
        && schema.fingerprint() == name;
    is_true.then_some(version)
}

impl Engine {
    /// The recorded versions, compared with the running code.
    pub(crate) fn comparison(&self) -> Result<Comparison<'_>> {
        let compared = recorded(&self.view()).and_then(|recorded| self.code.compare(recorded));
        compared.map_err(|error| self.placed(error))
    }
}

impl Engine {
    /// Returns the open parts that a migration left; `None` if they have not arrived.
    pub(crate) fn frontier(&self, document: DocName) -> Result<Arc<Frontier>> {
        let mut known = self.frontiers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frontier) = known.get(&document) {
            return Ok(frontier.clone());
        }
        let view = self.view();
        if view.is_of_older_format() {
            return Ok(Arc::default());
        }
        let head = StoredDocument::new(view, HEAD_DOCUMENT);
        let root = Root::Group(FRONTIERS.to_owned()).name();
        let Some(entry) = head.entry(&root, &document.to_string())? else {
            return Ok(Arc::default());
        };
        let read = match &entry.content {
            Content::Text(json) => Frontier::parse(json),
            Content::Foreign(_) => None,
        };
        let frontier = Arc::new(read.unwrap_or_default());
        known.insert(document, frontier.clone());
        Ok(frontier)
    }

    /// Returns the edits that the copies of a document stand for.
    pub(crate) fn copies<'e>(&'e self, name: DocName, claim: Option<&'e Claim>) -> Copies<'e> {
        Copies { engine: self, name, claim }
    }
}

/// The claims of a store.
pub(crate) fn read_claims(view: &View) -> Result<Claims> {
    let entries = view.entries(HEAD_DOCUMENT, EPOCHS)?;
    Ok(entries.iter().filter_map(|(name, _, content)| Claim::read(name, content)).collect())
}
