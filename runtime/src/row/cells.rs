//! Cells: the fields of a row that were written by themselves, and how they lie over the row.
//!
//! A row of a table that merges by field is its *base*, the JSON under its key, and its cells. The key of
//! a cell is the row's key, U+0001, and a path that says what the cell holds:
//!
//! | path | text of the cell | what it does |
//! |---|---|---|
//! | field | JSON | takes the place of the field; an empty text takes the field out |
//! | field, U+0001, member | JSON | the same, of a member of the object that the field holds |
//! | field, U+0002, client | integer | is added to the field: what the devices of that client have counted |
//! | field, U+0003, element | `true` | puts an element into the set that the field holds |
//! | field, U+0004, element | `true` | takes an element out of the base's set |
//!
//! `docs/design/concurrent-edits.md` states the rule.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::json::{Json, Kind};
use super::object::Object;

/// Between the key of a row and the path of a cell, and between a field and a member.
pub(crate) const PATH: char = '\u{1}';
const COUNT: char = '\u{2}';
const ADDED: char = '\u{3}';
const TAKEN: char = '\u{4}';

/// How a field of a table that merges by field merges, if not as one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldMerge {
    /// Each member of the object by itself: `#[merge(fields)]`.
    Fields,
    /// The sum of what devices add: `#[merge(sum)]`.
    Sum,
    /// Each element of the set by itself: `#[merge(union)]`.
    Union,
}

impl FieldMerge {
    /// The word for it in an attribute and in a schema.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fields => "fields",
            Self::Sum => "sum",
            Self::Union => "union",
        }
    }
}

/// A local write of a row beside its base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CellWrite {
    /// A value takes the place of what is at the path; `None` takes that out.
    Set { path: String, json: Option<String> },
    /// A number is added to the field.
    Add { field: String, by: i64 },
    /// An element is put into the set of the field.
    Insert { field: String, element: String },
    /// An element is taken out of the set of the field.
    Remove { field: String, element: String },
}

/// The key of a cell.
pub(crate) fn cell_key(key: &str, path: &str) -> String {
    format!("{key}{PATH}{path}")
}

/// The key of the row that a cell belongs to, and the cell's path.
pub(crate) fn split_cell_key(key: &str) -> Option<(&str, &str)> {
    key.split_once(PATH)
}

/// Whether a row of this key may have cells: the sign that their keys begin with after it is not in it.
pub(crate) fn may_have_cells(key: &str) -> bool {
    !key.contains(PATH)
}

/// The path of the cell in which a client counts what it adds to a field.
pub(crate) fn count_path(field: &str, client: u64) -> String {
    format!("{field}{COUNT}{client}")
}

/// The paths of the cells that put an element into a set, and that take it out of the base's.
pub(crate) fn element_paths(field: &str, element: &str) -> (String, String) {
    (format!("{field}{ADDED}{element}"), format!("{field}{TAKEN}{element}"))
}

/// Whether a cell puts an element into a set.
pub(crate) fn is_added_element(path: &str) -> bool {
    matches!(Part::of(path), Some((_, Part::Added(_))))
}

/// Whether a cell says something that a user would miss: not that an element is out, or how much was counted.
pub(crate) fn is_told(path: &str) -> bool {
    !matches!(Part::of(path), Some((_, Part::Count | Part::Taken(_))))
}

/// Whether a cell counts.
pub(crate) fn is_count(path: &str) -> bool {
    matches!(Part::of(path), Some((_, Part::Count)))
}

/// Whether a cell is about a part of what is at a path.
pub(crate) fn is_below(path: &str, of: &str) -> bool {
    let rest = path.strip_prefix(of).and_then(|rest| rest.chars().next());
    rest.is_some_and(|next| matches!(next, PATH | COUNT | ADDED | TAKEN))
}

/// The part of a field that a cell is about.
enum Part<'p> {
    Whole,
    Member(&'p str),
    Count,
    Added(&'p str),
    Taken(&'p str),
}

impl<'p> Part<'p> {
    /// The field of a path, and what of it; `None` for a path of newer code.
    fn of(path: &'p str) -> Option<(&'p str, Self)> {
        let Some(at) = path.find([PATH, COUNT, ADDED, TAKEN]) else {
            return Some((path, Self::Whole));
        };
        let (field, rest) = path.split_at(at);
        // Each of the signs is one byte.
        let (sign, rest) = rest.split_at(1);
        let part = match sign.chars().next()? {
            PATH if !rest.contains([PATH, COUNT, ADDED, TAKEN]) => Self::Member(rest),
            COUNT if rest.parse::<u64>().is_ok() => Self::Count,
            ADDED => Self::Added(rest),
            TAKEN => Self::Taken(rest),
            _ => return None,
        };
        Some((field, part))
    }
}

/// An integer that a field or a cell holds.
fn integer(json: &str) -> Option<i64> {
    json.trim().parse().ok()
}

/// The members of an object in their order, by name.
type Members<'t> = Vec<(Cow<'t, str>, Cow<'t, str>)>;

fn members(text: &str) -> Option<Members<'_>> {
    Some(Object::parse(text)?.into_members())
}

fn object_text(members: &[(Cow<'_, str>, Cow<'_, str>)]) -> String {
    let mut object = Object::default();
    for (name, value) in members {
        object.push(&**name, &**value);
    }
    object.to_text()
}

fn value_in<'m>(members: &'m [(Cow<'_, str>, Cow<'_, str>)], name: &str) -> Option<&'m str> {
    members.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
}

fn set<'v>(members: &mut Members<'v>, name: &str, value: Option<Cow<'v, str>>) {
    let at = members.iter().position(|(known, _)| known == name);
    match (at, value) {
        (Some(at), Some(value)) => members[at].1 = value,
        (Some(at), None) => drop(members.remove(at)),
        (None, Some(value)) => members.push((name.to_owned().into(), value)),
        (None, None) => {}
    }
}

/// The cells of a field, which together make its value.
#[derive(Default)]
struct FieldCells<'c> {
    whole: Option<&'c str>,
    members: BTreeMap<&'c str, &'c str>,
    count: Option<i128>,
    added: BTreeSet<&'c str>,
    taken: BTreeSet<&'c str>,
}

impl<'c> FieldCells<'c> {
    fn add(&mut self, part: Part<'c>, text: &'c str) {
        match part {
            Part::Whole => self.whole = Some(text),
            Part::Member(name) => drop(self.members.insert(name, text)),
            Part::Count => {
                if let Some(count) = integer(text) {
                    self.count = Some(self.count.unwrap_or_default() + i128::from(count));
                }
            }
            Part::Added(element) => drop(self.added.insert(element)),
            Part::Taken(element) => drop(self.taken.insert(element)),
        }
    }

    /// The value of the field with the cells over it; `None` for no field.
    fn over(self, base: Option<Cow<'c, str>>) -> Option<Cow<'c, str>> {
        let mut value = match self.whole {
            Some("") => None,
            Some(whole) => Some(Cow::Borrowed(whole)),
            None => base,
        };
        if !self.members.is_empty()
            && let Some(mut of_value) = value.as_deref().and_then(owned_members)
        {
            for (name, text) in self.members {
                set(&mut of_value, name, (!text.is_empty()).then(|| text.to_owned().into()));
            }
            value = Some(object_text(&of_value).into());
        }
        if let Some(count) = self.count {
            let base = value.as_deref().map_or(Some(0), integer);
            if let Some(base) = base {
                let sum = (count + i128::from(base)).clamp(i64::MIN.into(), i64::MAX.into());
                value = Some(sum.to_string().into());
            }
        }
        if !self.added.is_empty() || !self.taken.is_empty() {
            value = elements_over(value, &self.added, &self.taken);
        }
        value
    }
}

fn owned_members(text: &str) -> Option<Members<'static>> {
    let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
        (name.into_owned().into(), value.into_owned().into())
    };
    Some(members(text)?.into_iter().map(owned).collect())
}

/// The elements of a set, as they are written.
fn elements(text: &str) -> Option<Vec<String>> {
    let json = Json::parse(text)?;
    let is_array = json.root().kind() == Kind::Array;
    is_array.then(|| json.root().elements().map(|element| element.text().to_owned()).collect())
}

fn elements_over<'v>(
    value: Option<Cow<'v, str>>,
    added: &BTreeSet<&str>,
    taken: &BTreeSet<&str>,
) -> Option<Cow<'v, str>> {
    let base = match value.as_deref() {
        // An `Option` that is set to nothing is not a set.
        Some("null") if added.is_empty() => return value,
        None | Some("null") => Vec::new(),
        Some(text) => match elements(text) {
            Some(base) => base,
            None => return value,
        },
    };
    let mut left: Vec<String> =
        base.into_iter().filter(|element| !taken.contains(element.as_str())).collect();
    for element in added {
        if !left.iter().any(|known| known == element) {
            left.push((*element).to_owned());
        }
    }
    Some(super::canonical::set_text(left).into())
}

/// The row that readers see: a base with its cells over it, given by path and text. What is not JSON, or
/// does not fit, is left out.
pub(crate) fn overlay<'c>(
    base: &'c str,
    cells: impl IntoIterator<Item = (&'c str, &'c str)>,
) -> String {
    let Some(mut row) = members(base) else { return base.to_owned() };
    let mut by_field: BTreeMap<&str, FieldCells<'_>> = BTreeMap::new();
    for (path, text) in cells {
        let Some((field, part)) = Part::of(path) else { continue };
        let is_sound = match part {
            Part::Added(element) | Part::Taken(element) => Object::is_json(element),
            Part::Whole | Part::Member(_) => text.is_empty() || Object::is_json(text),
            Part::Count => true,
        };
        if is_sound {
            by_field.entry(field).or_default().add(part, text);
        }
    }
    if by_field.is_empty() {
        return base.to_owned();
    }
    for (field, cells) in by_field {
        let at = row.iter().position(|(name, _)| name == field);
        let before = at.map(|at| row[at].1.clone());
        let after = cells.over(before);
        set(&mut row, field, after);
    }
    object_text(&row)
}

/// The paths of cells that have changed something of a base that another row of the same base has changed,
/// too.
pub(crate) fn met<'c>(
    base: &str,
    row: &str,
    cells: impl IntoIterator<Item = (&'c str, &'c str)>,
) -> impl Iterator<Item = &'c str> {
    let is_met = |(path, text): &(&str, &str)| {
        is_changed(base, row, path) && value_at(row, path).as_deref().unwrap_or_default() != *text
    };
    cells.into_iter().filter(is_met).map(|(path, _)| path)
}

/// Whether two rows differ at the path of a cell that takes the place of a field, or of a member of one.
pub(crate) fn is_changed(base: &str, row: &str, path: &str) -> bool {
    value_at(row, path) != value_at(base, path)
}

/// Returns the value of a row at the path of a cell that takes the place of a field, or of a member
/// of one.
pub(crate) fn value_at(row: &str, path: &str) -> Option<String> {
    let member_of = |text: &str, name: &str| {
        let found = members(text)?.into_iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    };
    match Part::of(path)? {
        (field, Part::Whole) => member_of(row, field),
        (field, Part::Member(name)) => member_of(&member_of(row, field)?, name),
        (_, Part::Count | Part::Added(_) | Part::Taken(_)) => None,
    }
}

/// The base that a row is to be written as, so that it reads like `row` with the counts over it that stay.
pub(crate) fn without_counts<'c>(
    row: &str,
    counts: impl IntoIterator<Item = (&'c str, &'c str)>,
) -> String {
    let mut by_field: BTreeMap<&str, i128> = BTreeMap::new();
    for (path, text) in counts {
        if let (Some((field, Part::Count)), Some(count)) = (Part::of(path), integer(text)) {
            *by_field.entry(field).or_default() += i128::from(count);
        }
    }
    let Some(mut members) = members(row).filter(|_| !by_field.is_empty()) else {
        return row.to_owned();
    };
    for (field, count) in by_field {
        if let Some(value) = value_in(&members, field).map_or(Some(0), integer) {
            let base = (i128::from(value) - count).clamp(i64::MIN.into(), i64::MAX.into());
            set(&mut members, field, Some(base.to_string().into()));
        }
    }
    object_text(&members)
}

/// The cells that make one text of a row the other.
///
/// A field with `#[merge(sum)]` that the row lacks counts from the number there.
pub(crate) fn difference(
    before: &str,
    after: &str,
    merge_of: &dyn Fn(&str) -> Option<FieldMerge>,
) -> Vec<CellWrite> {
    let (Some(before), Some(after)) = (members(before), members(after)) else { return Vec::new() };
    let mut writes = Vec::new();
    for (field, is) in &after {
        let was = value_in(&before, field);
        if was == Some(is) {
            continue;
        }
        let within = merge_of(field).and_then(|merge| within(field, was, is, merge));
        match within {
            Some(within) => writes.extend(within),
            None => {
                writes.push(CellWrite::Set { path: field.to_string(), json: Some(is.to_string()) });
            }
        }
    }
    for (field, _) in &before {
        if value_in(&after, field).is_none() {
            writes.push(CellWrite::Set { path: field.to_string(), json: None });
        }
    }
    writes
}

/// The cells that make one value of a field the other, part by part; `None` if it has to be taken whole.
fn within(field: &str, was: Option<&str>, is: &str, merge: FieldMerge) -> Option<Vec<CellWrite>> {
    let field_name = || field.to_owned();
    match merge {
        FieldMerge::Sum => {
            let by = i128::from(integer(is)?) - i128::from(was.map_or(Some(0), integer)?);
            let by = i64::try_from(by).ok()?;
            Some(vec![CellWrite::Add { field: field_name(), by }])
        }
        FieldMerge::Fields => {
            let (was, is) = (members(was?)?, members(is)?);
            let path = |name: &str| format!("{field}{PATH}{name}");
            // A name that could be taken for another path.
            let is_plain = |name: &str| !name.contains([PATH, COUNT, ADDED, TAKEN]);
            if !was.iter().chain(&is).all(|(name, _)| is_plain(name)) {
                return None;
            }
            let changed = is.iter().filter(|(name, value)| value_in(&was, name) != Some(value));
            let mut writes: Vec<CellWrite> = changed
                .map(|(name, value)| CellWrite::Set {
                    path: path(name),
                    json: Some(value.to_string()),
                })
                .collect();
            let gone = was.iter().filter(|(name, _)| value_in(&is, name).is_none());
            writes.extend(gone.map(|(name, _)| CellWrite::Set { path: path(name), json: None }));
            Some(writes)
        }
        FieldMerge::Union => {
            let was = was.map_or_else(|| Some(Vec::new()), elements)?;
            let is = elements(is)?;
            let added = is.iter().filter(|element| !was.contains(element));
            let mut writes: Vec<CellWrite> = added
                .map(|element| CellWrite::Insert { field: field_name(), element: element.clone() })
                .collect();
            let removed = was.iter().filter(|element| !is.contains(element));
            writes.extend(removed.map(|element| CellWrite::Remove {
                field: field_name(),
                element: element.clone(),
            }));
            Some(writes)
        }
    }
}

#[cfg(test)]
mod tests;
