//! What the lint found, for people and for programs.

use std::fmt;

use heirloom::schema::{Class, Diff, Version};
use serde_json::json;

pub struct Report {
    title: String,
    diff: Diff,
    is_new_epoch: bool,
    gone: Option<String>,
    as_json: bool,
}

impl Report {
    pub fn new(old: &Version, new: &Version, gone: Option<&Version>, as_json: bool) -> Self {
        Self {
            title: format!("from {old} to {new}"),
            diff: old.schema().diff(new.schema()),
            is_new_epoch: new.epoch() > old.epoch(),
            gone: gone.map(Version::to_string),
            as_json,
        }
    }

    /// Whether devices of both versions can share their data: a new epoch migrates it.
    pub fn is_ok(&self) -> bool {
        let allowed = if self.is_new_epoch { Class::Breaking } else { Class::Warn };
        self.diff.class() <= allowed && self.gone.is_none()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.as_json {
            let report = json!({
                "ok": self.is_ok(),
                "class": self.diff.class(),
                "changes": self.diff,
                "new_epoch": self.is_new_epoch,
                "gone": self.gone,
            });
            return write!(f, "{report:#}");
        }
        writeln!(f, "{}\n\n{}", self.title, self.diff)?;
        if let Some(gone) = &self.gone {
            writeln!(f, "{gone} is gone: a history only grows, so restore it")?;
        }
        match (self.is_ok(), self.is_new_epoch) {
            (true, true) => f.write_str("ok: a new epoch"),
            (true, false) => f.write_str("ok"),
            (false, _) => f.write_str("not ok: devices of the two versions cannot share data"),
        }
    }
}
