//! Schemas: what the derives make of structs, what changes between versions, who is refused.

#[path = "../support/apps.rs"]
#[allow(dead_code, reason = "not every version has rows")]
mod apps;
#[path = "../support/mod.rs"]
mod support;

mod breaking;
mod catalogue;
mod catalogue_stores;
mod conversion;
mod dependencies;
mod fingerprints;
mod history;
mod keeping;
mod merging;
pub mod odd;
mod open_enums;
mod packaging;
mod recording;
mod versions;
