//! Updates that wait for others: each stands under the hash of its bytes, and beside that, a small record says which
//! item it needs. So no update is read before that item is here, or a copy asks for it.

use super::{StoredDocument, damaged_root};
use crate::disk::failure::{Failure, Try};
use crate::disk::keys;
use crate::disk::seal::unseal;
use crate::doc::items::Waiting;
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
        match self.value_of(&[keys::NEEDED]) {
            Err(Failure(error)) if error.kind() == ErrorKind::Corrupt => {
                let mut waits = Waits::default();
                self.waiting_in(&[keys::NEEDED, 0], &[keys::NEEDED + 1])?
                    .iter()
                    .for_each(|(_, len)| waits.add(u64::from(*len)));
                Ok(waits)
            }
            value => value?.map_or(Ok(Waits::default()), read),
        }
    }

    /// How many bytes an update has that waits for an item.
    pub(in crate::disk) fn waiting_len(&self, waiting: Waiting) -> Try<Option<u32>> {
        let key = keys::of_waiting(waiting);
        let Some(items) = self.items()? else { return Ok(None) };
        let Some(value) = items.get(key.as_slice())? else { return Ok(None) };
        let len = unseal(&key, value.value()).ok().and_then(|len| len.try_into().ok());
        Ok(len.map(u32::from_le_bytes))
    }

    /// What waits for items between two keys, and how many bytes each update has. What is damaged is left
    /// out: other devices have it, or give it again.
    pub(in crate::disk) fn waiting_in(&self, from: &[u8], to: &[u8]) -> Try<Vec<(Waiting, u32)>> {
        let mut found = Vec::new();
        let Some(items) = self.items()? else { return Ok(found) };
        for item in items.range::<&[u8]>(from..to)? {
            let (key, value) = item?;
            let len = unseal(key.value(), value.value()).ok().and_then(|len| len.try_into().ok());
            found.extend(keys::waiting_of(key.value()).zip(len.map(u32::from_le_bytes)));
        }
        Ok(found)
    }
}
