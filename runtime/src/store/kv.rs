//! [`Kv`]: a group of single values.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use super::entry::EntryMaker;
use super::handle::{Attach, Handle};
use super::observe::KvChanges;
use super::read::EntriesOf;
use crate::engine::{Change, Engine, Subscription, Topic};
use crate::error::{Error, Result};
use crate::row::Group;
use crate::schema::descriptor::GroupIdx;

/// The single values of one struct in an open store: a field of the struct that derives
/// [`Store`](crate::Store).
///
/// It has one [`Entry`](crate::Entry) for each field of the struct, under the field's name.
///
/// ```
/// # use heirloom::{Kv, Store};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Serialize, Deserialize, JsonSchema, Kv)]
/// #[kv(name = "window")]
/// struct Window {
///     #[evolve(default = 800)]
///     width: u32,
///     title: Option<String>,
/// }
///
/// #[derive(Store)]
/// struct App {
///     window: Kv<Window>,
/// }
///
/// let app = App::in_memory()?;
/// app.window.title.set(&Some("Notes".into()))?;
///
/// let window: Window = app.window.get()?;
/// assert_eq!((window.width, window.title.as_deref()), (800, Some("Notes")));
/// # Ok::<(), heirloom::Error>(())
/// ```
pub struct Kv<G> {
    // Named so that no field of a group can have the name: those are reached through `Deref`.
    __handle: Handle,
    __group_idx: GroupIdx,
    // The group's `Entries`, without its type: a struct with a bound on `G` would answer a missing
    // `derive(Kv)` with an error at every place that names it.
    __entries: Arc<dyn Any + Send + Sync>,
    __group: PhantomData<fn() -> G>,
}

impl<G> Clone for Kv<G> {
    fn clone(&self) -> Self {
        Self {
            __handle: self.__handle.clone(),
            __group_idx: self.__group_idx,
            __entries: self.__entries.clone(),
            __group: PhantomData,
        }
    }
}

impl<G: Group> fmt::Debug for Kv<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kv").field("name", &G::GROUP).finish_non_exhaustive()
    }
}

impl<G: Group> Deref for Kv<G> {
    type Target = G::Entries;

    fn deref(&self) -> &G::Entries {
        match self.__entries.downcast_ref() {
            Some(entries) => entries,
            None => unreachable!("`attach` is the only maker, and makes entries of this type"),
        }
    }
}

impl<G> Kv<G> {
    /// The group's place in the store.
    pub(in crate::store) fn group_idx(&self) -> GroupIdx {
        self.__group_idx
    }

    pub(in crate::store) fn engine(&self) -> &Engine {
        self.__handle.engine()
    }
}

impl<G: Group> Attach for Kv<G> {
    type Idx = GroupIdx;

    fn attach(handle: &Handle, group_idx: GroupIdx) -> Self {
        let entries = Arc::new(G::entries(&EntryMaker::new(handle, group_idx)));
        Self {
            __handle: handle.clone(),
            __group_idx: group_idx,
            __entries: entries,
            __group: PhantomData,
        }
    }

    fn handle(&self) -> &Handle {
        &self.__handle
    }
}

impl<G: Group> Kv<G> {
    /// Returns all values of the group, defaults for those that are not set.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if one of them does not decode; the others can
    /// still be read by their entries.
    pub fn get(&self) -> Result<G> {
        let group = self.__handle.engine().with_view(|view| {
            EntriesOf { view, batch: None, group_idx: self.__group_idx }.group::<G>()
        });
        group.map_err(|error| self.placed(error))
    }

    pub(in crate::store) fn placed(&self, error: Error) -> Error {
        self.__handle.placed(error.at_group(G::GROUP))
    }

    /// Calls `observer` after each commit that changes the group, once a transaction, outside all
    /// locks, until the subscription is dropped.
    ///
    /// ```
    /// # use heirloom::{Kv, Store};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Kv)]
    /// # #[kv(name = "window")]
    /// # struct Window { #[evolve(default = 800)] width: u32 }
    /// # #[derive(Store)]
    /// # struct App { window: Kv<Window> }
    /// # let app = App::in_memory()?;
    /// let subscription = app.window.observe(|changes| {
    ///     for change in changes.iter() {
    ///         println!("{} was {:?}", change.name(), change.kind());
    ///     }
    /// })?;
    /// app.window.width.set(&1024)?;
    /// # drop(subscription);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None today.
    pub fn observe(
        &self,
        mut observer: impl FnMut(&KvChanges) + Send + 'static,
    ) -> Result<Subscription> {
        let callback = move |origin, changes: &[Change]| observer(&KvChanges::new(origin, changes));
        Ok(self.__handle.engine().hub.subscribe(Topic::Group(self.__group_idx), Box::new(callback)))
    }
}
