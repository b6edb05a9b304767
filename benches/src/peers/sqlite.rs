//! SQLite through rusqlite: a proper column for each field, WAL, `synchronous = FULL`, 64 MB cache.

use std::path::Path;

use rusqlite::types::FromSqlError;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::Peer;
use crate::Result;
use crate::data::{Status, Track};

/// `WITHOUT ROWID`, as SQLite's manual advises for keys that are no integers: one B-tree, by key.
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS tracks (
    id BLOB PRIMARY KEY NOT NULL,
    title TEXT NOT NULL,
    artist TEXT NOT NULL,
    album TEXT,
    notes TEXT NOT NULL,
    status TEXT NOT NULL,
    duration REAL NOT NULL,
    rating INTEGER NOT NULL,
    plays INTEGER NOT NULL,
    favourite INTEGER NOT NULL
) WITHOUT ROWID";

const INDEX: &str = "CREATE INDEX IF NOT EXISTS tracks_by_status ON tracks (status)";
const INSERT: &str = "INSERT INTO tracks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const GET: &str = "SELECT * FROM tracks WHERE id = ?";
const SCAN: &str = "SELECT * FROM tracks ORDER BY id";

/// An open database, with or without an index on the status.
#[derive(Debug)]
pub struct Sqlite<const INDEXED: bool = false>(Connection);

impl<const INDEXED: bool> Peer for Sqlite<INDEXED> {
    const NAME: &'static str = if INDEXED { "SQLite, indexed" } else { "SQLite" };
    type Row = Track;
    type Key = [u8; 16];

    fn key(id: Uuid) -> [u8; 16] {
        id.into_bytes()
    }

    fn open(dir: &Path) -> Result<Self> {
        let db = Connection::open(dir.join("tracks.sqlite"))?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        // Room for 100k rows, as every other peer has by default; the default of 2 MB makes a warm
        // `get` a sixth slower.
        db.pragma_update(None, "cache_size", -65_536)?;
        db.execute(SCHEMA, ())?;
        if INDEXED {
            db.execute(INDEX, ())?;
        }
        Ok(Self(db))
    }

    fn insert_all(&mut self, rows: impl Iterator<Item = Track>) -> Result<()> {
        let tx = self.0.transaction()?;
        {
            let mut insert = tx.prepare_cached(INSERT)?;
            for row in rows {
                insert_into(&mut insert, &row)?;
            }
        }
        Ok(tx.commit()?)
    }

    fn insert(&mut self, row: Track) -> Result<()> {
        Ok(insert_into(&mut self.0.prepare_cached(INSERT)?, &row)?)
    }

    fn get(&self, key: &[u8; 16]) -> Result<Option<Track>> {
        Ok(self.0.prepare_cached(GET)?.query_row([key.as_slice()], track).optional()?)
    }

    fn scan(&self, mut each: impl FnMut(Track)) -> Result<()> {
        let mut scan = self.0.prepare_cached(SCAN)?;
        let mut rows = scan.query(())?;
        while let Some(row) = rows.next()? {
            each(track(row)?);
        }
        Ok(())
    }
}

fn insert_into(insert: &mut CachedStatement<'_>, row: &Track) -> rusqlite::Result<()> {
    let status = match row.status {
        Status::Pending => "pending",
        Status::Ready => "ready",
        Status::Failed => "failed",
    };
    insert.execute(params![
        row.id.as_bytes().as_slice(),
        row.title,
        row.artist,
        row.album,
        row.notes,
        status,
        row.duration,
        row.rating,
        row.plays as i64,
        row.favourite,
    ])?;
    Ok(())
}

/// A row of the table.
pub fn track(row: &Row<'_>) -> rusqlite::Result<Track> {
    Ok(Track {
        id: Uuid::from_bytes(row.get(0)?),
        title: row.get(1)?,
        artist: row.get(2)?,
        album: row.get(3)?,
        notes: row.get(4)?,
        status: match row.get_ref(5)?.as_str()? {
            "pending" => Status::Pending,
            "ready" => Status::Ready,
            "failed" => Status::Failed,
            _ => return Err(FromSqlError::InvalidType.into()),
        },
        duration: row.get(6)?,
        rating: row.get(7)?,
        plays: row.get::<_, i64>(8)? as u64,
        favourite: row.get(9)?,
    })
}
