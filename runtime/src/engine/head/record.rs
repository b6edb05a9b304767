//! Recording the versions that the running code knows.

use super::compared::Compared;
use super::news::{Changed, News};
use super::recorded::{VERSIONS, read};
use crate::disk::{HEAD_DOCUMENT, Record, RecordKind};
use crate::doc::{Op, Root};
use crate::engine::open::Engine;
use crate::engine::write::refused;
use crate::engine::writer::Writer;
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, ItemId};

impl Engine {
    /// Adds the versions that the code knows and the store does not to the next commit, once the
    /// documents are loaded.
    pub(in crate::engine) fn record_versions(&self, writer: &mut Writer) -> Result<()> {
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
        writer.news = self.write_head(writer, values)?;
        Ok(())
    }

    /// Writes new entries to the head document in memory.
    fn write_head(
        &self,
        writer: &mut Writer,
        values: Vec<(String, String)>,
    ) -> Result<Option<News>> {
        // Taken out, so that after an error, or a panic, it is loaded again.
        let Some(mut head) = writer.head.take() else { return Ok(None) };
        let first = head.document.next_id();
        let ops: Vec<Op<'_>> = values
            .iter()
            .map(|(name, json)| Op { root: 0, key: name, value: Some(json) })
            .collect();
        let update = head.document.write(&[Root::Group(VERSIONS.to_owned())], &ops);
        if u64::from(head.document.next_id().clock) != u64::from(first.clock) + ops.len() as u64 {
            return Err(refused());
        }
        drop(ops);
        writer.head = Some(head);
        let ids = (first.clock..).map(|clock| ItemId { client: first.client, clock });
        let entries = ids.zip(values).map(|(id, (name, json))| Changed {
            group: VERSIONS.to_owned(),
            name,
            entry: Some((id, Content::Text(json.into()))),
        });
        let records = vec![Record::encode(&update, RecordKind::Local)];
        Ok(Some(News { records, entries: entries.collect() }))
    }
}
