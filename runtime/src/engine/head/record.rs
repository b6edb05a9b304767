//! Recording the versions that the running code knows.

use super::compared::Compared;
use super::head_changes::HeadChange;
use super::recorded::{VERSIONS, read};
use crate::disk::HEAD_DOCUMENT;
use crate::engine::claim::{Claim, EPOCHS};
use crate::engine::documents::DocName;
use crate::engine::frontier::FRONTIERS;
use crate::engine::open::Engine;
use crate::engine::writer::Writer;
use crate::error::{Error, ErrorKind, Result};

impl Engine {
    /// Adds the versions that the code knows and the store does not to the next commit.
    pub(crate) fn record_versions(&self, writer: &mut Writer) -> Result<()> {
        if writer.is_recorded {
            return Ok(());
        }
        let view = self.view();
        if view.has_entry(HEAD_DOCUMENT, VERSIONS, self.code.fingerprint())? {
            writer.is_recorded = true;
            return Ok(());
        }
        if writer.head_changes.iter().any(|change| change.group == VERSIONS) {
            return Ok(());
        }
        let entries = view.entries(HEAD_DOCUMENT, VERSIONS)?;
        let valid = entries.iter().filter_map(|(name, _, content)| read(name, content));
        let comparison = self.code.compare(valid.collect())?;
        let mut values: Vec<(String, String)> = Vec::new();
        for version in comparison.known() {
            let name = version.fingerprint();
            // An entry is written once, whatever has become of it.
            let is_there = entries.iter().any(|(known, ..)| known == name)
                || values.iter().any(|(known, _)| known == name);
            if !is_there {
                let json = serde_json::to_string(&version).map_err(|error| {
                    Error::new(ErrorKind::Storage, "a version does not serialize").because(error)
                })?;
                values.push((name.to_owned(), json));
            }
        }
        writer.compared = Some(Compared::of(&self.code, &comparison));
        writer.unrecorded.compared = true;
        let changes =
            values.into_iter().map(|(name, json)| HeadChange { group: VERSIONS, name, json });
        writer.head_changes.extend(changes);
        Ok(())
    }

    /// Adds a claim to the next commit.
    pub(crate) fn record_claim(
        &self,
        writer: &mut Writer,
        name: DocName,
        claim: &Claim,
        frontier: String,
    ) -> Result<()> {
        let json = serde_json::to_string(claim).map_err(|error| {
            Error::new(ErrorKind::Storage, "a claim does not serialize").because(error)
        })?;
        let name = name.to_string();
        // Without it the claim would decide on what is still open.
        writer.head_changes.extend([
            HeadChange { group: FRONTIERS, name: name.clone(), json: frontier },
            HeadChange { group: EPOCHS, name, json },
        ]);
        Ok(())
    }
}
