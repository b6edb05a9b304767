//! Summaries and changes of an open store.

use super::{Applied, Changes, Summary};
use crate::disk::DATA_DOCUMENT;
use crate::engine::{Engine, MergeOutcome, check_update};
use crate::error::{Error, ErrorKind, Result};

pub(crate) fn summary(engine: &Engine) -> Result<Summary> {
    let version = engine.version()?;
    let documents = [(DATA_DOCUMENT.to_owned(), version)].into();
    Ok(Summary { store: engine.def.name.to_owned(), documents })
}

pub(crate) fn changes_since(engine: &Engine, theirs: &Summary) -> Result<Changes> {
    let store = engine.def.name;
    if !theirs.store.is_empty() {
        same_store(store, &theirs.store, "the summary")?;
    }
    let known = theirs.documents.get(DATA_DOCUMENT).cloned().unwrap_or_default();
    let updates = engine.changes_since(&known)?.into_iter();
    let documents = updates.map(|update| (DATA_DOCUMENT.to_owned(), update));
    Ok(Changes { store: store.to_owned(), documents: documents.collect() })
}

pub(crate) fn apply(engine: &Engine, changes: &Changes) -> Result<Applied> {
    same_store(engine.def.name, &changes.store, "the changes")?;
    for (document, _) in &changes.documents {
        if document != DATA_DOCUMENT {
            return Err(Error::new(
                ErrorKind::NewerEpoch,
                "the changes hold a document of newer code",
            )
            .at_store(engine.def.name)
            .expecting(format!("the document `{DATA_DOCUMENT}`"))
            .finding(format!("the document `{document}`"))
            .help("update the app; nothing was changed"));
        }
    }
    // The first is refused by its own merge; the others must be before that.
    for (_, update) in changes.documents.iter().skip(1) {
        check_update(update).map_err(|error| error.at_store(engine.def.name))?;
    }
    let mut outcome = MergeOutcome::default();
    for (_, update) in &changes.documents {
        outcome.add(engine.merge(update)?);
    }
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
