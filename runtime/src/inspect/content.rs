//! The content of a file: rows, entries, indexes, quarantine.

use std::collections::BTreeSet;
use std::io::Write;

use super::Inspector;
use crate::disk::StoredDocument;
use crate::doc::Root;
use crate::engine::{DocName, LateEdit, LateEditKey, Part, current_document, index_facts_of};
use crate::error::{Error, ErrorKind, Result};

/// A stored row or entry, without its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredText {
    key: String,
    json: String,
    is_damaged: bool,
    is_foreign: bool,
}

impl StoredText {
    /// Returns the text of the row's key, or the name of the entry.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the JSON text as it is stored, without defaults; nothing if it is damaged.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Whether its bytes are not those that were written.
    pub fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// Whether another program has put something there that is not JSON text; [`json`](Self::json) shows it
    /// as JSON.
    pub fn is_foreign(&self) -> bool {
        self.is_foreign
    }
}

/// An index of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexInfo {
    table: String,
    fields: Vec<String>,
    entries: u64,
    is_complete: bool,
}

impl IndexInfo {
    /// Returns the name of its table.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Returns the stored names of the fields and paths that it orders rows by.
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// Returns how many entries it has. One over each item has one for each different item of a row.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Whether it has the entries of all rows: a build of it has come to its end.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }
}

/// An edit in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEdit {
    root: Root,
    key: String,
    value: Option<String>,
    reason: Option<String>,
}

impl KeptEdit {
    /// Returns the table of its row.
    pub fn table(&self) -> Option<&str> {
        match &self.root {
            Root::Table(name) => Some(name),
            _ => None,
        }
    }

    /// Returns the kv group of its entry.
    pub fn group(&self) -> Option<&str> {
        match &self.root {
            Root::Group(name) => Some(name),
            _ => None,
        }
    }

    /// Returns the text of the row's key, or the name of the entry.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the JSON text that was written, as far as it was converted; `None` if a row was removed.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Returns why it could not be converted.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl Inspector {
    /// The document that readers see.
    fn document(&self) -> Result<StoredDocument> {
        if self.view.is_of_older_format() {
            let what = "the rows of a file of format 1 are read by its app only";
            let error = Error::new(ErrorKind::Storage, what);
            return Err(error.help(
                "open the file once with its app, built with this heirloom, and write to it",
            ));
        }
        let name = current_document(&self.view.meta()?)?.to_string();
        Ok(StoredDocument::new(self.view.clone(), &name))
    }

    fn roots(&self) -> Result<Vec<Root>> {
        let document = self.document()?;
        let roots: BTreeSet<String> = document.roots()?.iter().map(ToString::to_string).collect();
        Ok(roots.iter().filter_map(|name| Root::parse(name)).collect())
    }

    /// Returns the names of the tables that have held rows, in the order of the names. Tables are among them
    /// that the newest code does not declare.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](ErrorKind::Corrupt) if the file is damaged; [`Storage`](ErrorKind::Storage) if it cannot be
    /// read, or is of format 1 and was not written to since.
    pub fn tables(&self) -> Result<Vec<String>> {
        let tables = |root| match root {
            Root::Table(name) => Some(name),
            _ => None,
        };
        self.placed(self.roots().map(|roots| roots.into_iter().filter_map(tables).collect()))
    }

    /// Returns the names of the kv groups that have held entries, in the order of the names.
    ///
    /// # Errors
    ///
    /// The errors of [`tables`](Self::tables).
    pub fn groups(&self) -> Result<Vec<String>> {
        let groups = |root| match root {
            Root::Group(name) => Some(name),
            _ => None,
        };
        self.placed(self.roots().map(|roots| roots.into_iter().filter_map(groups).collect()))
    }

    /// Calls `visit` with each row of a table, in the order of their keys as they are stored; none if there is
    /// no such table.
    ///
    /// Rows of the current epoch are shown, as they are stored. Nothing is checked or filled in.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # #[table(name = "notes")]
    /// # struct Note { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct App { notes: Table<Note> }
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("app.redb");
    /// # App::open(&path)?.notes.insert(&Note { name: "milk".into() })?;
    /// let file = heirloom::inspect::open(&path)?;
    /// let mut rows = Vec::new();
    /// file.for_each_row("notes", |row| {
    ///     rows.push(row.json().to_owned());
    ///     Ok(())
    /// })?;
    /// assert_eq!(rows, [r#"{"name":"milk"}"#]);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`tables`](Self::tables), and that of `visit`, after which no more rows come.
    pub fn for_each_row(
        &self,
        table: &str,
        mut visit: impl FnMut(StoredText) -> Result<()>,
    ) -> Result<()> {
        self.placed(self.each(&Root::Table(table.to_owned()), &mut visit))
    }

    /// Calls `visit` with each entry of a kv group that is set; none if there is no such group.
    ///
    /// # Errors
    ///
    /// The errors of [`for_each_row`](Self::for_each_row).
    pub fn for_each_entry(
        &self,
        group: &str,
        mut visit: impl FnMut(StoredText) -> Result<()>,
    ) -> Result<()> {
        self.placed(self.each(&Root::Group(group.to_owned()), &mut visit))
    }

    fn each(&self, root: &Root, visit: &mut dyn FnMut(StoredText) -> Result<()>) -> Result<()> {
        self.document()?.pass_stored::<Error>(&root.name(), &mut |key, row| {
            visit(StoredText {
                key: key.to_owned(),
                json: String::from_utf8_lossy(row.json()).into_owned(),
                is_damaged: row.is_damaged(),
                is_foreign: row.is_foreign() && !row.is_damaged(),
            })
        })
    }

    /// Returns the indexes of the file, by table and fields.
    ///
    /// # Errors
    ///
    /// The errors of [`tables`](Self::tables).
    pub fn indexes(&self) -> Result<Vec<IndexInfo>> {
        self.placed(self.index_infos())
    }

    fn index_infos(&self) -> Result<Vec<IndexInfo>> {
        let meta = self.view.meta()?;
        let document = current_document(&meta)?.to_string();
        let mut infos = Vec::new();
        for (name, fact) in index_facts_of(&meta).0 {
            if let Some((table, fields, entries)) = self.view.index_of(&document, &name)? {
                let is_complete = fact.built_to.is_none();
                infos.push(IndexInfo { table, fields, entries, is_complete });
            }
        }
        infos.sort_by(|a, b| (&a.table, &a.fields).cmp(&(&b.table, &b.fields)));
        Ok(infos)
    }

    /// Returns what is in quarantine: edits that could not be carried into the current epoch, and those that
    /// another edit displaced there. Edits that were dealt with are not among them.
    ///
    /// # Errors
    ///
    /// The errors of [`tables`](Self::tables).
    pub fn quarantine(&self) -> Result<Vec<KeptEdit>> {
        self.placed(self.kept_edits())
    }

    fn kept_edits(&self) -> Result<Vec<KeptEdit>> {
        let document = self.document()?;
        let bookkeeping = |root: Root| self.view.bookkeeping(document.name(), &root.name());
        let marks: BTreeSet<String> =
            bookkeeping(Root::Seen)?.into_iter().map(|(text, ..)| text).collect();
        let epoch = DocName::parse(document.name()).map_or(0, |name| name.epoch);
        let is_marked =
            |part: &Part| part.containers(epoch).any(|part| marks.contains(&part.to_text()));
        let mut kept = Vec::new();
        for (text, id, content) in bookkeeping(Root::Forwarded)? {
            let (Some(LateEditKey { at, parts }), Some(edit)) =
                (LateEditKey::parse(&text), LateEdit::read(&content))
            else {
                continue;
            };
            let standing = document.visible(&at.root, &at.key)?;
            let is_showing = standing.is_some_and(|entry| entry.id == id);
            if is_showing || parts.iter().all(is_marked) {
                continue;
            }
            let Some(root) = Root::parse(&at.root) else { continue };
            let value = edit.value.or(edit.raw);
            kept.push(KeptEdit { root, key: at.key, value, reason: edit.reason });
        }
        Ok(kept)
    }

    /// Writes all rows and entries as JSON Lines, and returns the number of lines.
    ///
    /// A line is as [`Store::export`](crate::Store::export) writes it, without the defaults of fields that a row
    /// lacks, so that [`Store::import`](crate::Store::import) reads it. Tables and groups are among them that
    /// the newest code does not declare.
    ///
    /// # Errors
    ///
    /// The errors of [`tables`](Self::tables); [`Corrupt`](ErrorKind::Corrupt) if a row is damaged;
    /// [`Storage`](ErrorKind::Storage) if the writer fails. The lines before it stay written.
    pub fn export(&self, mut to: impl Write) -> Result<usize> {
        self.placed(self.export_lines(&mut to))
    }

    fn export_lines(&self, to: &mut dyn Write) -> Result<usize> {
        let mut count = 0;
        for root in self.roots()? {
            let (of, name, value) = match &root {
                Root::Table(name) => ("table", name.clone(), "row"),
                Root::Group(name) => ("group", name.clone(), "value"),
                _ => continue,
            };
            let quoted = |text: &str| serde_json::Value::from(text).to_string();
            self.each(&root, &mut |stored| {
                if stored.is_damaged {
                    let error = Error::new(ErrorKind::Corrupt, "the row is damaged");
                    let error = error.at_key(stored.key);
                    let error =
                        if of == "table" { error.at_table(&name) } else { error.at_group(&name) };
                    return Err(error.help("export the copy of another device"));
                }
                let entry = match of {
                    "group" => format!(",\"entry\":{}", quoted(&stored.key)),
                    _ => String::new(),
                };
                // Within a JSON string there is no line break.
                let json = stored.json.replace(['\n', '\r'], " ");
                let line = format!("{{\"{of}\":{}{entry},\"{value}\":{json}}}\n", quoted(&name));
                count += 1;
                to.write_all(line.as_bytes()).map_err(unwritten)
            })?;
        }
        to.flush().map_err(unwritten)?;
        Ok(count)
    }
}

fn unwritten(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, "the rows cannot be written").because(error)
}
