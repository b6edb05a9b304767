//! The code of the guide on concurrent edits. What stands between `[name]` and `[end]` is shown.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
pub struct Note {
    #[key]
    pub name: String,
    pub text: String,
}

#[derive(Store)]
#[store(name = "notebook")]
pub struct Notebook {
    pub notes: Table<Note>,
}

fn exchange(one: &Notebook, other: &Notebook) -> heirloom::Result<()> {
    for _ in 0..3 {
        other.apply(&one.changes_since(&other.summary()?)?)?;
        one.apply(&other.changes_since(&one.summary()?)?)?;
    }
    Ok(())
}

fn note(text: &str) -> Note {
    Note { name: "shop".into(), text: text.into() }
}

/// Two devices whose notes meet, so that the laptop's loses.
fn devices() -> heirloom::Result<(Notebook, Notebook)> {
    loop {
        let (laptop, phone) = (Notebook::in_memory()?, Notebook::in_memory()?);
        if laptop.status()?.device() < phone.status()?.device() {
            return Ok((laptop, phone));
        }
    }
}

fn decide() -> heirloom::Result<String> {
    let mut out = String::new();
    let (laptop, phone) = devices()?;
    // [lost]
    laptop.notes.put(&note("milk"))?;
    phone.notes.put(&note("bread"))?;
    exchange(&laptop, &phone)?;

    for lost in laptop.lost_edits()? {
        writeln!(out, "{lost}").ok();
        let text = lost.loser_as::<Note>()?.text;
        laptop.notes.update("shop", |note| note.text += &format!(", {text}"))?;
        lost.dismiss()?;
    }
    exchange(&laptop, &phone)?;
    for (name, device) in [("laptop", &laptop), ("phone", &phone)] {
        writeln!(out, "{name}: {:?}", device.notes.get("shop")?).ok();
    }
    // [end]
    Ok(out)
}

#[test]
fn a_lost_edit_is_merged_by_hand() {
    let out = decide().unwrap();
    let shown = include_str!("concurrent_edits/lost.txt");
    assert_eq!(out, shown, "{out}");
}

#[test]
fn an_edit_wins_against_a_removal_that_did_not_know_it() -> heirloom::Result<()> {
    let (laptop, phone) = devices()?;
    // [removed]
    laptop.notes.put(&note("milk"))?;
    phone.notes.put(&note("bread"))?;
    phone.notes.remove("shop")?;

    phone.apply(&laptop.changes_since(&phone.summary()?)?)?;
    let lost = phone.lost_edits()?;
    assert_eq!((lost[0].winner(), lost[0].loser_as::<Note>()?), ("null", note("milk")));

    exchange(&laptop, &phone)?;
    assert_eq!(phone.notes.get("shop")?, Some(note("milk")));
    assert!(phone.lost_edits()?.is_empty());
    // [end]
    Ok(())
}

// [fields]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "talks", merge = "fields")]
pub struct Talk {
    pub id: u32,
    pub title: String,
    pub done: bool,
    #[merge(sum)]
    pub votes: i64,
    #[merge(union)]
    pub tags: BTreeSet<String>,
}
// [end]

#[derive(Store)]
#[store(name = "conference")]
pub struct Conference {
    pub talks: Table<Talk>,
}

fn meet_by_field() -> heirloom::Result<String> {
    let mut out = String::new();
    let (laptop, phone) = (Conference::in_memory()?, Conference::in_memory()?);
    let (title, tags) = ("CRDTs".to_owned(), BTreeSet::new());
    laptop.talks.insert(&Talk { id: 1, title, done: false, votes: 0, tags })?;
    phone.apply(&laptop.changes_since(&phone.summary()?)?)?;
    // [fields-meet]
    laptop.talks.update(&1, |talk| talk.title = "CRDTs, quietly".into())?;
    laptop.talks.update(&1, |talk| talk.votes += 2)?;
    phone.talks.update(&1, |talk| talk.done = true)?;
    phone.talks.update(&1, |talk| {
        talk.votes += 3;
        talk.tags.insert("sync".into());
    })?;
    phone.apply(&laptop.changes_since(&phone.summary()?)?)?;
    laptop.apply(&phone.changes_since(&laptop.summary()?)?)?;

    for (name, device) in [("laptop", &laptop), ("phone", &phone)] {
        writeln!(out, "{name}: {:?}", device.talks.get(&1)?).ok();
        assert!(device.lost_edits()?.is_empty());
    }
    // [end]
    Ok(out)
}

#[test]
fn fields_merge_by_themselves() {
    let out = meet_by_field().unwrap();
    let shown = include_str!("concurrent_edits/fields.txt");
    assert_eq!(out, shown, "{out}");
}
