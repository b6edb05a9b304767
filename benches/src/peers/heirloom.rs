//! heirloom, through its public API alone.

use std::path::Path;

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Peer;
use crate::Result;
use crate::data::{Status, track_as};

track_as! {
    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tracks")]
    struct Row;
    id: Id<Row> = Id::from_uuid, Id::uuid
}

/// An open store.
#[derive(Store)]
#[store(name = "library", epoch = 0)]
pub struct Heirloom {
    tracks: Table<Row>,
}

impl Peer for Heirloom {
    const NAME: &'static str = "heirloom";
    type Row = Row;
    type Key = Id<Row>;

    fn key(id: Uuid) -> Id<Row> {
        Id::from_uuid(id)
    }

    fn open(dir: &Path) -> Result<Self> {
        Ok(Self::open(dir.join("tracks.heirloom"))?)
    }

    fn insert_all(&mut self, rows: impl Iterator<Item = Row>) -> Result<()> {
        self.tracks.insert_many(rows)?;
        Ok(())
    }

    fn insert(&mut self, row: Row) -> Result<()> {
        Ok(self.tracks.insert(&row)?)
    }

    fn get(&self, key: &Id<Row>) -> Result<Option<Row>> {
        Ok(self.tracks.get(key)?)
    }

    fn scan(&self, mut each: impl FnMut(Row)) -> Result<()> {
        for row in self.tracks.iter()? {
            each(row?);
        }
        Ok(())
    }
}
