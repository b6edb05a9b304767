//! Copies of a store: merging, copied files, bytes from elsewhere.

#[path = "../simulation/faults.rs"]
#[allow(dead_code, reason = "the simulation uses the rest")]
mod faults;
#[path = "../support/mod.rs"]
mod support;

mod bad_link;
mod catching_up;
mod conflicts;
mod conflicts_random;
mod copies;
mod fields;
mod fields_late;
mod fields_modes;
mod fields_random;
mod foreign_edits;
mod histories;
mod hostile;
mod merging;
mod outgrown;
mod received;
mod rules;
mod stock;
mod whole_store;
