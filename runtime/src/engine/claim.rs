//! Claims: what a device says of the document that it has migrated into.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::documents::{DocName, by_text};
use crate::doc::DocVersion;
use crate::row::{Content, ItemId};

/// The kv group of the head document that holds the claims, by the name of their document.
pub(crate) const EPOCHS: &str = "epochs";

/// Where an entry comes from that a migration wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopySource {
    /// A `migrate` function made it. As text: empty.
    Made,
    /// It shows a late edit of a document, or more than that: not known which. As text: `~1`.
    LateEdit(DocName),
    /// It is the unchanged entry of a document. As text: `1`.
    Document(DocName),
}

impl CopySource {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('~') {
            _ if text.is_empty() => Some(Self::Made),
            Some(name) => DocName::parse(name).map(Self::LateEdit),
            None => DocName::parse(text).map(Self::Document),
        }
    }

    /// The document whose unchanged entry it is.
    pub(crate) fn copied(self) -> Option<DocName> {
        match self {
            Self::Document(name) => Some(name),
            Self::Made | Self::LateEdit(_) => None,
        }
    }

    /// Whether it is not a copy of another entry, though it has not been edited.
    pub(crate) fn is_made(self) -> bool {
        self.copied().is_none()
    }

    /// The document that it names.
    pub(crate) fn document(self) -> Option<DocName> {
        match self {
            Self::Made => None,
            Self::LateEdit(name) | Self::Document(name) => Some(name),
        }
    }
}

impl fmt::Display for CopySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made => Ok(()),
            Self::LateEdit(name) => write!(f, "~{name}"),
            Self::Document(name) => name.fmt(f),
        }
    }
}

impl Serialize for CopySource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CopySource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not the name of a document"))
    }
}

/// One device's finished migration into a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// The client id that the migration wrote under, and nothing else does.
    pub(crate) client: u64,
    /// How many of its clocks the migration used.
    pub(crate) baseline: u32,
    /// The document whose rows it has read.
    pub(crate) source: DocName,
    /// How much of each source document it has read, or knew to be in what it read.
    #[serde(with = "by_text")]
    pub(crate) covers: BTreeMap<DocName, BTreeMap<u64, u32>>,
    /// What it wrote, in the order of the clocks: up to which clock, and where that comes from.
    #[serde(rename = "origins")]
    pub(crate) sources: Vec<(u32, CopySource)>,
    /// The tables in which a conversion of the user's own has given a row another key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) moved: Vec<String>,
    /// Whether a relay has made it the winner.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) sealed: bool,
}

impl Claim {
    /// Reads the claim of an entry of the head document; `None` if it is not a claim.
    ///
    /// Such an entry is kept, since newer code may know what it is.
    pub(crate) fn read(name: &str, content: &Content) -> Option<(DocName, Self)> {
        let Content::Text(json) = content else { return None };
        let name = DocName::parse(name).filter(|name| name.claim.is_some())?;
        let claim: Self = serde_json::from_str(json).ok()?;
        // A migration comes from what ranks below it, so that nothing goes round in a circle.
        let is_sound = claim.covers.keys().all(|source| *source < name)
            && claim.covers.contains_key(&claim.source)
            && claim.client < 1 << 53;
        is_sound.then_some((name, claim))
    }

    /// Whether a document at this version holds all that the migration wrote.
    pub(crate) fn is_held_by(&self, version: &DocVersion) -> bool {
        let clock = version.clocks.get(&self.client).copied().unwrap_or_default();
        clock >= self.baseline
    }

    /// Where an item comes from that the migration wrote; `None` if it is an edit.
    pub(crate) fn copy_source(&self, id: ItemId) -> Option<CopySource> {
        if id.client != self.client || id.clock >= self.baseline {
            return None;
        }
        let run = self.sources.iter().find(|(end, _)| id.clock < *end);
        Some(run.map_or(CopySource::Made, |(_, source)| *source))
    }

    /// Whether rows of a table may have come under other keys than they had.
    pub(crate) fn moves(&self, table: &str) -> bool {
        self.moved.iter().any(|moved| moved == table)
    }

    /// Whether a `migrate` function made some of what was written.
    pub(crate) fn has_made(&self) -> bool {
        self.sources.iter().any(|(_, source)| source.is_made())
    }

    /// Whether the migration knew an item of another document.
    pub(crate) fn covers(&self, document: DocName, id: ItemId) -> bool {
        let clocks = self.covers.get(&document);
        clocks.and_then(|clocks| clocks.get(&id.client)).is_some_and(|clock| id.clock < *clock)
    }
}

/// The valid claims of a store, by their document.
pub(crate) type Claims = BTreeMap<DocName, Claim>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_written_as_the_text_of_its_names() {
        let low = "1.0/018f0000-0000-7000-8000-000000000001";
        let high = "1.0/018f0000-0000-7000-8000-000000000002";
        let json = format!(
            r#"{{"client":7,"baseline":9,"source":"{high}","covers":{{"0":{{"4":2}},"1":{{}},"{low}":{{}},"{high}":{{"5":1}}}},"origins":[[3,"{high}"],[5,"~0"],[9,""]]}}"#
        );
        let content = Content::Text(json.as_str().into());
        let (_, claim) = Claim::read("2.0/018f0000-0000-7000-8000-000000000003", &content).unwrap();
        let high = DocName::parse(high).unwrap();
        assert_eq!(claim.source, high);
        assert!(claim.covers(DocName::unclaimed(0), ItemId { client: 4, clock: 1 }));
        let source = |clock| claim.copy_source(ItemId { client: 7, clock });
        assert_eq!(source(2), Some(CopySource::Document(high)));
        assert_eq!(source(4), Some(CopySource::LateEdit(DocName::unclaimed(0))));
        assert_eq!(source(8), Some(CopySource::Made));
        assert_eq!(source(9), None);
        // In the order of the text, not of the ranks, in which `low` comes after `high`.
        assert_eq!(serde_json::to_string(&claim).unwrap(), json);
    }

    #[test]
    fn what_names_no_document_is_not_a_claim() {
        let name = "1.0/018f0000-0000-7000-8000-000000000003";
        let read = |covered: &str, origin: &str| {
            let json = format!(
                r#"{{"client":7,"baseline":9,"source":"0","covers":{{"0":{{}},"{covered}":{{}}}},"origins":[[9,"{origin}"]]}}"#
            );
            Claim::read(name, &Content::Text(json.into())).is_some()
        };
        assert!(read("0", "0"));
        assert!(read("0", "~0"));
        for (covered, origin) in [("x", "0"), ("00", "0"), ("0", "x"), ("0", "~"), ("0", "~~0")] {
            assert!(!read(covered, origin), "{covered} {origin}");
        }
    }
}
