//! redb's trees of pages, read without redb: whether their pages have the checksums that are said of them.
//!
//! redb compares checksums only in a file that was not closed. The layout is that of its file format 3, which it
//! describes in its `docs/design.md`.

use std::io;
use std::ops::Range;

use redb::StorageBackend;
use twox_hash::XxHash3_128;

/// The part of the file that says which trees are current.
const HEADER_BYTES: usize = 320;
const MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";
const FLAGS: usize = 9;
/// Which of the two slots names the current trees.
const SECOND_SLOT: u8 = 1;
const NOT_CLOSED: u8 = 2;
/// Whether that slot was written after its pages had reached the disk. redb closes files like that; otherwise it
/// compares all checksums itself when it opens them.
const TWO_PHASES: u8 = 4;
const PAGE_BYTES: usize = 12;
const REGION_HEADER_PAGES: usize = 16;
const REGION_PAGES: usize = 20;
const SLOTS: [Range<usize>; 2] = [64..192, 192..320];

// A slot.
const FORMAT: u8 = 3;
const HAS_TABLES: usize = 1;
const HAS_OWN_TABLES: usize = 2;
const TABLES: usize = 8;
const OWN_TABLES: Range<usize> = 40..72;
const SLOT_CHECKSUM: usize = 112;

// A page.
const LEAF: u8 = 1;
const BRANCH: u8 = 2;

/// The number and the checksum of a page.
type PageRef = (u64, u128);

/// A tree of pages: its root, and how many bytes keys and values have if all have the same number.
pub(super) struct Tree {
    root: PageRef,
    key_bytes: Option<usize>,
    value_bytes: Option<usize>,
}

/// A table of tables: their names and trees.
const OF_TABLES: Tree = Tree { root: (0, 0), key_bytes: None, value_bytes: None };

/// The header of a file.
pub(super) struct Header {
    bytes: Vec<u8>,
    slot: Range<usize>,
}

impl Header {
    /// Reads it. `None` if it is not one that redb takes as it is.
    pub(super) fn read(storage: &dyn StorageBackend) -> io::Result<Option<Self>> {
        if storage.len()? < HEADER_BYTES as u64 {
            return Ok(None);
        }
        let mut bytes = vec![0; HEADER_BYTES];
        storage.read(0, &mut bytes)?;
        let slot = SLOTS[usize::from(bytes[FLAGS] & SECOND_SLOT != 0)].clone();
        let header = Self { bytes, slot };
        let is_known = header.bytes.starts_with(MAGIC)
            && header.slot()[0] == FORMAT
            && u128_at(header.slot(), SLOT_CHECKSUM) == Some(header.checksum());
        Ok(is_known.then_some(header))
    }

    fn slot(&self) -> &[u8] {
        &self.bytes[self.slot.clone()]
    }

    fn checksum(&self) -> u128 {
        XxHash3_128::oneshot(&self.slot()[..SLOT_CHECKSUM])
    }

    /// Whether redb believes the pages that it names without comparing them.
    pub(super) fn is_believed(&self) -> bool {
        self.bytes[FLAGS] & TWO_PHASES != 0
    }

    /// The tree that names the tables of the store.
    pub(super) fn tables(&self) -> Option<Tree> {
        let root = page_at(self.slot(), TABLES).filter(|_| self.slot()[HAS_TABLES] != 0)?;
        Some(Tree { root, ..OF_TABLES })
    }

    /// The tree that names redb's own tables.
    pub(super) fn own_tables(&self) -> Option<Tree> {
        let root = page_at(self.slot(), OWN_TABLES.start);
        Some(Tree { root: root.filter(|_| self.slot()[HAS_OWN_TABLES] != 0)?, ..OF_TABLES })
    }

    /// The same header of a file that was not closed and has no tables of redb's own.
    pub(super) fn without_own_tables(mut self) -> Vec<u8> {
        let slot = &mut self.bytes[self.slot.clone()];
        slot[HAS_OWN_TABLES] = 0;
        slot[OWN_TABLES].fill(0);
        let checksum = self.checksum();
        let slot = &mut self.bytes[self.slot.clone()];
        slot[SLOT_CHECKSUM..].copy_from_slice(&checksum.to_le_bytes());
        // In both slots, so that redb does not go back to an earlier commit if a table of the store is damaged, too.
        let slot = slot.to_vec();
        SLOTS.into_iter().for_each(|range| self.bytes[range].copy_from_slice(&slot));
        self.bytes[FLAGS] = self.bytes[FLAGS] & !TWO_PHASES | NOT_CLOSED;
        self.bytes
    }
}

/// Reads the pages of a file; not more than it has, so that pages that name one another end it, too.
pub(super) struct Pages<'s> {
    storage: &'s dyn StorageBackend,
    len: u64,
    page_bytes: u64,
    region_header_bytes: u64,
    region_bytes: u64,
    bytes_left: u64,
}

impl<'s> Pages<'s> {
    /// `None` if the header gives no sizes that can be.
    pub(super) fn of(storage: &'s dyn StorageBackend, header: &Header) -> io::Result<Option<Self>> {
        let len = storage.len()?;
        let number = |at| u32_at(&header.bytes, at).map(u64::from);
        let pages = || {
            let page_bytes = number(PAGE_BYTES)?;
            let header_pages = number(REGION_HEADER_PAGES)?;
            let region_bytes =
                header_pages.checked_add(number(REGION_PAGES)?)?.checked_mul(page_bytes)?;
            let region_header_bytes = header_pages * page_bytes;
            let bytes_left = len;
            Some(Self { storage, len, page_bytes, region_header_bytes, region_bytes, bytes_left })
        };
        Ok(pages())
    }

    /// Returns the start of a page and the number of its bytes; `None` if no page has this number.
    fn place(&self, number: u64) -> Option<(u64, u64)> {
        let order = number >> 59;
        let index = number & (0xf_ffff >> order);
        let region = number >> 20 & 0xf_ffff;
        let bytes = self.page_bytes.checked_mul(1 << order)?;
        let in_region = self.region_header_bytes.checked_add(index.checked_mul(bytes)?)?;
        let start = region.checked_mul(self.region_bytes)?.checked_add(in_region)?;
        let start = start.checked_add(self.page_bytes)?;
        (start.checked_add(bytes)? <= self.len).then_some((start, bytes))
    }

    /// Reads a page. `None` if no page has this number.
    fn read(&mut self, number: u64) -> io::Result<Option<Vec<u8>>> {
        let place = self.place(number).filter(|(_, bytes)| *bytes <= self.bytes_left);
        let Some((start, bytes)) = place else { return Ok(None) };
        let mut page = vec![0; usize::try_from(bytes).unwrap_or_default()];
        self.storage.read(start, &mut page)?;
        self.bytes_left -= bytes;
        Ok(Some(page))
    }

    /// The names and trees of the tables that a table of tables names. `None` if pages of that are damaged.
    pub(super) fn tables(&mut self, of_tables: &Tree) -> io::Result<Option<Vec<(String, Tree)>>> {
        let mut tables = Some(Vec::new());
        let damaged = self.damaged_in(of_tables, |leaf| match (&mut tables, tables_in(leaf)) {
            (Some(tables), Some(more)) => tables.extend(more),
            _ => tables = None,
        })?;
        Ok(tables.filter(|_| damaged.is_empty()))
    }

    /// Returns the starts of the pages of a tree that do not have their checksums; `None` for one that cannot be. Shows the
    /// leaves that have.
    pub(super) fn damaged_in(
        &mut self,
        tree: &Tree,
        mut show: impl FnMut(&[u8]),
    ) -> io::Result<Vec<Option<u64>>> {
        let (mut next, mut damaged) = (vec![tree.root], Vec::new());
        while let Some((number, checksum)) = next.pop() {
            let Some(page) = self.read(number)? else {
                damaged.push(None);
                continue;
            };
            let used = match page.first() {
                Some(&LEAF) => Leaf::of(&page, tree).and_then(|leaf| leaf.value_end(leaf.last)),
                Some(&BRANCH) => used_of_branch(&page, tree.key_bytes),
                _ => None,
            };
            let used = used.and_then(|used| page.get(..used));
            let used = used.filter(|used| XxHash3_128::oneshot(used) == checksum);
            match (used, page.first()) {
                (Some(_), Some(&LEAF)) => show(&page),
                (Some(_), _) => next.extend(children_of(&page).into_iter().flatten()),
                (None, _) => damaged.push(self.place(number).map(|(start, _)| start)),
            }
        }
        Ok(damaged)
    }
}

/// The beginning of a leaf with one entry that is empty.
pub(super) const EMPTY_LEAF: [u8; 12] = [LEAF, 0, 1, 0, 12, 0, 0, 0, 12, 0, 0, 0];

/// A leaf: the number of its entries, where each key ends and where each value ends, unless all have one length,
/// then all keys, then all values.
struct Leaf<'p> {
    page: &'p [u8],
    last: usize,
    key_bytes: Option<usize>,
    value_bytes: Option<usize>,
}

impl<'p> Leaf<'p> {
    fn of(page: &'p [u8], tree: &Tree) -> Option<Self> {
        let last = usize::from(u16_at(page, 2)?).checked_sub(1)?;
        Some(Self { page, last, key_bytes: tree.key_bytes, value_bytes: tree.value_bytes })
    }

    fn end_at(&self, at: usize) -> Option<usize> {
        usize::try_from(u32_at(self.page, at)?).ok()
    }

    fn keys_end(&self) -> Option<usize> {
        let count = self.last + 1;
        match self.key_bytes {
            None => self.end_at(4 + 4 * self.last),
            Some(bytes) => {
                let ends = if self.value_bytes.is_none() { 4 * count } else { 0 };
                bytes.checked_mul(count)?.checked_add(4 + ends)
            }
        }
    }

    fn value_end(&self, n: usize) -> Option<usize> {
        match self.value_bytes {
            None => {
                let keys = if self.key_bytes.is_none() { 4 * (self.last + 1) } else { 0 };
                self.end_at(4 + keys + 4 * n)
            }
            Some(bytes) => bytes.checked_mul(n + 1)?.checked_add(self.keys_end()?),
        }
    }
}

/// The tables that a leaf of a table of tables names, but for empty ones.
fn tables_in(page: &[u8]) -> Option<Vec<(String, Tree)>> {
    let leaf = Leaf::of(page, &OF_TABLES)?;
    let mut start = leaf.keys_end()?;
    let mut name_start = 4 + 8 * (leaf.last + 1);
    let mut tables = Vec::new();
    for n in 0..=leaf.last {
        let end = leaf.value_end(n)?;
        let table = page.get(start..end)?;
        start = end;
        let name_end = leaf.end_at(4 + 4 * n)?;
        let name = String::from_utf8_lossy(page.get(name_start..name_end)?).into_owned();
        name_start = name_end;
        // The kind and the number of entries stand before.
        if *table.get(9)? != 0 {
            let root = page_at(table, 10)?;
            let (key_bytes, value_bytes) = (width_at(table, 42)?, width_at(table, 47)?);
            tables.push((name, Tree { root, key_bytes, value_bytes }));
        }
    }
    Some(tables)
}

/// How many bytes all keys, or all values, of a table have, if they have the same number.
fn width_at(table: &[u8], at: usize) -> Option<Option<usize>> {
    let width = usize::try_from(u32_at(table, at + 1)?).ok()?;
    Some((*table.get(at)? != 0).then_some(width))
}

/// A branch: the number of its keys, the checksums of its children, one more than keys, their numbers, where
/// each key ends, unless all have one length, then all keys. Gives where they end.
fn used_of_branch(page: &[u8], key_bytes: Option<usize>) -> Option<usize> {
    let keys = usize::from(u16_at(page, 2)?);
    let start = 8 + 24 * (keys + 1);
    let last = keys.checked_sub(1)?;
    match key_bytes {
        None => usize::try_from(u32_at(page, start + 4 * last)?).ok(),
        Some(bytes) => bytes.checked_mul(keys)?.checked_add(start),
    }
}

fn children_of(page: &[u8]) -> Option<Vec<PageRef>> {
    let count = usize::from(u16_at(page, 2)?) + 1;
    let child = |n| Some((u64_at(page, 8 + 16 * count + 8 * n)?, u128_at(page, 8 + 16 * n)?));
    (0..count).map(child).collect()
}

fn page_at(bytes: &[u8], at: usize) -> Option<PageRef> {
    Some((u64_at(bytes, at)?, u128_at(bytes, at + 8)?))
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes_at(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes_at(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes_at(bytes, at).map(u64::from_le_bytes)
}

fn u128_at(bytes: &[u8], at: usize) -> Option<u128> {
    bytes_at(bytes, at).map(u128::from_le_bytes)
}
