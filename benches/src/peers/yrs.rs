//! yrs with nothing around it: one map of JSON texts in memory, each update appended to a file.

use std::path::Path;

use uuid::Uuid;
use yrs::updates::decoder::Decode;
use yrs::{Any, Doc, Map, MapRef, Out, Transact, Update};

use super::Peer;
use super::append_file::{AppendFile, chunks};
use crate::Result;
use crate::data::Track;

/// A loaded document and its file.
#[derive(Debug)]
pub struct Yrs {
    doc: Doc,
    tracks: MapRef,
    file: AppendFile,
}

impl Peer for Yrs {
    const NAME: &'static str = "yrs";
    type Row = Track;
    type Key = String;

    fn key(id: Uuid) -> String {
        id.to_string()
    }

    fn open(dir: &Path) -> Result<Self> {
        let doc = Doc::new();
        let tracks = doc.get_or_insert_map("tracks");
        let (file, bytes) = AppendFile::open(dir)?;
        {
            let mut tx = doc.transact_mut();
            for update in chunks(&bytes) {
                tx.apply_update(Update::decode_v1(update)?)?;
            }
        }
        Ok(Self { doc, tracks, file })
    }

    fn insert_all(&mut self, rows: impl Iterator<Item = Track>) -> Result<()> {
        let mut tx = self.doc.transact_mut();
        for row in rows {
            self.tracks.insert(&mut tx, row.id.to_string(), serde_json::to_string(&row)?);
        }
        self.file.append(&tx.encode_update_v1())
    }

    fn insert(&mut self, row: Track) -> Result<()> {
        self.insert_all(std::iter::once(row))
    }

    fn get(&self, key: &String) -> Result<Option<Track>> {
        let tx = self.doc.transact();
        self.tracks.get(&tx, key).map(decode).transpose()
    }

    fn scan(&self, mut each: impl FnMut(Track)) -> Result<()> {
        let tx = self.doc.transact();
        for (_, json) in self.tracks.iter(&tx) {
            each(decode(json)?);
        }
        Ok(())
    }
}

fn decode(stored: Out) -> Result<Track> {
    match stored {
        Out::Any(Any::String(json)) => Ok(serde_json::from_str(&json)?),
        other => Err(format!("no JSON text: {other:?}").into()),
    }
}
