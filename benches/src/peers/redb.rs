//! redb with nothing around it: id bytes to JSON text. What heirloom's own file could cost at best.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use uuid::Uuid;

use super::Peer;
use crate::Result;
use crate::data::Track;

const TRACKS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("tracks");

/// An open database.
#[derive(Debug)]
pub struct Redb(Database);

impl Peer for Redb {
    const NAME: &'static str = "redb";
    type Row = Track;
    type Key = [u8; 16];

    fn key(id: Uuid) -> [u8; 16] {
        id.into_bytes()
    }

    fn open(dir: &Path) -> Result<Self> {
        Ok(Self(Database::create(dir.join("tracks.redb"))?))
    }

    fn insert_all(&mut self, rows: impl Iterator<Item = Track>) -> Result<()> {
        let tx = self.0.begin_write()?;
        {
            let mut tracks = tx.open_table(TRACKS)?;
            for row in rows {
                tracks.insert(row.id.as_bytes().as_slice(), &*serde_json::to_vec(&row)?)?;
            }
        }
        Ok(tx.commit()?)
    }

    fn insert(&mut self, row: Track) -> Result<()> {
        self.insert_all(std::iter::once(row))
    }

    fn get(&self, key: &[u8; 16]) -> Result<Option<Track>> {
        let tracks = self.0.begin_read()?.open_table(TRACKS)?;
        let json = tracks.get(key.as_slice())?;
        Ok(json.map(|json| serde_json::from_slice(json.value())).transpose()?)
    }

    fn scan(&self, mut each: impl FnMut(Track)) -> Result<()> {
        for entry in self.0.begin_read()?.open_table(TRACKS)?.iter()? {
            each(serde_json::from_slice(entry?.1.value())?);
        }
        Ok(())
    }
}
