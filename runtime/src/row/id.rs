//! [`Id`]: a UUIDv7 that knows its table and shows itself as a TypeID.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use super::Row;
use crate::error::{Error, ErrorKind};

/// The length of a TypeID's suffix: 128 bits, 5 a character.
const SUFFIX_LEN: usize = 26;

/// The id of a row of table `T`: a UUIDv7, shown as a TypeID with the table's name as its prefix.
///
/// Ids are `Copy`, sort by the time they were made, and are unique without a server. Their
/// text form follows the [TypeID specification 0.3](https://github.com/jetify-com/typeid): the
/// prefix, an underscore, and 26 characters of lower-case Crockford base32.
///
/// ```
/// # use heirloom::{Id, Table};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Serialize, Deserialize, JsonSchema, Table)]
/// #[table(name = "recordings")]
/// struct Recording {
///     id: Id<Recording>,
///     title: String,
/// }
///
/// let id: Id<Recording> = "recordings_01h455vb4pex5vsknk084sn02q".parse()?;
/// assert_eq!(id.to_string(), "recordings_01h455vb4pex5vsknk084sn02q");
///
/// let wrong = "tags_01h455vb4pex5vsknk084sn02q".parse::<Id<Recording>>().unwrap_err();
/// assert_eq!(wrong.kind(), heirloom::ErrorKind::WrongId);
/// assert!(wrong.to_string().contains("expected `recordings_`"));
/// # Ok::<(), heirloom::Error>(())
/// ```
pub struct Id<T> {
    uuid: Uuid,
    table: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// Makes a new id, greater than every one made before it in this process.
    ///
    /// The first 48 bits are the milliseconds since 1970.
    #[expect(clippy::new_without_default, reason = "a default that differs each time surprises")]
    pub fn new() -> Self {
        Self::from_uuid(Uuid::now_v7())
    }

    /// Makes the id with these 128 bits, of any UUID version.
    ///
    /// ```
    /// # use heirloom::{Id, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # #[table(name = "tags")]
    /// # struct Tag { id: Id<Tag> }
    /// let first: Id<Tag> = Id::from_uuid(uuid::Uuid::nil());
    /// assert_eq!(first.to_string(), "tags_00000000000000000000000000");
    /// ```
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, table: PhantomData }
    }

    /// Returns the UUID inside.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }

    /// Returns when the id was made, to the millisecond, by the clock of the device that made it;
    /// `None` if its bits are not a UUIDv7.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// # use heirloom::{Id, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # #[table(name = "tags")]
    /// # struct Tag { id: Id<Tag> }
    ///
    /// let id: Id<Tag> = Id::new();
    /// let age = SystemTime::now().duration_since(id.created_at().unwrap());
    /// assert!(age.unwrap_or_default() < Duration::from_secs(60));
    ///
    /// let old: Id<Tag> = "tags_01h455vb4pex5vsknk084sn02q".parse()?;
    /// let created = SystemTime::UNIX_EPOCH + Duration::from_millis(1_688_096_058_518);
    /// assert_eq!(old.created_at(), Some(created));
    /// assert_eq!(Id::<Tag>::from_uuid(uuid::Uuid::nil()).created_at(), None);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn created_at(self) -> Option<SystemTime> {
        if self.uuid.get_version_num() != 7 {
            return None;
        }
        let milliseconds = u64::try_from(self.uuid.as_u128() >> 80).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
    }

    /// Returns the id of another table with the same 128 bits: for rows that move.
    pub const fn cast<U>(self) -> Id<U> {
        Id::from_uuid(self.uuid)
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

impl<T: Row> Id<T> {
    /// The TypeID.
    pub(super) fn to_text(self) -> String {
        prefixed_text(T::TABLE, self.uuid.as_u128())
    }
}

impl<T: Row> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_text())
    }
}

impl<T: Row> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T: Row> FromStr for Id<T> {
    type Err = Error;

    /// Parses an id. Accepts only the canonical form.
    ///
    /// # Errors
    ///
    /// [`WrongId`](ErrorKind::WrongId) if it has another prefix or is not a TypeID.
    fn from_str(text: &str) -> Result<Self, Error> {
        prefixed_bits(T::TABLE, text).map(|bits| Self::from_uuid(Uuid::from_u128(bits))).ok_or_else(
            || {
                let prefix = T::TABLE;
                let what = match prefix_of(text) {
                    Some(other) if other != prefix => format!("this is an id of table `{other}`"),
                    _ => format!("this is not an id of table `{prefix}`"),
                };
                Error::new(ErrorKind::WrongId, what)
                    .expecting(format!(
                        "`{prefix}_` and {SUFFIX_LEN} characters of lower-case base32"
                    ))
                    .finding(format!("`{}`", text.chars().take(100).collect::<String>()))
                    .help("check which table the id belongs to")
            },
        )
    }
}

/// Returns the text of an id.
pub(super) fn prefixed_text(prefix: &str, bits: u128) -> String {
    let mut text = String::with_capacity(prefix.len() + 1 + SUFFIX_LEN);
    text.push_str(prefix);
    text.push('_');
    let digits = encode_suffix(bits);
    // They are ASCII.
    text.push_str(std::str::from_utf8(&digits).unwrap_or_default());
    text
}

/// Returns the prefix of the text of an id, whichever table it belongs to.
fn prefix_of(text: &str) -> Option<&str> {
    let (prefix, suffix) = text.rsplit_once('_')?;
    decode_suffix(suffix.as_bytes()).map(|_| prefix).filter(|prefix| !prefix.is_empty())
}

/// Returns the bits of an id in its one canonical spelling.
pub(crate) fn prefixed_bits(prefix: &str, text: &str) -> Option<u128> {
    decode_suffix(text.strip_prefix(prefix)?.strip_prefix('_')?.as_bytes())
}

/// The digits of the suffix: lower case, no look-alikes.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The value in [`VALUES`] of a byte that is not a digit.
const NO_DIGIT: u8 = 0x80;

/// The value of each digit.
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut i = 0;
    while i < DIGITS.len() {
        values[DIGITS[i] as usize] = i as u8;
        i += 1;
    }
    values
};

fn encode_suffix(bits: u128) -> [u8; SUFFIX_LEN] {
    let mut suffix = [0; SUFFIX_LEN];
    let mut rest = bits;
    // Twelve digits fit 64 bits, which are shifted faster than 128.
    for digits in suffix.rchunks_mut(12) {
        let mut number = rest as u64;
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[number as usize % DIGITS.len()];
            number >>= 5;
        }
        rest >>= 60;
    }
    suffix
}

/// The 128 bits of a suffix in its one canonical spelling, which does not overflow either.
fn decode_suffix(suffix: &[u8]) -> Option<u128> {
    let (&first, rest) = suffix.split_first()?;
    if suffix.len() != SUFFIX_LEN || first > b'7' {
        return None;
    }
    let mut seen = VALUES[usize::from(first)];
    let mut bits = u128::from(seen);
    // Five digits fit 32 bits, which are shifted faster than 128.
    for digits in rest.as_chunks::<5>().0 {
        let mut number = 0;
        for &digit in digits {
            let value = VALUES[usize::from(digit)];
            seen |= value;
            number = number << 5 | u32::from(value);
        }
        bits = bits << 25 | u128::from(number);
    }
    (seen & NO_DIGIT == 0).then_some(bits)
}

impl<T: Row> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de, T: Row> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<fn() -> T>);

        impl<T: Row> de::Visitor<'_> for Visitor<T> {
            type Value = Id<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an id of table `{}`", T::TABLE)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id<T>, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Visitor(PhantomData))
    }
}

impl<T: Row> JsonSchema for Id<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Id_{}", T::TABLE).into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": format!("^{}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$", T::TABLE),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_a_suffix() {
        // Values of the TypeID specification's own test vectors.
        let valid = [
            ("00000000000000000000000000", 0),
            ("00000000000000000000000001", 1),
            ("0000000000000000000000000g", 16),
            ("00000000000000000000000010", 32),
            ("7zzzzzzzzzzzzzzzzzzzzzzzzz", u128::MAX),
            ("01h455vb4pex5vsknk084sn02q", 0x0189_0a5d_ac96_774b_bcce_b302_099a_8057),
        ];
        for (suffix, bits) in valid {
            assert_eq!(decode_suffix(suffix.as_bytes()), Some(bits), "{suffix}");
            assert_eq!(encode_suffix(bits), suffix.as_bytes());
        }
        let invalid = [
            "",
            "8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "0000000000000000000000000",
            "000000000000000000000000000",
            "0123456789ABCDEFGHJKMNPQRS",
            "ooooooiiiiiiuuuuuuulllllll",
            "i23456789ol23456789oi23456",
            "123456789-0123456789-01234",
        ];
        for suffix in invalid {
            assert_eq!(decode_suffix(suffix.as_bytes()), None, "{suffix}");
        }
    }
}
