//! Rows, groups and transactions: what is written, what is read, by code of any age.

#[path = "../support/mod.rs"]
mod support;

mod attributes;
mod counting;
mod hostile;
mod invalid;
mod kv;
mod model;
mod older_code;
mod reading;
mod snapshots;
mod threads;
mod types_by_name;
mod upkeep;
mod values;
mod writing;
