//! Rebuilding a document by itself once it remembers too much.

use super::prune::prune_from;
use super::select_document::rebuild;
use crate::engine::Engine;
use crate::error::Result;

/// A document is rebuilt if that sheds at least this share of its items: so many for each live row.
const MIN_ITEMS_PER_LIVE_ROW: u64 = 4;

/// Rebuilds the current document if its items take more than the limit that was set and most of them are
/// history, and gives up its earlier generations as far as nothing of them is left to be carried.
pub(crate) fn shed_history(engine: &Engine) -> Result<()> {
    let Some(limit) = engine.settings.history_limit else { return Ok(()) };
    let size = engine.history_size()?;
    if size.bytes <= limit || size.items < MIN_ITEMS_PER_LIVE_ROW.saturating_mul(size.live_rows) {
        return Ok(());
    }
    rebuild(engine)?;
    prune_from(engine, engine.def.epoch).map(drop)
}
