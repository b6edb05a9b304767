//! The byte form of what travels: a tag, a checksum, and length-prefixed parts.
//!
//! | bytes | what |
//! |--:|---|
//! | 4 | `HLsm` for a summary, `HLch` for changes |
//! | 1 | format, 1 |
//! | 8 | XXH3 (64 bits, little-endian) of all that follows |
//! | … | the parts: hashes are 8 bytes, little-endian; numbers are varints; texts and bytes come after their length |
//!
//! A varint has seven bits a byte, the lowest first, and the highest bit of each byte but the last is set.

use twox_hash::XxHash3_64;

use crate::error::{Error, ErrorKind, Result};

const FORMAT: u8 = 1;
const HEADER_LEN: usize = 13;

/// Writes the parts of a frame.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new(tag: [u8; 4]) -> Self {
        let mut bytes = tag.to_vec();
        bytes.push(FORMAT);
        bytes.extend([0; 8]);
        Self(bytes)
    }

    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(super) fn hash(&mut self, hash: u64) {
        self.0.extend(hash.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend(bytes);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let checksum = XxHash3_64::oneshot(&self.0[HEADER_LEN..]);
        self.0[5..HEADER_LEN].copy_from_slice(&checksum.to_le_bytes());
        self.0
    }
}

/// Reads the parts of a frame whose checksum was right.
pub(super) struct Reader<'b> {
    rest: &'b [u8],
    what: &'static str,
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8], tag: [u8; 4], what: &'static str) -> Result<Self> {
        let refused = |why: &str| Err(damaged(what, why));
        let Some((header, rest)) = bytes.split_at_checked(HEADER_LEN) else {
            return refused("they are cut short");
        };
        if header[..4] != tag {
            return refused("they begin with something else");
        }
        if header[4] != FORMAT {
            return Err(damaged(what, "they are in the format of a newer heirloom")
                .expecting(format!("format {FORMAT}"))
                .finding(format!("format {}", header[4])));
        }
        if header[5..] != XxHash3_64::oneshot(rest).to_le_bytes() {
            return refused("their checksum does not match");
        }
        Ok(Self { rest, what })
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let Some((&byte, rest)) = self.rest.split_first() else { return Err(self.short()) };
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            if bits << shift >> shift != bits {
                break;
            }
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(damaged(self.what, "a number is too large"))
    }

    pub(super) fn hash(&mut self) -> Result<u64> {
        let Some((hash, rest)) = self.rest.split_first_chunk() else { return Err(self.short()) };
        self.rest = rest;
        Ok(u64::from_le_bytes(*hash))
    }

    /// A count of parts that take at least `each` bytes, so that a wrong one cannot exhaust memory.
    pub(super) fn count(&mut self, each: usize) -> Result<usize> {
        let count = usize::try_from(self.number()?).map_err(|_| self.short())?;
        if count > self.rest.len() / each { Err(self.short()) } else { Ok(count) }
    }

    pub(super) fn bytes(&mut self) -> Result<&'b [u8]> {
        let len = self.count(1)?;
        let (bytes, rest) = self.rest.split_at(len);
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn text(&mut self) -> Result<String> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(bytes);
        text.map(str::to_owned).map_err(|_| damaged(self.what, "a name is not text"))
    }

    pub(super) fn end(self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(damaged(self.what, "they are too long")) }
    }

    fn short(&self) -> Error {
        damaged(self.what, "they are cut short")
    }
}

fn damaged(what: &str, why: &str) -> Error {
    Error::new(ErrorKind::InvalidUpdate, format!("the bytes do not parse as {what}: {why}"))
        .help("ask the other device again")
}
