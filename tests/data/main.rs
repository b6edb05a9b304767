//! Rows, groups and transactions: what is written, what is read, by code of any age.

#[path = "../support/mod.rs"]
mod support;

mod app_errors;
mod attributes;
mod borrowed;
mod counting;
mod csv;
mod hostile;
mod import_lines;
mod invalid;
mod kv;
mod kv_rules;
mod lists;
mod many_rows;
mod model;
mod older_code;
mod overwriting;
mod patching;
mod reading;
mod round_trip;
mod rules;
mod threads;
mod times;
mod transfer;
mod types_by_name;
mod unstable_defaults;
mod upkeep;
mod values;
mod writing;
