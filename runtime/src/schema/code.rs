//! [`Code`]: what the running code says of its schema, compared with what a store has recorded.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use super::age::{gains, is_safe, sort};
use super::describe::Described;
use super::descriptor::StoreDef;
use super::{Diff, History, Schema, Version};
use crate::error::Result;

/// The schema of the running code, and its history.
pub(crate) struct Code {
    def: StoreDef,
    described: &'static Described,
    /// The text of its history file.
    text: Option<&'static [u8]>,
    /// Read at first use, which is rare.
    history: OnceLock<History>,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").field("store", &self.def.name).finish_non_exhaustive()
    }
}

/// How a recorded version stands to the running code.
#[derive(Debug)]
pub(crate) enum Standing {
    /// It is the code's own.
    Own,
    /// The code came after it, or knows it from its history.
    Older,
    /// It came after the code, which can still read and write what it says.
    Newer,
    /// It belongs to an epoch before that of the code.
    OlderEpoch,
    /// It belongs to an epoch that the code does not know.
    NewerEpoch,
    /// Code of both must not meet in one store.
    Breaking(Break),
}

/// The breaking changes between a recorded version and the code.
#[derive(Debug)]
pub(crate) struct Break {
    /// From the older of the two to the newer.
    pub(crate) diff: Diff,
    /// Whether the code is the older of the two.
    pub(crate) code_is_older: bool,
}

impl Code {
    pub(crate) fn new(
        def: StoreDef,
        described: &'static Described,
        history: Option<&'static [u8]>,
    ) -> Self {
        Self { def, described, text: history, history: OnceLock::new() }
    }

    pub(crate) fn def(&self) -> &StoreDef {
        &self.def
    }

    /// The name of the store.
    pub(crate) fn store(&self) -> &'static str {
        self.def.name
    }

    pub(crate) fn schema(&self) -> &Schema {
        self.described.schema(&self.def)
    }

    pub(crate) fn fingerprint(&self) -> &str {
        self.described.fingerprint(&self.def)
    }

    /// The length of its history file, which only ever grows; 0 without one.
    pub(crate) fn history_len(&self) -> usize {
        self.text.map_or(0, <[u8]>::len)
    }

    /// The versions of its history file.
    fn history(&self) -> Result<&[Version]> {
        let Some(text) = self.text else { return Ok(&[]) };
        if let Some(history) = self.history.get() {
            return Ok(history.versions());
        }
        // The derive has seen that it is text.
        let text = String::from_utf8_lossy(text);
        let history = History::parse(&text).map_err(|error| error.at_store(self.def.name))?;
        Ok(self.history.get_or_init(|| history).versions())
    }

    /// Compares the code with the recorded versions.
    pub(crate) fn compare(&self, recorded: Vec<Version>) -> Result<Comparison<'_>> {
        let history = self.history()?;
        let recorded = sort(recorded);
        let compared = Comparing::new(self, history, &recorded);
        let standings = recorded.iter().map(|version| compared.standing(version)).collect();
        Ok(Comparison { code: self, history, versions: recorded, standings })
    }
}

/// The facts that the standing of a version follows from.
struct Comparing<'c> {
    code: &'c Code,
    /// The code's own version, if history or store know it.
    own: Option<&'c Version>,
    is_in_history: bool,
    history: BTreeMap<&'c str, &'c Version>,
    recorded: BTreeMap<&'c str, &'c Version>,
}

impl<'c> Comparing<'c> {
    fn new(code: &'c Code, history: &'c [Version], recorded: &'c [Version]) -> Self {
        let by_fingerprint = |versions: &'c [Version]| {
            versions.iter().map(|version| (version.fingerprint(), version)).collect()
        };
        let (history, recorded): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (by_fingerprint(history), by_fingerprint(recorded));
        let in_history = history.get(code.fingerprint());
        let own = in_history.or_else(|| recorded.get(code.fingerprint())).copied();
        Self { code, own, is_in_history: in_history.is_some(), history, recorded }
    }

    fn standing(&self, version: &Version) -> Standing {
        let schema = self.code.schema();
        if version.fingerprint() == self.code.fingerprint() {
            return Standing::Own;
        }
        if version.epoch() != schema.epoch {
            let is_newer = version.epoch() > schema.epoch;
            return if is_newer { Standing::NewerEpoch } else { Standing::OlderEpoch };
        }
        let is_known = self.history.contains_key(version.fingerprint());
        if is_known && self.is_in_history {
            // Nothing is recorded in a history that breaks with what stands in it.
            return Standing::Older;
        }
        let came_after = self.came_after_code(version, is_known);
        // From the code on, and back.
        let (on, back) = (schema.diff(version.schema()), version.schema().diff(schema));
        let (may_be_newer, may_be_older) = (is_safe(&on), is_safe(&back));
        match came_after {
            Some(true) if may_be_newer => Standing::Newer,
            Some(true) => Standing::Breaking(Break { diff: on, code_is_older: true }),
            // If nothing tells which came first, it is the one that has less.
            None if may_be_newer && (gains(&on) || !may_be_older) => Standing::Newer,
            _ if may_be_older => Standing::Older,
            _ => Standing::Breaking(Break { diff: back, code_is_older: false }),
        }
    }

    /// Whether a version was made after the code's own; `None` if nothing tells.
    fn came_after_code(&self, version: &Version, is_known: bool) -> Option<bool> {
        if is_known {
            return Some(false);
        }
        let own = self.own?;
        if self.descends(version, own.fingerprint()) {
            return Some(true);
        }
        if self.descends(own, version.fingerprint()) {
            return Some(false);
        }
        // Of two branches, numbers tell only who has gone further.
        (version.number()? > own.number()?).then_some(true)
    }

    /// Whether a version was made from another, with any number between.
    fn descends(&self, version: &Version, ancestor: &str) -> bool {
        let mut parent = version.parent();
        // The parents of forged versions may form a circle.
        for _ in 0..=self.recorded.len() + self.history.len() {
            match parent {
                None => return false,
                Some(parent) if parent == ancestor => return true,
                Some(other) => {
                    let known = self.recorded.get(other).or_else(|| self.history.get(other));
                    parent = known.and_then(|version| version.parent());
                }
            }
        }
        false
    }
}

/// The recorded versions of a store, and how each stands to the running code.
#[derive(Debug)]
pub(crate) struct Comparison<'c> {
    code: &'c Code,
    history: &'c [Version],
    /// The oldest first.
    versions: Vec<Version>,
    standings: Vec<Standing>,
}

impl<'c> Comparison<'c> {
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&Version, &Standing)> {
        self.versions.iter().zip(&self.standings)
    }

    /// The newest version that came after the code, of its epoch or a later one.
    pub(crate) fn newest(&self) -> Option<&Version> {
        let is_newer =
            |standing: &Standing| matches!(standing, Standing::Newer | Standing::NewerEpoch);
        self.iter().rev().find(|(_, standing)| is_newer(standing)).map(|(version, _)| version)
    }

    /// The code's own version, as it is recorded or would be.
    pub(crate) fn own(&self) -> Version {
        let fingerprint = self.code.fingerprint();
        let is_own = |version: &&Version| version.fingerprint() == fingerprint;
        let known = self.versions.iter().find(is_own);
        if let Some(own) = known.or_else(|| self.history.iter().rev().find(is_own)) {
            return own.clone();
        }
        let schema = self.code.schema();
        let recorded = self.history.iter().rev().find(|version| version.epoch() <= schema.epoch);
        let is_older = |standing: &Standing| matches!(standing, Standing::Older);
        let older = || self.iter().rev().find(|(_, standing)| is_older(standing));
        let parent = recorded.or_else(|| older().map(|(version, _)| version));
        Version::unrecorded(schema.clone(), parent)
    }

    /// The versions that the code knows: its own, and those of its history up to its epoch.
    pub(crate) fn known(&self) -> Vec<Version> {
        let (own, epoch) = (self.own(), self.code.schema().epoch);
        let others = self.history.iter().filter(|version| {
            version.epoch() <= epoch && version.fingerprint() != own.fingerprint()
        });
        others.cloned().chain([own.clone()]).collect()
    }

    pub(crate) fn into_versions(self) -> Vec<Version> {
        self.versions
    }
}
