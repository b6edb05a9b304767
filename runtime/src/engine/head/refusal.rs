//! Errors for code that must not go on with a store.

use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Break, Code, Comparison, Standing, Version};

/// Refuses code of which the schema breaks with a recorded version of its epoch.
pub(super) fn refuse_breaking(code: &Code, comparison: &Comparison<'_>) -> Result<()> {
    // The newest says most about what happened.
    for (version, standing) in comparison.iter().rev() {
        if let Standing::Breaking(broken) = standing {
            return Err(breaking(version, broken).at_store(code.store()));
        }
    }
    Ok(())
}

fn breaking(version: &Version, broken: &Break) -> Error {
    let changes: Vec<String> = broken.diff.breaking().map(ToString::to_string).collect();
    let list = changes.join("; ");
    let what = if broken.code_is_older {
        format!(
            "newer code has written to the store, and its schema, {version}, breaks with that of this code: {list}"
        )
    } else {
        format!("the schema of this code breaks with {version} of the store: {list}")
    };
    let mut error = Error::new(ErrorKind::BreakingChange, what);
    if let Some(change) = broken.diff.breaking().next() {
        error = match (change.table(), change.group()) {
            (Some(table), _) => error.at_table(table),
            (None, Some(group)) => error.at_group(group),
            (None, None) => error,
        };
        if let Some(field) = change.field() {
            error = error.at_field(field);
        }
        // The store's version is the expected one, whichever of the two came first.
        let (recorded, ours) = if broken.code_is_older {
            (change.new(), change.old())
        } else {
            (change.old(), change.new())
        };
        error = error
            .expecting(recorded.unwrap_or("nothing of that name"))
            .finding(ours.unwrap_or("nothing of that name"));
    }
    if broken.code_is_older {
        error.help(
            "update the app; nothing was changed. A breaking change needs a new `epoch`, which \
             lets older code go on",
        )
    } else {
        let advice = broken.diff.breaking().find_map(|change| change.advice());
        let advice = advice.unwrap_or_else(|| {
            "restore what was there, give a field that is missing in old rows \
             `#[evolve(default = …)]`, or start a new epoch with \
             `#[store(epoch = …, previous = …)]`"
                .to_owned()
        });
        error.help(format!("{advice}; nothing was changed"))
    }
}

/// Refuses a version that came after the code, for a store opened with `refuse_newer_schema`.
pub(super) fn refuse_newer(code: &Code, version: &Version) -> Error {
    let ours = code.schema().epoch;
    let kind = if version.epoch() > ours { ErrorKind::NewerEpoch } else { ErrorKind::NewerSchema };
    Error::new(kind, format!("newer code has written to the store: {version}"))
        .at_store(code.store())
        .expecting(format!("no version after {} of epoch {ours}", code.fingerprint()))
        .finding(format!("{} of epoch {}", version.fingerprint(), version.epoch()))
        .help(
            "update the app, or open the store without `refuse_newer_schema`, which keeps what this code does \
             not know; if this code is the newer one and has removed a field, name it in \
             `removes(…)`; nothing was changed",
        )
}
