//! The rules by which an item finds its place, and by which one of a key's items is the one that
//! stands.
//!
//! Items of a key form trees: each comes after its origin, and the first ones after none. The
//! rightmost one, the tip, is the end of the path that goes from the top always to the child of the
//! highest client. Whatever is off that path is dead and never comes back, so that the tip is all
//! that has to be kept of a key.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use yrs::block::BLOCK_ITEM_TYPE_REF_NUMBER;

use super::block::{Block, Body, Parent};
use super::home::{Home, home_of, unknown_entry};
use super::items::{ClockRanges, ItemRun, Place, Tip, Value, WriteItems};
use super::merging::ChangedKeys;
use super::nested;
use super::rules::{Rule, says};
use super::shown::{self, Holder};
use super::unseen::{Met, OwnIds, holds_marks, is_watched, marked, standing};
use super::values::value_of;
use super::writing::{first_of, kill_one, run_first};
use crate::error::{Error, ErrorKind, Result};
use crate::row::ItemId;

/// A document while updates are taken in.
pub(super) struct Integration<'i, W: WriteItems + ?Sized> {
    pub(super) items: &'i mut W,
    own: OwnIds<'i>,
    pub(super) changed: ChangedKeys,
    met: Met,
    /// Whether anything was learnt.
    pub(super) is_new: bool,
    /// The clients of which items were added, for which updates may have waited.
    pub(super) grown: BTreeSet<u64>,
    /// The items under keys whose nested content changed.
    holders: BTreeSet<ItemId>,
    /// The root that came last, since most items are of the same.
    root: Arc<str>,
}

/// The result of taking in updates.
pub(super) struct Finished {
    pub(super) changed: ChangedKeys,
    /// Whether anything was learnt.
    pub(super) is_new: bool,
    pub(super) met: Met,
}

impl<'i, W: WriteItems + ?Sized> Integration<'i, W> {
    pub(super) fn new(items: &'i mut W, own: OwnIds<'i>) -> Self {
        Self {
            items,
            own,
            changed: ChangedKeys::new(),
            met: Met::default(),
            is_new: false,
            grown: BTreeSet::new(),
            holders: BTreeSet::new(),
            root: Arc::from(""),
        }
    }

    /// Ends it: what nested content changed is shown.
    pub(super) fn finish(mut self) -> Result<Finished> {
        self.show_nested()?;
        Ok(Finished { changed: self.changed, is_new: self.is_new, met: self.met })
    }

    /// Shows anew what hangs on the items where nested content changed, if they stand.
    fn show_nested(&mut self) -> Result<()> {
        let mut holders = Vec::new();
        for holder in std::mem::take(&mut self.holders) {
            if let Home::Entry { root, key, .. } = home_of(self.items, holder)?
                && let Some((id, Value::Other { bytes, kind, .. })) =
                    self.items.value(&root, &key)?
                && id == holder
                && kind == BLOCK_ITEM_TYPE_REF_NUMBER
            {
                self.record_change(&root, &key);
                holders.push(Holder { id, root, key, bytes });
            }
        }
        shown::show(self.items, &holders)
    }

    fn record_change(&mut self, root: &Arc<str>, key: &Arc<str>) {
        match self.changed.get_mut(root) {
            Some(keys) => drop(keys.insert(Arc::clone(key))),
            None => drop(self.changed.insert(Arc::clone(root), BTreeSet::from([Arc::clone(key)]))),
        }
    }

    /// Takes in what is not here yet of a block, for which everything else is here.
    pub(super) fn block(&mut self, client: u64, block: &Block<'_>) -> Result<()> {
        let start = self.items.clock(client)?;
        if block.end() <= start {
            return self.heal(client, block);
        }
        self.is_new = true;
        self.grown.insert(client);
        let is_rest = block.start < start;
        // Of a block, each item comes after the one before.
        let origin = if is_rest { start.checked_sub(1) } else { None };
        let origin = origin.map(|clock| ItemId { client, clock }).or(block.origin);
        match self.home(block, origin)? {
            Home::Nowhere => self.add_dead(client, start, block.end(), Place::Gone),
            Home::Entry { root, key, place } => {
                let end = self.known_to_key(client, start..block.end(), &root, &key)?;
                if end > start {
                    self.items.append(client, ItemRun { start, len: end - start, place })?;
                    return self.block(client, block);
                }
                self.add_to_entry(client, start, block, &root, &key, place)
            }
            Home::Nested { holder } => self.add_nested(client, start, block, holder),
        }
    }

    /// Takes in what was here before of a block, and was lost with a damaged one: what comes new may need it,
    /// whichever comes first.
    pub(super) fn restore(&mut self, client: u64, block: &Block<'_>) -> Result<()> {
        let start = self.items.clock(client)?;
        if block.start > start || block.end() <= start {
            return Ok(());
        }
        let is_rest = block.start < start;
        let origin = if is_rest { start.checked_sub(1) } else { None };
        let origin = origin.map(|clock| ItemId { client, clock }).or(block.origin);
        match self.home(block, origin) {
            Ok(Home::Entry { root, key, place }) => {
                let end = self.known_to_key(client, start..block.end(), &root, &key)?;
                if end > start {
                    self.is_new = true;
                    self.grown.insert(client);
                    self.items.append(client, ItemRun { start, len: end - start, place })?;
                }
                Ok(())
            }
            // It comes after something new.
            Err(error) if error.kind() == ErrorKind::Corrupt => Ok(()),
            home => home.map(drop),
        }
    }

    /// Up to which clock of a run of new items its key holds them already, or held them until they died: of
    /// these only the places are not known any more.
    fn known_to_key(&self, client: u64, clocks: Range<u32>, root: &str, key: &str) -> Result<u32> {
        let mut end = clocks.start;
        let Some(tip) = self.items.tip(root, key)? else { return Ok(end) };
        while end < clocks.end {
            let id = ItemId { client, clock: end };
            if id != tip.id && !self.items.is_dead(id)? {
                break;
            }
            end += 1;
        }
        Ok(end)
    }

    /// Takes the content of an item that is here from a block, if it is damaged here.
    fn heal(&mut self, client: u64, block: &Block<'_>) -> Result<()> {
        let id = ItemId { client, clock: block.end().saturating_sub(1) };
        let Body::Value { kind, last } = block.body else { return Ok(()) };
        if !self.items.is_damaged(id) || self.items.is_dead(id)? {
            return Ok(());
        }
        if let Home::Entry { root, key, .. } = home_of(self.items, id)? {
            self.is_new = true;
            self.record_change(&root, &key);
            if kind == BLOCK_ITEM_TYPE_REF_NUMBER {
                self.holders.insert(id);
            }
            self.items.heal(&root, &key, id, value_of(kind, last))?;
        }
        Ok(())
    }

    fn add_dead(&mut self, client: u64, start: u32, end: u32, place: Place) -> Result<()> {
        if start < end {
            self.items.append(client, ItemRun { start, len: end - start, place })?;
            self.items.kill(client, start..end)?;
        }
        Ok(())
    }

    fn home(&mut self, block: &Block<'_>, origin: Option<ItemId>) -> Result<Home> {
        if block.body == Body::Gone {
            return Ok(Home::Nowhere);
        }
        let home = match (origin, block.right, block.parent) {
            (Some(neighbour), ..) | (None, Some(neighbour), _) => home_of(self.items, neighbour)?,
            (None, None, Parent::Entry { root, key }) => self.new_entry(root, key),
            (None, None, Parent::Sequence) => Home::Nested { holder: None },
            (None, None, Parent::Nested { parent, .. }) => match home_of(self.items, parent)? {
                Home::Entry { .. } => Home::Nested { holder: Some(parent) },
                home => home,
            },
            (None, None, Parent::OfNeighbours) => Home::Nowhere,
        };
        // An item that no map writes under a key cannot be placed there, but the items after it
        // must be able to come.
        let is_foreign = block.right.is_some() || block.body == Body::Piece;
        Ok(if is_foreign && matches!(home, Home::Entry { .. }) { Home::Nowhere } else { home })
    }

    fn new_entry(&mut self, root: &str, key: &str) -> Home {
        if *self.root != *root {
            self.root = Arc::from(root);
        }
        let (root, key) = (Arc::clone(&self.root), Arc::<str>::from(key));
        let place = Place::First { root: Arc::clone(&root), key: Arc::clone(&key) };
        Home::Entry { root, key, place }
    }

    fn add_to_entry(
        &mut self,
        client: u64,
        start: u32,
        block: &Block<'_>,
        root: &Arc<str>,
        key: &Arc<str>,
        place: Place,
    ) -> Result<()> {
        let end = block.end();
        let tip = self.items.tip(root, key)?;
        let wins = match tip {
            None => true,
            Some(tip) => self.wins(tip.id, &place, client)?,
        };
        let id = ItemId { client, clock: end.saturating_sub(1) };
        let is_watched = is_watched(root);
        let origin = match &place {
            Place::After { origin, .. } => Some(*origin),
            _ => None,
        };
        if is_watched && (tip.is_some() || !root.starts_with("table:")) {
            self.met.remember_row(self.items, root, key)?;
        }
        if let Some(origin) = origin.filter(|_| is_watched) {
            self.met.see(self.items, root, key, origin)?;
        } else if let Some(edit) = marked(root, key) {
            self.see_marked(edit)?;
        }
        if !wins {
            self.add_dead(client, start, end, place)?;
            return if is_watched {
                self.lose(root, key, id, text_of(&block.body))
            } else {
                Ok(())
            };
        }
        // A mark that came dead shows nothing, and there may be a million of them.
        let is_mark = tip.is_none() && holds_marks(root) && block.body == Body::Deleted;
        if !is_mark {
            self.record_change(root, key);
        }
        if let Some(tip) = tip.filter(|tip| is_watched && Some(tip.id) != origin) {
            let text = standing(self.items, root, key)?.flatten();
            self.lose(root, key, tip.id, text)?;
        }
        let Body::Value { kind, last } = block.body else {
            self.add_dead(client, start, end, place)?;
            self.kill_tip(tip)?;
            return self.items.clear(root, key, id);
        };
        let place = if start < id.clock {
            let before = ItemId { client, clock: id.clock.saturating_sub(1) };
            self.add_dead(client, start, id.clock, place)?;
            Place::After { origin: before, first: first_of(self.items, before)? }
        } else {
            place
        };
        self.items.append(client, ItemRun { start: id.clock, len: 1, place })?;
        self.kill_tip(tip)?;
        let value = value_of(kind, last);
        if kind == BLOCK_ITEM_TYPE_REF_NUMBER {
            self.holders.insert(id);
        }
        self.items.put(root, key, id, value)
    }

    fn lose(
        &mut self,
        root: &Arc<str>,
        key: &Arc<str>,
        id: ItemId,
        text: Option<String>,
    ) -> Result<()> {
        self.met.lose(self.items, self.own, (root, key), id, text)
    }

    /// Takes note of the mark of an edit, which may not be here.
    fn see_marked(&mut self, edit: ItemId) -> Result<()> {
        if edit.clock < self.items.clock(edit.client)?
            && let Home::Entry { root, key, .. } = home_of(self.items, edit)?
        {
            self.met.see(self.items, &root, &key, edit)?;
        }
        Ok(())
    }

    fn kill_tip(&mut self, tip: Option<Tip>) -> Result<()> {
        match tip {
            Some(Tip { id, is_live }) if says(Rule::OldTipDies, is_live) => {
                kill_one(self.items, id)
            }
            _ => Ok(()),
        }
    }

    /// Whether an item of `client` in a place becomes the tip of the key whose tip is `tip`.
    fn wins(&self, tip: ItemId, place: &Place, client: u64) -> Result<bool> {
        let (origin, first) = match place {
            Place::After { origin, .. } if *origin == tip => return Ok(true),
            Place::After { origin, first } => (*origin, *first),
            // The highest first item begins the path to the tip.
            _ => {
                let tip_first = first_of(self.items, tip)?;
                return Ok(says(Rule::HighestFirst, client > tip_first.client));
            }
        };
        let tip_run = self.items.run(tip)?;
        let tip_first = run_first(&tip_run, tip.client);
        if first != tip_first || !says(Rule::OffTip, true) {
            return Ok(false);
        }
        // Up the path to the origin: the item after it there has the highest client so far.
        let (mut at, mut run) = (tip, tip_run);
        loop {
            if at.client == origin.client && (run.start..at.clock).contains(&origin.clock) {
                return Ok(says(Rule::HighestInRun, client > at.client));
            }
            let Place::After { origin: before, .. } = run.place else { return Ok(false) };
            if before == origin {
                return Ok(says(Rule::HighestAfter, client > at.client));
            }
            // A later item of the same client is not on the path.
            if before.client == origin.client && before.clock < origin.clock {
                return Ok(false);
            }
            (at, run) = (before, self.items.run(before)?);
        }
    }

    fn add_nested(
        &mut self,
        client: u64,
        start: u32,
        block: &Block<'_>,
        holder: Option<ItemId>,
    ) -> Result<()> {
        let end = block.end();
        let Some(bytes) = nested::rest_of(client, start, block) else {
            return self.add_dead(client, start, end, Place::Gone);
        };
        let record = nested::record(holder, &bytes);
        self.items.append_nested(client, start, end.saturating_sub(start), &record)?;
        if block.body == Body::Deleted {
            self.items.kill(client, start..end)?;
        }
        self.holders.extend(holder);
        Ok(())
    }

    /// Deletes items that are here.
    pub(super) fn delete(&mut self, client: u64, clocks: &ClockRanges) -> Result<()> {
        for range in clocks {
            for live in self.items.live_in(client, range.clone())? {
                self.is_new = true;
                let mut at = live.start;
                while at < live.end {
                    at = self.delete_one(ItemId { client, clock: at }, live.end)?;
                }
            }
        }
        Ok(())
    }

    /// Deletes a live item, or that and the following parts of a nested type; gives the clock after
    /// them.
    fn delete_one(&mut self, id: ItemId, end: u32) -> Result<u32> {
        match home_of(self.items, id)? {
            Home::Nowhere => Err(unknown_entry()),
            Home::Entry { root, key, .. } => {
                if self.items.tip(&root, &key)? != Some(Tip { id, is_live: true }) {
                    return Err(Error::new(
                        ErrorKind::Corrupt,
                        format!("{root} has another entry under {key} than its document"),
                    ));
                }
                if is_watched(&root) {
                    self.met.remember_row(self.items, &root, &key)?;
                }
                kill_one(self.items, id)?;
                self.items.clear(&root, &key, id)?;
                self.record_change(&root, &key);
                if is_watched(&root) {
                    self.met.see(self.items, &root, &key, id)?;
                }
                Ok(id.clock.saturating_add(1))
            }
            Home::Nested { holder } => {
                let run = self.items.run(id)?;
                let end = run.start.saturating_add(run.len).min(end);
                self.items.kill(id.client, id.clock..end)?;
                self.holders.extend(holder);
                Ok(end)
            }
        }
    }
}

/// The text that a block holds, if it is the kind of value that heirloom writes.
fn text_of(body: &Body<'_>) -> Option<String> {
    let Body::Value { kind, last } = *body else { return None };
    match value_of(kind, last) {
        Value::Text(text) => Some(text.to_string()),
        Value::Other { .. } => None,
    }
}
