//! Conditions on the key field as ranges of the bytes that rows are kept under.

use std::ops::Bound;

use super::ranges::{Range, Ranges};
use crate::row::order::{TEXT, integer_of, text_of, uuid_of};
use crate::schema::descriptor::{KeyKind, TableDef};

/// The ranges of key bytes that hold the keys in a set; nothing if they cannot be told.
pub(crate) fn key_ranges(table: &TableDef, values: &Ranges) -> Option<Ranges> {
    let mut ranges = Vec::with_capacity(values.len());
    for range in values.iter() {
        let from = bound(table, &range.from, true)?;
        let to = bound(table, &range.to, false)?;
        ranges.push(Range { from, to });
    }
    Some(Ranges::union_of(ranges.into_iter().filter(|range| !range.is_empty()).collect()))
}

fn bound(table: &TableDef, bound: &Bound<Vec<u8>>, is_start: bool) -> Option<Bound<Vec<u8>>> {
    let (value, is_included) = match bound {
        Bound::Included(value) => (value, true),
        Bound::Excluded(value) => (value, false),
        Bound::Unbounded => return Some(Bound::Unbounded),
    };
    let exact = |bytes| if is_included { Bound::Included(bytes) } else { Bound::Excluded(bytes) };
    // Of several fields, the conditions are used as those of an index are.
    let [kind] = table.key else { return None };
    match kind {
        KeyKind::Unsigned => integer(value, is_included, is_start, 0, u64::MAX.into(), |n| {
            u64::try_from(n).map(u64::to_be_bytes).ok()
        }),
        KeyKind::Signed => {
            let (least, greatest) = (i64::MIN.into(), i64::MAX.into());
            integer(value, is_included, is_start, least, greatest, |n| {
                // Two's complement sorts as unsigned once the sign bit is flipped.
                i64::try_from(n).map(|n| (n ^ i64::MIN).to_be_bytes()).ok()
            })
        }
        KeyKind::Text => match text_of(value) {
            Some(text) => Some(exact(text.into_bytes())),
            // The end of a prefix is not a whole text.
            None => Some(exact(unescaped(value)?)),
        },
        KeyKind::Id(_) | KeyKind::Uuid => Some(exact(uuid_of(value)?.to_vec())),
    }
}

fn integer(
    value: &[u8],
    is_included: bool,
    is_start: bool,
    least: i128,
    greatest: i128,
    bytes: impl Fn(i128) -> Option<[u8; 8]>,
) -> Option<Bound<Vec<u8>>> {
    let number = integer_of(value)?;
    // Beyond what a key can be, the range is open to that side, or empty.
    if (number < least) == is_start && !(least..=greatest).contains(&number) {
        return Some(Bound::Unbounded);
    }
    let bytes = bytes(number.clamp(least, greatest))?.to_vec();
    let is_beyond = !(least..=greatest).contains(&number);
    Some(if is_included && !is_beyond { Bound::Included(bytes) } else { Bound::Excluded(bytes) })
}

/// The text whose encoding starts with these bytes, which end where a prefix does.
fn unescaped(value: &[u8]) -> Option<Vec<u8>> {
    let mut rest = match value.split_first() {
        Some((&TEXT, rest)) => rest.iter(),
        // Below or above all text.
        Some((&tag, _)) => return Some(if tag < TEXT { Vec::new() } else { vec![u8::MAX] }),
        None => return None,
    };
    let mut text = Vec::new();
    while let Some(byte) = rest.next() {
        text.push(*byte);
        if *byte == 0 {
            // The byte after a NUL says only that the NUL is part of the text.
            rest.next();
        }
    }
    Some(text)
}
