//! [`Entry`]: one value of a kv group.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::Codec;
use super::handle::Handle;
use super::overlay::Overlay;
use super::read::EntriesOf;
use crate::engine::{Change, Subscription, Topic};
use crate::error::{Error, Result};
use crate::row::{BorrowedFrom, DefaultError, Encoded, Group};
use crate::schema::descriptor::GroupIdx;

/// One value of a kv group `G`: a field of the group's handle.
///
/// It reads as its default until it is set.
///
/// ```
/// # use heirloom::{Kv, Store};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Serialize, Deserialize, JsonSchema, Kv)]
/// #[kv(name = "settings")]
/// struct Settings {
///     #[evolve(default = "en")]
///     language: String,
/// }
///
/// #[derive(Store)]
/// struct App {
///     settings: Kv<Settings>,
/// }
///
/// let app = App::in_memory()?;
/// assert_eq!(app.settings.language.get()?, "en");
/// app.settings.language.set("fr")?;
/// assert_eq!(app.settings.language.get()?, "fr");
/// app.settings.language.reset()?;
/// assert_eq!(app.settings.language.get()?, "en");
/// # Ok::<(), heirloom::Error>(())
/// ```
pub struct Entry<G, T> {
    pub(super) handle: Handle,
    pub(super) group_idx: GroupIdx,
    pub(super) index: usize,
    pub(super) codec: Codec<T>,
    group: PhantomData<fn() -> G>,
}

impl<G, T> Clone for Entry<G, T> {
    fn clone(&self) -> Self {
        Self {
            handle: self.handle.clone(),
            group_idx: self.group_idx,
            index: self.index,
            codec: self.codec,
            group: PhantomData,
        }
    }
}

impl<G: Group, T> fmt::Debug for Entry<G, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("group", &G::GROUP)
            .field("name", &G::FIELDS[self.index].name)
            .finish_non_exhaustive()
    }
}

impl<G: Group, T: 'static> Entry<G, T> {
    fn placed<V>(&self, outcome: Result<V>) -> Result<V> {
        outcome.map_err(|error| {
            let name = G::FIELDS[self.index].name;
            self.handle.placed(error.at_group(G::GROUP).at_field(name))
        })
    }

    /// Returns the value, or its default while it is not set.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if the stored value does not decode; the other
    /// entries are not affected.
    pub fn get(&self) -> Result<T> {
        let value = self.handle.engine().with_view(|view| {
            EntriesOf { view, batch: None, group_idx: self.group_idx }
                .value::<G, T>(self.index, &self.codec)
        });
        self.placed(value)
    }

    /// Sets the value.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`](crate::ErrorKind::InvalidValue) if it holds a NaN or does not read
    /// back as what it is.
    pub fn set(&self, value: &(impl BorrowedFrom<T> + ?Sized)) -> Result<()> {
        let set = value.with(|value| {
            self.handle.transaction(|view, batch| {
                let mut overlay = Overlay { view, batch };
                overlay.set_entry::<G, T>(self.group_idx, self.index, &self.codec, value)
            })
        });
        self.placed(set)
    }

    /// Resets the value to its default, by removing what is stored.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn reset(&self) -> Result<()> {
        let reset = self.handle.transaction(|view, batch| {
            Overlay { view, batch }.reset_entry::<G>(self.group_idx, self.index)
        });
        self.placed(reset)
    }

    /// Calls `observer` with the new value after each commit that changes it, outside all locks,
    /// until the subscription is dropped.
    ///
    /// A value from another device that does not decode is not delivered; [`get`](Self::get)
    /// reports it.
    ///
    /// ```
    /// # use heirloom::{Kv, Store};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Kv)]
    /// # #[kv(name = "settings")]
    /// # struct Settings { #[evolve(default = "en")] language: String }
    /// # #[derive(Store)]
    /// # struct App { settings: Kv<Settings> }
    /// # let app = App::in_memory()?;
    /// use std::sync::mpsc::channel;
    ///
    /// let (sender, languages) = channel();
    /// let subscription = app.settings.language.observe(move |language| {
    ///     let _ = sender.send(language);
    /// })?;
    /// app.settings.language.set("fr")?;
    /// assert_eq!(languages.recv().unwrap(), "fr");
    /// # drop(subscription);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None today.
    pub fn observe(&self, mut observer: impl FnMut(T) + Send + 'static) -> Result<Subscription> {
        let field = &G::FIELDS[self.index];
        let (codec, group_idx, index) = (self.codec, self.group_idx, self.index);
        // A strong reference would keep the store open as long as the subscription lives.
        let engine = Arc::downgrade(self.handle.engine());
        let callback = move |_, changes: &[Change]| {
            // Setting an entry stored under an alias removes the one and sets the other.
            let mine = || changes.iter().filter(|change| field.answers_to(&change.key));
            let set = mine().find_map(|change| change.json.as_deref());
            let value = match set {
                Some(json) => (codec.decode)(json).ok(),
                None if mine().next().is_none() => None,
                None => engine.upgrade().and_then(|engine| {
                    engine.with_view(|view| {
                        let entries = EntriesOf { view, batch: None, group_idx };
                        entries.default::<G, T>(index, &codec).ok()
                    })
                }),
            };
            if let Some(value) = value {
                observer(value);
            }
        };
        Ok(self.handle.engine().hub.subscribe(Topic::Group(group_idx), Box::new(callback)))
    }

    /// The entry's handle in an open store, if it is that store's.
    pub(super) fn checked(&self, handle: &Handle) -> Result<()> {
        if self.handle.is(handle) {
            return Ok(());
        }
        Err(Error::new(crate::ErrorKind::WrongStore, "the entry is one of another open store")
            .at_group(G::GROUP)
            .at_field(G::FIELDS[self.index].name)
            .help("use the entries of the store that the transaction or snapshot is of"))
    }
}

/// Makes the entries of a group, for generated code.
#[doc(hidden)]
pub struct EntryMaker<G> {
    handle: Handle,
    group_idx: GroupIdx,
    group: PhantomData<fn() -> G>,
}

impl<G: Group> fmt::Debug for EntryMaker<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryMaker").field("group", &G::GROUP).finish_non_exhaustive()
    }
}

impl<G: Group> EntryMaker<G> {
    pub(super) fn new(handle: &Handle, group_idx: GroupIdx) -> Self {
        Self { handle: handle.clone(), group_idx, group: PhantomData }
    }

    fn make<T>(&self, index: usize, codec: Codec<T>) -> Entry<G, T> {
        Entry {
            handle: self.handle.clone(),
            group_idx: self.group_idx,
            index,
            codec,
            group: PhantomData,
        }
    }

    /// Makes the entry of a field.
    pub fn entry<T: Serialize + DeserializeOwned>(
        &self,
        index: usize,
        is_same: fn(&T, &T) -> Option<bool>,
    ) -> Entry<G, T> {
        self.make(index, Codec::of_serde(&G::FIELDS[index], is_same))
    }

    /// Makes the entry of a field that serializes through functions of its own.
    pub fn entry_with<T>(
        &self,
        index: usize,
        encode: fn(&T) -> Result<Encoded, DefaultError>,
        decode: fn(&str) -> Result<T, DefaultError>,
        is_same: fn(&T, &T) -> Option<bool>,
    ) -> Entry<G, T> {
        self.make(index, Codec::of_functions(encode, decode, is_same))
    }
}
