//! Copies of a store: merging, copied files, bytes from elsewhere.

#[path = "../support/mod.rs"]
mod support;

mod copies;
mod merging;
mod received;
mod rules;
