//! [`Part`]: the name of a late edit, of a part of one, or of the edit that a copy stands for.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use twox_hash::XxHash3_64;

use super::documents::DocName;
use crate::row::ItemId;

/// The sign that the path of a field begins with in a split.
const FIELD: char = '\u{1}';

/// The edit, or the row made by a function, that a part is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PartOf {
    /// A row that a `migrate` function made, by a hash of its root, key and text. As text: `made:9a`.
    Made(u64),
    /// A write of a key in a document. As text: `0:7.3`.
    Edit(DocName, ItemId),
}

/// Which of the rows that come of an edit is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Split {
    /// That in the table of this name, at a step at which rows of one table go into several.
    Table(String),
    /// The row that the `migrate` function of an epoch made under a root and a key; all rows that it made
    /// if both are empty.
    Made(u32, String, String),
    /// Of what functions made: that of the migration into a document.
    Run { by: DocName },
}

/// One of the rows that come of an edit: for nearly all edits, the edit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub(crate) origin: PartOf,
    pub(crate) split: Vec<Split>,
}

/// The parts that a row or an entry stands for.
pub(crate) type Parts = BTreeSet<Part>;

/// The parts of a row that a migration reads, on its way to the new document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Base {
    /// A `migrate` function made it.
    Made,
    Edit(DocName, ItemId),
    Parts(Arc<Parts>),
}

impl PartOf {
    fn parse(text: &str) -> Option<Self> {
        let (document, id) = text.rsplit_once(':')?;
        if document == "made" {
            return u64::from_str_radix(id, 16).ok().map(Self::Made);
        }
        let (client, clock) = id.split_once('.')?;
        let id = ItemId { client: client.parse().ok()?, clock: clock.parse().ok()? };
        Some(Self::Edit(DocName::parse(document)?, id))
    }

    /// Names a row that a `migrate` function made under a key.
    pub(crate) fn made(root: &str, key: &str, json: &str) -> Self {
        Self::Made(XxHash3_64::oneshot(format!("{root}\n{key}\n{json}").as_bytes()))
    }
}

impl fmt::Display for PartOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edit(document, id) => write!(f, "{document}:{}.{}", id.client, id.clock),
            Self::Made(hash) => write!(f, "made:{hash:x}"),
        }
    }
}

impl Part {
    /// All that comes of something.
    pub(crate) fn whole(origin: PartOf) -> Self {
        Self { origin, split: Vec::new() }
    }

    /// All that comes of an edit.
    pub(crate) fn edit(document: DocName, id: ItemId) -> Self {
        Self::whole(PartOf::Edit(document, id))
    }

    /// Whether it is what a `migrate` function has made something of: that is over once this is, and stands
    /// for it only in that way.
    pub(crate) fn is_ground(&self) -> bool {
        self.split.iter().any(|split| matches!(split, Split::Made(..)))
    }

    /// Whether it stands for what a `migrate` function made.
    pub(crate) fn is_made(&self) -> bool {
        matches!(self.origin, PartOf::Made(_))
    }

    /// The migration that made it, of what a `migrate` function made.
    pub(crate) fn run(&self) -> Option<DocName> {
        self.split.iter().find_map(|split| match split {
            Split::Run { by } => Some(*by),
            Split::Table(_) | Split::Made(..) => None,
        })
    }

    /// The same, by whichever migration it was made.
    pub(crate) fn by_any_run(mut self) -> Self {
        self.split.retain(|split| !matches!(split, Split::Run { .. }));
        self
    }

    /// Whether who speaks of this part in a document of an epoch means `other`, too: it is this part, or
    /// comes of it, and no `migrate` function made it before.
    pub(crate) fn contains(&self, other: &Self, epoch: u32) -> bool {
        let is_apart = |split: &Split| matches!(split, Split::Made(made, ..) if *made <= epoch);
        let rest = other.split.strip_prefix(self.split.as_slice());
        self.origin == other.origin && rest.is_some_and(|rest| !rest.iter().any(is_apart))
    }

    /// The parts that contain this one in a document of an epoch, itself included.
    pub(crate) fn containers(&self, epoch: u32) -> impl Iterator<Item = Self> {
        let prefixes = (0..=self.split.len()).map(|len| {
            let split = self.split.iter().take(len).cloned().collect();
            Self { origin: self.origin, split }
        });
        let made = self.split.iter().position(|split| matches!(split, Split::Made(..)));
        let all_made = made.and_then(|at| {
            let Split::Made(epoch, ..) = self.split.get(at)? else { return None };
            let whole = Self { origin: self.origin, split: self.split.get(..at)?.to_vec() };
            Some(whole.all_made(*epoch))
        });
        prefixes.filter(move |prefix| prefix.contains(self, epoch)).chain(all_made)
    }

    /// All that the `migrate` function of an epoch makes of it.
    pub(crate) fn all_made(mut self, epoch: u32) -> Self {
        self.split.push(Split::Made(epoch, String::new(), String::new()));
        self
    }

    /// A field of it, by the path of a cell: in marks only. No table has such a name.
    pub(crate) fn of_field(mut self, path: &str) -> Self {
        self.split.push(Split::Table(format!("{FIELD}{path}")));
        self
    }

    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Another spelling is another key.
        serde_json::from_str(text).ok().filter(|part: &Self| part.to_text() == text)
    }
}

impl Serialize for PartOf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PartOf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not the name of an edit"))
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.split.is_empty() {
            return self.origin.serialize(serializer);
        }
        (self.origin, &self.split).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Whole(PartOf),
            Split(PartOf, Vec<Split>),
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Whole(origin) => Self::whole(origin),
            Form::Split(origin, split) => Self { origin, split },
        })
    }
}

impl Base {
    /// Returns the parts of a copy that is written under a key.
    pub(crate) fn parts(&self, root: &str, key: &str, json: &str) -> Parts {
        match self {
            Self::Made => Parts::from([Part::whole(PartOf::made(root, key, json))]),
            Self::Edit(document, id) => Parts::from([Part::edit(*document, *id)]),
            Self::Parts(parts) => Parts::clone(parts),
        }
    }

    /// The same, in a table that is one of several which go on from that of the row.
    pub(crate) fn split(&self, split: &[Split]) -> Self {
        let parts = match self {
            _ if split.is_empty() => return self.clone(),
            Self::Made => return Self::Made,
            Self::Edit(document, id) => Parts::from([Part::edit(*document, *id)]),
            Self::Parts(parts) => Parts::clone(parts),
        };
        let longer = |mut part: Part| {
            part.split.extend_from_slice(split);
            part
        };
        Self::Parts(Arc::new(parts.into_iter().map(longer).collect()))
    }

    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Made => String::new(),
            Self::Edit(document, id) => PartOf::Edit(*document, *id).to_string(),
            Self::Parts(parts) => serde_json::to_string(parts).unwrap_or_default(),
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::Made);
        }
        if text.starts_with('[') {
            return serde_json::from_str(text).ok().map(|parts| Self::Parts(Arc::new(parts)));
        }
        match PartOf::parse(text)? {
            PartOf::Edit(document, id) => Some(Self::Edit(document, id)),
            PartOf::Made(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_one_spelling() {
        let id = ItemId { client: 7, clock: 3 };
        let whole = Part::edit(DocName::unclaimed(0), id);
        assert_eq!(whole.to_text(), r#""0:7.3""#);
        let split = vec![Split::Table("tags".into()), Split::Made(2, "table:a".into(), "k".into())];
        let part = Part { split, ..whole.clone() };
        assert_eq!(part.to_text(), r#"["0:7.3",["tags",[2,"table:a","k"]]]"#);
        for part in [&whole, &part, &Part::whole(PartOf::Made(0x9a))] {
            assert_eq!(Part::parse(&part.to_text()).as_ref(), Some(part));
        }
        assert!(whole.contains(&part, 1) && !whole.contains(&part, 2) && !part.contains(&whole, 1));
        assert_eq!((part.containers(1).count(), part.containers(2).count()), (4, 2));
        for text in [r#""0:7.03""#, r#""x:7.3""#, r#"["0:7.3",[]]"#, "7", ""] {
            assert_eq!(Part::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_base_comes_back_from_its_text() {
        let edit = Base::Edit(DocName::unclaimed(1), ItemId { client: 1, clock: 0 });
        let split = edit.split(&[Split::Table("tags".into())]);
        for base in [Base::Made, edit, split] {
            assert_eq!(Base::parse(&base.to_text()), Some(base));
        }
    }
}
