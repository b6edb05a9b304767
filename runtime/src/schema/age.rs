//! Which of several recorded versions is older.

use std::collections::BTreeMap;

use super::{Class, Diff, Operation, Version};

/// For more versions without number and parent than these, comparing each with each is not worth
/// the order that it gives.
const MAX_COMPARED: usize = 32;

/// The versions in the order of their age, the oldest first.
///
/// Epochs come first, then numbers. A version without a number stands behind the one it was made
/// from; if nothing is known of that either, what can be read by the other is older.
pub(crate) fn sort(versions: Vec<Version>) -> Vec<Version> {
    let ages = Ages::of(&versions);
    let keys: Vec<Key> = versions.iter().map(|version| ages.key(version)).collect();
    let mut aged: Vec<(Key, Version)> = keys.into_iter().zip(versions).collect();
    aged.sort_by(|(one, _), (other, _)| one.cmp(other));
    aged.into_iter().map(|(_, version)| version).collect()
}

/// Whether code of both schemas may meet in one store, if the second is the later one.
pub(super) fn is_safe(diff: &Diff) -> bool {
    diff.class() < Class::Breaking
}

/// Whether the second schema declares something that the first lacks.
pub(super) fn gains(diff: &Diff) -> bool {
    use Operation::{AddDefault, AddField, AddGroup, AddTable, AddVariant};
    let gain = [AddTable, AddGroup, AddField, AddVariant, AddDefault];
    diff.iter().any(|change| gain.contains(&change.operation()))
}

type Key = (u32, u32, usize, usize, Option<String>, String);

/// The beginning of a version's line, and the version's distance from it.
#[derive(Clone, Copy, Default)]
struct Line {
    number: u32,
    rank: usize,
    depth: usize,
}

struct Ages<'v> {
    by_fingerprint: BTreeMap<&'v str, &'v Version>,
    lines: BTreeMap<&'v str, Line>,
}

impl<'v> Ages<'v> {
    fn of(versions: &'v [Version]) -> Self {
        let by_fingerprint = versions.iter().map(|version| (version.fingerprint(), version));
        let mut ages = Self { by_fingerprint: by_fingerprint.collect(), lines: BTreeMap::new() };
        let origins: Vec<&Version> =
            versions.iter().filter(|version| ages.parent(version).is_none()).collect();
        for version in &origins {
            let line = Line { rank: rank(version, &origins), ..Line::default() };
            ages.lines.insert(version.fingerprint(), line);
        }
        for version in versions {
            ages.trace(version);
        }
        ages
    }

    /// Returns the version that the place of this one follows from: the version before it, unless
    /// it has a number.
    fn parent(&self, version: &Version) -> Option<&'v Version> {
        let parent = version.parent().filter(|_| version.number().is_none())?;
        self.by_fingerprint.get(parent).copied().filter(|parent| parent.epoch() == version.epoch())
    }

    fn trace(&mut self, version: &'v Version) {
        let mut line = Vec::new();
        let mut next = Some(version);
        // The parents of forged versions may form a circle.
        while let Some(version) = next.filter(|_| line.len() <= self.by_fingerprint.len()) {
            if self.lines.contains_key(version.fingerprint()) {
                break;
            }
            line.push(version);
            next = self.parent(version);
        }
        let begins = next.and_then(|version| self.lines.get(version.fingerprint()));
        let mut place = begins.copied().unwrap_or_default();
        if let Some(number) = next.and_then(Version::number) {
            place.number = number;
        }
        for version in line.into_iter().rev() {
            place.depth += 1;
            self.lines.insert(version.fingerprint(), place);
        }
    }

    fn key(&self, version: &Version) -> Key {
        let line = self.lines.get(version.fingerprint());
        let Line { number, rank, depth } = line.copied().unwrap_or_default();
        let number = version.number().unwrap_or(number);
        let (date, fingerprint) = (version.date(), version.fingerprint());
        (version.epoch(), number, rank, depth, date.map(str::to_owned), fingerprint.to_owned())
    }
}

/// How many of those without number and parent are older than one of them.
fn rank(version: &Version, origins: &[&Version]) -> usize {
    let alike = |other: &&&Version| {
        other.number().is_none()
            && other.epoch() == version.epoch()
            && other.fingerprint() != version.fingerprint()
    };
    let others = origins.iter().filter(alike);
    if version.number().is_some() || others.clone().count() > MAX_COMPARED {
        return 0;
    }
    let is_older = |other: &&&Version| {
        let on = other.schema().diff(version.schema());
        let back = version.schema().diff(other.schema());
        is_safe(&on) && (gains(&on) && !gains(&back) || !is_safe(&back))
    };
    others.filter(is_older).count()
}
