//! Items of one client, packed into blocks: of each only its place.
//!
//! | bytes | what |
//! |--:|---|
//! | 4 | how many clocks it covers, little-endian |
//! | v | how many other clients its records name, and then 8 bytes for each, little-endian |
//! | … | the records, one for each run of items |
//!
//! `v` is a variable-length integer: seven bits a byte, the lowest first. A record is a byte of flags,
//! and then, by them: of the first item of a key its root and its key; of any other the item it comes
//! after and the first item of its key, each as a client, by its place among those named (0 for the
//! client of the block), and a clock; the length, if it is more than one.

use super::failure::{Failure, Try, corrupt};
use crate::row::ItemId;

/// A block that has come to more bytes is followed by another. It fits a page of the file.
const MAX_BLOCK_BYTES: usize = 3_800;
/// The same for clocks: so many records a look-up decodes at most.
const MAX_BLOCK_CLOCKS: u32 = 256;

const IS_FIRST: u8 = 1;
const IS_AFTER_OWN: u8 = 2;
const IS_AFTER_OTHER: u8 = 4;
const IS_RUN: u8 = 8;
const FIRST_IS_OWN: u8 = 16;
const FIRST_IS_ORIGIN: u8 = 32;
const IS_NESTED: u8 = 64;

/// The place of a run, with its root by number and its key packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PackedPlace {
    Gone,
    First { root: u32, key: Vec<u8> },
    After { origin: ItemId, first: ItemId },
    Nested,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackedRun {
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) place: PackedPlace,
}

/// A block, to be read or added to.
#[derive(Debug, Clone)]
pub(super) struct Block {
    client: u64,
    pub(super) start: u32,
    /// The clock after its last item.
    pub(super) end: u32,
    others: Vec<u64>,
    records: Vec<u8>,
}

pub(super) fn put_var(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads bytes that no checksum has found damaged, and yet may be.
pub(super) struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    pub(super) fn var(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn clock(&mut self) -> Option<u32> {
        u32::try_from(self.var()?).ok()
    }

    fn bytes(&mut self) -> Option<&'b [u8]> {
        let len = usize::try_from(self.var()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }
}

fn damaged(client: u64, start: u32) -> Failure {
    Failure(corrupt(format!("the items of client {client} from {start} on are damaged")))
}

impl Block {
    /// An empty block, of which the first item has this clock.
    pub(super) fn new(client: u64, start: u32) -> Self {
        Self { client, start, end: start, others: Vec::new(), records: Vec::new() }
    }

    pub(super) fn client(&self) -> u64 {
        self.client
    }

    pub(super) fn decode(client: u64, start: u32, bytes: &[u8]) -> Try<Self> {
        Self::read(client, start, bytes).ok_or_else(|| damaged(client, start))
    }

    fn read(client: u64, start: u32, bytes: &[u8]) -> Option<Self> {
        let (clocks, rest) = bytes.split_first_chunk::<4>()?;
        let end = start.checked_add(u32::from_le_bytes(*clocks))?;
        let mut reader = Reader(rest);
        let count = usize::try_from(reader.var()?).ok()?;
        let (others, records) = reader.0.split_at_checked(count.checked_mul(8)?)?;
        let others = others.as_chunks::<8>().0.iter().map(|id| u64::from_le_bytes(*id));
        Some(Self { client, start, end, others: others.collect(), records: records.to_vec() })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 8 * self.others.len() + self.records.len());
        bytes.extend((self.end - self.start).to_le_bytes());
        put_var(&mut bytes, self.others.len() as u64);
        for other in &self.others {
            bytes.extend(other.to_le_bytes());
        }
        bytes.extend(&self.records);
        bytes
    }

    /// Whether another record may come to it.
    pub(super) fn has_room(&self) -> bool {
        let bytes = self.records.len() + 8 * self.others.len();
        self.end - self.start < MAX_BLOCK_CLOCKS && bytes < MAX_BLOCK_BYTES - 64
    }

    /// Adds a run, which starts where the block ends; the caller has checked that its end is a clock.
    pub(super) fn push(&mut self, run: &PackedRun) {
        let is_run = if run.len > 1 { IS_RUN } else { 0 };
        match &run.place {
            PackedPlace::Gone => self.records.push(is_run),
            PackedPlace::Nested => self.records.push(IS_NESTED | is_run),
            PackedPlace::First { root, key } => {
                self.records.push(IS_FIRST | is_run);
                put_var(&mut self.records, u64::from(*root));
                put_var(&mut self.records, key.len() as u64);
                self.records.extend(key);
            }
            PackedPlace::After { origin, first } => {
                self.push_after(run.start, *origin, *first, is_run)
            }
        }
        if run.len > 1 {
            put_var(&mut self.records, u64::from(run.len));
        }
        self.end = run.start.saturating_add(run.len);
    }

    fn push_after(&mut self, start: u32, origin: ItemId, first: ItemId, is_run: u8) {
        let is_own = origin.client == self.client && origin.clock < start;
        let mut flags = is_run | if is_own { IS_AFTER_OWN } else { IS_AFTER_OTHER };
        if first == origin {
            flags |= FIRST_IS_ORIGIN;
        } else if first.client == self.client {
            flags |= FIRST_IS_OWN;
        }
        self.records.push(flags);
        if is_own {
            put_var(&mut self.records, u64::from(start - origin.clock));
        } else {
            self.push_client(origin.client);
            put_var(&mut self.records, u64::from(origin.clock));
        }
        if flags & FIRST_IS_ORIGIN == 0 {
            if flags & FIRST_IS_OWN == 0 {
                self.push_client(first.client);
            }
            put_var(&mut self.records, u64::from(first.clock));
        }
    }

    fn push_client(&mut self, client: u64) {
        let place = if client == self.client {
            0
        } else {
            let known = self.others.iter().position(|other| *other == client);
            1 + known.unwrap_or_else(|| {
                self.others.push(client);
                self.others.len() - 1
            })
        };
        put_var(&mut self.records, place as u64);
    }

    fn client_at(&self, place: u64) -> Option<u64> {
        match usize::try_from(place).ok()?.checked_sub(1) {
            None => Some(self.client),
            Some(place) => self.others.get(place).copied(),
        }
    }

    /// The runs of the block in the order of their clocks.
    pub(super) fn runs(&self) -> impl Iterator<Item = Try<PackedRun>> {
        let (mut reader, mut clock) = (Reader(&self.records), self.start);
        std::iter::from_fn(move || {
            if clock >= self.end {
                return None;
            }
            let Some(run) = self.next_run(&mut reader, clock) else {
                clock = self.end;
                return Some(Err(damaged(self.client, self.start)));
            };
            clock = clock.saturating_add(run.len);
            Some(Ok(run))
        })
    }

    /// The run with this clock, which the block covers.
    pub(super) fn run_at(&self, clock: u32) -> Try<PackedRun> {
        let (mut reader, mut start) = (Reader(&self.records), self.start);
        while let Some(record) = self.next_record(&mut reader, start) {
            if clock - start < record.len {
                return Ok(record.run(start));
            }
            start = start.saturating_add(record.len);
        }
        Err(damaged(self.client, self.start))
    }

    fn next_run(&self, reader: &mut Reader<'_>, start: u32) -> Option<PackedRun> {
        Some(self.next_record(reader, start)?.run(start))
    }

    fn next_record<'b>(&self, reader: &mut Reader<'b>, start: u32) -> Option<Record<'b>> {
        let flags = reader.byte()?;
        let mut key = &[][..];
        let place = if flags & IS_FIRST != 0 {
            let root = reader.clock()?;
            key = reader.bytes()?;
            PackedPlace::First { root, key: Vec::new() }
        } else if flags & (IS_AFTER_OWN | IS_AFTER_OTHER) != 0 {
            let origin = if flags & IS_AFTER_OWN != 0 {
                ItemId { client: self.client, clock: start.checked_sub(reader.clock()?)? }
            } else {
                ItemId { client: self.client_at(reader.var()?)?, clock: reader.clock()? }
            };
            let first = if flags & FIRST_IS_ORIGIN != 0 {
                origin
            } else if flags & FIRST_IS_OWN != 0 {
                ItemId { client: self.client, clock: reader.clock()? }
            } else {
                ItemId { client: self.client_at(reader.var()?)?, clock: reader.clock()? }
            };
            PackedPlace::After { origin, first }
        } else if flags & IS_NESTED != 0 {
            PackedPlace::Nested
        } else {
            PackedPlace::Gone
        };
        let len = if flags & IS_RUN != 0 { reader.clock()? } else { 1 };
        let is_within = len > 0 && len <= self.end.saturating_sub(start);
        is_within.then_some(Record { len, place, key })
    }
}

/// A record of a block, of which the key was not copied yet.
struct Record<'b> {
    len: u32,
    place: PackedPlace,
    key: &'b [u8],
}

impl Record<'_> {
    fn run(self, start: u32) -> PackedRun {
        let place = match self.place {
            PackedPlace::First { root, .. } => PackedPlace::First { root, key: self.key.to_vec() },
            place => place,
        };
        PackedRun { start, len: self.len, place }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> (Block, Vec<PackedRun>) {
        let id = |client, clock| ItemId { client, clock };
        let places = [
            (1, PackedPlace::First { root: 3, key: b"key".to_vec() }),
            (1, PackedPlace::After { origin: id(7, 40), first: id(7, 40) }),
            (5, PackedPlace::After { origin: id(9, 2), first: id(7, 40) }),
            (1, PackedPlace::After { origin: id(7, 46), first: id(9, 0) }),
            (1, PackedPlace::After { origin: id(8, 1), first: id(9, 0) }),
            (1_000, PackedPlace::Gone),
            (2, PackedPlace::Nested),
        ];
        let (mut block, mut runs, mut start) = (Block::new(7, 40), Vec::new(), 40);
        for (len, place) in places {
            runs.push(PackedRun { start, len, place });
            block.push(&runs[runs.len() - 1]);
            start += len;
        }
        (block, runs)
    }

    #[test]
    fn runs_come_back_out_of_a_block() {
        let (block, runs) = filled();
        let read = Block::decode(7, 40, &block.encode()).ok().unwrap();
        let found: Vec<_> = read.runs().map(|run| run.ok().unwrap()).collect();
        assert_eq!(found, runs);
        for run in &runs {
            assert_eq!(read.run_at(run.start).ok().unwrap(), *run);
            assert_eq!(read.run_at(run.start + run.len - 1).ok().unwrap(), *run);
        }
        assert!(!read.has_room(), "1,011 clocks are more than a block takes");
    }
}
