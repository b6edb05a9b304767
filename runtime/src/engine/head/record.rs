//! Recording the versions that the running code knows.

use super::compared::Compared;
use super::head_changes::Changed;
use super::recorded::{VERSIONS, read};
use crate::disk::{HEAD_DOCUMENT, Record, RecordKind};
use crate::doc::{Op, Root};
use crate::engine::claim::{Claim, EPOCHS};
use crate::engine::documents::DocName;
use crate::engine::open::Engine;
use crate::engine::write::{not_loaded, refused};
use crate::engine::writer::Writer;
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, ItemId};

impl Engine {
    /// Adds the versions that the code knows and the store does not to the next commit, once the
    /// documents are loaded.
    pub(crate) fn record_versions(&self, writer: &mut Writer) -> Result<()> {
        if writer.is_recorded {
            return Ok(());
        }
        let view = self.view();
        if view.has_entry(HEAD_DOCUMENT, VERSIONS, self.code.fingerprint())? {
            writer.is_recorded = true;
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
        self.write_head(writer, VERSIONS, values)
    }

    /// Adds a claim to the next commit, once the documents are loaded.
    pub(crate) fn record_claim(
        &self,
        writer: &mut Writer,
        name: DocName,
        claim: &Claim,
    ) -> Result<()> {
        let json = serde_json::to_string(claim).map_err(|error| {
            Error::new(ErrorKind::Storage, "a claim does not serialize").because(error)
        })?;
        self.write_head(writer, EPOCHS, vec![(name.to_string(), json)])
    }

    /// Writes new entries to the head document in memory, and adds them to the next commit.
    fn write_head(
        &self,
        writer: &mut Writer,
        group: &str,
        values: Vec<(String, String)>,
    ) -> Result<()> {
        // Taken out, so that after an error, or a panic, it is loaded again.
        let Some(mut head) = writer.head.take() else { return Err(not_loaded()) };
        let mut changes = writer.head_changes.take().unwrap_or_default();
        let first = head.document.next_id();
        let ops: Vec<Op<'_>> = values
            .iter()
            .map(|(name, json)| Op { root: 0, key: name, value: Some(json) })
            .collect();
        let update = head.document.write(&[Root::Group(group.to_owned())], &ops);
        if u64::from(head.document.next_id().clock) != u64::from(first.clock) + ops.len() as u64 {
            return Err(refused());
        }
        drop(ops);
        let ids = (first.clock..).map(|clock| ItemId { client: first.client, clock });
        changes.entries.extend(ids.zip(values).map(|(id, (name, json))| Changed {
            group: group.to_owned(),
            name,
            entry: Some((id, Content::Text(json.into()))),
        }));
        changes.records.push(Record::encode(&update, RecordKind::Local));
        (writer.head, writer.head_changes) = (Some(head), Some(changes));
        Ok(())
    }
}
