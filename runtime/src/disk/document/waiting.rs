//! Updates that wait for others: each stands under the hash of its bytes, and beside that, a small record says which
//! item it needs. So no update is read before that item is here, or a copy asks for it.

use super::{StoredDocument, damaged_root};
use crate::disk::failure::{Failure, Try};
use crate::disk::keys;
use crate::disk::seal::unseal;
use crate::doc::items::{ReadItems, Waiting};
use crate::error::ErrorKind;

/// How many updates wait, and how many bytes they have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::disk) struct Waits {
    pub(in crate::disk) count: u64,
    pub(in crate::disk) bytes: u64,
}

impl Waits {
    /// Adds an update of so many bytes.
    pub(in crate::disk) fn add(&mut self, len: u64) {
        self.count = self.count.saturating_add(1);
        self.bytes = self.bytes.saturating_add(len);
    }

    /// Takes out an update of so many bytes, if it is one.
    pub(in crate::disk) fn take(&mut self, len: Option<u64>) {
        self.count = self.count.saturating_sub(u64::from(len.is_some()));
        self.bytes = self.bytes.saturating_sub(len.unwrap_or_default());
    }
}

impl StoredDocument {
    /// How many updates wait, and how many bytes they have.
    pub(in crate::disk) fn waits(&self) -> Try<Waits> {
        let read = |value: Vec<u8>| {
            let [count, bytes] = value.as_chunks::<8>().0 else { return Err(damaged_root()) };
            Ok(Waits { count: u64::from_le_bytes(*count), bytes: u64::from_le_bytes(*bytes) })
        };
        let all = ([keys::NEEDED, 0], [keys::NEEDED + 1]);
        match self.value_of(&[keys::NEEDED]) {
            Err(Failure(error)) if error.kind() == ErrorKind::Corrupt => {
                let mut waits = Waits::default();
                self.each_waiting(&all.0, &all.1, |_, len| {
                    waits.add(u64::from(len));
                    true
                })?;
                Ok(waits)
            }
            value => {
                let waits = value?.map_or(Ok(Waits::default()), read)?;
                // A damaged one was counted, and does not wait any more.
                let mut is_any = false;
                if waits.count > 0 {
                    self.each_waiting(&all.0, &all.1, |_, _| {
                        is_any = true;
                        false
                    })?;
                }
                Ok(if is_any { waits } else { Waits::default() })
            }
        }
    }

    /// How many bytes an update has that waits for an item.
    pub(in crate::disk) fn waiting_len(&self, waiting: Waiting) -> Try<Option<u32>> {
        let key = keys::of_waiting(waiting);
        let Some(items) = self.items()? else { return Ok(None) };
        let Some(value) = items.get(key.as_slice())? else { return Ok(None) };
        self.len_of(&key, value.value(), waiting)
    }

    /// How many bytes an update has by its record, or if that is damaged, by itself.
    fn len_of(&self, key: &[u8], value: &[u8], waiting: Waiting) -> Try<Option<u32>> {
        let len = unseal(key, value).ok().and_then(|len| len.try_into().ok());
        if let Some(len) = len {
            return Ok(Some(u32::from_le_bytes(len)));
        }
        match self.waiting_update(waiting.hash) {
            Ok(update) => Ok(update.and_then(|update| update.len().try_into().ok())),
            Err(error) => Err(Failure(error)),
        }
    }

    /// Returns the updates that wait for items between two keys. A damaged one is left out: other
    /// devices have it, or give it again.
    pub(in crate::disk) fn waiting_in(&self, from: &[u8], to: &[u8]) -> Try<Vec<Waiting>> {
        let mut found = Vec::new();
        self.each_waiting(from, to, |waiting, _| {
            found.push(waiting);
            true
        })?;
        Ok(found)
    }

    /// Calls `visit` with what waits for items between two keys, and how many bytes each update has, until it gives
    /// `false`.
    fn each_waiting(
        &self,
        from: &[u8],
        to: &[u8],
        mut visit: impl FnMut(Waiting, u32) -> bool,
    ) -> Try<()> {
        let Some(items) = self.items()? else { return Ok(()) };
        for item in items.range::<&[u8]>(from..to)? {
            let (key, value) = item?;
            let Some(waiting) = keys::waiting_of(key.value()) else { continue };
            let len = self.len_of(key.value(), value.value(), waiting)?;
            if len.is_some_and(|len| !visit(waiting, len)) {
                break;
            }
        }
        Ok(())
    }
}
