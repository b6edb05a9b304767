//! Three epochs of a store: what the conversion to the next makes of a key.

pub type Epoch = u8;
pub type Key = u8;

pub const LAST: Epoch = 2;

/// Keys that are written in an epoch: rows below 20, entries of a kv group from 20 on.
pub fn keys(epoch: Epoch) -> &'static [Key] {
    match epoch {
        0 => &[0, 1, 2, 3, 20, 21],
        1 => &[0, 1, 2, 3, 13, 20, 21],
        _ => &[0, 2, 3, 13, 20, 21],
    }
}

/// The keys that the conversion of an epoch's row or entry to the next epoch writes.
pub fn targets(from: Epoch, key: Key) -> Vec<Key> {
    match (from, key) {
        // One row into two.
        (0, 3) => vec![3, 13],
        // Two rows into one.
        (1, 0 | 1) => vec![0],
        // Entries of a group are converted together: one of them is read for two.
        (1, 21) => vec![20, 21],
        _ => vec![key],
    }
}

/// Whether rows of an edit can be converted to an epoch.
pub fn is_convertible(edit: usize, made_in: Epoch, to: Epoch) -> bool {
    made_in > 0 || to == 0 || !edit.is_multiple_of(5)
}
