//! [`Known`]: the facts about a document that a commit leaves to the next one, which need not look
//! them up again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::{DocumentState, Edge, NewestDeaths, RootInfo, StoredDocument, locked};
use crate::disk::view::View;

/// Of more roots, nothing is kept.
const MAX_ROOTS: usize = 1_000;

/// The additions of a commit, as far as kept facts know of them.
#[derive(Debug, Default)]
pub(in crate::disk) struct Added {
    pub(in crate::disk) roots: HashMap<Arc<str>, Arc<RootInfo>>,
    /// The greatest keys that were written, by root.
    pub(in crate::disk) greatest: BTreeMap<String, Vec<u8>>,
    /// The numbers of the roots of which a key was removed, and of those of which one shows a late edit.
    pub(in crate::disk) removed: BTreeSet<u32>,
    pub(in crate::disk) late: BTreeSet<u32>,
    /// Whether edits met.
    pub(in crate::disk) has_unseen: bool,
    /// The items that died in the commits whose records are in the tail now, if that is known.
    pub(in crate::disk) newest_deaths: Option<NewestDeaths>,
}

/// The facts about a document once a commit was made.
#[derive(Debug)]
pub(super) struct Known {
    /// The state that the commit leaves. After any other one, the rest may not be so.
    state: DocumentState,
    roots: HashMap<Arc<str>, Option<Arc<RootInfo>>>,
    edges: HashMap<Arc<str>, Arc<Edge>>,
    has_unseen: Option<bool>,
    newest_deaths: Option<NewestDeaths>,
}

impl StoredDocument {
    /// Remembers what is known of the document once this state of it is committed.
    pub(in crate::disk) fn expect(&self, state: DocumentState, added: Added) {
        let mut roots = locked(&self.roots).clone();
        if roots.len() + added.roots.len() > MAX_ROOTS {
            return;
        }
        roots.extend(added.roots.into_iter().map(|(name, root)| (name, Some(root))));
        let edges = locked(&self.edges).all.clone();
        let edges = edges.into_iter().map(|(name, edge)| {
            let info = roots.get(&name).cloned().flatten();
            let is_in = |numbers: &BTreeSet<u32>| {
                info.as_ref().is_some_and(|info| numbers.contains(&info.number))
            };
            let edge = Edge {
                // At most it spares fewer look-ups: the greatest key may be gone.
                last: edge.last.clone().max(added.greatest.get(&*name).cloned()),
                has_removed: edge.has_removed || is_in(&added.removed),
                has_late: edge.has_late || is_in(&added.late),
                info,
            };
            (name, Arc::new(edge))
        });
        let has_unseen = self.has_unseen.get().map(|before| *before || added.has_unseen);
        let edges = edges.collect();
        let newest_deaths = added.newest_deaths;
        *locked(&self.expected) = Some(Known { state, roots, edges, has_unseen, newest_deaths });
    }

    /// The same document as of the view after a commit.
    pub(crate) fn following(&self, view: Arc<View>) -> Self {
        let next = Self::new(view, &self.name);
        let Some(known) = locked(&self.expected).take() else { return next };
        if next.written_state().is_ok_and(|state| state == Some(known.state)) {
            *locked(&next.roots) = known.roots;
            locked(&next.edges).all = known.edges;
            // They are new cells, so that setting them does not fail.
            let _ = known.has_unseen.map(|has_unseen| next.has_unseen.set(has_unseen));
            let _ = known.newest_deaths.map(|deaths| next.newest_deaths.set(deaths));
        }
        next
    }
}
