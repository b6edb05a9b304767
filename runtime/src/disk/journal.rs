//! The journal: what the last commits of a document have brought, which is items, deletions, and a
//! hash of all deletions after each. With it, the changes for a copy cost what has changed, and not
//! all that was ever removed.
//!
//! A record is the hash (8 bytes, little-endian), a byte of flags, how many ranges of new items there are,
//! the ranges, how many ranges of deletions, and those; a range is a client, a clock and a length. All
//! numbers but the hash are variable-length integers.

use std::ops::Range;

use super::blocks::{Reader, put_var};
use super::failure::{Failure, Try, corrupt};

/// So many of the newest commits are kept unless set otherwise, and up to as many more.
pub(super) const KEPT_COMMITS: u64 = 1_024;
/// So many of the newest merges are named to others.
pub(super) const KEPT_MERGES: usize = 16;
/// So many of the newest commits are named to others.
pub(super) const NAMED_COMMITS: usize = 32;
/// A record that would have more bytes does not say what was removed.
const MAX_RECORD_BYTES: usize = 64 << 10;

const IS_SHORTENED: u8 = 1;

/// Items of one client.
pub(super) type ItemRange = (u64, Range<u32>);

/// The record of one commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct JournalRecord {
    /// The hash of all deletions after the commit.
    pub(super) deletions_hash: u64,
    pub(super) inserted: Vec<ItemRange>,
    /// The deletions; `None` if they are too much to keep.
    pub(super) removed: Option<Vec<ItemRange>>,
}

/// Sorts ranges, and joins those that touch.
pub(super) fn joined(mut ranges: Vec<ItemRange>) -> Vec<ItemRange> {
    ranges.sort_unstable_by_key(|(client, range)| (*client, range.start));
    let mut joined: Vec<ItemRange> = Vec::with_capacity(ranges.len());
    for (client, range) in ranges {
        match joined.last_mut() {
            Some((last, known)) if *last == client && known.end >= range.start => {
                known.end = known.end.max(range.end);
            }
            _ => joined.push((client, range)),
        }
    }
    joined
}

fn put_ranges(out: &mut Vec<u8>, ranges: &[ItemRange]) {
    put_var(out, ranges.len() as u64);
    for (client, range) in ranges {
        put_var(out, *client);
        put_var(out, u64::from(range.start));
        put_var(out, u64::from(range.end - range.start));
    }
}

fn read_ranges(reader: &mut Reader<'_>) -> Option<Vec<ItemRange>> {
    let mut ranges = Vec::new();
    for _ in 0..reader.var()? {
        let (client, start, len) = (reader.var()?, reader.clock()?, reader.clock()?);
        ranges.push((client, start..start.checked_add(len)?));
    }
    Some(ranges)
}

impl JournalRecord {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.deletions_hash.to_le_bytes().to_vec();
        let head = bytes.len();
        bytes.push(0);
        put_ranges(&mut bytes, &self.inserted);
        match &self.removed {
            Some(removed) => put_ranges(&mut bytes, removed),
            None => bytes[head] = IS_SHORTENED,
        }
        if bytes.len() > MAX_RECORD_BYTES {
            bytes.truncate(head);
            bytes.extend([IS_SHORTENED, 0]);
        }
        bytes
    }

    /// Whether bytes that [`encode`](Self::encode) gave say what was removed.
    pub(super) fn is_whole(bytes: &[u8]) -> bool {
        bytes.get(8).is_some_and(|flags| flags & IS_SHORTENED == 0)
    }

    pub(super) fn decode(bytes: &[u8]) -> Try<Self> {
        let read = || {
            let (hash, rest) = bytes.split_first_chunk::<8>()?;
            let mut reader = Reader::new(rest);
            let is_shortened = reader.byte()? & IS_SHORTENED != 0;
            let inserted = read_ranges(&mut reader)?;
            let removed = if is_shortened { None } else { Some(read_ranges(&mut reader)?) };
            Some(Self { deletions_hash: u64::from_le_bytes(*hash), inserted, removed })
        };
        read().ok_or_else(|| Failure(corrupt("the journal of the file is damaged")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_a_long_one_says_less() {
        let record = JournalRecord {
            deletions_hash: 7,
            inserted: vec![(1, 0..3), (1 << 53, 5..6)],
            removed: Some(joined(vec![(2, 4..5), (1, 0..1), (1, 1..2), (2, 4..5)])),
        };
        assert_eq!(record.removed, Some(vec![(1, 0..2), (2, 4..5)]));
        assert_eq!(JournalRecord::decode(&record.encode()).ok().unwrap(), record);
        let many = (0..40_000).map(|clock| (1, 2 * clock..2 * clock + 1)).collect();
        let long = JournalRecord { removed: Some(many), ..record };
        let read = JournalRecord::decode(&long.encode()).ok().unwrap();
        assert_eq!((read.deletions_hash, read.removed), (7, None));
    }
}
