//! The entries that a migration carries over beside the rows: late edits, marks, and those that its code
//! does not know.

use std::sync::Arc;

use super::convert::text_of;
use super::forward::{later, with_all_made};
use super::plan::Plan;
use crate::doc::Root;
use crate::engine::{
    Base, Candidate, Claim, Copies, DocName, LateEdit, LateEditKey, Loaded, Marks, Part, PartOf,
    Parts, Showing, fields_met, parse_taken_in,
};
use crate::error::{Error, Result};

/// Keys, what stands there stands for, and its JSON.
type UnknownEntries = Vec<(String, Base, String)>;

/// The entries of a document that are taken over beside the rows that are read of the file.
pub(super) struct CarriedOver {
    /// Tables and groups that the code of its epoch does not know.
    pub(super) unknown: Vec<(Root, UnknownEntries)>,
    /// Late edits that are undecided, and do not show.
    pub(super) late: Vec<(LateEditKey, LateEdit)>,
    /// The parts that were decided on, of edits that the migration does not know.
    pub(super) marks: Vec<Part>,
    /// The documents that were taken in.
    pub(super) taken_in: Vec<DocName>,
    /// The parts that were undecided before, and are not here.
    pub(super) missing: Parts,
}

impl CarriedOver {
    pub(super) fn of(
        loaded: &Loaded,
        copies: Copies<'_>,
        plan: &Plan,
        claim: &Claim,
    ) -> Result<Self> {
        let document = &loaded.document;
        let (mut unknown, mut marks, mut taken_in) = (Vec::new(), Vec::new(), Vec::new());
        for name in document.maps() {
            let Some(root) = Root::parse(&name) else { continue };
            let is_known = match &root {
                Root::Table(name) => plan.from.tables.iter().any(|table| table.name == name),
                Root::Group(name) => plan.from.groups.iter().any(|group| group.name == name),
                // Rows are read with their cells in them, and late edits are looked at by entry.
                Root::Cells(_) | Root::Forwarded => true,
                Root::Seen => {
                    document.for_each::<Error>(&name, |key, _| {
                        let part = Part::parse(key).filter(|part| may_matter(claim, part));
                        marks.extend(part.into_iter().flat_map(|part| with_all_made(plan, part)));
                        taken_in.extend(parse_taken_in(key));
                        Ok(())
                    })?;
                    true
                }
            };
            if is_known {
                continue;
            }
            let mut entries = Vec::new();
            document.for_each::<Error>(&name, |key, entry| {
                let parts = copies.parts_of(entry.id)?;
                let edit = Base::Edit(copies.name, entry.id);
                let base = parts.map_or(edit, |parts| Base::Parts(Arc::new(parts)));
                entries.push((key.to_owned(), base, text_of(entry.content)));
                Ok(())
            })?;
            unknown.push((root, entries));
        }
        let mut late = Vec::new();
        for at in loaded.late_edits.entries() {
            let main = document.entry(&at.root, &at.key);
            let main = main.map(|entry| (entry.id, text_of(entry.content)));
            let id = main.as_ref().map(|(id, _)| *id);
            let standing = loaded.late_edits.standing(document, copies, at, id)?;
            // Fields in the place of which others stand are not in the row that is taken over.
            if let Showing::Late(Candidate { open, stored: Some(stored), .. }) = &standing.shown
                && let Some(value) = &stored.edit.value
            {
                let met = fields_met(document, copies.engine, at, value, open)?;
                let fields =
                    met.iter().flat_map(|path| open.iter().map(|it| it.clone().of_field(path)));
                let parts: Parts = fields.collect();
                if !parts.is_empty() {
                    let key = LateEditKey { at: at.clone(), parts };
                    late.extend(later(plan, copies.name, key, stored.edit.clone(), false)?);
                }
            }
            for Candidate { from, parts, stored, .. } in standing.waiting {
                let edit = match (stored, &main) {
                    (Some(stored), _) => stored.edit.clone(),
                    // A copy that another edit shows in place of.
                    (None, Some((_, json))) => LateEdit::of_copy(from, at, json.clone()),
                    (None, None) => continue,
                };
                let key = LateEditKey { at: at.clone(), parts };
                late.extend(later(plan, copies.name, key, edit, false)?);
            }
        }
        let mut missing = Parts::new();
        if copies.claim.is_some() {
            for part in copies.engine.frontier(copies.name)?.others() {
                let mut entries = loaded.late_edits.entries_of(part.origin);
                if entries.next().is_none() && !document.is_marked(part)? {
                    missing.insert(part.clone());
                }
            }
        }
        Ok(Self { unknown, late, marks, taken_in, missing })
    }
}

/// Whether a mark says more than a claim does.
fn may_matter(claim: &Claim, part: &Part) -> bool {
    match part.origin {
        PartOf::Edit(document, id) => !claim.covers(document, id),
        PartOf::Made(_) => true,
    }
}
