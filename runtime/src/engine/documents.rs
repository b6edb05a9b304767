//! The data documents of a store: their names, which ranks above which, and what is known of those
//! that are not the current one.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use super::document::Loaded;
use crate::doc::DocVersion;

/// The name of a data document: `0` for the one in which all stores of an epoch begin, and
/// `1.0/018f…` for what one device has migrated into generation 0 of epoch 1.
///
/// In the order of their rank: of two documents, the one that is carried into the other is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DocName {
    pub(crate) epoch: u32,
    pub(crate) generation: u32,
    pub(crate) claim: Option<Uuid>,
}

impl DocName {
    /// The document in which stores of an epoch begin.
    pub(crate) const fn unclaimed(epoch: u32) -> Self {
        Self { epoch, generation: 0, claim: None }
    }

    /// Parses the name of a document. Accepts only the canonical form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some((place, claim)) = text.split_once('/') else {
            return number(text).map(Self::unclaimed);
        };
        let (epoch, generation) = place.split_once('.')?;
        let (epoch, generation) = (number(epoch)?, number(generation)?);
        let id = Uuid::try_parse(claim).ok()?;
        let is_plain = id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == claim;
        is_plain.then_some(Self { epoch, generation, claim: Some(id) })
    }
}

/// Parses a number. Accepts only the canonical form.
fn number(text: &str) -> Option<u32> {
    let is_plain = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_plain)
}

impl fmt::Display for DocName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.claim {
            None => self.epoch.fmt(f),
            Some(claim) => write!(f, "{}.{}/{}", self.epoch, self.generation, claim.hyphenated()),
        }
    }
}

impl Ord for DocName {
    fn cmp(&self, other: &Self) -> Ordering {
        let claims = match (self.claim, other.claim) {
            (Some(ours), Some(theirs)) => theirs.cmp(&ours),
            (ours, theirs) => ours.is_some().cmp(&theirs.is_some()),
        };
        (self.epoch, self.generation).cmp(&(other.epoch, other.generation)).then(claims)
    }
}

impl PartialOrd for DocName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for DocName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DocName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not the name of a document"))
    }
}

/// Maps by document that are written in the order of the names as text.
pub(super) mod by_text {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::DocName;

    pub(in crate::engine) fn serialize<S: Serializer, V: Serialize>(
        map: &BTreeMap<DocName, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let by_text: BTreeMap<String, &V> =
            map.iter().map(|(name, value)| (name.to_string(), value)).collect();
        by_text.serialize(serializer)
    }

    pub(in crate::engine) fn deserialize<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<DocName, V>, D::Error> {
        BTreeMap::deserialize(deserializer)
    }
}

/// The facts about a document that is not the current one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DocFact {
    /// How many commits it has had.
    pub(crate) last: u64,
    pub(crate) clocks: BTreeMap<u64, u32>,
    pub(crate) deletions: u64,
    /// Up to which commit it has been carried into the current document.
    #[serde(default)]
    pub(crate) carried: u64,
    /// Whether changes of it wait for others.
    #[serde(default)]
    pub(crate) waits: bool,
    /// Whether it was given up here: known so far, and not kept.
    #[serde(default)]
    pub(crate) is_pruned: bool,
}

impl DocFact {
    pub(crate) fn of(loaded: &Loaded) -> Self {
        let mut fact = Self { last: loaded.document.commits(), ..Self::default() };
        fact.set_version(loaded.document.version());
        fact.waits = loaded.document.has_pending();
        fact
    }

    pub(crate) fn version(&self) -> DocVersion {
        DocVersion { clocks: self.clocks.clone(), deletions: self.deletions }
    }

    pub(crate) fn set_version(&mut self, version: DocVersion) {
        (self.clocks, self.deletions) = (version.clocks, version.deletions);
    }
}

/// Recorded in the file: the data documents beside the current one, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Documents(#[serde(with = "by_text")] pub(crate) BTreeMap<DocName, DocFact>);

impl Documents {
    /// Returns the documents that are here, with their names.
    pub(crate) fn present(&self) -> impl Iterator<Item = (DocName, &DocFact)> {
        let here = self.0.iter().filter(|(_, fact)| !fact.is_pruned);
        here.map(|(name, fact)| (*name, fact))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling_and_an_order() {
        let claim = |text: &str| DocName::parse(text);
        let (low, high) = (
            "1.0/018f0000-0000-7000-8000-000000000001",
            "1.0/018f0000-0000-7000-8000-000000000002",
        );
        let ranked = ["0", "1", high, low, "1.1/018f0000-0000-7000-8000-000000000009", "2"];
        let names: Vec<DocName> = ranked.iter().map(|text| claim(text).unwrap()).collect();
        assert!(names.is_sorted(), "{names:?}");
        for (name, text) in names.iter().zip(ranked) {
            assert_eq!(name.to_string(), text);
        }
        for text in [
            "",
            "head",
            "00",
            "01",
            "+1",
            "-1",
            "1.0",
            "1/x",
            "1.0/",
            "01.0/018f0000-0000-7000-8000-000000000001",
            "1.0/018F0000-0000-7000-8000-000000000001",
            "1.0/018f0000000070008000000000000001",
        ] {
            assert_eq!(claim(text), None, "{text}");
        }
    }
}
