//! The findings of the lint, for people and for programs.

use std::fmt;

use heirloom::schema::{Class, Diff, Version};
use serde_json::json;

pub struct Report {
    from: String,
    to: String,
    diff: Diff,
    /// The parts that are best changed before the newer version is released.
    warnings: Diff,
    is_new_epoch: bool,
    gone: Option<String>,
    as_json: bool,
}

impl Report {
    pub fn new(old: &Version, new: &Version, gone: Option<&Version>, as_json: bool) -> Self {
        Self {
            from: old.to_string(),
            to: new.to_string(),
            diff: old.schema().diff(new.schema()),
            warnings: new.schema().lint(),
            is_new_epoch: new.epoch() > old.epoch(),
            gone: gone.map(Version::to_string),
            as_json,
        }
    }

    pub fn is_ok(&self) -> bool {
        self.is_shareable() && self.gone.is_none()
    }

    /// Whether devices of both versions can share their data: a new epoch migrates it.
    fn is_shareable(&self) -> bool {
        let allowed = if self.is_new_epoch { Class::Breaking } else { Class::Warn };
        self.diff.class() <= allowed
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.as_json {
            let report = json!({
                "ok": self.is_ok(),
                "from": self.from,
                "to": self.to,
                "class": self.diff.class(),
                "changes": self.diff,
                "warnings": self.warnings,
                "new_epoch": self.is_new_epoch,
                "gone": self.gone,
            });
            return write!(f, "{report:#}");
        }
        writeln!(f, "from {} to {}\n\n{}", self.from, self.to, self.diff)?;
        if !self.warnings.is_empty() {
            writeln!(f, "before {} is released\n\n{}\n", self.to, self.warnings)?;
        }
        if let Some(gone) = &self.gone {
            writeln!(f, "{gone} is gone: a history only grows, so restore it")?;
        }
        f.write_str(match (self.is_ok(), self.is_shareable()) {
            (true, _) if self.is_new_epoch => "ok: a new epoch",
            (true, _) => "ok",
            (false, true) => "not ok: a version is gone",
            (false, false) => "not ok: devices of the two versions cannot share data",
        })
    }
}
