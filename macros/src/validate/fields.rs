//! Fields are told apart by their stored names.

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::diag::Diag;
use crate::model::Record;

/// `#[index]` is read, and refused until there are indexes.
pub(super) fn indexes_are_not_supported(record: &Record, diag: &mut Diag) {
    for field in &record.fields {
        if let Some(index) = &field.parsed.index {
            diag.error(
                index,
                "indexes are not supported yet; remove `#[index]`: adding one later changes no \
                 stored row",
            );
        }
    }
}

/// No two fields are written or read under one name.
pub(super) fn stored_names_are_distinct(record: &Record, diag: &mut Diag) {
    let mut taken: Vec<(String, &str)> = Vec::new();
    for field in &record.fields {
        let own = &field.parsed.name;
        let mut claim = |name: String, origin: TokenStream| match taken
            .iter()
            .find(|(taken, _)| *taken == name)
        {
            Some((_, by)) => diag.error(
                origin,
                format_args!(
                    "`{by}` is stored or read as `{name}` already; give `{own}` another name \
                         with `#[serde(rename = \"…\")]`, or remove the alias"
                ),
            ),
            None => taken.push((name, own)),
        };
        claim(field.stored.clone(), field.name_origin());
        for alias in &field.aliases {
            claim(alias.value(), alias.to_token_stream());
        }
    }
}
