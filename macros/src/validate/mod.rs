//! The rules: one function each, listed here, every mistake reported.

mod checks;
mod computed;
mod defaults;
mod fields;
mod history;
mod indexes;
mod keys;
mod members;
mod merges;
mod names;
mod references;
mod serde;
mod stamps;
mod steps;

use crate::diag::Diag;
use crate::kind::Kind;
use crate::model::{Record, Store};

/// The rules for rows and kv groups.
const RECORD_RULES: &[fn(&Record, &mut Diag)] = &[
    names::record_name_is_valid,
    names::id_prefix_is_valid,
    keys::there_is_one_key,
    keys::several_fields_are_one_key,
    keys::key_is_no_option,
    keys::key_has_no_default,
    keys::key_is_always_written,
    indexes::indexes_name_fields,
    indexes::indexed_fields_have_one_value,
    indexes::each_is_of_a_collection,
    indexes::key_is_not_indexed_alone,
    indexes::paths_begin_at_columns,
    indexes::indexes_are_distinct,
    merges::tables_merge_by_field_or_whole,
    merges::fields_merge_where_the_table_does,
    merges::fields_merge_as_their_type_can,
    merges::names_have_no_reserved_signs,
    references::references_refer_to_rows,
    references::set_null_has_a_null,
    references::unchecked_references_do_nothing,
    stamps::times_are_filled_by_heirloom,
    checks::rules_are_about_the_row,
    computed::computed_columns_read_fields,
    computed::computed_columns_have_names_of_their_own,
    computed::computed_columns_have_one_value,
    fields::stored_names_are_distinct,
    fields::column_names_are_distinct,
    fields::column_names_are_free,
    serde::container_keeps_what_it_does_not_know,
    serde::fields_are_stored,
    serde::names_are_the_same_both_ways,
    serde::left_out_fields_can_be_read,
    defaults::kv_entries_have_defaults,
    defaults::double_options_have_none,
    defaults::computed_defaults_read_fields_above,
    history::removed_fields_are_gone,
    history::same_as_is_another_spelling,
    steps::conversions_have_a_previous_struct,
    steps::previous_is_another_struct,
    steps::one_thing_converts,
    steps::a_field_comes_from_one_place,
    steps::a_previous_field_moves_to_one_place,
    steps::what_is_given_up_goes_nowhere,
];

/// The rules for structs inside of rows.
const NESTED_RULES: &[fn(&Record, &mut Diag)] =
    &[fields::column_names_are_distinct, fields::column_names_are_free];

/// The rules for stores.
const STORE_RULES: &[fn(&Store, &mut Diag)] = &[
    names::store_name_is_valid,
    members::epoch_is_a_number,
    members::there_is_one,
    members::all_are_handles,
    members::types_are_distinct,
    history::history_is_relative,
    steps::migrations_have_a_previous_store,
    steps::previous_is_another_store,
];

/// Finds every mistake of a row, a kv group, or a struct inside of rows.
pub(crate) fn record(record: &Record, diag: &mut Diag) {
    let rules = if record.kind == Kind::Fields { NESTED_RULES } else { RECORD_RULES };
    for rule in rules {
        rule(record, diag);
    }
}

/// Finds every mistake of a store.
pub(crate) fn store(store: &Store, diag: &mut Diag) {
    for rule in STORE_RULES {
        rule(store, diag);
    }
}
