//! Names of the facts in the file's `meta` table.

pub(super) use crate::disk::FORMAT_FACT as FORMAT;
pub(super) const STORE: &str = "store";
pub(super) const DOCUMENT: &str = "document";
/// The facts about the data documents that are not current.
pub(super) const DOCUMENTS: &str = "documents";
pub(super) const DEVICE: &str = "device";
/// The ids under which this device has written before.
pub(super) const EARLIER_DEVICES: &str = "earlier_devices";
pub(super) const WHEREABOUTS: &str = "whereabouts";
pub(super) const COMPARED: &str = "compared";
/// The known damage.
pub(super) const DAMAGED: &str = "damaged";
pub(super) const INDEXES: &str = "indexes";
