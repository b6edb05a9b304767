//! [`Migration`]: what a store's `migrate` function is given.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

use twox_hash::XxHash3_128;
use uuid::Uuid;

use super::handle::{GroupOf, TableOf};
use super::trait_store::Store;
use crate::engine::Base;
use crate::epoch::{MigrationStores, ReadStore};
use crate::error::{Error, ErrorKind, Result};
use crate::evolve::{Form, Invalid, decode_text};
use crate::row::{BorrowedFrom, Group, Id, Key, Object, Row, encode};

/// A store before and after a step to the next epoch: for what crosses tables.
///
/// Given to the function that `#[store(migrate = …)]` names, after the tables and groups that have
/// a `previous` were converted. [`old`](Self::old) is the store as it was, to read; the methods
/// here read and write what it becomes.
///
/// The function is run again for late edits of older code, with an old side that shows only these:
/// it must work on any part of the old rows. Keys of rows that it makes come from
/// [`id_for`](Self::id_for), so that every device makes the same.
///
/// Do not use it for what concerns one row alone: `renamed_from` and `with` on the field, or `from`
/// on the table, convert rows without it.
///
/// ```
/// # use heirloom::{Id, Store, Table};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # mod v0 {
/// #     use super::*;
/// #     #[derive(Serialize, Deserialize, JsonSchema, Table)]
/// #     #[table(name = "notes")]
/// #     pub struct Note { #[key] pub id: u32, pub tag: String }
/// #     #[derive(Store)]
/// #     #[store(name = "app")]
/// #     pub struct App { pub notes: Table<Note> }
/// # }
/// use heirloom::migration::Migration;
///
/// #[derive(Serialize, Deserialize, JsonSchema, Table)]
/// #[table(name = "notes", previous = v0::Note, removes(tag))]
/// struct Note { #[key] id: u32 }
///
/// #[derive(Serialize, Deserialize, JsonSchema, Table)]
/// #[table(name = "tags")]
/// struct Tag { id: Id<Tag>, name: String }
///
/// #[derive(Store)]
/// #[store(name = "app", epoch = 1, previous = v0::App, migrate = split_tags)]
/// struct App { notes: Table<Note>, tags: Table<Tag> }
///
/// fn split_tags(m: &mut Migration<v0::App, App>) -> heirloom::Result<()> {
///     let mut tags = Vec::new();
///     for note in m.old().iter::<v0::Note>()? {
///         let tag = note?.tag;
///         tags.push(Tag { id: m.id_for::<Tag>("tag", &tag), name: tag });
///     }
///     tags.iter().try_for_each(|tag| m.put(tag))
/// }
///
/// # fn main() -> heirloom::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("app.redb");
/// # v0::App::open(&path)?.notes.insert(&v0::Note { id: 7, tag: "shop".into() })?;
/// assert_eq!(App::open(&path)?.tags.len()?, 1);
/// # Ok(())
/// # }
/// ```
pub struct Migration<Old, New> {
    data: MigrationStores,
    stores: PhantomData<fn() -> (Old, New)>,
}

impl<Old, New> fmt::Debug for Migration<Old, New> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migration").finish_non_exhaustive()
    }
}

/// Runs the `migrate` function of a store, for generated code.
///
/// # Errors
///
/// Any error of the function.
pub fn run_migrate<Old: Store, New: Store>(
    stores: &mut dyn Any,
    migrate: fn(&mut Migration<Old, New>) -> Result<()>,
) -> Result<()> {
    let taken = stores.downcast_mut::<Option<MigrationStores>>();
    let Some((place, data)) = taken.and_then(|place| {
        let data = place.take()?;
        Some((place, data))
    }) else {
        return Err(Error::new(ErrorKind::Migration, "there is nothing to migrate"));
    };
    let mut migration = Migration { data, stores: PhantomData };
    let migrated = migrate(&mut migration);
    *place = Some(migration.data);
    migrated
}

fn invalid<R: Row>(key: &R::Key, invalid: Invalid) -> Error {
    invalid.into_error().at_table(R::TABLE).at_key(key.to_text())
}

impl<Old: Store, New: Store> Migration<Old, New> {
    /// Returns the store as it was: all of it, or the late edits of older code.
    pub fn old(&self) -> PreviousStore<'_, Old> {
        PreviousStore { previous: &self.data.old, store: PhantomData }
    }

    /// Returns an id for a row that is made out of the old row under `key`: the same on every
    /// device, however often it is made. `name` tells apart several rows made out of one.
    pub fn id_for<R: TableOf<New>>(&self, name: &str, key: &impl Key) -> Id<R> {
        let text = format!("{}\0{}\0{name}\0{}", New::DEF.name, R::TABLE, key.to_text());
        // A UUID of version 8, whose bits are the maker's own affair.
        let bits = XxHash3_128::oneshot(text.as_bytes());
        let bits = bits & !(0xF << 76) & !(0b11 << 62) | (0x8 << 76) | (0b10 << 62);
        Id::from_uuid(Uuid::from_u128(bits))
    }

    /// Returns the row under a key; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](ErrorKind::InvalidRow) if it does not decode.
    pub fn get<R: TableOf<New>>(
        &self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
    ) -> Result<Option<R>> {
        key.with(|key: &R::Key| {
            let json = self.data.new.get(R::TABLE_IDX, key.to_bytes().as_slice())?;
            let row = json.map(|json| decode_text::<R>(&json)).transpose();
            row.map_err(|error| invalid::<R>(key, error))
        })
    }

    /// Whether there is a row under a key.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn contains<R: TableOf<New>>(
        &self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
    ) -> Result<bool> {
        let bytes = |key: &R::Key| key.to_bytes().as_slice().to_vec();
        Ok(self.data.new.get(R::TABLE_IDX, &key.with(bytes))?.is_some())
    }

    /// Returns the number of rows of the table of `R`.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn len<R: TableOf<New>>(&self) -> Result<usize> {
        Ok(usize::try_from(self.data.new.len(R::TABLE_IDX)?).unwrap_or(usize::MAX))
    }

    /// Whether the table of `R` has no row.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn is_empty<R: TableOf<New>>(&self) -> Result<bool> {
        Ok(self.data.new.len(R::TABLE_IDX)? == 0)
    }

    /// Iterates over the rows of the table of `R` in the order of their keys.
    ///
    /// # Errors
    ///
    /// None today; an item may be an error.
    pub fn iter<R: TableOf<New>>(&self) -> Result<impl Iterator<Item = Result<R>> + '_> {
        let mut piece = Vec::<(Vec<u8>, String)>::new().into_iter();
        let mut last: Option<Vec<u8>> = None;
        let mut is_over = false;
        Ok(std::iter::from_fn(move || {
            loop {
                if let Some((key, json)) = piece.next() {
                    last = Some(key);
                    return Some(decode_text::<R>(&json).map_err(Invalid::into_error));
                }
                if is_over {
                    return None;
                }
                match self.data.new.after(R::TABLE_IDX, last.as_deref()) {
                    Ok(rows) if rows.is_empty() => is_over = true,
                    Ok(rows) => {
                        let rows: Vec<_> =
                            rows.into_iter().map(|row| (row.key, row.json)).collect();
                        piece = rows.into_iter();
                    }
                    Err(error) => {
                        is_over = true;
                        return Some(Err(error));
                    }
                }
            }
        }))
    }

    /// Inserts a new row.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) if there is a row under its key;
    /// [`InvalidValue`](ErrorKind::InvalidValue) if it holds a NaN or does not read
    /// back as what it is.
    pub fn insert<R: TableOf<New>>(&mut self, row: &R) -> Result<()> {
        if self.contains::<R>(&*row.key())? {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                "there is a row under this key already",
            )
            .at_table(R::TABLE)
            .at_key(row.key().to_text())
            .help("use `put` to replace it, or `update` to change it"));
        }
        self.put(row)
    }

    /// Inserts new rows and returns their number.
    ///
    /// # Errors
    ///
    /// The errors of [`insert`](Self::insert), for the first row that cannot be stored.
    pub fn insert_many<R: TableOf<New>>(
        &mut self,
        rows: impl IntoIterator<Item = R>,
    ) -> Result<usize> {
        let mut count = 0;
        for row in rows {
            self.insert(&row)?;
            count += 1;
        }
        Ok(count)
    }

    /// Inserts a row, or replaces the one under its key.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`](ErrorKind::InvalidValue) if it holds a NaN or does not read
    /// back as what it is.
    pub fn put<R: TableOf<New>>(&mut self, row: &R) -> Result<()> {
        let (key, form) = (row.key(), Form::of_record());
        let bytes = key.to_bytes();
        let json = match self.data.new.get(R::TABLE_IDX, bytes.as_slice())? {
            Some(stored) => form.text_over(&stored, row),
            None => form.new_text(row).map(Some),
        };
        match json.map_err(|invalid| refused::<R>(&key, invalid))? {
            Some(json) => self.data.new.replace(R::TABLE_IDX, bytes.as_slice(), &json),
            None => Ok(()),
        }
    }

    /// Updates the row under a key, and returns it as it is then; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`KeyChanged`](ErrorKind::KeyChanged) if `change` alters the key;
    /// [`InvalidRow`](ErrorKind::InvalidRow) if the row does not decode.
    pub fn update<R: TableOf<New>>(
        &mut self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
        change: impl FnOnce(&mut R),
    ) -> Result<Option<R>> {
        let Some(mut row) = self.get::<R>(key)? else { return Ok(None) };
        change(&mut row);
        key.with(|key: &R::Key| match *row.key() == *key {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::KeyChanged, "the update changed the row's key")
                .at_table(R::TABLE)
                .at_key(key.to_text())
                .finding(row.key().to_text())
                .help("to re-key a row, insert the new one and remove the old one")),
        })?;
        self.put(&row)?;
        Ok(Some(row))
    }

    /// Removes the row under a key; `Ok(true)` if there was one.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn remove<R: TableOf<New>>(
        &mut self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
    ) -> Result<bool> {
        let existed = self.contains::<R>(key)?;
        if existed {
            let bytes = key.with(|key: &R::Key| key.to_bytes().as_slice().to_vec());
            self.data.new.remove(R::TABLE_IDX, &bytes)?;
        }
        Ok(existed)
    }

    /// Returns all values of a kv group.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](ErrorKind::InvalidRow) if one of them does not decode.
    pub fn group<G: GroupOf<New>>(&self) -> Result<G> {
        group_of(&self.data.new.entries(G::GROUP_IDX)?)
    }

    /// Updates the values of a kv group, and returns them; values that `change` leaves alone stay
    /// as they are, unset ones unset.
    ///
    /// # Errors
    ///
    /// The errors of [`group`](Self::group), and [`InvalidValue`](ErrorKind::InvalidValue) if a
    /// value holds a NaN or does not serialize.
    pub fn update_group<G: GroupOf<New>>(&mut self, change: impl FnOnce(&mut G)) -> Result<G> {
        let stored = self.data.new.entries(G::GROUP_IDX)?;
        let mut group = group_of::<G>(&stored)?;
        let refused = |invalid: Invalid| invalid.into_refusal().at_group(G::GROUP);
        let unencodable = |error| refused(Invalid::unencodable(error));
        let before = encode(&group).map_err(unencodable)?;
        change(&mut group);
        let text = crate::evolve::object_of(&stored);
        let form = Form::of_record();
        let Some(text) = form.changed_text(&text, Some(&before), &group).map_err(refused)? else {
            return Ok(group);
        };
        let wanted = Object::parse(&text).unwrap_or_default();
        for name in stored.keys() {
            if wanted.get(name).is_none() {
                self.data.new.reset_entry(G::GROUP_IDX, name)?;
            }
        }
        for (name, json) in wanted.iter() {
            if stored.get(name).is_none_or(|stored| stored != json) {
                self.data.new.set_entry(G::GROUP_IDX, name, &Base::Made, json)?;
            }
        }
        Ok(group)
    }
}

/// A store as it was before a step to the next epoch, to read.
///
/// Made by [`Migration::old`].
pub struct PreviousStore<'m, Old> {
    previous: &'m ReadStore,
    store: PhantomData<fn() -> Old>,
}

impl<Old> fmt::Debug for PreviousStore<'_, Old> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreviousStore").finish_non_exhaustive()
    }
}

impl<'m, Old: Store> PreviousStore<'m, Old> {
    /// Returns the row under a key; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](ErrorKind::InvalidRow) if it does not decode.
    pub fn get<R: TableOf<Old>>(
        &self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
    ) -> Result<Option<R>> {
        key.with(|key: &R::Key| {
            let json = self.previous.get(R::TABLE_IDX, key.to_bytes().as_slice())?;
            let row = json.map(|json| decode_text::<R>(&json)).transpose();
            row.map_err(|error| invalid::<R>(key, error))
        })
    }

    /// Whether there is a row under a key.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn contains<R: TableOf<Old>>(
        &self,
        key: &(impl BorrowedFrom<R::Key> + ?Sized),
    ) -> Result<bool> {
        let bytes = |key: &R::Key| key.to_bytes().as_slice().to_vec();
        Ok(self.previous.get(R::TABLE_IDX, &key.with(bytes))?.is_some())
    }

    /// Returns the number of rows of the table of `R`, those that do not decode included.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn len<R: TableOf<Old>>(&self) -> Result<usize> {
        Ok(usize::try_from(self.previous.len(R::TABLE_IDX)?).unwrap_or(usize::MAX))
    }

    /// Whether the table of `R` has no row.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn is_empty<R: TableOf<Old>>(&self) -> Result<bool> {
        Ok(self.previous.len(R::TABLE_IDX)? == 0)
    }

    /// Iterates over the rows of the table of `R` in the order of their keys. Those that do not
    /// decode are left out: they are in quarantine.
    ///
    /// # Errors
    ///
    /// None today; an item may be an error.
    pub fn iter<R: TableOf<Old>>(
        &self,
    ) -> Result<impl Iterator<Item = Result<R>> + use<'m, R, Old>> {
        let previous = self.previous;
        let mut piece = Vec::<(Vec<u8>, String)>::new().into_iter();
        let mut last: Option<Vec<u8>> = None;
        let mut is_over = false;
        Ok(std::iter::from_fn(move || {
            loop {
                for (key, json) in piece.by_ref() {
                    last = Some(key);
                    if let Ok(row) = decode_text::<R>(&json) {
                        return Some(Ok(row));
                    }
                }
                if is_over {
                    return None;
                }
                match previous.after(R::TABLE_IDX, last.as_deref()) {
                    Ok(rows) if rows.is_empty() => is_over = true,
                    Ok(rows) => piece = rows.into_iter(),
                    Err(error) => {
                        is_over = true;
                        return Some(Err(error));
                    }
                }
            }
        }))
    }

    /// Returns all values of a kv group.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](ErrorKind::InvalidRow) if one of them does not decode.
    pub fn group<G: GroupOf<Old>>(&self) -> Result<G> {
        group_of(&self.previous.entries(G::GROUP_IDX)?)
    }

    /// Whether an entry of a kv group, by its stored name, was set.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn is_set<G: GroupOf<Old>>(&self, entry: &str) -> Result<bool> {
        Ok(self.previous.entries(G::GROUP_IDX)?.contains_key(entry))
    }
}

fn refused<R: Row>(key: &R::Key, invalid: Invalid) -> Error {
    invalid.into_refusal().at_table(R::TABLE).at_key(key.to_text())
}

fn group_of<G: Group>(entries: &crate::schema::step::Entries) -> Result<G> {
    let object = crate::evolve::object_of(entries);
    decode_text::<G>(&object).map_err(|invalid| invalid.into_error().at_group(G::GROUP))
}
