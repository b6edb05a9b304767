//! The rows that every peer stores: the same ones in every run.

use autosurgeon::{Hydrate, Reconcile};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A row of about 190 bytes of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Reconcile, Hydrate)]
pub struct Track {
    /// A UUIDv7; ids grow with the row's number.
    pub id: Uuid,
    /// One or two words.
    pub title: String,
    /// A name out of a few thousand.
    pub artist: String,
    /// Absent for every third row.
    pub album: Option<String>,
    /// None to three words.
    pub notes: String,
    /// Mostly `Ready`.
    pub status: Status,
    /// In seconds.
    pub duration: f64,
    /// 0 to 5.
    pub rating: u8,
    /// Many small numbers, a few large ones.
    pub plays: u64,
    /// True for every eighth row.
    pub favourite: bool,
}

/// How far a track has come.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    Reconcile,
    Hydrate,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not looked at yet.
    Pending,
    /// Can be played.
    Ready,
    /// Cannot be played.
    Failed,
}

/// Declares a peer's own form of [`Track`], for peers whose derives want the struct to themselves,
/// with the conversions both ways. The id's type and how it is made from and into a `Uuid` differ,
/// and `status` may carry an attribute that indexes it. `Status` is to be in scope, since
/// native_db's derive cannot read a path that starts with `$crate`.
macro_rules! track_as {
    (
        $(#[$on_row:meta])* struct $Row:ident;
        $(#[$on_id:meta])* id: $Id:ty = $from_uuid:expr, $into_uuid:expr
        $(; #[$on_status:meta] status)?
    ) => {
        $(#[$on_row])*
        pub struct $Row {
            $(#[$on_id])*
            id: $Id,
            title: String,
            artist: String,
            album: Option<String>,
            notes: String,
            $(#[$on_status])?
            status: Status,
            duration: f64,
            rating: u8,
            plays: u64,
            favourite: bool,
        }

        impl From<$crate::data::Track> for $Row {
            fn from(track: $crate::data::Track) -> Self {
                let $crate::data::Track {
                    id, title, artist, album, notes, status, duration, rating, plays, favourite,
                } = track;
                let id = $from_uuid(id);
                Self { id, title, artist, album, notes, status, duration, rating, plays, favourite }
            }
        }

        impl From<$Row> for $crate::data::Track {
            fn from(row: $Row) -> Self {
                let $Row {
                    id, title, artist, album, notes, status, duration, rating, plays, favourite,
                } = row;
                let id = $into_uuid(id);
                Self { id, title, artist, album, notes, status, duration, rating, plays, favourite }
            }
        }
    };
}
pub(crate) use track_as;

/// The row with this number.
pub fn track(number: u64) -> Track {
    let mut random = Random::new(number);
    let title_len = 1 + random.below(2);
    let notes_len = random.below(6).saturating_sub(2);
    Track {
        id: id(number),
        title: capitalised(&random.words(title_len)),
        artist: capitalised(&random.words(2)),
        album: (random.below(3) > 0).then(|| capitalised(&random.words(2))),
        notes: random.words(notes_len),
        status: match random.below(20) {
            0 => Status::Failed,
            1..=4 => Status::Pending,
            _ => Status::Ready,
        },
        duration: (30_000 + random.below(570_000)) as f64 / 1_000.0,
        rating: random.below(6) as u8,
        plays: random.next() >> (44 + random.below(18)),
        favourite: random.below(8) == 0,
    }
}

/// The id of the row with this number: a UUIDv7, one made each millisecond.
pub fn id(number: u64) -> Uuid {
    const FIRST_MS: u64 = 1_760_000_000_000;
    let mut random = Random::new(!number);
    let bits = u128::from(random.next()) << 64 | u128::from(random.next());
    let time = u128::from(FIRST_MS + number) << 80;
    let version_and_variant = 0x7 << 76 | 0b10 << 62;
    let free = ((1 << 76) - 1) & !(0b11 << 62);
    Uuid::from_u128(time | version_and_variant | bits & free)
}

/// The rows with these numbers, made as they are asked for.
pub fn tracks(numbers: std::ops::Range<u64>) -> impl Iterator<Item = Track> {
    numbers.map(track)
}

/// A small xorshift generator.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of this seed; neighbouring seeds give unrelated numbers.
    pub fn new(seed: u64) -> Self {
        // SplitMix64's finish, since xorshift alone keeps the likeness of close seeds for a while.
        let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((x ^ (x >> 31)) | 1)
    }

    /// 64 random bits.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    fn words(&mut self, count: u64) -> String {
        let mut text = String::new();
        for _ in 0..count {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(WORDS[self.below(WORDS.len() as u64) as usize]);
        }
        text
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[rustfmt::skip]
const WORDS: [&str; 96] = [
    "amber", "april", "arrow", "ash", "autumn", "bay", "bell", "birch", "blue", "bridge", "bright",
    "brook", "candle", "cedar", "cliff", "clock", "cloud", "coal", "copper", "coral", "crow",
    "dawn", "deep", "dew", "drift", "dusk", "dust", "east", "echo", "elm", "ember", "fable",
    "falling", "fern", "field", "fire", "flint", "fog", "fox", "frost", "garden", "ghost", "glass",
    "golden", "grey", "harbour", "hazel", "heath", "hill", "hollow", "honey", "ice", "iron",
    "island", "ivy", "lantern", "leaf", "light", "lily", "long", "marsh", "meadow", "midnight",
    "mill", "mirror", "moon", "moss", "night", "north", "oak", "ocean", "old", "orchard", "paper",
    "pine", "quiet", "rain", "raven", "red", "river", "rose", "salt", "sand", "shadow", "silver",
    "slow", "smoke", "snow", "song", "stone", "storm", "summer", "thorn", "tide", "willow", "wind",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_about_190_bytes_of_json() {
        let bytes: usize =
            tracks(0..10_000).map(|row| serde_json::to_vec(&row).expect("is JSON").len()).sum();
        let mean = bytes / 10_000;
        assert!((185..=200).contains(&mean), "{mean} bytes");
    }

    #[test]
    fn ids_are_uuids_of_version_7_in_order() {
        let ids: Vec<_> = (0..1_000).map(id).collect();
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        assert!(ids.iter().all(|id| id.get_variant() == uuid::Variant::RFC4122));
    }
}
