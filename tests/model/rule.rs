//! The rule of `docs/design/late-edits.md`: which edits are over, what shows, and what waits.

use std::collections::BTreeMap;

use crate::document::{Commit, Context, DocName, Document, EditId, Part, Parts, Value};
use crate::schema::{Epoch, Key, is_convertible};

/// The rule, or a variant of it that was rejected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// The rule of the page.
    Final,
    /// A late edit shows in the place of any copy.
    LateBeatsCopy,
    /// A copy ranks as an edit of the document that it is in.
    CopyIsEdit,
    /// A write marks only what the document itself lists.
    SetsDoNotMark,
    /// A removal marks only what the document itself lists.
    RemovalsDoNotMark,
    /// A removal deletes the tip, and does not mark it.
    TipIsOnlyDeleted,
    /// What lost within a document is not carried.
    LosersStay,
    /// A claim lists what it has copied, and not what it has only heard of.
    FrontierIsCopies,
    /// What other claims knew is not carried.
    NoContexts,
    /// Marks are carried only for what the current document lists.
    MarksOnlyListed,
    /// A mark is for an edit as a whole, whichever of its rows was meant.
    MarksAreWhole,
    /// A value shows beside one that stands for all that it stands for.
    SubsetsShow,
    /// A device that comes back from a backup writes on under its id.
    RestoredKeepsId,
}

/// The rejected variants that random histories tell apart within some hundred seeds. `NoContexts` takes
/// thousands, and has an example of its own.
pub const REJECTED: [Rule; 11] = [
    Rule::LateBeatsCopy,
    Rule::CopyIsEdit,
    Rule::SetsDoNotMark,
    Rule::RemovalsDoNotMark,
    Rule::TipIsOnlyDeleted,
    Rule::LosersStay,
    Rule::FrontierIsCopies,
    Rule::MarksOnlyListed,
    Rule::MarksAreWhole,
    Rule::SubsetsShow,
    Rule::RestoredKeepsId,
];

/// Some documents of a device, read by code of an epoch.
pub struct Reading<'d> {
    pub rule: Rule,
    pub docs: Vec<&'d Document>,
    pub epoch: Epoch,
}

/// What a device shows and keeps waiting, by key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    pub shown: BTreeMap<Key, Value>,
    pub waiting: BTreeMap<Key, Vec<Value>>,
}

impl View {
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.shown.values().chain(self.waiting.values().flatten())
    }
}

impl Reading<'_> {
    /// Whether a part of an edit is over: the one predicate of the rule.
    pub fn is_over(&self, part: &Part) -> bool {
        self.docs.iter().any(|doc| {
            is_marked(doc, part)
                || self.is_replaced(doc, part.edit)
                || doc.all_contexts().any(|context| context.ends(part))
        })
    }

    /// Whether an item that this epoch can read was made upon an edit, or upon one made upon it.
    fn is_replaced(&self, doc: &Document, edit: EditId) -> bool {
        if edit.doc != doc.name {
            return false;
        }
        if self.rule == Rule::TipIsOnlyDeleted && doc.deleted.contains(&edit) {
            let key = doc.items.get(&edit).map(|item| item.key);
            return key.is_some_and(|key| doc.tip(key) == Some(edit));
        }
        let Some(replaced) = doc.items.get(&edit) else { return false };
        doc.items.values().any(|item| {
            item.place.len() > replaced.place.len()
                && item.key == replaced.key
                && item.place.starts_with(&replaced.place)
                && is_convertible(item.edit, doc.name.epoch, self.epoch)
        })
    }

    /// All that may show. What lost within `current` is left to the rule of concurrent edits.
    pub fn all_values(&self, current: Option<DocName>) -> BTreeMap<Parts, Value> {
        let mut all = BTreeMap::new();
        let mut add = |value: &Value| {
            for value in value.converted(self.epoch) {
                all.insert(value.parts.clone(), value);
            }
        };
        for doc in &self.docs {
            doc.entries.values().for_each(&mut add);
            let tips = doc.tips();
            for id in doc.items.keys() {
                let is_tip = tips.contains(id);
                let counts = is_tip || (Some(doc.name) != current && self.rule != Rule::LosersStay);
                if counts {
                    doc.value(*id).iter().for_each(&mut add);
                }
            }
        }
        all
    }

    /// The values of which a part is not over, less those that stand for no more than another does.
    pub fn candidates(&self, current: Option<DocName>) -> Vec<Candidate> {
        let with_live = |value: Value| {
            let live: Parts = value.parts.iter().filter(|p| !self.is_over(p)).cloned().collect();
            (!live.is_empty()).then_some(Candidate { live, value })
        };
        let all: Vec<_> = self.all_values(current).into_values().filter_map(with_live).collect();
        let is_hidden = |one: &Candidate| {
            self.rule != Rule::SubsetsShow && all.iter().any(|other| self.hides(other, one))
        };
        all.iter().filter(|one| !is_hidden(one)).cloned().collect()
    }

    fn hides(&self, other: &Candidate, one: &Candidate) -> bool {
        let can_show = |candidate: &Candidate| candidate.value.can_be_in(self.epoch);
        other.value.parts != one.value.parts
            && other.value.key == one.value.key
            && (can_show(other) || !can_show(one))
            && one.live.is_subset(&other.live)
            && (one.live != other.live || one.rank() < other.rank())
    }

    pub fn view(&self, current: Option<DocName>) -> View {
        let mut by_key: BTreeMap<Key, Vec<Candidate>> = BTreeMap::new();
        for candidate in self.candidates(current) {
            by_key.entry(candidate.value.key).or_default().push(candidate);
        }
        let mut view = View::default();
        for (key, mut candidates) in by_key {
            candidates.sort_by_key(|one| {
                let is_late =
                    self.rule == Rule::LateBeatsCopy && !self.is_listed(&one.live, current);
                let value = &one.value;
                let order = (value.doc, one.is_whole(), value.place.clone(), value.parts.clone());
                (value.can_be_in(self.epoch), is_late, order)
            });
            if let Some(last) = candidates.pop_if(|last| last.value.can_be_in(self.epoch)) {
                view.shown.insert(key, last.value);
            }
            if !candidates.is_empty() {
                view.waiting.insert(key, candidates.into_iter().map(|one| one.value).collect());
            }
        }
        view
    }

    fn is_listed(&self, parts: &Parts, current: Option<DocName>) -> bool {
        let current = self.docs.iter().find(|doc| Some(doc.name) == current);
        let listed = |part: &Part| current.is_some_and(|doc| doc.claim.frontier.contains(part));
        parts.iter().all(listed)
    }

    /// What the current document lacks of the others.
    pub fn to_carry(&self, current: DocName) -> Commit {
        let mut commit = Commit::default();
        let Some(into) = self.docs.iter().find(|doc| doc.name == current) else { return commit };
        let alone = Self { rule: self.rule, docs: vec![into], epoch: self.epoch };
        let held = alone.all_values(Some(current));
        for Candidate { value, .. } in self.candidates(Some(current)) {
            if !held.contains_key(&value.parts) {
                commit.entries.insert(value.parts.clone(), value);
            }
        }
        let others = self.docs.iter().filter(|doc| doc.name != current);
        for part in self.known_parts() {
            let is_listed = into.claim.frontier.contains(&part);
            if self.rule == Rule::MarksOnlyListed && !is_listed {
                continue;
            }
            if self.is_over(&part) && !alone.is_over(&part) {
                commit.marks.insert(part);
            }
        }
        for doc in others {
            if self.rule != Rule::MarksOnlyListed {
                let lacks =
                    |mark: &&Part| !into.marks.contains(mark) && may_matter(&into.claim, mark);
                commit.marks.extend(doc.marks.iter().filter(lacks).cloned());
            }
            let own = [(doc.name, &doc.claim)];
            for (name, context) in doc.contexts.iter().map(|(name, c)| (*name, c)).chain(own) {
                let adds =
                    |(of, end): (&(DocName, u32), &u32)| into.claim.covers.get(of) < Some(end);
                let is_new = context.covers.iter().any(adds) && !into.contexts.contains_key(&name);
                if is_new && self.rule != Rule::NoContexts {
                    commit.contexts.insert(name, context.clone());
                }
            }
        }
        commit
    }

    /// The parts of what is here, and whole edits whose content is not.
    fn known_parts(&self) -> Parts {
        let mut parts: Parts = self.all_values(None).into_keys().flatten().collect();
        for doc in &self.docs {
            parts.extend(doc.items.keys().map(|id| Part::whole(*id)));
        }
        parts
    }

    /// The claim of a migration, and the marks and values that its document begins with.
    pub fn migrated(&self, to: Epoch) -> (Context, Commit) {
        let mut claim = Context::default();
        for doc in &self.docs {
            let ends = doc.clocks.iter().map(|(client, end)| ((doc.name, *client), *end));
            let of_contexts =
                doc.all_contexts().flat_map(|c| &c.covers).map(|(of, end)| (*of, *end));
            for (of, end) in ends.chain(of_contexts) {
                let covered = claim.covers.entry(of).or_default();
                *covered = end.max(*covered);
            }
        }
        let mut commit = Commit::default();
        let shown = self.view(None).shown;
        let mut joined: BTreeMap<Key, Value> = BTreeMap::new();
        for Candidate { value, .. } in self.candidates(None) {
            let is_shown = shown.get(&value.key) == Some(&value) && value.can_be_in(to);
            for value in value.converted(to) {
                match joined.get_mut(&value.key) {
                    Some(made) if is_shown => {
                        made.parts.extend(value.parts);
                        if (made.doc, &made.place) < (value.doc, &value.place) {
                            (made.doc, made.place) = (value.doc, value.place);
                        }
                    }
                    None if is_shown => _ = joined.insert(value.key, value),
                    _ => _ = commit.entries.insert(value.parts.clone(), value),
                }
            }
        }
        commit.entries.extend(joined.into_values().map(|value| (value.parts.clone(), value)));
        claim.frontier = commit.entries.keys().flatten().cloned().collect();
        if self.rule != Rule::FrontierIsCopies {
            let with_content: Vec<EditId> = claim.frontier.iter().map(|part| part.edit).collect();
            let items = self.docs.iter().flat_map(|doc| doc.items.keys().copied());
            let contexts = self.docs.iter().flat_map(|doc| doc.all_contexts());
            let listed = contexts.flat_map(|context| &context.frontier).map(|part| part.edit);
            for edit in items.chain(listed).filter(|edit| !with_content.contains(edit)) {
                let undecided = self.undecided(edit);
                claim.frontier.extend(undecided);
            }
        }
        let marks = self.docs.iter().flat_map(|doc| &doc.marks);
        commit.marks = marks.filter(|mark| may_matter(&claim, mark)).cloned().collect();
        (claim, commit)
    }

    /// The parts of an edit that no document says to be over, as far as they are told apart.
    fn undecided(&self, edit: EditId) -> Parts {
        let mut parts = Parts::from([Part::whole(edit)]);
        let contexts = self.docs.iter().flat_map(|doc| doc.all_contexts());
        for context in contexts.filter(|context| context.covers(edit)) {
            let both = |part: &Part| {
                let narrower = |listed: &Part| match (part.contains(listed), listed.contains(part))
                {
                    (true, _) => Some(listed.clone()),
                    (_, true) => Some(part.clone()),
                    _ => None,
                };
                context.lists_of(edit).filter_map(narrower).collect::<Parts>()
            };
            parts = parts.iter().flat_map(both).collect();
        }
        parts.retain(|part| !self.is_over(part));
        parts
    }
}

/// A value of which a part is not over.
#[derive(Clone)]
pub struct Candidate {
    pub live: Parts,
    pub value: Value,
}

impl Candidate {
    fn is_whole(&self) -> bool {
        self.live.len() == self.value.parts.len()
    }

    fn rank(&self) -> (bool, DocName, &Parts) {
        (self.is_whole(), self.value.doc, &self.value.parts)
    }
}

fn is_marked(doc: &Document, part: &Part) -> bool {
    if doc.marks.range(Part::whole(part.edit)..).next().is_none_or(|mark| mark.edit != part.edit) {
        return false;
    }
    let is_prefix = |length: usize| {
        let split = part.split[..length].to_vec();
        doc.marks.contains(&Part { edit: part.edit, split })
    };
    (0..=part.split.len()).any(is_prefix)
}

/// Whether a mark says more than a claim does.
fn may_matter(claim: &Context, mark: &Part) -> bool {
    !claim.covers(mark.edit) || claim.lists_of(mark.edit).next().is_some()
}
