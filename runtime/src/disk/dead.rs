//! Which items are dead: for each client, a bitmap of so many clocks at a time; where all of several
//! bitmaps would be full, one entry stands for them.
//!
//! A value is a byte that tells the two apart, and either the bitmap without its trailing zeros, or how many
//! bitmaps it stands for, in four bytes.

use std::ops::Range;

use super::failure::{Failure, Try, corrupt};

/// How many clocks a bitmap has.
pub(super) const CLOCKS: u32 = 4_096;
const WORDS: usize = 64;

const MAP: u8 = 0;
const FULL: u8 = 1;

/// The dead items among the clocks of one bitmap: its words up to the last one that is not zero, since an
/// update may bring a dead item of each of very many clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bitmap(Vec<u64>);

/// The value of an entry for dead items: one bitmap, or several full ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dead {
    Map(Bitmap),
    /// So many full ones.
    Full(u32),
}

impl Dead {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Map(map) => {
                bytes.push(MAP);
                let words = map.0.iter().flat_map(|word| word.to_le_bytes());
                bytes.extend(words);
                let len = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                bytes.truncate(len.max(1));
            }
            Self::Full(count) => {
                bytes.push(FULL);
                bytes.extend(count.to_le_bytes());
            }
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Try<Self> {
        let read = || {
            let (&tag, rest) = bytes.split_first()?;
            match tag {
                MAP => Bitmap::decode(rest).map(Self::Map),
                FULL => Some(Self::Full(u32::from_le_bytes(rest.try_into().ok()?))),
                _ => None,
            }
        };
        read().ok_or_else(|| Failure(corrupt("what the file says of removed items is damaged")))
    }
}

impl Bitmap {
    pub(super) fn empty() -> Self {
        Self(Vec::new())
    }

    pub(super) fn full() -> Self {
        Self(vec![u64::MAX; WORDS])
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > WORDS * 8 {
            return None;
        }
        let word = |bytes: &[u8]| {
            let mut word = [0; 8];
            for (byte, from) in word.iter_mut().zip(bytes) {
                *byte = *from;
            }
            u64::from_le_bytes(word)
        };
        let mut words: Vec<u64> = bytes.chunks(8).map(word).collect();
        words.truncate(words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1));
        Some(Self(words))
    }

    pub(super) fn contains(&self, bit: u32) -> bool {
        let word = self.0.get(bit as usize / 64 % WORDS);
        word.is_some_and(|word| word & 1 << (bit % 64) != 0)
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() == WORDS && self.0.iter().all(|word| *word == u64::MAX)
    }

    /// Sets the bits of a range.
    pub(super) fn set(&mut self, bits: Range<u32>) {
        let words = (bits.end as usize).div_ceil(64).min(WORDS);
        if bits.is_empty() {
            return;
        }
        if self.0.len() < words {
            self.0.resize(words, 0);
        }
        for (index, word) in self.0.iter_mut().enumerate() {
            *word |= mask(index, &bits);
        }
    }

    /// The bits of a range that are set, or not set if `is_set` is false, as ranges.
    pub(super) fn ranges(&self, bits: Range<u32>, is_set: bool, found: &mut Vec<Range<u32>>) {
        for index in 0..WORDS {
            let word = self.0.get(index).copied().unwrap_or_default();
            let mut word = (if is_set { word } else { !word }) & mask(index, &bits);
            while word != 0 {
                let from = word.trailing_zeros();
                let len = (!(word >> from)).trailing_zeros().min(64 - from);
                let start = 64 * index as u32 + from;
                push_range(found, start..start + len);
                word &= !ones(from, from + len);
            }
        }
    }
}

/// The bits of a word from one place to another.
fn ones(from: u32, to: u32) -> u64 {
    let below = |end: u32| if end >= 64 { u64::MAX } else { (1 << end) - 1 };
    below(to) & !below(from)
}

/// Those of the bits of a range that the word of this index has.
fn mask(index: usize, bits: &Range<u32>) -> u64 {
    let base = 64 * index as u32;
    let within = |bit: u32| bit.clamp(base, base + 64) - base;
    ones(within(bits.start), within(bits.end))
}

/// Adds a range behind others, joined with the last one if they touch.
pub(super) fn push_range(ranges: &mut Vec<Range<u32>>, range: Range<u32>) {
    match ranges.last_mut() {
        Some(last) if last.end == range.start => last.end = range.end,
        _ if range.is_empty() => {}
        _ => ranges.push(range),
    }
}

/// Returns the rest of ranges without others, both ascending.
pub(super) fn without(
    ranges: &[Range<u32>],
    holes: impl Iterator<Item = Range<u64>>,
) -> Vec<Range<u32>> {
    let mut left = ranges.to_vec();
    for hole in holes {
        let mut next = Vec::with_capacity(left.len() + 1);
        for range in left {
            let end_before = u32::try_from(hole.start).unwrap_or(u32::MAX).min(range.end);
            let start_after = u32::try_from(hole.end).unwrap_or(u32::MAX).max(range.start);
            if end_before >= range.end || start_after <= range.start {
                next.push(range);
                continue;
            }
            if range.start < end_before {
                next.push(range.start..end_before);
            }
            if start_after < range.end {
                next.push(start_after..range.end);
            }
        }
        left = next;
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_back_as_ranges() {
        let mut map = Bitmap::empty();
        for range in [0..1, 60..70, 128..192, 4_000..4_096] {
            map.set(range);
        }
        let read = Dead::decode(&Dead::Map(map.clone()).encode()).ok().unwrap();
        assert_eq!(read, Dead::Map(map.clone()));
        let (mut dead, mut live) = (Vec::new(), Vec::new());
        map.ranges(0..CLOCKS, true, &mut dead);
        map.ranges(0..CLOCKS, false, &mut live);
        assert_eq!(dead, [0..1, 60..70, 128..192, 4_000..4_096]);
        assert_eq!(live, [1..60, 70..128, 192..4_000]);
        let mut part = Vec::new();
        map.ranges(65..130, true, &mut part);
        assert_eq!(part, [65..70, 128..130]);
        assert!(map.contains(69) && !map.contains(70) && !map.is_full());
        map.set(0..CLOCKS);
        assert!(map.is_full());
    }
}
