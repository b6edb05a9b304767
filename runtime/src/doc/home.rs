//! [`Home`]: the place that an item belongs to.

use std::sync::Arc;

use super::items::{Place, ReadItems};
use super::nested;
use super::writing::run_first;
use crate::error::{Error, ErrorKind, Result};
use crate::row::ItemId;

/// The place that an item belongs to.
pub(super) enum Home {
    /// It cannot be told any more.
    Nowhere,
    Entry {
        root: Arc<str>,
        key: Arc<str>,
        place: Place,
    },
    /// A nested type that hangs on this item under a key, or on none.
    Nested {
        holder: Option<ItemId>,
    },
}

/// Returns the place that a known item belongs to; of an entry, with the place of an item that
/// comes after it.
pub(super) fn home_of<R: ReadItems + ?Sized>(items: &R, id: ItemId) -> Result<Home> {
    let run = items.run(id)?;
    let first = run_first(&run, id.client);
    let place = match run.place {
        Place::Gone => return Ok(Home::Nowhere),
        Place::Nested => {
            let record = items.nested(ItemId { client: id.client, clock: run.start })?;
            return Ok(Home::Nested { holder: nested::holder_in(&record) });
        }
        Place::After { .. } => items.run(first)?.place,
        first => first,
    };
    match place {
        Place::First { root, key } => {
            Ok(Home::Entry { root, key, place: Place::After { origin: id, first } })
        }
        _ => Err(unknown_entry()),
    }
}

pub(super) fn unknown_entry() -> Error {
    Error::new(ErrorKind::Corrupt, "an item of a document belongs to no key")
}
