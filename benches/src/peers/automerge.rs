//! autosurgeon on automerge: a map of structs in memory, incremental saves appended to a file.

use std::collections::HashMap;
use std::path::Path;

use automerge::{AutoCommit, ObjId, ObjType, ROOT, ReadDoc, transaction::Transactable};
use autosurgeon::{
    Hydrate, MaybeMissing, Reconcile, hydrate, hydrate_prop, reconcile, reconcile_prop,
};
use uuid::Uuid;

use super::Peer;
use super::append_file::{AppendFile, chunks};
use crate::Result;
use crate::data::Track;

/// A loaded document and its file.
#[derive(Debug)]
pub struct Autosurgeon {
    doc: AutoCommit,
    file: AppendFile,
}

#[derive(Debug, Reconcile, Hydrate)]
struct Library {
    tracks: HashMap<String, Track>,
}

impl Autosurgeon {
    /// The map of the tracks, made where there is none.
    fn tracks(&mut self) -> Result<ObjId> {
        Ok(match self.doc.get(ROOT, "tracks")? {
            Some((_, tracks)) => tracks,
            None => self.doc.put_object(ROOT, "tracks", ObjType::Map)?,
        })
    }
}

impl Peer for Autosurgeon {
    const NAME: &'static str = "autosurgeon";
    const MAX_ROWS: u64 = 10_000;
    type Row = Track;
    type Key = String;

    fn key(id: Uuid) -> String {
        id.to_string()
    }

    fn open(dir: &Path) -> Result<Self> {
        let (file, bytes) = AppendFile::open(dir)?;
        let saved: Vec<u8> = chunks(&bytes).flatten().copied().collect();
        let doc = if saved.is_empty() { AutoCommit::new() } else { AutoCommit::load(&saved)? };
        Ok(Self { doc, file })
    }

    fn insert_all(&mut self, rows: impl Iterator<Item = Track>) -> Result<()> {
        if self.doc.get_heads().is_empty() {
            // Into an empty document autosurgeon writes a whole value at once, its fast way.
            let tracks = rows.map(|row| (row.id.to_string(), row)).collect();
            reconcile(&mut self.doc, Library { tracks })?;
        } else {
            let tracks = self.tracks()?;
            for row in rows {
                reconcile_prop(&mut self.doc, &tracks, &*row.id.to_string(), row)?;
            }
        }
        self.file.append(&self.doc.save_incremental())
    }

    fn insert(&mut self, row: Track) -> Result<()> {
        let tracks = self.tracks()?;
        reconcile_prop(&mut self.doc, &tracks, &*row.id.to_string(), row)?;
        self.file.append(&self.doc.save_incremental())
    }

    fn get(&self, key: &String) -> Result<Option<Track>> {
        match self.doc.get(ROOT, "tracks")? {
            Some((_, tracks)) => {
                let row: MaybeMissing<Track> = hydrate_prop(&self.doc, &tracks, key.as_str())?;
                Ok(match row {
                    MaybeMissing::Present(row) => Some(row),
                    MaybeMissing::Missing => None,
                })
            }
            None => Ok(None),
        }
    }

    fn scan(&self, each: impl FnMut(Track)) -> Result<()> {
        let library: Library = hydrate(&self.doc)?;
        library.tracks.into_values().for_each(each);
        Ok(())
    }
}
