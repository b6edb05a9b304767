//! Worked examples of the page, one by one.

use crate::document::{Commit, DocName, Document, EditId, Item, Part, Value};
use crate::rule::{Reading, Rule, View};
use crate::schema::{Epoch, Key};

const S: DocName = DocName { epoch: 0, generation: 0, claim: 0 };
const W: DocName = DocName { epoch: 1, generation: 0, claim: 7 };

fn reading(docs: Vec<&Document>, epoch: Epoch) -> Reading<'_> {
    Reading { rule: Rule::Final, docs, epoch }
}

/// Writes the edit of a number upon the tip of its key, and marks what it has seen elsewhere.
fn write(doc: &mut Document, client: u32, key: Key, edit: usize, seen: Option<&Value>) -> EditId {
    let id = EditId { doc: doc.name, client, clock: doc.clock(client) };
    let mut place = doc.tip(key).map(|tip| doc.items[&tip].place.clone()).unwrap_or_default();
    place.push((id.client, id.clock));
    let mut commit = Commit { clocks: 1, ..Commit::default() };
    commit.marks = seen.into_iter().flat_map(|value| value.parts.clone()).collect();
    commit.items.insert(id, Item { key, edit, place, has_content: true });
    doc.take(client, id.clock, commit);
    id
}

fn mark(doc: &mut Document, client: u32, value: &Value) {
    let marks = value.parts.clone();
    doc.take(client, doc.clock(client), Commit { marks, clocks: 1, ..Commit::default() });
}

fn migrate(from: &[&Document], to: DocName) -> Document {
    let mut doc = Document::new(to);
    let (claim, commit) = reading(from.to_vec(), from[0].name.epoch).migrated(to.epoch);
    doc.claim = claim;
    doc.take(0, 0, Commit { clocks: 1, ..commit });
    doc
}

fn carry(others: &[&Document], into: &mut Document) {
    carry_by(Rule::Final, others, into);
}

fn carry_by(rule: Rule, others: &[&Document], into: &mut Document) {
    let docs = others.iter().copied().chain([&*into]).collect();
    let commit = Reading { rule, docs, epoch: into.name.epoch }.to_carry(into.name);
    into.take(99, into.clock(99), Commit { clocks: 1, ..commit });
}

fn view(doc: &Document) -> View {
    reading(vec![doc], doc.name.epoch).view(Some(doc.name))
}

/// The numbers of the edits that show and wait under a key.
fn numbers(doc: &Document, key: Key) -> (Option<usize>, Vec<usize>) {
    let view = view(doc);
    let waiting = view.waiting.get(&key).into_iter().flatten();
    (view.shown.get(&key).map(|value| value.edit), waiting.map(|value| value.edit).collect())
}

#[test]
fn what_old_code_writes_upon_a_copied_edit_shows() {
    let mut s = Document::new(S);
    write(&mut s, 1, 2, 1, None);
    let mut w = migrate(&[&s], W);
    assert_eq!(numbers(&w, 2), (Some(1), vec![]));
    write(&mut s, 2, 2, 2, None);
    carry(&[&s], &mut w);
    assert_eq!(numbers(&w, 2), (Some(2), vec![]));
}

#[test]
fn a_row_that_was_edited_in_both_shows_the_later_epoch_and_the_other_waits() {
    let mut s = Document::new(S);
    write(&mut s, 1, 2, 1, None);
    let mut w = migrate(&[&s], W);
    let copy = view(&w).shown[&2].clone();
    write(&mut w, 1, 2, 3, Some(&copy));
    write(&mut s, 2, 2, 2, None);
    carry(&[&s], &mut w);
    assert_eq!(numbers(&w, 2), (Some(3), vec![2]));
}

#[test]
fn a_removal_decides_what_it_knew_and_nothing_else() {
    let mut s = Document::new(S);
    write(&mut s, 1, 2, 1, None);
    let mut w = migrate(&[&s], W);
    let copy = view(&w).shown[&2].clone();
    mark(&mut w, 1, &copy);
    assert_eq!(numbers(&w, 2), (None, vec![]));
    carry(&[&s], &mut w);
    assert_eq!(numbers(&w, 2), (None, vec![]));
    write(&mut s, 2, 2, 2, None);
    carry(&[&s], &mut w);
    assert_eq!(numbers(&w, 2), (Some(2), vec![]));
}

#[test]
fn an_edit_that_cannot_be_converted_waits_beside_the_copy_that_stays() {
    let mut s = Document::new(S);
    write(&mut s, 1, 2, 1, None);
    let mut w = migrate(&[&s], W);
    // Edits of epoch 0 that five divides cannot be converted.
    write(&mut s, 2, 2, 5, None);
    carry(&[&s], &mut w);
    assert_eq!(numbers(&w, 2), (Some(1), vec![5]));
    let failed = view(&w).waiting[&2][0].clone();
    mark(&mut w, 1, &failed);
    assert_eq!(numbers(&w, 2), (Some(1), vec![]));
    // The next edit can be converted, and replaces both.
    write(&mut s, 2, 2, 6, None);
    carry(&[&s], &mut w);
    assert_eq!(numbers(&w, 2), (Some(6), vec![]));
}

#[test]
fn rows_that_were_made_of_one_are_decided_one_by_one() {
    let mut s = Document::new(S);
    let edit = write(&mut s, 1, 3, 1, None);
    let mut w = migrate(&[&s], W);
    let copy = view(&w).shown[&3].clone();
    assert!(copy.parts.contains(&Part { edit, split: vec![3] }));
    write(&mut w, 1, 3, 2, Some(&copy));
    assert_eq!((numbers(&w, 3), numbers(&w, 13)), ((Some(2), vec![]), (Some(1), vec![])));
    write(&mut s, 2, 3, 4, None);
    carry(&[&s], &mut w);
    assert_eq!((numbers(&w, 3), numbers(&w, 13)), ((Some(2), vec![4]), (Some(4), vec![])));
}

#[test]
fn a_late_edit_of_one_of_many_is_told_apart_from_the_others() {
    let mut s = Document::new(DocName { epoch: 1, ..S });
    write(&mut s, 1, 0, 1, None);
    write(&mut s, 1, 1, 2, None);
    let mut w = migrate(&[&s], DocName { epoch: 2, ..W });
    assert_eq!(view(&w).shown[&0].parts.len(), 2);
    write(&mut s, 2, 1, 3, None);
    carry(&[&s], &mut w);
    // The row made of both still stands for the first, and so does the first alone.
    assert_eq!(numbers(&w, 0), (Some(3), vec![1]));
    assert_eq!(view(&w).waiting[&0][0].parts.len(), 1);
}

#[test]
fn an_old_copy_that_returns_after_a_rebuild_brings_nothing_back() {
    let mut s = Document::new(S);
    write(&mut s, 1, 2, 1, None);
    let mut w = migrate(&[&s], W);
    write(&mut s, 2, 2, 2, None);
    carry(&[&s], &mut w);
    let late = view(&w).shown[&2].clone();
    mark(&mut w, 1, &late);
    let mut rebuilt = migrate(&[&w, &s], DocName { generation: 1, ..W });
    assert!(rebuilt.marks.is_empty(), "the claim says it");
    carry(&[&s], &mut rebuilt);
    assert_eq!(numbers(&rebuilt, 2), (None, vec![]));
}

#[test]
fn what_a_pruned_claim_knew_stays_known() {
    let knows = |rule: Rule| {
        let mut s = Document::new(S);
        write(&mut s, 1, 2, 1, None);
        let mut w = migrate(&[&s], W);
        write(&mut s, 2, 2, 2, None);
        let old_copy = s.clone();
        write(&mut s, 3, 2, 3, None);
        // This claim knew the second edit, and that the third had replaced it.
        let losing = migrate(&[&s], DocName { claim: 3, ..W });
        carry_by(rule, &[&losing], &mut w);
        carry_by(rule, &[&old_copy], &mut w);
        numbers(&w, 2)
    };
    assert_eq!(knows(Rule::Final), (Some(3), vec![]));
    assert_ne!(knows(Rule::NoContexts), (Some(3), vec![]));
}
