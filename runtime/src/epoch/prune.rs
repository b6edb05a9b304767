//! Giving up documents that are not needed any more, and reading them as long as they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::{choose, oldest};
use crate::disk::Location;
use crate::doc::items::ReadItems;
use crate::doc::{Root, changes_since};
use crate::engine::{Claim, DocName, Engine, Loaded, Settings, view_names};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Code;

/// A document that was given up, or kept back.
#[derive(Debug, Clone)]
pub(crate) struct PrunedDocument {
    pub(crate) name: DocName,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Why it was kept; nothing if it is gone.
    pub(crate) kept: Option<&'static str>,
}

/// Gives up every document below the current one, unless something of it is carried nowhere yet.
pub(crate) fn prune(engine: &Engine) -> Result<Vec<PrunedDocument>> {
    prune_from(engine, 0)
}

/// [`prune`], of documents of an epoch and later ones.
pub(super) fn prune_from(engine: &Engine, epoch: u32) -> Result<Vec<PrunedDocument>> {
    engine.refuse_if_read_only()?;
    let mut writer = engine.lock_writer()?;
    engine.load(&mut writer)?;
    let current = writer.current;
    let is_meant = |name: &DocName| *name < current && name.epoch >= epoch;
    let names: Vec<DocName> =
        writer.documents.present().map(|(name, _)| name).filter(is_meant).collect();
    let mut pruned = Vec::new();
    for name in names {
        engine.load_other(&mut writer, name)?;
        let Some(loaded) = writer.others.get(&name) else { continue };
        let Some(fact) = writer.documents.0.get(&name) else { continue };
        let kept = if name.epoch < oldest(&engine.def) {
            Some("this code cannot read its epoch, so that late edits in it are carried nowhere")
        } else if fact.waits {
            Some("a part of its changes has not arrived")
        } else if fact.carried < fact.last {
            Some("late edits in it have not been carried yet")
        } else {
            None
        };
        let bytes = engine.view().stored_bytes(&name.to_string())?;
        pruned.push(PrunedDocument { name, rows: rows_in(loaded), bytes, kept });
    }
    let gone: Vec<DocName> =
        pruned.iter().filter(|document| document.kept.is_none()).map(|d| d.name).collect();
    if gone.is_empty() {
        return Ok(pruned);
    }
    let before = writer.documents.clone();
    let device = writer.device.unwrap_or_default();
    let mut has_own = false;
    for name in &gone {
        if let Some(fact) = writer.documents.0.get_mut(name) {
            has_own |= fact.clocks.contains_key(&device);
            (fact.is_pruned, fact.last, fact.carried) = (true, 0, 0);
        }
        writer.others.remove(name);
    }
    writer.unrecorded.documents = true;
    if has_own {
        // Should one of them come again without what this device wrote in it, the numbers of that
        // would be given out again under the old id.
        writer.renew_device(engine.new_device());
    }
    let forget = |commit: &crate::disk::Commit| {
        gone.iter().try_for_each(|name| commit.clear_document(&name.to_string()))
    };
    let stored = engine.store(&mut writer, |_, commit| forget(commit));
    if has_own {
        writer.forget_loaded();
    }
    if let Err(error) = stored {
        writer.documents = before;
        return Err(error);
    }
    Ok(pruned)
}

fn rows_in(loaded: &Loaded) -> u64 {
    let document = &loaded.document;
    let tables = document
        .maps()
        .into_iter()
        .filter(|root| matches!(Root::parse(root), Some(Root::Table(_))));
    tables.map(|root| document.len(&root)).sum()
}

/// Opens the document of an earlier epoch to read, as a store in memory.
pub(crate) fn open_epoch(engine: &Engine, code: Code) -> Result<Engine> {
    let epoch = code.def().epoch;
    let mut writer = engine.lock_writer()?;
    engine.load(&mut writer)?;
    let versions: Vec<_> = writer
        .documents
        .present()
        .filter(|(name, _)| name.epoch == epoch)
        .map(|(name, fact)| (name, fact.version()))
        .collect();
    let versions = versions.iter().map(|(name, version)| (*name, version));
    let name = choose(epoch, &writer.claims, versions);
    let name = name.or(Some(writer.current).filter(|current| current.epoch == epoch));
    let Some(name) = name else {
        return Err(Error::new(ErrorKind::Migration, "the store holds no document of this epoch")
            .expecting(format!("a document of epoch {epoch}"))
            .help("this copy never had it, or `prune_epochs` has removed it"));
    };
    if code.def().name != engine.def.name {
        return Err(Error::new(ErrorKind::WrongStore, "the struct is that of another store")
            .expecting(format!("the store `{}`", engine.def.name))
            .finding(format!("the store `{}`", code.def().name)));
    }
    let loaded = if name == writer.current {
        writer.loaded.as_ref()
    } else {
        engine.load_other(&mut writer, name)?;
        writer.others.get(&name)
    };
    let Some(loaded) = loaded else { return Err(crate::engine::not_loaded()) };
    let document = loaded.document.stored();
    let given = changes_since(&*document, &BTreeMap::new(), &document.deletions()?)?;
    if let Some((at, _)) = given.damaged.first() {
        document.entry(&at.root, &at.key)?;
        return Err(Error::new(ErrorKind::Corrupt, "an entry of the document is missing")
            .at_key(&at.key)
            .help("`check` says what else is damaged; restore a backup"));
    }
    let claim = writer.claims.get(&name).cloned();
    drop(writer);
    fill(code, name, &given.update, claim)
}

fn fill(code: Code, name: DocName, update: &[u8], claim: Option<Claim>) -> Result<Engine> {
    let settings = Settings { read_only: true, ..Settings::default() };
    let (copy, _) = Engine::open(code, &Location::Memory, settings)?;
    copy.disk.show(Arc::new(view_names(&copy.def, name)));
    copy.refresh_view()?;
    {
        let mut writer = copy.lock_writer()?;
        writer.current = name;
        writer.claims.extend(claim.map(|claim| (name, claim)));
        copy.merge(&mut writer, update)?;
    }
    Ok(copy)
}
