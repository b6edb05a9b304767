//! The changes that readers see of a change of the current document.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::disk::View;
use crate::doc::Root;
use crate::engine::{Change, ChangeKind, DocName, Engine, Origin, Topic};
use crate::error::{Error, Result};
use crate::row::Content;
use crate::schema::descriptor::TableIdx;

/// Whether readers have seen anything of a view: not before a file of an earlier epoch is open.
fn was_seen(engine: &Engine, view: &View) -> bool {
    DocName::parse(view.document_name()).is_some_and(|name| name.epoch == engine.def.epoch)
}

/// Tells observers how what they see has changed since `before`.
pub(super) fn notify(engine: &Engine, before: &Arc<View>) -> Result<()> {
    if !was_seen(engine, before) {
        return Ok(());
    }
    let after = engine.view();
    let mut by_topic = BTreeMap::new();
    for table_idx in engine.def.table_idxs() {
        let topic = Topic::Table(table_idx);
        if engine.hub.listens(topic) {
            by_topic.insert(topic, changed_rows(engine, before, &after, table_idx)?);
        }
    }
    for (group_idx, group) in engine.def.groups_by_idx() {
        let topic = Topic::Group(group_idx);
        if engine.hub.listens(topic) {
            by_topic.insert(topic, changed_entries(before, &after, group.name)?);
        }
    }
    by_topic.retain(|_, changes| !changes.is_empty());
    engine.hub.push(Origin::Remote, by_topic, before, || after);
    Ok(())
}

/// How what readers see has changed since `before`, as a merge says it.
#[expect(clippy::type_complexity, reason = "named nowhere else")]
pub(super) fn changed_since(
    engine: &Engine,
    before: &Arc<View>,
) -> Result<Vec<(Root, Vec<(String, ChangeKind)>)>> {
    let mut changed: Vec<(Root, Vec<Change>)> = Vec::new();
    if !was_seen(engine, before) {
        return Ok(Vec::new());
    }
    let after = engine.view();
    for (table_idx, table) in engine.def.tables_by_idx() {
        let changes = changed_rows(engine, before, &after, table_idx)?;
        changed.push((Root::Table(table.name.to_owned()), changes));
    }
    let mut groups = before.groups_of(before.document_name())?;
    groups.extend(after.groups_of(after.document_name())?);
    for group in groups.into_iter().collect::<BTreeSet<_>>() {
        let changes = changed_entries(before, &after, &group)?;
        changed.push((Root::Group(group), changes));
    }
    changed.retain(|(_, changes)| !changes.is_empty());
    let keys = |changes: Vec<Change>| changes.into_iter().map(|it| (it.key, it.kind)).collect();
    Ok(changed.into_iter().map(|(root, changes)| (root, keys(changes))).collect())
}

fn changed_entries(before: &View, after: &View, group: &str) -> Result<Vec<Change>> {
    let entries = |view: &View| -> Result<_> {
        let entries = view.entries(view.document_name(), group)?.into_iter();
        Ok(entries.map(|(name, _, content)| (name, json_of(content))).collect())
    };
    Ok(changed_texts(entries(before)?, entries(after)?))
}

/// The rows of a table that two views show differently. Both come in the order of their keys, so
/// that no more is in memory than what has changed.
fn changed_rows(
    engine: &Engine,
    before: &Arc<View>,
    after: &Arc<View>,
    table_idx: TableIdx,
) -> Result<Vec<Change>> {
    let key_text = engine.def.tables[table_idx].key_text;
    let mut changes = Vec::new();
    let mut rows = [before.rows(table_idx)?, after.rows(table_idx)?];
    let mut next = |side: usize| {
        let row = rows[side].next_with(|key, row| (key.to_vec(), row.json().to_vec()));
        row.transpose()
    };
    let (mut was, mut is) = (next(0)?, next(1)?);
    loop {
        let order = match (&was, &is) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((was, _)), Some((is, _))) => was.cmp(is),
        };
        let row = if order.is_gt() { &is } else { &was };
        if (order.is_ne() || was != is)
            && let Some((key, _)) = row
        {
            let kind = ChangeKind::of(order.is_le(), order.is_ge());
            changes.push(Change { key: key_text(key).unwrap_or_default(), kind, json: None });
        }
        if order.is_le() {
            was = next(0)?;
        }
        if order.is_ge() {
            is = next(1)?;
        }
    }
    let strays = |view: &Arc<View>| Ok::<_, Error>(view.strays(table_idx)?.into_iter().collect());
    changes.extend(changed_texts(strays(before)?, strays(after)?));
    Ok(changes)
}

fn changed_texts(
    mut before: BTreeMap<String, String>,
    after: BTreeMap<String, String>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for (key, is) in after {
        let was = before.remove(&key);
        if was.as_ref() != Some(&is) {
            changes.push(Change { key, kind: ChangeKind::of(was.is_some(), true), json: Some(is) });
        }
    }
    let gone = before.into_keys();
    changes.extend(gone.map(|key| Change { key, kind: ChangeKind::Removed, json: None }));
    changes
}

fn json_of(content: Content) -> String {
    match content {
        Content::Text(json) => json.to_string(),
        Content::Foreign(json) => json,
    }
}
