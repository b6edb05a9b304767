//! Cards, whose table merges by field: what is written to them, and what must have become of it.
//!
//! `docs/design/concurrent-edits.md` has the rules under "Merging by field".

use std::collections::{BTreeMap, BTreeSet};

use super::code::{Collected, FIELDS, Register, Write, amount_of};
use super::model::{Edit, Edits, Seen};
use super::steps::{Act, Step};

pub const CARDS: u32 = 2;

/// The write of a card or of a field of one that a step makes, if it makes one.
pub fn write_of(
    step: &Step,
    are_whole: bool,
    live: &BTreeMap<Register, u32>,
) -> Option<(Register, Write)> {
    let choice = step.choice;
    let whole = |card| {
        let is_there = live.contains_key(&Register::Title(card));
        let write = match choice >> 47 & 3 {
            0 | 1 if is_there => Write::Remove,
            2 if is_there => Write::Keep,
            0 | 2 if !is_there => Write::Insert,
            _ => Write::Replace,
        };
        (Register::Card(card), write)
    };
    if are_whole && choice >> 44 & 7 < 3 {
        return Some(whole((choice & 1) as u32));
    }
    let card = (choice & 1) as u32;
    let field = match choice >> 41 & 3 {
        0 => Register::Views(card),
        1 => Register::Marks(card),
        _ if choice & 1 << 40 == 0 => FIELDS[(choice % FIELDS.len() as u64) as usize],
        _ => return None,
    };
    let card = field.card().unwrap_or_default();
    if are_whole && step.act != Act::Remove && !live.contains_key(&Register::Title(card)) {
        return Some(whole(card));
    }
    Some((field, Write::Update))
}

/// All edits of a card, and what follows of who knew which.
struct OfCard<'e> {
    edits: Vec<&'e Edit>,
}

impl<'e> OfCard<'e> {
    fn new(all: impl Iterator<Item = &'e Edit>, card: u32) -> Self {
        Self { edits: all.filter(|edit| edit.register.card() == Some(card)).collect() }
    }

    fn removals(&self) -> impl Iterator<Item = &'e Edit> {
        self.edits.iter().copied().filter(|edit| edit.is_removal)
    }

    /// Edits that bring a card back if a removal did not know them.
    fn unknown_to(&self, decision: &Edit) -> bool {
        let mut edits = self.edits.iter().filter(|edit| !edit.is_removal);
        edits.any(|edit| edit.number != decision.number && !decision.knew.contains(&edit.number))
    }

    /// Whether a removal may be undone as a whole: it did not know all edits, or it raced one that did not.
    fn may_return_after(&self, removal: &Edit) -> bool {
        let races = |other: &Edit| {
            other.number != removal.number && other.is_apart_from(removal) && self.unknown_to(other)
        };
        self.unknown_to(removal) || self.removals().any(races)
    }

    /// Whether what a write whole replaced may show again: another base stands in its place, or the row is
    /// written again as it was before.
    fn may_show_after(&self, write: &Edit) -> bool {
        let is_beside = |edit: &&Edit| {
            edit.is_whole() && edit.number != write.number && edit.is_apart_from(write)
        };
        self.edits.iter().any(is_beside)
            || self.removals().any(|removal| self.may_return_after(removal))
    }
}

/// Whether what stands may stand although it was removed by a device that knew it.
pub fn may_return<'e>(all: impl Iterator<Item = &'e Edit>, removal: &Edit) -> bool {
    let Some(card) = removal.register.card() else { return false };
    OfCard::new(all, card).may_return_after(removal)
}

/// Whether a later edit of a field may have gone, and what it replaced shows: a removal knew it, and an edit
/// that the removal did not know has brought the card back as its author had it.
pub fn may_be_gone_with_card<'e>(all: impl Iterator<Item = &'e Edit>, later: &Edit) -> bool {
    let Some(card) = later.register.card() else { return false };
    let of_card = OfCard::new(all, card);
    let knew = |edit: &&Edit| edit.knew.contains(&later.number);
    let brings_back = |edit: &&Edit| !edit.is_removal && edit.number != later.number && !knew(edit);
    of_card.removals().any(|removal| {
        removal.could_know.contains(&later.number) && of_card.may_return_after(removal)
    }) && of_card.edits.iter().any(brings_back)
}

/// Says what is wrong with whether cards stand, what they count and what they collect.
pub fn check(
    edits: &BTreeMap<u32, Edit>,
    seen: &Seen<'_>,
    collected: &BTreeMap<u32, Collected>,
    current: &[String],
    wrong: &mut Vec<String>,
) {
    for card in 0..CARDS {
        let of = |numbers: &Edits| {
            let all = edits.values().filter(|edit| numbers.contains(&edit.number));
            OfCard::new(all, card)
        };
        let (all, sure) = (of(seen.at_most), of(seen.surely));
        let of_all_epochs = OfCard::new(edits.values(), card);
        check_collected(card, (&all, &sure, &of_all_epochs), seen, collected.get(&card), wrong);
        if seen.have_met && !seen.has_pruned && !collected.contains_key(&card) {
            check_gone(card, (&all, &sure, &of_all_epochs), seen, current, wrong);
        }
    }
}

/// An edit wins against removals that did not know it.
fn check_gone(
    card: u32,
    (all, sure, of_all_epochs): (&OfCard<'_>, &OfCard<'_>, &OfCard<'_>),
    seen: &Seen<'_>,
    current: &[String],
    wrong: &mut Vec<String>,
) {
    for edit in sure.edits.iter().filter(|edit| !edit.is_removal) {
        let is_known = all.removals().any(|removal| removal.could_know.contains(&edit.number));
        // An edit is written again in its document only as long as its author writes there.
        let is_left_behind = all.removals().any(|removal| {
            let (Some(of_edit), Some(of_removal)) = (&edit.document, &removal.document) else {
                return true;
            };
            let current = current.get(edit.device);
            let is_current = match of_edit.split_once('/') {
                Some((of_edit, _)) => current.is_some_and(|current| current == of_edit),
                None => current == Some(&format!("{of_edit}.0")),
            };
            of_edit == of_removal && !is_current
        });
        let is_kept = |edit: &Edit| seen.kept.iter().any(|kept| kept.holds(edit.number));
        // It lost in its document to another edit, and that was removed in a newer one, or waits.
        let has_lost = seen.lost.contains(&edit.number)
            && all.edits.iter().any(|other| {
                let is_removed = |removal: &Edit| {
                    removal.document != edit.document && removal.could_know.contains(&other.number)
                };
                let is_gone = all.removals().any(is_removed) || is_kept(other);
                !other.is_removal && other.meets(edit) && is_gone
            });
        // One that was written upon it stands for it, also if only newer code has that.
        let is_replaced = of_all_epochs.edits.iter().any(|later| {
            let replaces = later.is_whole() || later.register == edit.register;
            !later.is_removal && replaces && later.could_know.contains(&edit.number)
        });
        if is_replaced {
            continue;
        }
        let is_kept = is_kept(edit);
        if !is_known && !is_left_behind && !is_kept && !has_lost {
            wrong.push(format!(
                "card {card} is gone, and no removal knew e{} of {:?}",
                edit.number, edit.register
            ));
        }
    }
}

/// Counts and marks are there, each once, unless a write whole or a removal knew them.
fn check_collected(
    card: u32,
    (all, sure, of_all_epochs): (&OfCard<'_>, &OfCard<'_>, &OfCard<'_>),
    seen: &Seen<'_>,
    here: Option<&Collected>,
    wrong: &mut Vec<String>,
) {
    // What waits is counted once it is accepted.
    let waits = seen.kept.iter().any(|kept| kept.place == "cards" && kept.key == card.to_string());
    let views = here.map_or(0, |here| here.views);
    let marks = here.map(|here| here.marks.clone()).unwrap_or_default();
    let added = |of: &OfCard<'_>, register| -> Edits {
        let adds = |edit: &&&Edit| edit.register == register || edit.begins_anew;
        of.edits.iter().filter(adds).map(|edit| edit.number).collect()
    };
    let most = added(all, Register::Views(card));
    let counted: Edits =
        most.iter().copied().filter(|edit| views & amount_of(*edit) != 0).collect();
    let sum: i64 = counted.iter().map(|edit| amount_of(*edit)).sum();
    if sum != views {
        wrong.push(format!("card {card} counts {views:#x}, of which {sum:#x} was added"));
    }
    let made_up: Edits = marks.difference(&added(all, Register::Marks(card))).copied().collect();
    if !made_up.is_empty() {
        wrong.push(format!("card {card} has {made_up:?}"));
    }
    // Of two bases one may lose, which a device whose document it is has to list first.
    if !seen.have_met || waits {
        return;
    }
    for (name, register, here) in
        [("count", Register::Views(card), &counted), ("mark", Register::Marks(card), &marks)]
    {
        // Newer code may have decided on what this code sees lose.
        let is_decided = |number: &u32| {
            let added = of_all_epochs.edits.iter().find(|edit| edit.number == *number);
            of_all_epochs.edits.iter().any(|later| {
                let is_of_newer = || added.is_some_and(|added| added.document != later.document);
                let replaces = later.decides() || later.is_whole() && is_of_newer();
                replaces && later.could_know.contains(number)
            })
        };
        let lacks: BTreeSet<u32> = added(sure, register)
            .difference(here)
            .copied()
            .filter(|number| !seen.lost.contains(number) && !is_decided(number))
            .filter(|number| !seen.collected.contains(number))
            .collect();
        if !lacks.is_empty() {
            wrong.push(format!("card {card} lacks the {name} of {lacks:?}"));
        }
        for decision in sure.edits.iter().filter(|edit| edit.decides()) {
            let is_open = if decision.is_removal {
                all.may_return_after(decision)
            } else {
                // Or the base that was written upon it has lost.
                let has_lost = all.edits.iter().any(|later| {
                    let is_upon = later.is_whole() && later.could_know.contains(&decision.number);
                    (is_upon || later.number == decision.number)
                        && seen.lost.contains(&later.number)
                });
                all.may_show_after(decision) || has_lost
            };
            let again: Edits = here.intersection(&decision.knew).copied().collect();
            if !is_open && !seen.has_pruned && !again.is_empty() {
                wrong.push(format!(
                    "card {card} has the {name} of {again:?}, which e{} knew",
                    decision.number
                ));
            }
        }
    }
}
