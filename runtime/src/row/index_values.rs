//! The values by which an index orders a row.

use std::collections::{BTreeSet, HashSet, VecDeque};

use twox_hash::XxHash3_64;

use super::order::{Encode, NONE, UNENCODABLE, check, encode_stored};

/// How much of one value an index holds. Longer ones are cut there and told apart by their hash.
pub(crate) const VALUE_LIMIT_BYTES: usize = 1024;

/// The values of one row for one index, encoded one after another.
#[derive(Debug, Default)]
#[doc(hidden)]
pub struct IndexValues {
    pub(crate) bytes: Vec<u8>,
    /// The end of the value of each field.
    pub(crate) ends: Vec<usize>,
    /// Whether a value was too long to be held whole.
    pub(crate) is_cut: bool,
    /// Whether one of them is `None`.
    pub(crate) is_null: bool,
}

/// A collection whose items an index may hold, each on its own: a list or set of std's, or an `Option` of
/// one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`#[index(each)]` needs a collection of std's, and this field is of type `{Self}`",
    label = "not a collection"
)]
pub trait Items {
    /// The type of its items.
    type Item;

    /// Shows each of them.
    fn each(&self, see: &mut dyn FnMut(&Self::Item));
}

macro_rules! collections {
    ($({$($generics:tt)*} $collection:ty;)*) => {
        $(impl<T, $($generics)*> Items for $collection {
            type Item = T;

            fn each(&self, see: &mut dyn FnMut(&T)) {
                self.iter().for_each(see);
            }
        })*
    };
}

collections! {
    {} Vec<T>;
    {} VecDeque<T>;
    {} BTreeSet<T>;
    {S} HashSet<T, S>;
}

impl<T: Items> Items for Option<T> {
    type Item = T::Item;

    fn each(&self, see: &mut dyn FnMut(&T::Item)) {
        if let Some(items) = self {
            items.each(see);
        }
    }
}

impl IndexValues {
    /// Adds the value of the next field, whose name is `C`.
    pub fn push<T, C>(&mut self, value: &T, encode: Encode<T>) {
        check::<C>();
        let start = self.bytes.len();
        encode_stored(value, &mut self.bytes, encode);
        let encoded = self.bytes.get(start..).unwrap_or_default();
        self.is_null |= encoded == [NONE];
        if let Some(cut) = cut(encoded) {
            self.bytes.truncate(start);
            self.bytes.extend_from_slice(&cut);
            self.is_cut = true;
        }
        self.ends.push(self.bytes.len());
    }

    /// Adds that the next column has no value, since it cannot be computed.
    pub(crate) fn push_nothing(&mut self) {
        self.bytes.push(UNENCODABLE);
        self.is_null = true;
        self.ends.push(self.bytes.len());
    }

    /// Adds the items of a field, each as a value of its own, the least first and equal ones once. The name
    /// of their type is `C`.
    pub fn push_each<T: Items, C>(&mut self, items: &T, encode: Encode<T::Item>) {
        check::<C>();
        let mut values = BTreeSet::new();
        items.each(&mut |item| {
            let mut value = Vec::new();
            encode_stored(item, &mut value, encode);
            if let Some(cut) = cut(&value) {
                value = cut;
                self.is_cut = true;
            }
            values.insert(value);
        });
        for value in values {
            self.bytes.extend_from_slice(&value);
            self.ends.push(self.bytes.len());
        }
    }

    /// Returns the held bytes of the value of a field of the index, or of an item.
    pub(crate) fn value(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).and_then(|before| self.ends.get(before));
        let end = self.ends.get(place).copied().unwrap_or_default();
        self.bytes.get(start.copied().unwrap_or_default()..end).unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.is_cut = false;
        self.is_null = false;
    }
}

/// Returns the bytes that an index holds of a value that is too long for it; `None` if it is not.
pub(crate) fn cut(encoded: &[u8]) -> Option<Vec<u8>> {
    let kept = encoded.get(..VALUE_LIMIT_BYTES).filter(|kept| kept.len() < encoded.len())?;
    let mut cut = kept.to_vec();
    cut.extend_from_slice(&XxHash3_64::oneshot(encoded).to_be_bytes());
    Some(cut)
}
