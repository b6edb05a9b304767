//! Claims: what a device says of the document that it has migrated into.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::documents::{DocName, by_text};
use crate::doc::DocVersion;
use crate::row::{Content, ItemId};

/// The kv group of the head document that holds the claims, by the name of their document.
pub(crate) const EPOCHS: &str = "epochs";

/// One device's finished migration into a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// The client id that the migration wrote under, and nothing else does.
    pub(crate) client: u64,
    /// How many of its clocks the migration used.
    pub(crate) baseline: u32,
    /// The document whose rows it has read.
    pub(crate) source: DocName,
    /// All that was known of other documents. It is over, but for what the [`Frontier`] lists.
    ///
    /// [`Frontier`]: super::Frontier
    #[serde(with = "by_text")]
    pub(crate) covers: BTreeMap<DocName, BTreeMap<u64, u32>>,
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
        let is_sound = claim.covers.contains_key(&claim.source)
            && claim.source < name
            && !claim.covers.contains_key(&name)
            && claim.client < 1 << 53;
        is_sound.then_some((name, claim))
    }

    /// Whether a document at this version holds all that the migration wrote.
    pub(crate) fn is_held_by(&self, version: &DocVersion) -> bool {
        let clock = version.clocks.get(&self.client).copied().unwrap_or_default();
        clock >= self.baseline
    }

    /// Whether the migration wrote an item: such a copy is not an edit.
    pub(crate) fn is_copy(&self, id: ItemId) -> bool {
        id.client == self.client && id.clock < self.baseline
    }

    /// Whether the migration knew an item of another document.
    pub(crate) fn covers(&self, document: DocName, id: ItemId) -> bool {
        let clocks = self.covers.get(&document);
        clocks.and_then(|clocks| clocks.get(&id.client)).is_some_and(|clock| id.clock < *clock)
    }

    /// Whether the migration knew all that another one did: of a document that nothing but a migration has
    /// written to, all that this one knew.
    pub(crate) fn covers_all_of(&self, other: &Self, claims: &Claims) -> bool {
        let mut left = vec![other];
        let mut opened = BTreeSet::new();
        while let Some(other) = left.pop() {
            for (document, clocks) in &other.covers {
                let known = self.covers.get(document);
                let is_known = |(client, clock): (&u64, &u32)| {
                    *clock == 0 || known.and_then(|known| known.get(client)) >= Some(clock)
                };
                if clocks.iter().all(is_known) {
                    continue;
                }
                let maker = claims.get(document).filter(|maker| {
                    let is_its = |(client, clock): (&u64, &u32)| {
                        *client == maker.client && *clock <= maker.baseline
                    };
                    clocks.iter().all(is_its)
                });
                match maker {
                    Some(maker) if opened.insert(*document) => left.push(maker),
                    Some(_) => {}
                    None => return false,
                }
            }
        }
        true
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
            r#"{{"client":7,"baseline":9,"source":"{high}","covers":{{"0":{{"4":2}},"1":{{}},"{low}":{{}},"{high}":{{"5":1}}}}}}"#
        );
        let content = Content::Text(json.as_str().into());
        let (_, claim) = Claim::read("2.0/018f0000-0000-7000-8000-000000000003", &content).unwrap();
        let high = DocName::parse(high).unwrap();
        assert_eq!(claim.source, high);
        assert!(claim.covers(DocName::unclaimed(0), ItemId { client: 4, clock: 1 }));
        assert!(claim.is_copy(ItemId { client: 7, clock: 8 }));
        assert!(!claim.is_copy(ItemId { client: 7, clock: 9 }));
        let mut less = claim.clone();
        less.covers.remove(&high);
        let claims = Claims::new();
        assert!(claim.covers_all_of(&less, &claims) && !less.covers_all_of(&claim, &claims));
        // In the order of the text, not of the ranks, in which `low` comes after `high`.
        assert_eq!(serde_json::to_string(&claim).unwrap(), json);
    }

    #[test]
    fn what_names_no_document_is_not_a_claim() {
        let name = "1.0/018f0000-0000-7000-8000-000000000003";
        let read = |source: &str, covered: &str| {
            let json = format!(
                r#"{{"client":7,"baseline":9,"source":"{source}","covers":{{"0":{{}},"{covered}":{{}}}}}}"#
            );
            Claim::read(name, &Content::Text(json.into())).is_some()
        };
        assert!(read("0", "0"));
        // Others may rank above it, and only be known.
        assert!(read("0", "1.1/018f0000-0000-7000-8000-000000000003"));
        for (source, covered) in [("x", "0"), ("0", "x"), ("0", "00"), ("1", "0"), ("0", name)] {
            assert!(!read(source, covered), "{source} {covered}");
        }
    }
}
