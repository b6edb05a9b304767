//! Which structs the derives take.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Data, DeriveInput, Fields, FieldsNamed, Ident, Member, Type};

use super::serde::serde_container;
use crate::diag::Diag;
use crate::kind::Kind;

/// The fields of a struct with named fields.
pub(crate) fn named_fields<'a>(
    input: &'a DeriveInput,
    kind: Kind,
    diag: &mut Diag,
) -> Option<&'a FieldsNamed> {
    let (derive, noun) = (kind.derive(), kind.noun());
    refuse_generics(input, noun, diag);
    let (found, advice) = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Some(fields),
            Fields::Unnamed(_) => ("a tuple struct", "give its fields names"),
            Fields::Unit => ("a unit struct", "give it fields in braces"),
        },
        Data::Enum(_) => ("an enum", "make it the type of a field of a struct"),
        Data::Union(_) => ("a union", "write a struct"),
    };
    diag.error(
        &input.ident,
        format_args!(
            "`{derive}` goes on a struct with named fields, and `{}` is {found}; {advice}",
            input.ident
        ),
    );
    None
}

/// The one field of a newtype.
#[derive(Debug)]
pub(crate) struct Newtype {
    pub(crate) member: Member,
    pub(crate) ty: Type,
}

/// The field of a struct that wraps a key.
pub(crate) fn newtype(input: &DeriveInput, diag: &mut Diag) -> Option<Newtype> {
    refuse_generics(input, "a key", diag);
    let ident = &input.ident;
    let Data::Struct(data) = &input.data else {
        let found = if matches!(input.data, Data::Enum(_)) { "an enum" } else { "a union" };
        refuse_newtype(ident, found, diag);
        return None;
    };
    let mut members = data.fields.members().zip(data.fields.iter());
    let (Some((member, field)), None) = (members.next(), members.next()) else {
        let count = data.fields.len();
        refuse_newtype(ident, &format!("a struct with {count} fields"), diag);
        return None;
    };
    if matches!(data.fields, Fields::Named(_)) && !serde_container(&input.attrs).transparent {
        diag.error(
            ident,
            format_args!(
                "a key is stored as the value inside it, and serde would write `{ident}` as an \
                 object; add `#[serde(transparent)]` to it"
            ),
        );
    }
    Some(Newtype { member, ty: field.ty.clone() })
}

fn refuse_newtype(ident: &Ident, found: &str, diag: &mut Diag) {
    diag.error(
        ident,
        format_args!(
            "`#[derive(Key)]` goes on a newtype, and `{ident}` is {found}; write \
             `struct {ident}(String);` with the key type that it wraps"
        ),
    );
}

fn refuse_generics(input: &DeriveInput, noun: &str, diag: &mut Diag) {
    let generics = &input.generics;
    let guilty: TokenStream = if generics.params.is_empty() {
        generics.where_clause.to_token_stream()
    } else {
        generics.params.to_token_stream()
    };
    if !guilty.is_empty() {
        diag.error(
            guilty,
            format_args!(
                "{noun} has one stored form, so its type takes no parameters and no `where`; \
                 write one struct for each concrete type"
            ),
        );
    }
}
