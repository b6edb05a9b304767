//! Numbers, texts and values, read from the bytes of an update without allocating.
//!
//! yrs' own decoders of whole updates wrap numbers, allocate by what the bytes claim, and recurse
//! without end. Everything here is bounded by the bytes that are there.

use serde::de::IgnoredAny;
use yrs::encoding::read::{Cursor, Read};
use yrs::types::{
    TYPE_REFS_ARRAY, TYPE_REFS_DOC, TYPE_REFS_MAP, TYPE_REFS_TEXT, TYPE_REFS_UNDEFINED,
    TYPE_REFS_WEAK, TYPE_REFS_XML_ELEMENT, TYPE_REFS_XML_FRAGMENT, TYPE_REFS_XML_TEXT,
};

use crate::error::{Error, ErrorKind, Result};
use crate::row::ItemId;

/// The tag of a text among the values of yrs.
pub(super) const TEXT: u8 = 119;

/// How deep values may nest: the decoders of other programs recurse.
const MAX_DEPTH: u32 = 64;

/// Client ids have 53 bits, the whole numbers of JavaScript.
const CLIENT_BITS: u32 = 53;

/// Makes the error for bytes that do not parse as an update, with the reason.
pub(super) fn invalid(reason: &'static str) -> Error {
    Error::new(ErrorKind::InvalidUpdate, "the changes do not decode")
        .help("nothing was changed; ask the other device for its changes again")
        .because(reason)
}

/// A reader of an update's bytes.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The bytes from a position up to here.
    pub(super) fn since(&self, start: usize) -> Result<&'a [u8]> {
        self.bytes.get(start..self.at).ok_or_else(|| invalid("the bytes end too early"))
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| invalid("the bytes end too early"))?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        let mut cursor = Cursor { buf: self.bytes, next: self.at };
        let number = cursor.read_var().map_err(|_| invalid("a number does not end"))?;
        // Beyond nine bytes yrs drops bits of it.
        if cursor.next - self.at > 9 {
            return Err(invalid("a number is too large"));
        }
        self.at = cursor.next;
        Ok(number)
    }

    pub(super) fn clock(&mut self) -> Result<u32> {
        u32::try_from(self.number()?).map_err(|_| invalid("a clock is beyond 32 bits"))
    }

    pub(super) fn client(&mut self) -> Result<u64> {
        let client = self.number()?;
        if client >> CLIENT_BITS != 0 {
            return Err(invalid("a client id is beyond 53 bits"));
        }
        Ok(client)
    }

    pub(super) fn id(&mut self) -> Result<ItemId> {
        Ok(ItemId { client: self.client()?, clock: self.clock()? })
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8]> {
        let len = usize::try_from(len).ok();
        let end = len.and_then(|len| self.at.checked_add(len));
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| invalid("the bytes end too early"))?;
        self.at += taken.len();
        Ok(taken)
    }

    pub(super) fn buffer(&mut self) -> Result<&'a [u8]> {
        let len = self.number()?;
        self.take(len)
    }

    pub(super) fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.buffer()?).map_err(|_| invalid("a text is not UTF-8"))
    }

    pub(super) fn pass_json(&mut self) -> Result<()> {
        let json: Result<IgnoredAny, _> = serde_json::from_str(self.text()?);
        json.map(drop).map_err(|_| invalid("a text is not JSON"))
    }

    /// Reads over a value of yrs.
    pub(super) fn pass_value(&mut self, depth: u32) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(invalid("a value nests too deep"));
        }
        match self.byte()? {
            // Undefined, null, true and false.
            127 | 126 | 121 | 120 => {}
            125 => self.pass_integer()?,
            124 => drop(self.take(4)?),
            123 | 122 => drop(self.take(8)?),
            TEXT => drop(self.text()?),
            118 => {
                for _ in 0..self.number()? {
                    self.text()?;
                    self.pass_value(depth + 1)?;
                }
            }
            117 => {
                for _ in 0..self.number()? {
                    self.pass_value(depth + 1)?;
                }
            }
            116 => drop(self.buffer()?),
            _ => return Err(invalid("a value is of no known type")),
        }
        Ok(())
    }

    fn pass_integer(&mut self) -> Result<()> {
        // Beyond nine bytes, reading it overflows in yrs.
        for _ in 0..9 {
            if self.byte()? & 0x80 == 0 {
                return Ok(());
            }
        }
        Err(invalid("a number is too large"))
    }

    /// Reads over what says of which type a nested type is.
    pub(super) fn pass_type(&mut self) -> Result<()> {
        match self.byte()? {
            TYPE_REFS_ARRAY
            | TYPE_REFS_MAP
            | TYPE_REFS_TEXT
            | TYPE_REFS_XML_FRAGMENT
            | TYPE_REFS_XML_TEXT
            | TYPE_REFS_DOC
            | TYPE_REFS_UNDEFINED => Ok(()),
            TYPE_REFS_XML_ELEMENT => self.text().map(drop),
            TYPE_REFS_WEAK => self.pass_link(),
            // Of a hook, Yjs writes a name and yrs none.
            _ => Err(invalid("a nested type is of no known type")),
        }
    }

    fn pass_link(&mut self) -> Result<()> {
        const STARTS_WITH_PARENT: u8 = 0b1000;
        const ENDS_WITH_PARENT: u8 = 0b1_0000;
        const PARENT_IS_ROOT: u8 = 0b10_0000;
        const IS_QUOTE: u8 = 0b1;
        let flags = self.byte()?;
        let pass_end = |reader: &mut Self, is_open: bool| {
            if is_open && flags & PARENT_IS_ROOT != 0 {
                reader.text().map(drop)
            } else {
                reader.id().map(drop)
            }
        };
        pass_end(self, flags & STARTS_WITH_PARENT != 0)?;
        let ends_with_parent = flags & ENDS_WITH_PARENT != 0;
        if ends_with_parent || flags & IS_QUOTE != 0 {
            pass_end(self, ends_with_parent)
        } else {
            Ok(())
        }
    }
}
