//! Breaking changes: migrations, late edits, the quarantine.

#[path = "../simulation/faults.rs"]
#[allow(dead_code, reason = "the simulation uses the rest")]
mod faults;
#[path = "../simulation/stores.rs"]
#[allow(dead_code, reason = "the simulation uses the rest")]
mod stores;
#[path = "../support/mod.rs"]
mod support;

mod composite_keys;
mod hostile;
mod kills;
mod late_edits;
mod opening;
mod quarantine;
mod times;
