//! Values under keys: JSON text, and what only other programs write.

use std::sync::Arc;

use yrs::block::{
    BLOCK_ITEM_ANY_REF_NUMBER, BLOCK_ITEM_BINARY_REF_NUMBER, BLOCK_ITEM_DOC_REF_NUMBER,
};
use yrs::encoding::read::Cursor;
use yrs::{Any, any};

use super::items::Value;
use super::wire::{Reader, TEXT};

/// As many bytes of a value are shown as JSON; a longer one shows as null.
pub(super) const MAX_SHOWN: usize = 1 << 20;

/// The JSON that shows a value which cannot be shown.
pub(super) const NOT_SHOWN: &str = "null";

/// A value, of its kind and bytes in an update, which were checked.
pub(super) fn value_of(kind: u8, bytes: &[u8]) -> Value {
    if kind == BLOCK_ITEM_ANY_REF_NUMBER
        && bytes.first() == Some(&TEXT)
        && let Ok(text) = Reader::new(bytes, 1).text()
    {
        return Value::Text(Arc::from(text));
    }
    let json = json_of(kind, bytes).unwrap_or_else(|| NOT_SHOWN.to_owned());
    Value::Other { kind, bytes: bytes.to_vec(), json }
}

fn json_of(kind: u8, bytes: &[u8]) -> Option<String> {
    if bytes.len() > MAX_SHOWN {
        return None;
    }
    let any = match kind {
        // A document within: its name is the first text.
        BLOCK_ITEM_DOC_REF_NUMBER => any!({ "guid": Reader::new(bytes, 0).text().ok()? }),
        BLOCK_ITEM_ANY_REF_NUMBER => Any::decode(&mut Cursor::new(bytes)).ok()?,
        BLOCK_ITEM_BINARY_REF_NUMBER => {
            Any::Buffer(Arc::from(Reader::new(bytes, 0).buffer().ok()?))
        }
        _ => return None,
    };
    serde_json::to_string(&any).ok()
}
