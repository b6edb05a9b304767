//! The only module that names yrs: the rules of documents of root maps, and the updates by which they are
//! exchanged. A document is never in memory: it is read and changed where it is kept.

mod block;
pub(crate) mod cells;
mod changes;
mod healing;
#[cfg(test)]
mod histories;
mod home;
mod incoming;
mod integration;
pub(crate) mod items;
#[cfg(test)]
mod memory;
mod merging;
mod nested;
#[cfg(test)]
mod oracle;
mod outgoing;
mod root;
mod rules;
mod shown;
mod unseen;
mod values;
mod version;
mod wire;
mod writing;

pub(crate) use changes::{changes_since, key_of, written_over};
pub(crate) use healing::{contents_of, live_items};
pub(crate) use items::Entry;
pub(crate) use merging::{ChangedKeys, check_update, merge};
pub(crate) use root::Root;
pub(crate) use unseen::{
    At, Lost, LostCell, Met, OwnIds, Unseen, Writes, give_up, holds_marks, is_removed_count,
};
pub(crate) use version::{DocVersion, deletion_hash, deletions_hash};
pub(crate) use writing::{EntryOp, EntryWrite, write};
