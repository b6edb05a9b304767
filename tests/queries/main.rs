//! Queries, indexes, observers and live results.

#[path = "../support/mod.rs"]
mod support;

#[macro_use]
mod shelf;

mod aggregating;
mod bad_input;
mod collations;
mod comparing;
mod composite_keys;
mod computed;
mod each_item;
mod index_entries;
mod indexes;
mod large_results;
mod observing;
mod paging;
mod path_indexes;
mod paths;
mod plans;
mod querying;
mod references;
mod relations;
mod selecting;
mod sets;
mod several_references;
mod texts;
mod watching;
