//! What many entries of an index come to: how many they are, and the sum of the integers that they begin with.

use std::ops::AddAssign;

use twox_hash::XxHash3_64;

use crate::row::order::leading_integer;

/// Three numbers and a checksum.
const LEN: usize = 36;
const CHECKED_LEN: usize = 32;

/// The number of some entries of an index, of those that begin with an integer, and the sum of these.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub(crate) entries: u64,
    /// How many entries begin with an integer.
    pub(crate) integers: u64,
    /// Their sum, if none of them takes more than 64 bits.
    pub(crate) sum: i128,
}

impl Totals {
    pub(super) fn add(&mut self, entry: &[u8]) {
        self.entries = self.entries.wrapping_add(1);
        if let Some(integer) = leading_integer(entry) {
            self.integers = self.integers.wrapping_add(1);
            self.sum = self.sum.wrapping_add(integer);
        }
    }

    /// Takes out an entry that was added.
    pub(super) fn subtract(&mut self, entry: &[u8]) {
        self.entries = self.entries.wrapping_sub(1);
        if let Some(integer) = leading_integer(entry) {
            self.integers = self.integers.wrapping_sub(1);
            self.sum = self.sum.wrapping_sub(integer);
        }
    }

    /// The record of a block that begins with `start`.
    pub(super) fn encode(&self, start: &[u8]) -> [u8; LEN] {
        let mut record = [0; LEN];
        record[..8].copy_from_slice(&self.entries.to_le_bytes());
        record[8..16].copy_from_slice(&self.integers.to_le_bytes());
        record[16..CHECKED_LEN].copy_from_slice(&self.sum.to_le_bytes());
        let sum = checksum(start, &record[..CHECKED_LEN]);
        record[CHECKED_LEN..].copy_from_slice(&sum);
        record
    }

    /// What the record of a block says; nothing if it is damaged.
    pub(super) fn decode(start: &[u8], record: &[u8]) -> Option<Self> {
        let (numbers, sum) = record.split_at_checked(CHECKED_LEN)?;
        if sum != checksum(start, numbers) {
            return None;
        }
        let (entries, rest) = numbers.split_first_chunk()?;
        let (integers, rest) = rest.split_first_chunk()?;
        Some(Self {
            entries: u64::from_le_bytes(*entries),
            integers: u64::from_le_bytes(*integers),
            sum: i128::from_le_bytes(rest.try_into().ok()?),
        })
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.entries = self.entries.wrapping_add(other.entries);
        self.integers = self.integers.wrapping_add(other.integers);
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

fn checksum(start: &[u8], numbers: &[u8]) -> [u8; 4] {
    let sum = XxHash3_64::oneshot(numbers) ^ XxHash3_64::oneshot(start).rotate_left(29);
    let [a, b, c, d, ..] = sum.to_le_bytes();
    [a, b, c, d]
}
