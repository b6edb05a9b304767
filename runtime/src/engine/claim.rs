//! Claims: what a device says of the document that it has migrated into.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::documents::DocName;
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
    pub(crate) source: String,
    /// How much of each source document it has read, or knew to be in what it read.
    pub(crate) covers: BTreeMap<String, BTreeMap<u64, u32>>,
    /// What it wrote, in the order of the clocks: up to which clock, and the document whose entries
    /// stand there unchanged. An empty name is for what a `migrate` function made; a `~` before the
    /// name for what came late from there, of which that, or more, is not known.
    pub(crate) origins: Vec<(u32, String)>,
    /// The tables in which a conversion of the user's own has given a row another key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) moved: Vec<String>,
    /// Whether a relay has made it the winner.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) sealed: bool,
}

impl Claim {
    /// The claim that an entry of the head document holds; `None` where it is none.
    ///
    /// Whatever stands there besides is kept, since newer code may know what it is.
    pub(crate) fn read(name: &str, content: &Content) -> Option<(DocName, Self)> {
        let Content::Text(json) = content else { return None };
        let name = DocName::parse(name).filter(|name| name.claim.is_some())?;
        let claim: Self = serde_json::from_str(json).ok()?;
        // A migration comes from what ranks below it, so that nothing goes round in a circle.
        let sources_rank_below =
            claim.covers.keys().all(|source| DocName::parse(source).is_some_and(|s| s < name));
        let is_sound = sources_rank_below
            && claim.covers.contains_key(&claim.source)
            && claim.client < 1 << 53;
        is_sound.then_some((name, claim))
    }

    /// Whether a document at this version holds all that the migration wrote.
    pub(crate) fn is_held_by(&self, version: &DocVersion) -> bool {
        let clock = version.clocks.get(&self.client).copied().unwrap_or_default();
        clock >= self.baseline
    }

    /// The document whose entry the item is an unchanged copy of; `None` where it is an edit.
    pub(crate) fn origin(&self, id: ItemId) -> Option<&str> {
        if id.client != self.client || id.clock >= self.baseline {
            return None;
        }
        let origin = self.origins.iter().find(|(end, _)| id.clock < *end);
        Some(origin.map_or("", |(_, name)| name))
    }

    /// Whether rows of a table may have come under other keys than they had.
    pub(crate) fn moves(&self, table: &str) -> bool {
        self.moved.iter().any(|moved| moved == table)
    }

    /// Whether a `migrate` function made some of what was written.
    pub(crate) fn has_made(&self) -> bool {
        self.origins.iter().any(|(_, origin)| is_made(origin))
    }

    /// Whether the migration knew an item of another document.
    pub(crate) fn covers(&self, document: &str, id: ItemId) -> bool {
        let clocks = self.covers.get(document);
        clocks.and_then(|clocks| clocks.get(&id.client)).is_some_and(|clock| id.clock < *clock)
    }
}

/// Whether an origin says that an entry is no copy of another, though nobody has edited it.
pub(crate) fn is_made(origin: &str) -> bool {
    origin.is_empty() || origin.starts_with('~')
}

/// The document that an origin names.
pub(crate) fn origin_document(origin: &str) -> Option<DocName> {
    DocName::parse(origin.strip_prefix('~').unwrap_or(origin))
}

/// The valid claims of a store, by their document.
pub(crate) type Claims = BTreeMap<DocName, Claim>;
