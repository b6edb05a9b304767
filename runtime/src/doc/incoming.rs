//! An update from elsewhere, checked as a whole and then read block by block.

use std::collections::HashMap;

use super::block::{Block, Body};
use super::items::ANY_ITEM;
use super::items::ClockRanges;
use super::wire::{Reader, invalid};
use crate::error::Result;
use crate::row::ItemId;

/// The blocks of one client in an update.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    pub(super) client: u64,
    /// The clock of its first block, where that stands, and how many there are.
    pub(super) start: u32,
    at: usize,
    blocks: u32,
    /// The end of the section.
    end_at: usize,
    /// The clock after the last item that it holds.
    pub(super) end: u32,
}

/// An update whose bytes are in order.
#[derive(Debug)]
pub(super) struct Incoming<'a> {
    bytes: &'a [u8],
    pub(super) sections: Vec<Section>,
    by_client: HashMap<u64, usize>,
    /// Whether items come after those of other clients.
    is_crossed: bool,
    pub(super) deletions: Vec<(u64, ClockRanges)>,
}

impl<'a> Incoming<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, 0);
        let mut update = Self {
            bytes,
            sections: Vec::new(),
            by_client: HashMap::new(),
            is_crossed: false,
            deletions: Vec::new(),
        };
        for _ in 0..reader.number()? {
            if let Some(section) = Section::read(&mut reader, &mut update.is_crossed)? {
                let index = update.sections.len();
                if update.by_client.insert(section.client, index).is_some() {
                    return Err(invalid("a client is listed twice"));
                }
                update.sections.push(section);
            }
        }
        update.read_deletions(reader)?;
        update.check_order()?;
        Ok(update)
    }

    /// Refuses items that come after each other in a circle.
    fn check_order(&self) -> Result<()> {
        if !self.is_crossed || self.sections.len() < 2 {
            return Ok(());
        }
        let mut walk = self.walk(self.sections.iter().map(|_| 0).collect());
        walk.stops_at_gaps = false;
        walk.each(&mut |_, _| Ok(()))
    }

    fn read_deletions(&mut self, mut reader: Reader<'a>) -> Result<()> {
        for _ in 0..reader.number()? {
            let client = reader.client()?;
            let mut clocks = Vec::new();
            for _ in 0..reader.number()? {
                let start = reader.clock()?;
                let end = start.checked_add(reader.clock()?);
                clocks.push(start..end.ok_or_else(|| invalid("a clock is beyond 32 bits"))?);
            }
            self.deletions.push((client, joined(clocks)));
        }
        if !reader.is_at_end() {
            return Err(invalid("bytes follow its end"));
        }
        self.deletions.sort_unstable_by_key(|(client, _)| *client);
        if !self.deletions.is_sorted_by(|(one, _), (next, _)| one < next) {
            return Err(invalid("a client is listed twice"));
        }
        Ok(())
    }

    pub(super) fn section_of(&self, client: u64) -> Option<&Section> {
        self.by_client.get(&client).and_then(|index| self.sections.get(*index))
    }

    /// Whether it deletes, or comes after, an item of a client that is not below a clock.
    pub(super) fn names(&self, client: u64, clock: u32) -> Result<bool> {
        let mut deletions = self.deletions.iter().filter(|(of, _)| *of == client);
        if deletions.any(|(_, clocks)| clocks.last().is_some_and(|range| range.end > clock)) {
            return Ok(true);
        }
        for section in &self.sections {
            let mut reader = Reader::new(self.bytes, section.at);
            let mut start = section.start;
            for _ in 0..section.blocks {
                let block = Block::read(&mut reader, start)?;
                if block.needs().any(|id| id.client == client && id.clock >= clock) {
                    return Ok(true);
                }
                start = block.end();
            }
        }
        Ok(false)
    }

    /// A walk through its blocks that takes those of each client below `known` for known.
    pub(super) fn walk(&self, known: Vec<u32>) -> Walk<'_, 'a> {
        let sections = self.sections.iter().zip(known);
        let steps = sections.map(|(section, known)| Step {
            at: section.at,
            clock: section.start,
            blocks: section.blocks,
            known,
            state: State::Idle,
        });
        Walk { update: self, steps: steps.collect(), stops_at_gaps: true }
    }
}

impl Section {
    /// Reads over a section; `None` if it is empty.
    fn read(reader: &mut Reader<'_>, is_crossed: &mut bool) -> Result<Option<Self>> {
        let blocks = u32::try_from(reader.number()?).map_err(|_| invalid("too many blocks"))?;
        let client = reader.client()?;
        let start = reader.clock()?;
        let at = reader.at();
        let (mut clock, mut end) = (start, start);
        for _ in 0..blocks {
            let block = Block::read(reader, clock)?;
            for id in block.needs() {
                *is_crossed |= id.client != client;
                if id.client == client && id.clock >= block.start {
                    return Err(invalid("an item comes after a later one"));
                }
            }
            clock = block.end();
            if block.body != Body::Skip {
                end = clock;
            }
        }
        let section = Self { client, start, at, blocks, end_at: reader.at(), end };
        Ok((end > start).then_some(section))
    }
}

/// A walk through the blocks of an update, each after those that it needs.
pub(super) struct Walk<'u, 'a> {
    update: &'u Incoming<'a>,
    steps: Vec<Step>,
    stops_at_gaps: bool,
}

/// How far a walk has come in a section.
struct Step {
    at: usize,
    clock: u32,
    /// How many blocks are left.
    blocks: u32,
    /// The items below are here without this update.
    known: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// One of its blocks waits for those of another section.
    Waiting,
    /// A gap comes next, or a block that needs something behind one.
    Stopped,
}

/// The next step of a walk in a section.
enum Next<'a> {
    Block(Block<'a>),
    /// First the blocks of another section, up to that clock.
    Other(usize, u32),
    Nothing,
}

impl<'a> Walk<'_, 'a> {
    /// Visits the blocks that can be taken in: those before gaps, and not those that need anything
    /// behind them. What is needed of other updates is not looked at.
    pub(super) fn each(
        &mut self,
        visit: &mut dyn FnMut(u64, &Block<'a>) -> Result<()>,
    ) -> Result<()> {
        let mut path: Vec<(usize, u32)> = Vec::new();
        for (index, section) in self.update.sections.iter().enumerate() {
            path.push((index, section.end));
            while let Some(&(index, until)) = path.last() {
                let Some(section) = self.update.sections.get(index) else { break };
                match self.next(index, until)? {
                    Next::Block(block) => visit(section.client, &block)?,
                    Next::Other(other, until) => path.push((other, until)),
                    Next::Nothing => drop(path.pop()),
                }
            }
        }
        Ok(())
    }

    fn next(&mut self, index: usize, until: u32) -> Result<Next<'a>> {
        let Some(step) = self.steps.get_mut(index) else { return Ok(Next::Nothing) };
        if step.clock >= until || step.blocks == 0 || step.state == State::Stopped {
            return Ok(Next::Nothing);
        }
        step.state = State::Idle;
        let mut reader = Reader::new(self.update.bytes, step.at);
        let block = Block::read(&mut reader, step.clock)?;
        if block.body == Body::Skip && block.end() > step.known && self.stops_at_gaps {
            step.state = State::Stopped;
            return Ok(Next::Nothing);
        }
        if let Some((other, clock)) = self.missing(&block) {
            return self.wait_for(index, other, clock);
        }
        let Some(step) = self.steps.get_mut(index) else { return Ok(Next::Nothing) };
        step.at = reader.at();
        step.clock = block.end();
        step.blocks -= 1;
        Ok(Next::Block(block))
    }

    /// The section with something that a block needs and that has not been visited yet.
    fn missing(&self, block: &Block<'_>) -> Option<(usize, u32)> {
        block.needs().find_map(|id| {
            let index = *self.update.by_client.get(&id.client)?;
            let (section, step) = (self.update.sections.get(index)?, self.steps.get(index)?);
            let is_in_update = (section.start..section.end).contains(&id.clock);
            (is_in_update && id.clock >= step.clock.max(step.known)).then_some((index, id.clock))
        })
    }

    fn wait_for(&mut self, index: usize, other: usize, clock: u32) -> Result<Next<'a>> {
        let is_stopped = match self.steps.get(other).map(|step| step.state) {
            // It waits for a block that waits for this one.
            Some(State::Waiting) => return Err(invalid("items come after each other in a circle")),
            Some(State::Idle) => false,
            Some(State::Stopped) | None => true,
        };
        let Some(step) = self.steps.get_mut(index) else { return Ok(Next::Nothing) };
        if is_stopped {
            step.state = State::Stopped;
            return Ok(Next::Nothing);
        }
        step.state = State::Waiting;
        Ok(Next::Other(other, clock.saturating_add(1)))
    }

    /// An item that is missing for what it has not come to: the last one of its gap. If more than that keeps
    /// it, any item may let it go on: [`ANY_ITEM`].
    pub(super) fn needs(&self) -> Result<Option<ItemId>> {
        let mut needs = None;
        for (section, step) in self.sections().filter(|(section, step)| step.clock < section.end) {
            let block = Block::read(&mut Reader::new(self.update.bytes, step.at), step.clock)?;
            let clock = block.end().saturating_sub(1);
            let missing = ItemId { client: section.client, clock };
            let is_gap = block.body == Body::Skip;
            needs = Some(if needs.is_none() && is_gap { missing } else { ANY_ITEM });
        }
        Ok(needs)
    }

    /// Whether it has visited everything.
    pub(super) fn is_whole(&self) -> bool {
        self.sections().all(|(section, step)| step.clock >= section.end)
    }

    /// The clock up to which the items of each client are here after the walk.
    pub(super) fn ends(&self) -> impl Iterator<Item = (u64, u32)> {
        self.sections().map(|(section, step)| (section.client, step.clock.max(step.known)))
    }

    fn sections(&self) -> impl Iterator<Item = (&Section, &Step)> {
        self.update.sections.iter().zip(&self.steps)
    }

    /// Returns the parts of the sections that it has not come to, gaps included, so that the rest
    /// of an update is tried again by the same rules.
    pub(super) fn rest(&self) -> Result<Vec<RestSection<'a>>> {
        let unfinished = self.sections().filter(|(section, step)| step.clock < section.end);
        let rest = unfinished.map(|(section, step)| {
            let bytes = Reader::new(self.update.bytes, section.end_at).since(step.at)?;
            let (client, start, blocks) = (section.client, step.clock, step.blocks);
            Ok(RestSection { client, start, blocks, bytes })
        });
        rest.collect()
    }
}

/// The rest of a section.
pub(super) struct RestSection<'a> {
    pub(super) client: u64,
    pub(super) start: u32,
    pub(super) blocks: u32,
    pub(super) bytes: &'a [u8],
}

/// Ranges of clocks in ascending order that neither overlap nor touch.
pub(super) fn joined(mut clocks: ClockRanges) -> ClockRanges {
    clocks.retain(|range| !range.is_empty());
    clocks.sort_unstable_by_key(|range| range.start);
    let mut joined: ClockRanges = Vec::new();
    for range in clocks {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}
