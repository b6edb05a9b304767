//! Rows of a table under other keys: texts, as long as no code has declared the table, and then bytes.

use std::sync::Arc;

use redb::TableDefinition;

use super::commit::Commit;
use super::document::{RootInfo, StoredDocument, write_root, write_root_name};
use super::failure::guarded;
use super::keys;
use super::names;
use super::row_writer::RowWriter;
use super::seal::seal;
use crate::error::Result;
use crate::row::KeyForm;

impl Commit {
    /// Writes the rows of a table of a document anew, with keys of this form where they are such keys;
    /// `tell` is told of each. The table must have been written to before.
    pub(crate) fn rekey(
        &self,
        base: &StoredDocument,
        table: &str,
        form: &KeyForm,
        tell: &mut dyn FnMut(),
    ) -> Result<()> {
        let root = format!("table:{table}");
        let (rows, strays) = (names::rows(base.name(), table), names::strays(base.name(), table));
        guarded(|| {
            let Some(info) = base.root(&root)? else { return Ok(()) };
            self.txn().delete_table(TableDefinition::<&[u8], &[u8]>::new(&rows))?;
            self.txn().delete_table(TableDefinition::<&str, &[u8]>::new(&strays))?;
            let info = RootInfo { form: Some(form.clone()), number: info.number };
            let name = names::items(base.name());
            let mut items = self.txn().open_table(TableDefinition::<&[u8], &[u8]>::new(&name))?;
            let mut set =
                |key: &[u8], value: &[u8]| items.insert(key, seal(key, value).as_slice()).map(drop);
            set(&keys::of_root(&root), &write_root(&info))?;
            set(&keys::of_root_number(info.number), &write_root_name(&info, &root))?;
            Ok(())
        })?;
        let mut writer = RowWriter::new(self, base.name());
        let mut all: Vec<(Option<Vec<u8>>, Arc<str>)> = Vec::new();
        base.pass_stored::<crate::Error>(&root, &mut |key, _| {
            all.push((form.bytes_of(key), key.into()));
            Ok(())
        })?;
        // In the order of the table to be written.
        all.sort_unstable();
        for (bytes, key) in all {
            guarded(|| {
                let Some(row) = base.stored(&root, &key)? else { return Ok(()) };
                let mut buffer = Vec::new();
                let row_key = bytes.as_deref().unwrap_or(key.as_bytes());
                row.encode_under(row_key, &mut buffer);
                match &bytes {
                    Some(bytes) => writer.row(&root, bytes, Some(&buffer)),
                    None => writer.text(&root, &key, Some(&buffer)),
                }
            })?;
            tell();
        }
        guarded(|| writer.flush())
    }
}
