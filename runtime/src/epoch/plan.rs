//! Which document a device uses, and how rows of one epoch become those of another: pure.

use crate::doc::{DocVersion, Root};
use crate::engine::{Claims, DocName, Split};
use crate::row::{EntryRef, are_alike, renamed};
use crate::schema::descriptor::{GroupDef, GroupIdx, StoreDef, TableDef, TableIdx};
use crate::schema::step::MigrateFn;

/// The document to use: of those that are here, the highest that this code can read.
pub(super) fn choose<'d>(
    epoch: u32,
    claims: &Claims,
    documents: impl Iterator<Item = (DocName, &'d DocVersion)>,
) -> Option<DocName> {
    let usable = documents.filter(|(name, version)| {
        name.epoch <= epoch
            && match claims.get(name) {
                // A part of a migration is no migration.
                Some(claim) => claim.is_held_by(version),
                None => name.claim.is_none(),
            }
    });
    let sealed = |name: &DocName| claims.get(name).is_some_and(|claim| claim.sealed);
    let rank = |name: DocName| ((name.epoch, name.generation), sealed(&name), name);
    usable.map(|(name, _)| name).max_by_key(|name| rank(*name))
}

/// The oldest epoch that code can read.
pub(super) fn oldest(def: &StoreDef) -> u32 {
    let mut def = *def;
    while let Some(step) = def.step {
        def = step.previous;
    }
    def.epoch
}

/// How rows go from one epoch to another.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) from: StoreDef,
    pub(crate) to: StoreDef,
    pub(crate) stretches: Vec<Stretch>,
}

/// One or more steps that are taken row by row; if there is a `migrate`, it is one step, after
/// which that runs.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    pub(crate) from: StoreDef,
    pub(crate) to: StoreDef,
    pub(crate) tables: Vec<TableRoute>,
    pub(crate) groups: Vec<GroupRoute>,
    pub(crate) migrate: Option<MigrateFn>,
}

/// The conversion of a table.
#[derive(Debug, Clone)]
pub(crate) struct TableRoute {
    pub(crate) from: TableIdx,
    pub(crate) to: TableIdx,
    /// How many conversions lie between.
    pub(crate) conversions: u32,
    /// Whether a row keeps its key.
    pub(crate) keeps_keys: bool,
    /// The tables on the way that are one of several which a row goes into.
    pub(crate) splits: Vec<Split>,
}

/// The conversion of a kv group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupRoute {
    pub(crate) from: GroupIdx,
    pub(crate) to: GroupIdx,
    pub(crate) conversions: u32,
}

impl Plan {
    /// The plan from an epoch to that of the code; `None` if no chain leads there.
    pub(crate) fn new(to: &StoreDef, epoch: u32) -> Option<Self> {
        let mut defs = vec![*to];
        let mut def = *to;
        while def.epoch != epoch {
            def = def.step?.previous;
            defs.push(def);
        }
        defs.reverse();
        let mut stretches: Vec<Stretch> = Vec::new();
        for pair in defs.windows(2) {
            let [from, to] = pair else { continue };
            let step = Stretch::of_step(from, to);
            match stretches.last_mut() {
                Some(last) if last.migrate.is_none() && step.migrate.is_none() => last.extend(step),
                _ => stretches.push(step),
            }
        }
        Some(Self { from: def, to: *to, stretches })
    }

    /// Whether rows stay as they are.
    pub(crate) fn is_identity(&self) -> bool {
        self.stretches.is_empty()
    }

    /// The table of the older epoch that goes on as the newer's `name`, and whether keys are kept
    /// all the way.
    pub(crate) fn earlier_table(&self, name: &str) -> Option<(&'static TableDef, bool)> {
        let mut table_idx = self.to.table_idx(name)?;
        let (mut def, mut keeps_keys) = (self.to, true);
        for stretch in self.stretches.iter().rev() {
            let route = stretch.tables.iter().find(|route| route.to == table_idx)?;
            keeps_keys &= route.keeps_keys;
            (table_idx, def) = (route.from, stretch.from);
        }
        Some((&def.tables[table_idx], keeps_keys))
    }

    /// The kv group of the older epoch that goes on as the newer's `name`.
    pub(crate) fn earlier_group(&self, name: &str) -> Option<&'static str> {
        let mut group_idx = self.to.group_idx(name)?;
        let mut def = self.to;
        for stretch in self.stretches.iter().rev() {
            let route = stretch.groups.iter().find(|route| route.to == group_idx)?;
            (group_idx, def) = (route.from, stretch.from);
        }
        Some(def.groups[group_idx].name)
    }

    /// Whether the newer epoch's table `now` goes on from the older's `before`.
    pub(crate) fn follows(&self, now: &str, before: &str) -> bool {
        self.earlier_table(now).is_some_and(|(earlier, _)| earlier.name == before)
    }

    /// The newer epoch's entry of a row of the older's table `name`, if it keeps its key.
    fn later_row(&self, name: &str, key: &str) -> Option<EntryRef> {
        if self.is_identity() {
            return Some(EntryRef::new(format!("table:{name}"), key));
        }
        let mut tables = self.to.tables.iter();
        let now = tables.find(|now| {
            let earlier = self.earlier_table(now.name);
            earlier.is_some_and(|(earlier, keeps)| keeps && earlier.name == name)
        })?;
        let key = renamed(self.earlier_table(now.name)?.0.key, now.key, key)?;
        Some(EntryRef::new(format!("table:{}", now.name), key))
    }

    /// The newer epoch's entry that an entry of the older one becomes, if that is a single one.
    pub(crate) fn later_entry(&self, EntryRef { root, key }: &EntryRef) -> Option<EntryRef> {
        let group = match Root::parse(root)? {
            Root::Table(table) => return self.later_row(&table, key),
            Root::Group(group) => group,
            _ => return None,
        };
        let goes_on = |now: &&GroupDef| self.earlier_group(now.name) == Some(group.as_str());
        let now = self.to.groups.iter().find(goes_on)?;
        let came = |entry: &str| earlier_entry(&self.to, self.from.epoch, now.name, entry);
        let mut entries = now.fields.iter().map(|field| field.name);
        let entry = entries.find(|entry| came(entry) == Some((group.as_str(), key.as_str())))?;
        Some(EntryRef::new(Root::Group(now.name.to_owned()).name(), entry))
    }
}

impl Stretch {
    fn of_step(from: &StoreDef, to: &StoreDef) -> Self {
        let mut tables = Vec::new();
        for (to_idx, now) in to.tables_by_idx() {
            let before = from.tables_by_idx();
            let found =
                before.filter_map(|(from_idx, before)| Some((from_idx, follows(before, now)?)));
            tables.extend(found.map(|(from_idx, conversions)| TableRoute {
                from: from_idx,
                to: to_idx,
                conversions,
                keeps_keys: keeps_keys(&from.tables[from_idx], now, conversions),
                splits: Vec::new(),
            }));
        }
        let sources: Vec<TableIdx> = tables.iter().map(|route: &TableRoute| route.from).collect();
        for route in &mut tables {
            if sources.iter().filter(|from| **from == route.from).count() > 1 {
                route.splits.push(Split::Table(to.tables[route.to].name.to_owned()));
            }
        }
        let mut groups = Vec::new();
        for (to_idx, now) in to.groups_by_idx() {
            let before = from.groups_by_idx();
            let found = before
                .filter_map(|(from_idx, before)| Some((from_idx, group_follows(before, now)?)));
            groups.extend(found.map(|(from_idx, conversions)| GroupRoute {
                from: from_idx,
                to: to_idx,
                conversions,
            }));
        }
        let migrate = to.step.and_then(|step| step.migrate);
        Self { from: *from, to: *to, tables, groups, migrate }
    }

    /// Takes one more step, row by row.
    fn extend(&mut self, next: Self) {
        let mut tables = Vec::new();
        for further in &next.tables {
            let before = self.tables.iter().filter(|route| route.to == further.from);
            tables.extend(before.map(|route| TableRoute {
                from: route.from,
                to: further.to,
                conversions: route.conversions + further.conversions,
                keeps_keys: route.keeps_keys && further.keeps_keys,
                splits: [&*route.splits, &*further.splits].concat(),
            }));
        }
        let mut groups = Vec::new();
        for further in &next.groups {
            let before = self.groups.iter().filter(|route| route.to == further.from);
            groups.extend(before.map(|route| GroupRoute {
                from: route.from,
                to: further.to,
                conversions: route.conversions + further.conversions,
            }));
        }
        (self.to, self.tables, self.groups) = (next.to, tables, groups);
    }
}

/// How many conversions lead from a table to one of the next epoch; `None` if it is another.
fn follows(before: &TableDef, now: &TableDef) -> Option<u32> {
    let is_same_type = (before.type_id)() == (now.type_id)();
    match now.step {
        _ if is_same_type => (before.name == now.name).then_some(0),
        Some(step) => (step.name == before.name).then_some(1),
        None => (before.name == now.name).then_some(0),
    }
}

fn group_follows(before: &GroupDef, now: &GroupDef) -> Option<u32> {
    let is_same_type = (before.type_id)() == (now.type_id)();
    match now.step {
        _ if is_same_type => (before.name == now.name).then_some(0),
        Some(step) => (step.name == before.name).then_some(1),
        None => (before.name == now.name).then_some(0),
    }
}

fn keeps_keys(before: &TableDef, now: &TableDef, conversions: u32) -> bool {
    use crate::schema::step::SourceDef;

    if conversions == 0 {
        return true;
    }
    let sources = now.step.and_then(|step| step.sources);
    let moved = now.key_fields.iter().map(|&place| match sources?.get(place)? {
        SourceDef::Moved(name) => Some(*name),
        _ => None,
    });
    moved.eq(before.key_names().map(Some)) && are_alike(before.key, now.key)
}

/// The kv group and entry of an earlier epoch that an entry of a store's is taken from.
pub(super) fn earlier_entry(
    to: &StoreDef,
    epoch: u32,
    group: &str,
    entry: &str,
) -> Option<(&'static str, &'static str)> {
    use crate::schema::step::SourceDef;

    let mut def = *to;
    let mut group = def.groups.iter().find(|known| known.name == group)?;
    let mut entry = group.fields.iter().find(|field| field.name == entry)?.name;
    while def.epoch > epoch {
        let previous = def.step?.previous;
        let (before, conversions) = previous
            .groups
            .iter()
            .find_map(|before| Some((before, group_follows(before, group)?)))?;
        if conversions > 0 {
            let index = group.fields.iter().position(|field| field.name == entry)?;
            let sources = group.step.and_then(|step| step.sources);
            entry = match sources.map(|sources| sources.get(index)) {
                Some(Some(SourceDef::Moved(name))) => name,
                Some(Some(SourceDef::Computed([name]))) => name,
                // A conversion of the user's own says nothing.
                _ => return None,
            };
        }
        (group, def) = (before, previous);
    }
    Some((group.name, entry))
}
