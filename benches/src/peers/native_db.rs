//! native_db: structs in redb, encoded by native_model.

use std::marker::PhantomData;
use std::path::Path;
use std::sync::LazyLock;

use native_db::{Builder, Database, Key, Models, ToInput, ToKey, native_db};
use native_model::{Model, native_model};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Peer;
use crate::Result;
use crate::data::{Status, Track, track_as};

track_as! {
    #[derive(Debug, Clone, Serialize, Deserialize)]
    #[native_model(id = 1, version = 1)]
    #[native_db]
    struct Row;
    #[primary_key]
    id: RowId = RowId, |id: RowId| id.0
}

track_as! {
    #[derive(Debug, Clone, Serialize, Deserialize)]
    #[native_model(id = 1, version = 1)]
    #[native_db]
    struct IndexedRow;
    #[primary_key]
    id: RowId = RowId, |id: RowId| id.0;
    #[secondary_key]
    status
}

/// The id as a native_db key, in the form that its documentation gives for UUIDs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RowId(Uuid);

impl ToKey for RowId {
    fn to_key(&self) -> Key {
        Key::new(self.0.as_bytes().to_vec())
    }

    fn key_names() -> Vec<String> {
        vec!["RowId".to_owned()]
    }
}

impl ToKey for Status {
    fn to_key(&self) -> Key {
        (*self as u8).to_key()
    }

    fn key_names() -> Vec<String> {
        vec!["Status".to_owned()]
    }
}

/// The two kinds of rows.
pub trait Stored: ToInput + From<Track> + Into<Track> + 'static {
    /// The name of their peer.
    const NAME: &'static str;

    /// The models of a database of them.
    fn models() -> &'static Models;
}

impl Stored for Row {
    const NAME: &'static str = "native_db";

    fn models() -> &'static Models {
        static MODELS: LazyLock<Models> = LazyLock::new(models_of::<Row>);
        &MODELS
    }
}

impl Stored for IndexedRow {
    const NAME: &'static str = "native_db, indexed";

    fn models() -> &'static Models {
        static MODELS: LazyLock<Models> = LazyLock::new(models_of::<IndexedRow>);
        &MODELS
    }
}

fn models_of<R: ToInput>() -> Models {
    let mut models = Models::new();
    models.define::<R>().expect("one model cannot clash");
    models
}

/// An open database.
pub struct NativeDb<R = Row>(Database<'static>, PhantomData<R>);

impl<R: Stored> Peer for NativeDb<R> {
    const NAME: &'static str = R::NAME;
    type Row = R;
    type Key = RowId;

    fn key(id: Uuid) -> RowId {
        RowId(id)
    }

    fn open(dir: &Path) -> Result<Self> {
        Ok(Self(Builder::new().create(R::models(), dir.join("tracks.native_db"))?, PhantomData))
    }

    fn insert_all(&mut self, rows: impl Iterator<Item = R>) -> Result<()> {
        let tx = self.0.rw_transaction()?;
        for row in rows {
            tx.insert(row)?;
        }
        Ok(tx.commit()?)
    }

    fn insert(&mut self, row: R) -> Result<()> {
        self.insert_all(std::iter::once(row))
    }

    fn get(&self, key: &RowId) -> Result<Option<R>> {
        Ok(self.0.r_transaction()?.get().primary(key.clone())?)
    }

    fn scan(&self, mut each: impl FnMut(R)) -> Result<()> {
        let tx = self.0.r_transaction()?;
        for row in tx.scan().primary::<R>()?.all()? {
            each(row?);
        }
        Ok(())
    }
}
