//! The write path, the merge path, and notifying observers: joins `doc` and `disk`.

mod check;
mod claim;
mod clock;
mod compact;
mod current_view;
mod damage;
mod document;
mod documents;
mod exchange;
mod frontier;
mod head;
mod hub;
mod ids;
mod inactive_documents;
mod index_build;
mod index_check;
mod indexes;
mod insert;
mod internal_writes;
pub(crate) mod late_edits;
mod load;
mod lock;
mod lost_edits;
mod maintain;
mod meta_keys;
mod open;
mod part;
mod progress;
mod read_counts;
mod references;
mod store;
mod upgrade;
mod write;
mod write_batch;
mod writer;

pub use check::CheckReport;
pub(crate) use claim::{Claim, Claims};
pub(crate) use current_view::OldReaders;
pub(crate) use document::{Document, Loaded, ReadFailure};
pub(crate) use documents::{DocFact, DocName, Documents};
pub(crate) use exchange::{Held, MergeOutcome, documents_in};
pub(crate) use frontier::{Frontier, FrontierWriter};
pub(crate) use head::{read_claims, recorded};
pub(crate) use hub::{Change, KeepsView, Topic, Views};
pub use hub::{ChangeKind, Origin, Subscription};
pub use ids::IdSource;
pub(crate) use ids::next_random;
pub(crate) use inactive_documents::OtherMerged;
pub(crate) use indexes::IndexState;
pub(crate) use insert::{Feed, NewRow, NewRows, already_exists};
pub(crate) use internal_writes::{MARK, RootOp, entry_of, show};
pub(crate) use late_edits::{
    Candidate, Copies, LateEdit, LateEditKey, LateEdits, Marks, Showing, Standing, StoppedAt,
    StoredEdit, fields_met, parse_taken_in, rank_of, taken_in_key, unknown_copy,
};
pub(crate) use lost_edits::LostEdit;
pub(crate) use maintain::HistorySize;
pub use open::OnInvalid;
pub(crate) use open::{Engine, Settings, current_document, identity, index_facts_of, view_names};
pub(crate) use part::{Base, Part, PartOf, Parts, Split};
pub use progress::Progress;
pub(crate) use progress::REPORT_EVERY_ROWS;
pub(crate) use references::Dangling;
pub(crate) use write::not_loaded;
pub(crate) use write_batch::{RowOp, RowOps, WriteBatch};
pub(crate) use writer::{Unrecorded, Writer, WriterIndexes};
