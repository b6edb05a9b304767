//! The model: every edit there was, what its author knew, and what must have become of it.
//!
//! It knows nothing of claims, ranks and slots. Of an edit it knows the register, the document in
//! which it was made, and which other edits stood in the author's store then: surely (`knew`) and
//! at most (`could_know`), for after a kill it may not be known whether something had arrived.

use std::collections::{BTreeMap, BTreeSet};

use super::cards;
use super::code::{Kept, Register};

pub type Edits = BTreeSet<u32>;

#[derive(Debug, Clone)]
pub struct Edit {
    pub number: u32,
    pub device: usize,
    pub register: Register,
    pub is_removal: bool,
    /// Whether it writes a card whole that counts and collects anew.
    pub begins_anew: bool,
    pub epoch: u32,
    /// What its author saw there.
    pub was: Option<u32>,
    /// The document it was made in, where that could be told.
    pub document: Option<String>,
    pub knew: Edits,
    pub could_know: Edits,
    /// Whether its author was told that it had failed, and it may stand all the same.
    pub has_failed: bool,
}

impl Edit {
    /// Whether it is an edit of a register as it stands in the newest epoch.
    fn is_of(&self, register: Register) -> bool {
        match register {
            // A detail is made of what was written to its note before there were details.
            Register::Detail(note) => {
                self.register == register || self.register == Register::Note(note) && self.epoch < 2
            }
            Register::Title(card) | Register::Color(card) => {
                self.register == register || self.register == Register::Card(card)
            }
            _ => self.register == register,
        }
    }

    /// A note that is removed takes no detail with it: that may belong to others, too.
    pub fn removes(&self, register: Register) -> bool {
        let is_its = self.register == register
            || register.card().is_some_and(|card| self.register == Register::Card(card));
        self.is_removal && is_its
    }

    /// Whether it leaves nothing of what a card counted and collected.
    pub fn decides(&self) -> bool {
        self.is_removal || self.begins_anew
    }

    /// Whether it writes a card whole.
    pub fn is_whole(&self) -> bool {
        matches!(self.register, Register::Card(_)) && !self.is_removal
    }

    fn knows(&self, other: &Self) -> bool {
        self.could_know.contains(&other.number) || other.could_know.contains(&self.number)
    }

    /// Whether it removes a note of which another edit was a version.
    fn removes_note_of(&self, other: &Self) -> bool {
        matches!(other.register, Register::Note(_))
            && self.removes(other.register)
            && self.could_know.contains(&other.number)
    }

    /// Whether neither author knew of the other's edit.
    pub fn is_apart_from(&self, other: &Self) -> bool {
        !self.knew.contains(&other.number) && !other.knew.contains(&self.number)
    }

    /// Whether neither author knew of the other's edit, and both were made in one document, which
    /// has one winner then.
    pub fn meets(&self, other: &Self) -> bool {
        let is_same = match (&self.document, &other.document) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        is_same && self.is_apart_from(other)
    }
}

/// What a store holds, and which edits could have reached it.
pub struct Seen<'s> {
    /// Whether somebody has given up a document. Where it comes again, it comes without what only
    /// that copy had, and then nothing tells what was removed from what has not arrived.
    pub has_pruned: bool,
    /// Whether all devices have met.
    pub have_met: bool,
    pub live: &'s BTreeMap<Register, u32>,
    pub kept: &'s [Kept],
    /// What devices show, of whatever epoch.
    pub shown: &'s Edits,
    /// What cards count and collect on any device, what waits there included.
    pub collected: &'s Edits,
    /// What some device has listed as lost.
    pub lost: &'s Edits,
    pub surely: &'s Edits,
    pub at_most: &'s Edits,
}

/// Whether a late edit of a field may lie below an edit of the same field in a newer document that knew nothing
/// of it: another device knew the late edit, but not the newer one, and edited the card, whose base it wrote
/// first. `docs/design/concurrent-edits.md` says so.
fn lies_below_a_base<'e>(
    late: &Edit,
    over: &Edit,
    mut edits: impl Iterator<Item = &'e Edit>,
) -> bool {
    over.register.card().is_some()
        && !over.is_whole()
        && !over.is_removal
        && over.epoch >= late.epoch
        && over.document != late.document
        && !over.knew.contains(&late.number)
        && edits.any(|base| {
            base.register.card() == over.register.card()
                && base.epoch == over.epoch
                && base.could_know.contains(&late.number)
                && !base.knew.contains(&over.number)
        })
}

/// Says what is wrong with a store.
pub fn check(edits: &BTreeMap<u32, Edit>, seen: &Seen<'_>, registers: &[Register]) -> Vec<String> {
    let mut wrong = Vec::new();
    for &register in registers {
        check_register(edits, seen, register, &mut wrong);
    }
    wrong
}

fn check_register(
    edits: &BTreeMap<u32, Edit>,
    seen: &Seen<'_>,
    register: Register,
    wrong: &mut Vec<String>,
) {
    let all_that_came = edits.values().filter(|edit| seen.at_most.contains(&edit.number));
    let all: Vec<&Edit> = all_that_came.clone().filter(|edit| edit.is_of(register)).collect();
    let sure: Vec<&Edit> =
        all.iter().filter(|edit| seen.surely.contains(&edit.number)).copied().collect();
    let is_field = matches!(register, Register::Title(_) | Register::Color(_));
    let is_kept = |edit: &Edit| {
        seen.kept.iter().any(|kept| kept.holds(edit.number))
            || is_field && seen.lost.contains(&edit.number)
    };
    let live = seen.live.get(&register).copied();

    // A card that is written whole writes its fields.
    let written_as = |edit: &Edit| if edit.is_whole() { register } else { edit.register };

    // A device that has merged what another one had lists what lost by that.
    let must_be_listed = seen.have_met && !seen.has_pruned;

    // Newer code may have written over an edit that this code sees lose, or show it still.
    let is_known_elsewhere = |edit: &Edit| {
        seen.shown.contains(&edit.number)
            || edits.values().any(|later| {
                later.is_of(written_as(edit)) && later.could_know.contains(&edit.number)
            })
    };

    // Nothing stands there that nobody wrote.
    if let Some(live) = live
        && !all.iter().any(|edit| edit.number == live && !edit.is_removal)
    {
        wrong.push(format!("{register:?} holds e{live}, which nobody wrote there"));
        return;
    }
    // Two versions of a note did not know of each other. One shows, and the other waits beside it: nothing is
    // made of that. A device that knows both removes the note. Both versions are gone then.
    let went_with_note = |edit: &Edit| {
        all_that_came.clone().any(|removal| {
            let is_beside = |other: &Edit| {
                other.register == edit.register
                    && !other.is_removal
                    && !other.knows(edit)
                    && removal.could_know.contains(&other.number)
            };
            removal.removes_note_of(edit) && all_that_came.clone().any(is_beside)
        })
    };
    // Of two bases of a card one loses, which its author lists once it knows of that.
    let is_to_be_seen = seen.have_met || !is_field;
    // Nothing is gone that nobody removed.
    let was_written = sure.iter().any(|edit| !edit.is_removal && !went_with_note(edit));
    if live.is_none()
        && was_written
        && is_to_be_seen
        && !all.iter().any(|edit| edit.is_removal)
        && !all.iter().any(|edit| is_kept(edit))
    {
        wrong.push(format!("{register:?} holds nothing, and nobody removed anything"));
    }
    let gone = sure.iter().filter(|edit| !edit.is_removal && live != Some(edit.number));
    for edit in gone.filter(|_| is_to_be_seen) {
        // The edit of a field lies over a card that was written whole without knowing it.
        let lies_over = |over: &&Edit| {
            edit.is_whole() && !over.is_whole() && !over.is_removal && over.meets(edit)
        };
        let is_accounted_for = is_kept(edit)
            || all.iter().any(lies_over)
            || all.iter().any(|over| lies_below_a_base(edit, over, all_that_came.clone()))
            || all.iter().any(|later| later.could_know.contains(&edit.number))
            || all
                .iter()
                .any(|other| other.number != edit.number && !other.is_removal && other.meets(edit))
                && (seen.lost.contains(&edit.number)
                    || !must_be_listed
                    || is_known_elsewhere(edit));
        if !is_accounted_for && !went_with_note(edit) {
            wrong.push(format!("{register:?}: e{} is lost; e{live:?} stands there", edit.number));
        }
    }
    // What stands there is not older than what somebody did who knew it.
    let Some(live) = live else { return };
    let decided = sure.iter().filter(|later| later.knew.contains(&live));
    for later in decided.filter(|_| is_to_be_seen) {
        let counts = if later.is_removal {
            // Of two removals, one knew what stands there; the other took out something else, and the
            // author wrote it again before the first arrived, which may be one of another document.
            let races = |other: &&Edit| {
                other.removes(register)
                    && other.number != later.number
                    && other.is_apart_from(later)
                    && !other.could_know.contains(&live)
                    && other.was.is_some_and(|was| was != live)
            };
            let may_return = if is_field {
                cards::may_return(all_that_came.clone(), later)
            } else {
                all.iter().any(races)
            };
            later.removes(register) && !seen.has_pruned && !may_return
        } else {
            // Of a note that was removed before anything was made of it there is no detail; and what
            // was written before a removal goes with it.
            // So it may go with one that knew of neither; where what stands there was only kept beside
            // it, nobody has decided on that, and it comes up.
            let leaves =
                |removal: &Edit| later.was != Some(live) && !removal.could_know.contains(&live);
            let is_removal = |edit: &&&Edit| {
                edit.is_removal && (!edit.removes(register) || seen.has_pruned || leaves(edit))
            };
            let has_taken = |removal: &&Edit| {
                removal.could_know.contains(&later.number)
                    || removal.meets(later)
                    || all
                        .iter()
                        .any(|won| removal.could_know.contains(&won.number) && won.meets(later))
            };
            !went_with_note(later)
                && !all.iter().filter(is_removal).any(has_taken)
                && !cards::may_be_gone_with_card(all_that_came.clone(), later)
        };
        let is_excused = all.iter().any(|kept| {
            is_kept(kept)
                && (kept.number == later.number
                    || kept.could_know.contains(&later.number)
                    || kept.meets(later))
        });
        if counts && !is_excused {
            let what = if later.is_removal { "removed" } else { "replaced" };
            wrong.push(format!(
                "{register:?} holds e{live}, which was {what} by e{} of somebody who knew it",
                later.number
            ));
        }
    }
}
