//! Log records and snapshots: a yrs update, compressed and checksummed.
//!
//! | bytes | what |
//! |--:|---|
//! | 8 | XXH3 (64 bits, little-endian) of all that follows |
//! | 1 | encoding: 0 plain, 1 an LZ4 block |
//! | 1 | kind: 0 local, 1 remote, 2 remote and waiting for earlier changes |
//! | 8 | when, in milliseconds since 1970, little-endian |
//! | 8 | the update's length in bytes, little-endian |
//! | … | the update |

use std::time::{SystemTime, UNIX_EPOCH};

use twox_hash::XxHash3_64;

const HEADER_LEN: usize = 26;
const PLAIN: u8 = 0;
const LZ4: u8 = 1;

/// Which update a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordKind {
    /// A write of this copy, or a snapshot.
    Local,
    /// Changes of another device.
    Remote,
    /// Changes of another device that wait for earlier ones of it.
    Waiting,
}

impl RecordKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Local => 0,
            Self::Remote => 1,
            Self::Waiting => 2,
        }
    }
}

/// A record as read back.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) update: Vec<u8>,
    pub(crate) waits: bool,
}

impl Record {
    /// The bytes to store for an update.
    pub(crate) fn encode(update: &[u8], kind: RecordKind) -> Vec<u8> {
        let compressed = lz4_flex::block::compress(update);
        let (encoding, body) = if compressed.len() < update.len() {
            (LZ4, compressed.as_slice())
        } else {
            (PLAIN, update)
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);

        let mut bytes = Vec::with_capacity(HEADER_LEN + body.len());
        bytes.extend([0; 8]);
        bytes.push(encoding);
        bytes.push(kind.byte());
        bytes.extend(now_ms.to_le_bytes());
        bytes.extend((update.len() as u64).to_le_bytes());
        bytes.extend(body);
        let checksum = XxHash3_64::oneshot(&bytes[8..]);
        bytes[..8].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The update in stored bytes; an error says in which way they are damaged.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let header = bytes.get(..HEADER_LEN).ok_or("it is cut short")?;
        if XxHash3_64::oneshot(&bytes[8..]).to_le_bytes() != header[..8] {
            return Err("its checksum does not match");
        }
        let mut len = [0; 8];
        len.copy_from_slice(&header[18..26]);
        let len = usize::try_from(u64::from_le_bytes(len)).map_err(|_| "it is too long")?;
        let body = &bytes[HEADER_LEN..];
        let update = match header[8] {
            PLAIN => body.to_vec(),
            // An LZ4 block expands at most 255-fold, which bounds what a length may claim.
            LZ4 if len / 255 <= body.len() => {
                lz4_flex::block::decompress(body, len).map_err(|_| "it does not decompress")?
            }
            _ => return Err("its encoding is unknown"),
        };
        if update.len() != len {
            return Err("its length does not match");
        }
        Ok(Self { update, waits: header[9] == RecordKind::Waiting.byte() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_any_flipped_bit_is_noticed() {
        for update in [b"".to_vec(), b"abc".to_vec(), vec![7; 5000]] {
            let bytes = Record::encode(&update, RecordKind::Local);
            assert_eq!(Record::decode(&bytes).unwrap().update, update);
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(Record::decode(&flipped).is_err(), "bit {bit} flipped unnoticed");
            }
            for len in 0..bytes.len() {
                assert!(Record::decode(&bytes[..len]).is_err(), "cut at {len} unnoticed");
            }
        }
    }
}
