//! A row as it stands in the read model, and walking a table of them.

use std::marker::PhantomData;
use std::sync::Arc;

use redb::AccessGuard;
use twox_hash::XxHash3_64;

use super::failure::{Failure, corrupt, guarded};
use super::view::View;
use crate::doc::items::Value;
use crate::error::Result;
use crate::row::{Content, ItemId};

/// The rows of a table, streamed; keeps its view alive.
pub(crate) struct Rows {
    pub(super) range: Option<redb::Range<'static, &'static [u8], &'static [u8]>>,
    pub(super) format: u64,
    /// How many are still to come, if all rows of the table are walked.
    pub(super) left: Option<u64>,
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

    /// [`next_with`](Self::next_with), from the other end if `back`.
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
                let row = StoredRow::new(self.format, key.value(), row);
                Ok(Some((key, row)))
            }
            None => Ok(None),
        });
        match item {
            Ok(Some((key, row))) => {
                self.left = self.left.map(|left| left.wrapping_sub(1));
                Some(Ok(read(key.value(), &row)))
            }
            Ok(None) => {
                self.range = None;
                let is_short = self.left.is_some_and(|left| left != 0);
                is_short.then(|| Err(missing_rows().0))
            }
            Err(error) => {
                // redb keeps on failing after an error; the rest of the table is lost to us.
                self.range = None;
                Some(Err(error))
            }
        }
    }
}

/// The failure of a table that holds fewer rows, or more, than the file counts.
pub(super) fn missing_rows() -> Failure {
    Failure(corrupt("the file is damaged: a table does not hold as many rows as it counts"))
}

/// The tag, the client, the clock and the checksum.
const HEADER_LEN: usize = 17;
/// The same of file format 1, which has no checksum.
const HEADER_LEN_1: usize = 13;

/// JSON text.
const TEXT: u8 = 0;
/// A value that another program wrote: the kind of its content, the length of the JSON that shows
/// it, that JSON, and the content as an update has it.
const OTHER: u8 = 1;
/// JSON text that shows in place of the document's own entry: a late edit, or a row with its cells.
const LATE: u8 = 2;

/// The content under a key in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RowValue<'r> {
    Text(&'r str),
    Other { kind: u8, bytes: &'r [u8], json: &'r str },
    Late(&'r str),
}

/// A row or entry as it stands in the file: a tag, the client (8 bytes) and clock (4) of the item that it
/// is, a checksum (4) of all that and the key, and the value.
pub(crate) struct StoredRow<'v> {
    guard: AccessGuard<'static, &'static [u8]>,
    header_len: usize,
    is_damaged: bool,
    /// The guard does not keep the transaction alive; the view does.
    view: PhantomData<&'v View>,
}

/// The checksum of a stored row, with the key that it stands under.
fn checksum(key: &[u8], row: &[u8]) -> [u8; 4] {
    let of_row = [row.get(..HEADER_LEN_1), row.get(HEADER_LEN..)].map(Option::unwrap_or_default);
    let [head, value] = of_row.map(XxHash3_64::oneshot);
    let sum = value ^ head.rotate_left(17) ^ XxHash3_64::oneshot(key).rotate_left(34);
    let bytes = sum.to_le_bytes();
    [bytes[0], bytes[1], bytes[2], bytes[3]]
}

/// Puts the bytes of a row into `buffer`, in place of what is there.
pub(super) fn encode_row(buffer: &mut Vec<u8>, key: &[u8], id: ItemId, value: RowValue<'_>) {
    buffer.clear();
    buffer.push(match value {
        RowValue::Text(_) => TEXT,
        RowValue::Other { .. } => OTHER,
        RowValue::Late(_) => LATE,
    });
    buffer.extend(id.client.to_le_bytes());
    buffer.extend(id.clock.to_le_bytes());
    buffer.extend([0; 4]);
    match value {
        RowValue::Text(json) | RowValue::Late(json) => buffer.extend(json.as_bytes()),
        RowValue::Other { kind, bytes, json } => {
            buffer.push(kind);
            // A value is at most 3 GiB.
            buffer.extend(u32::try_from(json.len()).unwrap_or(u32::MAX).to_le_bytes());
            buffer.extend(json.as_bytes());
            buffer.extend(bytes);
        }
    }
    let sum = checksum(key, buffer);
    buffer[HEADER_LEN_1..HEADER_LEN].copy_from_slice(&sum);
}

impl StoredRow<'_> {
    /// To be called where redb's panics are caught: on a damaged page it finds out at the first
    /// look at the value.
    pub(super) fn new(format: u64, key: &[u8], guard: AccessGuard<'static, &'static [u8]>) -> Self {
        let bytes = guard.value();
        let (header_len, is_damaged) = if format < 2 {
            (HEADER_LEN_1, bytes.len() < HEADER_LEN_1)
        } else {
            let is_same = bytes.len() >= HEADER_LEN
                && bytes[HEADER_LEN_1..HEADER_LEN] == checksum(key, bytes);
            (HEADER_LEN, !is_same)
        };
        Self { guard, header_len, is_damaged, view: PhantomData }
    }

    /// The item that the row is.
    pub(crate) fn id(&self) -> ItemId {
        let bytes = self.guard.value();
        let mut client = [0; 8];
        let mut clock = [0; 4];
        if bytes.len() >= HEADER_LEN_1 {
            client.copy_from_slice(&bytes[1..9]);
            clock.copy_from_slice(&bytes[9..13]);
        }
        ItemId { client: u64::from_le_bytes(client), clock: u32::from_le_bytes(clock) }
    }

    fn tag(&self) -> u8 {
        self.guard.value().first().copied().unwrap_or(OTHER)
    }

    fn payload(&self) -> &[u8] {
        self.guard.value().get(self.header_len..).unwrap_or_default()
    }

    /// The JSON, whether it is ours or not; nothing of a damaged row.
    #[inline]
    pub(crate) fn json(&self) -> &[u8] {
        if self.is_damaged {
            return &[];
        }
        let payload = self.payload();
        if self.header_len == HEADER_LEN_1 || self.tag() != OTHER {
            return payload;
        }
        split_other(payload).map_or(&[], |(_, json, _)| json)
    }

    /// Whether what stands there is no JSON text: another program put it there, or it is damaged.
    #[inline]
    pub(crate) fn is_foreign(&self) -> bool {
        self.is_damaged || self.tag() == OTHER
    }

    /// Whether its bytes are not those that were written.
    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// Whether readers see something else than the document's own entry: a late edit, or a row with its
    /// cells.
    pub(crate) fn is_late(&self) -> bool {
        !self.is_damaged && self.tag() == LATE
    }

    pub(crate) fn content(&self) -> Content {
        let json = String::from_utf8_lossy(self.json());
        if self.is_foreign() {
            Content::Foreign(json.into_owned())
        } else {
            Content::Text(json.into())
        }
    }

    /// Puts the same row into `buffer` as it stands under another key. A damaged one stays damaged.
    pub(super) fn encode_under(&self, key: &[u8], buffer: &mut Vec<u8>) {
        if self.is_damaged {
            buffer.clear();
            buffer.extend(self.guard.value());
            return;
        }
        let json = String::from_utf8_lossy(self.json());
        match (self.tag(), split_other(self.payload())) {
            (OTHER, Some((kind, _, bytes))) => {
                encode_row(buffer, key, self.id(), RowValue::Other { kind, bytes, json: &json });
            }
            (LATE, _) => encode_row(buffer, key, self.id(), RowValue::Late(&json)),
            _ => encode_row(buffer, key, self.id(), RowValue::Text(&json)),
        }
    }

    /// The value of the item.
    pub(super) fn value(&self) -> Value {
        match split_other(self.payload()).filter(|_| self.tag() == OTHER) {
            Some((kind, json, bytes)) => Value::Other {
                kind,
                bytes: bytes.to_vec(),
                json: String::from_utf8_lossy(json).into_owned(),
            },
            None => Value::Text(String::from_utf8_lossy(self.json()).into()),
        }
    }
}

/// The kind, the JSON and the content of what another program wrote.
fn split_other(payload: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&kind, rest) = payload.split_first()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
    Some((kind, rest.get(..len)?, rest.get(len..)?))
}
