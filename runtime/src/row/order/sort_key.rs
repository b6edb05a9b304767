//! [`Comparable`]: how the values of a type compare, as bytes.

use super::bytes::{BYTES, END, FALSE, MAP, SOME, TEXT, TRUE, UUID};
use super::bytes::{
    NONE, SEQUENCE, UNENCODABLE, float, integer, integer_of, number_len, text, text_len, text_of,
    uuid_of,
};
use super::coding::check;
use crate::row::Key;
use crate::schema::descriptor::KeyKind;

/// A type whose values conditions, orders and indexes compare as Rust does.
///
/// heirloom compares values by their sort keys, which are bytes. They have to agree with the type's
/// own operators: two keys are equal exactly if the values are (`Eq`), and the lesser value has the
/// lesser key (`Ord`).
///
/// # Who implements it
///
/// Numbers, `bool`, `char`, text, ids, paths, the types of `std::net` and `std::time`, and all of
/// std's collections, options and tuples of such types; types of other crates with a
/// [feature](crate#crates-features-rust-version) for each. Enums and numeric newtypes need nothing: without
/// this trait, a type is compared by what serde writes of it: numbers, and the variants of an enum in
/// the order of their declaration, field after field.
///
/// That cannot be right if serde writes text, since texts have an order of their own. A column of
/// such a type does not build if it is compared or indexed, until the type
///
/// - derives `Comparable`, which compares like the derives of `PartialEq` and `PartialOrd`: field by
///   field, variants in the order of their declaration; or
/// - implements it, by something that compares as its values do.
///
/// ```
/// use heirloom::query::SortKey;
/// use heirloom::{Comparable, Store, Table};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
///
/// /// Stored as text, such as `"1.10"`.
/// #[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
/// #[serde(try_from = "String", into = "String")]
/// #[schemars(with = "String")]
/// struct Version {
///     major: u32,
///     minor: u32,
/// }
///
/// impl Comparable for Version {
///     fn sort_key(&self, key: &mut SortKey<'_>) {
///         key.push(&self.major);
///         key.push(&self.minor);
///     }
/// }
/// # impl TryFrom<String> for Version {
/// #     type Error = &'static str;
/// #     fn try_from(text: String) -> Result<Self, &'static str> {
/// #         let (major, minor) = text.split_once('.').ok_or("no dot")?;
/// #         let number = |text: &str| text.parse().map_err(|_| "no number");
/// #         Ok(Self { major: number(major)?, minor: number(minor)? })
/// #     }
/// # }
/// # impl From<Version> for String {
/// #     fn from(version: Version) -> Self { format!("{}.{}", version.major, version.minor) }
/// # }
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
/// struct Release {
///     #[key]
///     id: u32,
///     version: Version,
/// }
/// # #[derive(Store)]
/// # struct App { releases: Table<Release> }
///
/// # let app = App::in_memory()?;
/// for (id, minor) in [(1, 10), (2, 9)] {
///     app.releases.insert(&Release { id, version: Version { major: 1, minor } })?;
/// }
/// assert_eq!(app.releases.order_by(Release::VERSION).keys()?, [2, 1]);
/// # Ok::<(), heirloom::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "heirloom does not know how values of type `{Self}` compare",
    label = "not `Comparable`",
    note = "add `#[derive(heirloom::Comparable)]` to `{Self}`, or implement `Comparable` for it; for \
            a type of another crate, switch on heirloom's feature for that crate"
)]
pub trait Comparable {
    /// Adds to a key what the value compares by, the most significant part first.
    ///
    /// Each value of a type adds parts of the same types; those of an enum's variant follow a number
    /// that stands for the variant.
    fn sort_key(&self, key: &mut SortKey<'_>);
}

/// The bytes by which a value compares, as far as they are written.
///
/// Handed to [`Comparable::sort_key`], which adds parts to it.
#[derive(Debug)]
pub struct SortKey<'b> {
    bytes: &'b mut Vec<u8>,
    /// Whether a part of it equals nothing, not even itself.
    has_nan: bool,
}

/// The reason that a value has no sort key: a part of it is a NaN, or does not serialize.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(hidden)]
pub struct NoOrder;

/// Adds a value to bytes; after an error they hold a part of it.
#[doc(hidden)]
pub type Encode<T> = fn(&T, &mut Vec<u8>) -> Result<(), NoOrder>;

/// Adds the sort key of a value to `bytes`; after an error they hold a part of it.
pub(crate) fn encode<T: Comparable + ?Sized>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<(), NoOrder> {
    let mut key = SortKey { bytes, has_nan: false };
    key.push(value);
    if key.has_nan { Err(NoOrder) } else { Ok(()) }
}

/// Adds the sort key of a part of a key of rows to `bytes`.
pub(crate) fn encode_key_part<K: Key>(key: &K, part: usize, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    SortKey { bytes, has_nan: false }.push_key(key);
    let len = |kind: &KeyKind, from: usize| key_len(kind, bytes.get(from..)?);
    let ends = K::KINDS.iter().scan(start, |at, kind| {
        *at += len(kind, *at)?;
        Some(*at)
    });
    let ends: Vec<usize> = ends.collect();
    if let Some(end) = ends.get(part) {
        bytes.truncate(*end);
        let before = part.checked_sub(1).and_then(|before| ends.get(before)).copied();
        bytes.drain(start..before.unwrap_or(start));
    }
}

/// Adds the sort key of a key of rows, whose bytes are these, to `bytes`.
pub(crate) fn encode_key_bytes(kinds: &[KeyKind], key: &[u8], bytes: &mut Vec<u8>) {
    let [kind] = kinds else {
        // Those of the parts already.
        return bytes.extend_from_slice(key);
    };
    let number = || key.try_into().map(u64::from_be_bytes).unwrap_or_default();
    match kind {
        KeyKind::Text => text(bytes, TEXT, key),
        KeyKind::Signed => {
            let number = i128::from(number() as i64 ^ i64::MIN);
            integer(bytes, number < 0, number.unsigned_abs());
        }
        KeyKind::Unsigned => integer(bytes, false, number().into()),
        KeyKind::Id(_) | KeyKind::Uuid => {
            bytes.push(UUID);
            bytes.extend_from_slice(key);
        }
    }
}

/// Takes the sort keys of a key's parts apart, and gives the bytes of each part; `None` if they are not
/// those of such a key.
pub(crate) fn split_keys(kinds: &[KeyKind], mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut parts = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let len = key_len(kind, bytes)?;
        let (part, rest) = bytes.split_at_checked(len)?;
        parts.push(match kind {
            KeyKind::Text => text_of(part)?.into_bytes(),
            KeyKind::Signed => {
                (i64::try_from(integer_of(part)?).ok()? ^ i64::MIN).to_be_bytes().to_vec()
            }
            KeyKind::Unsigned => u64::try_from(integer_of(part)?).ok()?.to_be_bytes().to_vec(),
            KeyKind::Id(_) | KeyKind::Uuid => uuid_of(part)?.to_vec(),
        });
        bytes = rest;
    }
    bytes.is_empty().then_some(parts)
}

/// How many bytes the sort key has that these bytes begin with.
fn key_len(kind: &KeyKind, bytes: &[u8]) -> Option<usize> {
    match kind {
        KeyKind::Text => text_len(bytes),
        KeyKind::Signed | KeyKind::Unsigned => number_len(bytes),
        KeyKind::Id(_) | KeyKind::Uuid => Some(17),
    }
}

/// Adds a stored value to `bytes`, whatever it is.
pub(crate) fn encode_stored<T>(value: &T, bytes: &mut Vec<u8>, encode: Encode<T>) {
    let start = bytes.len();
    if encode(value, bytes).is_err() {
        bytes.truncate(start);
        bytes.push(UNENCODABLE);
    }
}

impl SortKey<'_> {
    /// Adds the next part.
    ///
    /// Parts compare one after another: a later one counts if all before it are equal.
    pub fn push<T: Comparable + ?Sized>(&mut self, part: &T) {
        self.part(|key| part.sort_key(key));
    }

    /// Adds a part that ends somewhere, also if it consists of nothing.
    pub(super) fn part(&mut self, write: impl FnOnce(&mut SortKey<'_>)) {
        let start = self.bytes.len();
        write(self);
        if self.bytes.len() == start {
            self.bytes.push(NONE);
        }
    }

    /// Adds what another way of encoding says of a field whose name is `C`.
    #[doc(hidden)]
    pub fn push_encoded<T, C>(&mut self, part: &T, encode: Encode<T>) {
        check::<C>();
        let start = self.bytes.len();
        if encode(part, self.bytes).is_err() {
            self.bytes.truncate(start);
            self.bytes.push(UNENCODABLE);
            self.has_nan = true;
        }
    }

    /// Adds a key of rows.
    #[doc(hidden)]
    pub fn push_key<K: Key>(&mut self, key: &K) {
        encode_key_bytes(K::KINDS, key.to_bytes().as_slice(), self.bytes);
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.bytes.push(if value { TRUE } else { FALSE });
    }

    pub(super) fn signed(&mut self, value: impl Into<i128>) {
        let value = value.into();
        integer(self.bytes, value < 0, value.unsigned_abs());
    }

    pub(super) fn unsigned(&mut self, value: impl Into<u128>) {
        integer(self.bytes, false, value.into());
    }

    pub(super) fn float(&mut self, value: f64) {
        self.has_nan |= value.is_nan();
        float(self.bytes, value);
    }

    pub(super) fn text(&mut self, value: &str) {
        text(self.bytes, TEXT, value.as_bytes());
    }

    pub(super) fn bytes(&mut self, value: &[u8]) {
        text(self.bytes, BYTES, value);
    }

    pub(super) fn uuid(&mut self, value: &[u8; 16]) {
        self.bytes.push(UUID);
        self.bytes.extend_from_slice(value);
    }

    pub(super) fn option<T: Comparable>(&mut self, value: Option<&T>) {
        match value {
            None => self.bytes.push(NONE),
            Some(value) => {
                self.bytes.push(SOME);
                self.push(value);
            }
        }
    }

    /// Adds items that count in this order.
    pub(super) fn list<T: Comparable>(&mut self, items: impl IntoIterator<Item = T>) {
        self.bytes.push(SEQUENCE);
        for item in items {
            self.push(&item);
        }
        self.bytes.push(END);
    }

    /// Adds items that are the same in any order.
    pub(super) fn set<T: Comparable>(&mut self, items: impl IntoIterator<Item = T>) {
        let mut encoded: Vec<Vec<u8>> = Vec::new();
        for item in items {
            let mut bytes = Vec::new();
            let mut key = SortKey { bytes: &mut bytes, has_nan: false };
            key.push(&item);
            self.has_nan |= key.has_nan;
            encoded.push(bytes);
        }
        encoded.sort_unstable();
        self.bytes.push(MAP);
        self.bytes.extend(encoded.into_iter().flatten());
        self.bytes.push(END);
    }

    /// Adds a part whose order is the other way round.
    pub(super) fn reversed(&mut self, write: impl FnOnce(&mut SortKey<'_>)) {
        let start = self.bytes.len();
        self.part(write);
        self.bytes.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
    }
}
