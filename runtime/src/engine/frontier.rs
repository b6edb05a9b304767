//! The parts that a migration left open: the edits that its copies stand for, and those that it knew to be
//! undecided besides. All else that its claim covers is over.
//!
//! The parts of copies are packed, in the order of their clocks: the numbers of a base are a client of a
//! document and the distance of its clock from the one before of that client. Each number takes as many
//! characters as it needs, of five bits each.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::documents::DocName;
use super::part::{Base, Part, PartOf, Parts};
use crate::row::ItemId;

/// The kv group of the head document that holds the frontiers, by the name of their document.
pub(crate) const FRONTIERS: &str = "frontiers";

/// As it is stored.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Packed {
    /// The document that was migrated.
    source: Option<DocName>,
    /// The clients of documents that copies are of.
    clients: Vec<(DocName, u64)>,
    copies: String,
    /// The other parts that are undecided.
    #[serde(default, skip_serializing_if = "Parts::is_empty")]
    others: Parts,
}

/// The distance that says that something else than the next clock follows: its kind, and what belongs to it.
const OTHER: u64 = 0;
const MADE: u64 = 0;
const SET: u64 = 1;
const CLIENT: u64 = 2;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Packs what copies stand for, one after the other.
#[derive(Debug, Default)]
pub(crate) struct FrontierWriter {
    packed: Packed,
    numbers: HashMap<(DocName, u64), usize>,
    /// The clock that came last of each client.
    last: Vec<u32>,
    client: Option<usize>,
}

impl FrontierWriter {
    /// The next copy.
    pub(crate) fn push(&mut self, base: &Base, root: &str, key: &str, json: &str) {
        if let Base::Edit(document, id) = base {
            return self.push_edit(*document, *id);
        }
        let parts = &base.parts(root, key, json);
        let mut all = parts.iter();
        match (all.next(), all.next()) {
            (Some(Part { origin: PartOf::Edit(document, id), split }), None)
                if split.is_empty() =>
            {
                self.push_edit(*document, *id);
            }
            (Some(Part { origin: PartOf::Made(hash), split }), None) if split.is_empty() => {
                self.put_all([OTHER, MADE, *hash]);
            }
            _ => {
                let json = serde_json::to_string(parts).unwrap_or_default();
                self.put_all([OTHER, SET, json.len() as u64]);
                self.packed.copies.push_str(&json);
            }
        }
    }

    fn push_edit(&mut self, document: DocName, id: ItemId) {
        let new = self.packed.clients.len();
        let number = *self.numbers.entry((document, id.client)).or_insert(new);
        if number == new {
            self.packed.clients.push((document, id.client));
            // So that the first distance is not nothing.
            self.last.push(u32::MAX);
        }
        if self.client != Some(number) {
            self.put_all([OTHER, CLIENT, number as u64]);
            self.client = Some(number);
        }
        let last = std::mem::replace(&mut self.last[number], id.clock);
        let distance = i64::from(id.clock.wrapping_sub(last) as i32);
        if distance == 0 {
            // A copy of the same edit: of a row that comes to several tables without a split.
            let parts = Parts::from([Part::edit(document, id)]);
            let json = serde_json::to_string(&parts).unwrap_or_default();
            self.put_all([OTHER, SET, json.len() as u64]);
            self.packed.copies.push_str(&json);
            return;
        }
        self.put(zigzag(distance));
    }

    fn put_all(&mut self, numbers: [u64; 3]) {
        numbers.into_iter().for_each(|number| self.put(number));
    }

    fn put(&mut self, mut number: u64) {
        loop {
            let low = (number & 31) as usize;
            number >>= 5;
            let digit = if number == 0 { low } else { low | 32 };
            self.packed.copies.push(char::from(DIGITS[digit]));
            if number == 0 {
                return;
            }
        }
    }

    /// The whole as JSON, with what is undecided besides.
    pub(crate) fn finish(mut self, source: DocName, others: Parts) -> String {
        self.packed.source = Some(source);
        self.packed.others = others;
        serde_json::to_string(&self.packed).unwrap_or_default()
    }
}

const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// The edit, the row of a function, or the set of parts that a copy stands for.
#[derive(Debug, Clone, Copy)]
enum CopyOf {
    /// An edit, by the number of its client.
    Edit(u32, u32),
    Made(u64),
    /// The number of a set.
    Set(u32),
}

/// The parts that a migration left open.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    source: Option<DocName>,
    clients: Vec<(DocName, u64)>,
    /// The parts of each copy, in the order of their clocks.
    copies: Vec<CopyOf>,
    sets: Vec<Parts>,
    /// The copies of single edits, in the order of their edits: client, clock, and the clock of the copy.
    by_edit: Vec<(u32, u32, u32)>,
    /// The copies that stand for something else, by what that is of.
    by_origin: BTreeMap<PartOf, Vec<u32>>,
    others: Parts,
}

impl Frontier {
    /// Reads one; `None` if the text is not one.
    pub(crate) fn parse(json: &str) -> Option<Self> {
        let packed: Packed = serde_json::from_str(json).ok()?;
        let Packed { source, clients, others, .. } = packed;
        let mut frontier = Self { source, clients, others, ..Self::default() };
        let mut last = vec![u32::MAX; frontier.clients.len()];
        let mut client = 0;
        let mut text = packed.copies.as_str();
        while !text.is_empty() {
            let copy = u32::try_from(frontier.copies.len()).ok()?;
            match read(&mut text)? {
                OTHER => match read(&mut text)? {
                    MADE => {
                        let hash = read(&mut text)?;
                        frontier.copies.push(CopyOf::Made(hash));
                        frontier.by_origin.entry(PartOf::Made(hash)).or_default().push(copy);
                    }
                    SET => {
                        let len = usize::try_from(read(&mut text)?).ok()?;
                        let (json, rest) = text.split_at_checked(len)?;
                        text = rest;
                        let parts: Parts = serde_json::from_str(json).ok()?;
                        for part in &parts {
                            let of = frontier.by_origin.entry(part.origin).or_default();
                            if of.last() != Some(&copy) {
                                of.push(copy);
                            }
                        }
                        let number = u32::try_from(frontier.sets.len()).ok()?;
                        frontier.copies.push(CopyOf::Set(number));
                        frontier.sets.push(parts);
                    }
                    CLIENT => client = usize::try_from(read(&mut text)?).ok()?,
                    _ => return None,
                },
                distance => {
                    let last = last.get_mut(client)?;
                    *last = last.wrapping_add(unzigzag(distance) as u32);
                    let number = u32::try_from(client).ok()?;
                    frontier.copies.push(CopyOf::Edit(number, *last));
                    frontier.by_edit.push((number, *last, copy));
                }
            }
        }
        frontier.by_edit.sort_unstable();
        Some(frontier)
    }

    /// The document that was migrated.
    pub(crate) fn source(&self) -> Option<DocName> {
        self.source
    }

    /// Returns the parts that the copy with a clock stands for.
    pub(crate) fn parts_of(&self, copy: u32) -> Option<Parts> {
        Some(match *self.copies.get(copy as usize)? {
            CopyOf::Edit(client, clock) => {
                let (document, client) = *self.clients.get(client as usize)?;
                Parts::from([Part::edit(document, ItemId { client, clock })])
            }
            CopyOf::Made(hash) => Parts::from([Part::whole(PartOf::Made(hash))]),
            CopyOf::Set(number) => self.sets.get(number as usize)?.clone(),
        })
    }

    /// The same, for a copy of the copy.
    pub(crate) fn base_of(&self, copy: u32) -> Option<Base> {
        Some(match *self.copies.get(copy as usize)? {
            CopyOf::Edit(client, clock) => {
                let (document, client) = *self.clients.get(client as usize)?;
                Base::Edit(document, ItemId { client, clock })
            }
            _ => Base::Parts(Arc::new(self.parts_of(copy)?)),
        })
    }

    /// The clocks of the copies that stand for something of an origin.
    pub(crate) fn copies_of(&self, origin: PartOf) -> Vec<u32> {
        let mut copies = self.by_origin.get(&origin).cloned().unwrap_or_default();
        if let PartOf::Edit(document, id) = origin
            && let Some(client) =
                self.clients.iter().position(|client| *client == (document, id.client))
        {
            let client = client as u32;
            let from = self.by_edit.partition_point(|at| *at < (client, id.clock, 0));
            let same = self.by_edit[from..].iter();
            let same = same.take_while(|(of, clock, _)| (*of, *clock) == (client, id.clock));
            copies.extend(same.map(|(_, _, copy)| *copy));
        }
        copies
    }

    /// The copies of single edits that a client made in a document, by the clocks of those.
    pub(crate) fn copies_in(
        &self,
        document: DocName,
        client: u64,
        clocks: Range<u32>,
    ) -> impl Iterator<Item = u32> {
        let number = self.clients.iter().position(|known| *known == (document, client));
        let number = number.and_then(|number| u32::try_from(number).ok()).unwrap_or(u32::MAX);
        let from = self.by_edit.partition_point(|at| *at < (number, clocks.start, 0));
        let to = self.by_edit.partition_point(|at| *at < (number, clocks.end, 0)).max(from);
        self.by_edit[from..to].iter().map(|(_, _, copy)| *copy)
    }

    /// The other origins that a client's edits in a document are of, by the clocks of those.
    pub(crate) fn origins_in(
        &self,
        document: DocName,
        client: u64,
        clocks: Range<u32>,
    ) -> Vec<PartOf> {
        let at = |clock| PartOf::Edit(document, ItemId { client, clock });
        // A range that ends before it begins would panic.
        let (from, to) = (at(clocks.start.min(clocks.end)), at(clocks.end));
        let sets = self.by_origin.range(from..to).map(|(origin, _)| *origin);
        let others = self.others.range(Part::whole(from)..Part::whole(to)).map(|it| it.origin);
        sets.chain(others).collect()
    }

    /// Returns the parts that are undecided besides those of copies.
    pub(crate) fn others(&self) -> &Parts {
        &self.others
    }

    /// The parts of an origin that are undecided.
    pub(crate) fn open_parts_of(&self, origin: PartOf) -> Parts {
        let copies = self.copies_of(origin);
        let copied = copies.into_iter().filter_map(|copy| self.parts_of(copy)).flatten();
        let from = Part::whole(origin);
        let others = self.others.range(from..).take_while(|part| part.origin == origin).cloned();
        copied.filter(|part| part.origin == origin).chain(others).collect()
    }

    /// The clocks of all copies.
    pub(crate) fn copies(&self) -> Range<u32> {
        0..u32::try_from(self.copies.len()).unwrap_or(u32::MAX)
    }
}

fn read(text: &mut &str) -> Option<u64> {
    let (mut number, mut shift) = (0_u64, 0_u32);
    loop {
        let (&digit, rest) = text.as_bytes().split_first()?;
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        *text = text.get(text.len() - rest.len()..)?;
        number |= u64::from(value & 31).checked_shl(shift).filter(|_| shift < 64)?;
        if value & 32 == 0 {
            return Some(number);
        }
        shift += 5;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::part::Split;

    #[test]
    fn what_copies_stand_for_comes_back() {
        let (s, t) = (DocName::unclaimed(0), DocName::unclaimed(1));
        let id = |client, clock| ItemId { client, clock };
        let split = Base::Edit(s, id(7, 4)).split(&[Split::Table("tags".to_owned())]);
        let bases = [
            Base::Edit(s, id(7, 3)),
            Base::Edit(s, id(7, 4)),
            Base::Edit(t, id(7, 0)),
            Base::Made,
            Base::Edit(s, id(7, 4)),
            Base::Edit(s, id(9, u32::MAX)),
            Base::Edit(s, id(9, 0)),
            split,
            Base::Edit(s, id(7, 1_000_000)),
            Base::Edit(s, id(7, 2)),
        ];
        let mut writer = FrontierWriter::default();
        bases.iter().for_each(|base| writer.push(base, "table:notes", "a", "{}"));
        let others = Parts::from([Part::edit(t, id(3, 3))]);
        let frontier = Frontier::parse(&writer.finish(s, others.clone())).unwrap();
        assert_eq!(frontier.others(), &others);
        for (copy, base) in (0..).zip(&bases) {
            let parts = base.parts("table:notes", "a", "{}");
            assert_eq!(frontier.parts_of(copy).as_ref(), Some(&parts));
            for part in &parts {
                assert!(frontier.copies_of(part.origin).contains(&copy), "{base:?}");
                assert!(frontier.open_parts_of(part.origin).contains(part));
            }
        }
        assert_eq!(frontier.copies_of(PartOf::Edit(s, id(7, 4))).len(), 3);
        assert!(frontier.copies_of(PartOf::Edit(s, id(8, 4))).is_empty());
        assert_eq!(frontier.copies().count(), bases.len());
    }

    #[test]
    fn rows_in_no_order_take_four_characters_each() {
        let mut writer = FrontierWriter::default();
        for row in 0..100_000_u32 {
            let clock = row.wrapping_mul(61_681) % 100_000;
            let base = Base::Edit(DocName::unclaimed(0), ItemId { client: 7, clock });
            writer.push(&base, "table:notes", "a", "");
        }
        let len = writer.finish(DocName::unclaimed(0), Parts::new()).len();
        assert!(len < 400_200, "{len}");
    }

    #[test]
    fn what_is_no_frontier_is_none() {
        for copies in ["AA", "AB", "ABzz", "ACx", "C", "*", "gggggggggggggggg", "ABE[1,2]"] {
            let json = format!(r#"{{"clients":[],"copies":"{copies}"}}"#);
            assert!(Frontier::parse(&json).is_none(), "{copies}");
        }
        assert!(Frontier::parse("[]").is_none());
    }
}
