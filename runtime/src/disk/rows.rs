//! A row as it stands in the read model, and walking a table of them.

use std::marker::PhantomData;
use std::sync::Arc;

use redb::AccessGuard;

use super::failure::guarded;
use super::view::View;
use crate::error::Result;
use crate::row::{Content, ItemId};

/// The rows of a table, streamed; keeps its view alive.
pub(crate) struct Rows {
    pub(super) range: Option<redb::Range<'static, &'static [u8], &'static [u8]>>,
    pub(super) _view: Arc<View>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}

impl Rows {
    /// Calls `read` with the next key and row.
    pub(crate) fn next_with<T>(
        &mut self,
        read: impl FnOnce(&[u8], &StoredRow<'_>) -> T,
    ) -> Option<Result<T>> {
        self.step_with(false, read)
    }

    /// [`next_with`](Self::next_with), from the other end where `back`.
    pub(crate) fn step_with<T>(
        &mut self,
        back: bool,
        read: impl FnOnce(&[u8], &StoredRow<'_>) -> T,
    ) -> Option<Result<T>> {
        let range = self.range.as_mut()?;
        let item = guarded(|| match if back { range.next_back() } else { range.next() } {
            Some(item) => {
                let (key, row) = item?;
                // As for a row: on a damaged page redb panics no later than here.
                let _ = key.value();
                Ok(Some((key, StoredRow::new(row))))
            }
            None => Ok(None),
        });
        match item {
            Ok(Some((key, row))) => Some(Ok(read(key.value(), &row))),
            Ok(None) => None,
            Err(error) => {
                // redb keeps on failing after an error; the rest of the table is lost to us.
                self.range = None;
                Some(Err(error))
            }
        }
    }
}

const ROW_HEADER_LEN: usize = 13;
const TEXT: u8 = 0;
const FOREIGN: u8 = 1;

/// A row or entry as it stands in the read model: one byte that tells JSON text from what another
/// program put into the document, the current item's client (8 bytes) and clock (4), and the JSON.
pub(crate) struct StoredRow<'v> {
    guard: AccessGuard<'static, &'static [u8]>,
    /// The guard does not keep the transaction alive; the view does.
    view: PhantomData<&'v View>,
}

impl StoredRow<'_> {
    /// To be called where redb's panics are caught: on a damaged page it finds out at the first
    /// look at the value.
    pub(super) fn new(guard: AccessGuard<'static, &'static [u8]>) -> Self {
        let _ = guard.value();
        Self { guard, view: PhantomData }
    }

    pub(super) fn encode(buffer: &mut Vec<u8>, id: ItemId, content: &Content) {
        match content {
            Content::Text(json) => Self::encode_tagged(buffer, TEXT, id, json),
            Content::Foreign(json) => Self::encode_tagged(buffer, FOREIGN, id, json),
        }
    }

    pub(super) fn encode_text(buffer: &mut Vec<u8>, id: ItemId, json: &str) {
        Self::encode_tagged(buffer, TEXT, id, json);
    }

    fn encode_tagged(buffer: &mut Vec<u8>, tag: u8, id: ItemId, json: &str) {
        buffer.clear();
        buffer.push(tag);
        buffer.extend(id.client.to_le_bytes());
        buffer.extend(id.clock.to_le_bytes());
        buffer.extend(json.as_bytes());
    }

    /// The item that the row is.
    pub(crate) fn id(&self) -> ItemId {
        let bytes = self.guard.value();
        let mut client = [0; 8];
        let mut clock = [0; 4];
        if bytes.len() >= ROW_HEADER_LEN {
            client.copy_from_slice(&bytes[1..9]);
            clock.copy_from_slice(&bytes[9..13]);
        }
        ItemId { client: u64::from_le_bytes(client), clock: u32::from_le_bytes(clock) }
    }

    /// The JSON, whether it is ours or not.
    #[inline]
    pub(crate) fn json(&self) -> &[u8] {
        self.guard.value().get(ROW_HEADER_LEN..).unwrap_or_default()
    }

    /// Whether another program put something there that is no JSON text.
    #[inline]
    pub(crate) fn is_foreign(&self) -> bool {
        self.guard.value().first() != Some(&TEXT)
    }

    pub(crate) fn content(&self) -> Content {
        let json = String::from_utf8_lossy(self.json());
        if self.is_foreign() {
            Content::Foreign(json.into_owned())
        } else {
            Content::Text(json.into())
        }
    }
}
