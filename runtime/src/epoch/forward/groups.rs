//! Late edits of kv groups, whose entries are converted together.

use std::sync::Arc;

use super::values::take_alone;
use super::{Carrying, Outcome, Value};
use crate::doc::Root;
use crate::engine::{Base, DocName, Parts, late_edits};
use crate::epoch::plan::Plan;
use crate::epoch::source::RowsOf;
use crate::error::Result;
use crate::row::{Content, EntryRef};
use crate::schema::descriptor::GroupIdx;

impl Carrying<'_> {
    pub(super) fn carry_group(&mut self, name: DocName, plan: &Plan, group: &str) -> Result<()> {
        let Some(doc) = self.known.doc(name) else { return Ok(()) };
        let root = Root::Group(group.to_owned()).name();
        let mut own = Vec::new();
        doc.document.for_each::<crate::Error>(&root, |key, entry| {
            own.push((key.to_owned(), entry));
            Ok(())
        })?;
        let mut late = Vec::new();
        for (key, entry) in own {
            let parts = self.known.parts_of(name, entry.id)?;
            if self.is_late(&parts)? {
                late.push((key, parts, entry.content));
            }
        }
        if late.is_empty() {
            return Ok(());
        }
        let group_idx = plan.from.group_idx(group).filter(|_| !plan.is_identity());
        let values = match group_idx {
            Some(group_idx) => self.converted_group(name, plan, group_idx, &late)?,
            // An entry that its code does not know, or knows as it is here.
            None => late
                .into_iter()
                .map(|(key, parts, content)| {
                    let at = EntryRef::new(root.as_str(), key);
                    let json = crate::epoch::convert::text_of(content);
                    Value::new(at.clone(), parts, (name, &at), json)
                })
                .collect(),
        };
        for value in values {
            let (key, edit) = value.into_edit();
            self.hold(key, edit)?;
        }
        Ok(())
    }

    /// Converts the late entries of a group, beside the others.
    fn converted_group(
        &self,
        name: DocName,
        plan: &Plan,
        group_idx: GroupIdx,
        late: &[(String, Parts, Content)],
    ) -> Result<Vec<Value>> {
        let Some(doc) = self.known.doc(name) else { return Ok(Vec::new()) };
        let root = Root::Group(plan.from.groups[group_idx].name.to_owned()).name();
        let is_late = |key: &str| late.iter().any(|(late, ..)| late == key);
        let mut early = Vec::new();
        let copies = self.known.copies(name);
        late_edits::for_each::<crate::Error>(
            &doc.document,
            &doc.late_edits,
            copies,
            &root,
            |key, entry| {
                if let (Content::Text(json), false) = (entry.content, is_late(key)) {
                    // A late edit that shows stands for what it was stored under.
                    let at = EntryRef::new(root.as_str(), key);
                    let shown = doc.late_edits.at(&at).find(|(_, stored)| stored.id == entry.id);
                    let parts = match shown {
                        Some((parts, _)) => parts.clone(),
                        None => self.known.parts_of(name, entry.id)?,
                    };
                    early.push((key.to_owned(), Base::Parts(Arc::new(parts)), json.to_string()));
                }
                Ok(())
            },
        )?;
        let mut all = early.clone();
        all.extend(late.iter().filter_map(|(key, parts, content)| match content {
            Content::Text(json) => {
                Some((key.clone(), Base::Parts(Arc::new(parts.clone())), json.to_string()))
            }
            Content::Foreign(_) => None,
        }));
        let all_late: Parts = late.iter().flat_map(|(_, parts, _)| parts.clone()).collect();
        let (of, base) = (EntryRef::new(root.as_str(), ""), Base::Parts(Arc::new(all_late)));
        let with = take_alone(plan, name, &of, RowsOf::Group(group_idx, all), &base)?;
        let without = take_alone(plan, name, &of, RowsOf::Group(group_idx, early), &base)?;
        let mut values = Vec::new();
        for mut value in with {
            let is_same = |other: &Value| match (&other.outcome, &value.outcome) {
                (Outcome::Text(ours), Outcome::Text(theirs)) => {
                    ours == theirs && other.key.at == value.key.at
                }
                _ => false,
            };
            if without.iter().any(is_same) {
                continue;
            }
            let found = late.iter().find(|(_, parts, _)| *parts == value.key.parts);
            if let Some((key, ..)) = found {
                value.of = EntryRef::new(root.as_str(), key.as_str());
            }
            values.push(value);
        }
        for (key, parts, content) in late {
            // Content that is not JSON text cannot be converted: it waits.
            if let Content::Foreign(raw) = content {
                let of = EntryRef::new(root.as_str(), key.as_str());
                values.push(Value::foreign(of, parts.clone(), name, raw.clone()));
            }
        }
        Ok(values)
    }
}
