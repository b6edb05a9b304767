//! The blocks of an update: items of one client that follow each other.

use yrs::block::{
    BLOCK_GC_REF_NUMBER, BLOCK_ITEM_ANY_REF_NUMBER, BLOCK_ITEM_BINARY_REF_NUMBER,
    BLOCK_ITEM_DELETED_REF_NUMBER, BLOCK_ITEM_DOC_REF_NUMBER, BLOCK_ITEM_EMBED_REF_NUMBER,
    BLOCK_ITEM_FORMAT_REF_NUMBER, BLOCK_ITEM_STRING_REF_NUMBER, BLOCK_ITEM_TYPE_REF_NUMBER,
    BLOCK_SKIP_REF_NUMBER, HAS_ORIGIN, HAS_PARENT_SUB, HAS_RIGHT_ORIGIN,
};

use super::wire::{Reader, invalid};
use crate::error::Result;
use crate::row::ItemId;

/// The bits of an item's first byte that say what its content is.
const CONTENT_BITS: u8 = 0b1_1111;

/// The place that a block says it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parent<'a> {
    /// The place of its neighbours.
    OfNeighbours,
    /// A key of a root map.
    Entry { root: &'a str, key: &'a str },
    /// A sequence in a root type.
    Sequence,
    /// A key of a nested type, or a sequence in it.
    Nested { parent: ItemId, key: Option<&'a str> },
}

/// The content of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body<'a> {
    /// Dead items of which nothing is known.
    Gone,
    /// Items that the update leaves out.
    Skip,
    /// Items whose content is gone.
    Deleted,
    /// Values, of which only the last can be alive under a key: its kind and bytes.
    Value { kind: u8, last: &'a [u8] },
    /// Content that only a sequence holds.
    Piece,
}

/// Items of one client that follow each other, as an update holds them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) origin: Option<ItemId>,
    pub(super) right: Option<ItemId>,
    pub(super) parent: Parent<'a>,
    pub(super) body: Body<'a>,
    /// All of it, as it stands in the update.
    pub(super) bytes: &'a [u8],
}

impl<'a> Block<'a> {
    /// Reads the next block of a client whose next clock is `start`.
    pub(super) fn read(reader: &mut Reader<'a>, start: u32) -> Result<Self> {
        let begin = reader.at();
        let info = reader.byte()?;
        let (origin, right, parent, len, body) = match info {
            BLOCK_GC_REF_NUMBER | BLOCK_SKIP_REF_NUMBER => {
                let body = if info == BLOCK_GC_REF_NUMBER { Body::Gone } else { Body::Skip };
                let len = reader.clock()?;
                if len == 0 {
                    return Err(invalid("a block is empty"));
                }
                (None, None, Parent::OfNeighbours, len, body)
            }
            info => {
                let origin = (info & HAS_ORIGIN != 0).then(|| reader.id()).transpose()?;
                let right = (info & HAS_RIGHT_ORIGIN != 0).then(|| reader.id()).transpose()?;
                let parent = match (origin, right) {
                    (None, None) => read_parent(reader, info)?,
                    _ => Parent::OfNeighbours,
                };
                let (len, body) = read_content(reader, info & CONTENT_BITS)?;
                (origin, right, parent, len, body)
            }
        };
        if start.checked_add(len).is_none() {
            return Err(invalid("a clock is beyond 32 bits"));
        }
        Ok(Self { start, len, origin, right, parent, body, bytes: reader.since(begin)? })
    }

    /// The clock after its last item.
    pub(super) fn end(&self) -> u32 {
        // Checked when it was read.
        self.start.saturating_add(self.len)
    }

    /// The items that must be here before it.
    pub(super) fn needs(&self) -> impl Iterator<Item = ItemId> + use<> {
        let parent = match self.parent {
            Parent::Nested { parent, .. } => Some(parent),
            _ => None,
        };
        [self.origin, self.right, parent].into_iter().flatten()
    }
}

fn read_parent<'a>(reader: &mut Reader<'a>, info: u8) -> Result<Parent<'a>> {
    let is_root = match reader.number()? {
        0 => false,
        1 => true,
        _ => return Err(invalid("a parent is of no known type")),
    };
    let has_key = info & HAS_PARENT_SUB != 0;
    if !is_root {
        let parent = reader.id()?;
        let key = has_key.then(|| reader.text()).transpose()?;
        return Ok(Parent::Nested { parent, key });
    }
    let root = reader.text()?;
    if has_key { Ok(Parent::Entry { root, key: reader.text()? }) } else { Ok(Parent::Sequence) }
}

/// How many items a content is, and what it holds.
fn read_content<'a>(reader: &mut Reader<'a>, kind: u8) -> Result<(u32, Body<'a>)> {
    let begin = reader.at();
    match kind {
        BLOCK_ITEM_DELETED_REF_NUMBER => Ok((reader.clock()?, Body::Deleted)),
        BLOCK_ITEM_ANY_REF_NUMBER => {
            let len = reader.clock()?;
            let mut last = reader.at();
            for _ in 0..len {
                last = reader.at();
                reader.pass_value(0)?;
            }
            Ok((len, Body::Value { kind, last: reader.since(last)? }))
        }
        BLOCK_ITEM_BINARY_REF_NUMBER | BLOCK_ITEM_DOC_REF_NUMBER | BLOCK_ITEM_TYPE_REF_NUMBER => {
            match kind {
                BLOCK_ITEM_BINARY_REF_NUMBER => drop(reader.buffer()?),
                BLOCK_ITEM_TYPE_REF_NUMBER => reader.pass_type()?,
                _ => {
                    reader.text()?;
                    reader.pass_value(0)?;
                }
            }
            Ok((1, Body::Value { kind, last: reader.since(begin)? }))
        }
        BLOCK_ITEM_STRING_REF_NUMBER => {
            let units = reader.text()?.encode_utf16().count();
            let len = u32::try_from(units).map_err(|_| invalid("a text is too long"))?;
            Ok((len, Body::Piece))
        }
        BLOCK_ITEM_EMBED_REF_NUMBER => {
            reader.pass_json()?;
            Ok((1, Body::Piece))
        }
        BLOCK_ITEM_FORMAT_REF_NUMBER => {
            reader.text()?;
            reader.pass_json()?;
            Ok((1, Body::Piece))
        }
        // Content of the kind JSON is read differently by Yjs and yrs, and no longer written.
        _ => Err(invalid("a content is of no known kind")),
    }
}
