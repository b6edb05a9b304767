//! Summaries and changes of an open store.

use super::{Applied, Changes, Summary};
use crate::disk::{DATA_DOCUMENT, HEAD_DOCUMENT};
use crate::engine::{Engine, MergeOutcome, check_update};
use crate::error::{Error, ErrorKind, Result};

pub(crate) fn summary(engine: &Engine) -> Result<Summary> {
    Ok(Summary { store: engine.def.name.to_owned(), documents: engine.versions()? })
}

pub(crate) fn changes_since(engine: &Engine, theirs: &Summary) -> Result<Changes> {
    let store = engine.def.name;
    if !theirs.store.is_empty() {
        same_store(store, &theirs.store, "the summary")?;
    }
    let documents = engine.changes_since(&theirs.documents)?;
    Ok(Changes { store: store.to_owned(), documents })
}

pub(crate) fn apply(engine: &Engine, changes: &Changes) -> Result<Applied> {
    same_store(engine.def.name, &changes.store, "the changes")?;
    for (document, _) in &changes.documents {
        if document != DATA_DOCUMENT && document != HEAD_DOCUMENT {
            return Err(Error::new(
                ErrorKind::NewerEpoch,
                "the changes hold a document of newer code",
            )
            .at_store(engine.def.name)
            .expecting(format!("the documents `{HEAD_DOCUMENT}` and `{DATA_DOCUMENT}`"))
            .finding(format!("the document `{document}`"))
            .help("update the app; nothing was changed"));
        }
    }
    let updates_of = |name: &'static str| {
        let updates = changes.documents.iter().filter(move |(document, _)| document == name);
        updates.map(|(_, update)| update.as_slice())
    };
    let head: Vec<&[u8]> = updates_of(HEAD_DOCUMENT).collect();
    // Those of the head document are taken in together, so that they are refused together; where
    // there are none, so is the first of the others by its own merge. The rest must be before.
    for update in updates_of(DATA_DOCUMENT).skip(usize::from(head.is_empty())) {
        check_update(update).map_err(|error| error.at_store(engine.def.name))?;
    }
    let is_head_pending = !head.is_empty() && engine.merge_head(&head)?;
    let mut outcome = MergeOutcome::default();
    for update in updates_of(DATA_DOCUMENT) {
        outcome.add(engine.merge(update)?);
    }
    outcome.pending |= is_head_pending;
    Ok(Applied::new(outcome))
}

fn same_store(ours: &str, theirs: &str, what: &str) -> Result<()> {
    if ours == theirs {
        return Ok(());
    }
    Err(Error::new(ErrorKind::WrongStore, format!("{what} came from another store"))
        .at_store(ours)
        .expecting(format!("{what} of `{ours}`"))
        .finding(format!("{what} of `{theirs}`"))
        .help("nothing was changed; exchange changes between copies of one store"))
}
