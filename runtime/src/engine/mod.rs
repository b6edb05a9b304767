//! The write path, the merge path, and notifying observers: joins `doc` and `disk`.

mod check;
mod claim;
mod compact;
mod current_view;
mod damage;
mod document;
mod documents;
mod exchange;
mod head;
mod hub;
mod ids;
mod inactive_documents;
mod index_build;
mod index_check;
mod indexes;
mod internal_writes;
pub(crate) mod late_edits;
mod load;
mod lock;
mod maintain;
mod meta_keys;
mod open;
mod progress;
mod read_counts;
mod references;
mod store;
mod upgrade;
mod write;
mod write_batch;
mod writer;

pub use check::CheckReport;
pub(crate) use claim::{Claim, Claims, CopySource};
pub(crate) use current_view::OldReaders;
pub(crate) use document::Loaded;
pub(crate) use documents::{DocFact, DocName, Documents};
pub(crate) use exchange::{Held, MergeOutcome, documents_in};
pub(crate) use head::{read_claims, recorded};
pub(crate) use hub::{Change, KeepsView, Topic, Views};
pub use hub::{ChangeKind, Origin, Subscription};
pub use ids::IdSource;
pub(crate) use inactive_documents::OtherMerged;
pub(crate) use indexes::IndexState;
pub(crate) use internal_writes::{RootOp, show};
pub(crate) use late_edits::{
    LateEdit, LateEditKey, LateEdits, Resolution, StoppedAt, StoredEdit, are_later, checksum,
};
pub(crate) use maintain::HistorySize;
pub use open::OnInvalid;
pub(crate) use open::{Engine, Settings, identity, view_names};
pub use progress::Progress;
pub(crate) use progress::REPORT_EVERY_ROWS;
pub(crate) use references::Dangling;
pub(crate) use write::not_loaded;
pub(crate) use write_batch::{RowOp, WriteBatch};
pub(crate) use writer::{Unrecorded, Writer, WriterIndexes};
