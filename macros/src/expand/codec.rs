//! Fields that serde writes and reads through functions of the user's own.
//!
//! Their values go through local types that call these functions, so that a default, or a kv entry
//! on its own, has the same JSON as in the whole struct.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::at;
use crate::model::{Field, Record};

/// The local types, for all fields that need them.
pub(super) fn codecs(record: &Record) -> TokenStream {
    let private = &record.paths.private;
    let fields = record.fields.iter().enumerate();
    fields
        .map(|(index, field)| {
            let serialize = field.serialize().map(|with| writer(index, field, with, private));
            let deserialize = field.deserialize().map(|with| reader(index, field, with, private));
            quote!(#serialize #deserialize)
        })
        .collect()
}

/// The JSON text of a value of the field, if `value` is a reference to one.
pub(super) fn to_json(
    index: usize,
    field: &Field,
    value: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    let above = quote_spanned!(Span::mixed_site()=> above);
    let span = at(&field.ty);
    if field.serialize().is_some() {
        let writer = writer_name(index);
        quote_spanned!(span=> #private::Above::json(#above, &#writer(#value)))
    } else {
        quote_spanned!(span=> #private::Above::json(#above, #value))
    }
}

/// The value of the field, read from what is stored above a default.
pub(super) fn from_above(index: usize, field: &Field, private: &TokenStream) -> TokenStream {
    let above = quote_spanned!(Span::mixed_site()=> above);
    let (ty, stored, span) = (&field.ty, &field.stored, at(&field.ty));
    if field.deserialize().is_some() {
        let reader = reader_name(index);
        quote_spanned!(span=> #private::Above::get::<#reader>(#above, #stored)?.0)
    } else if let Some(inner) = &field.nullable {
        quote_spanned!(span=> #private::Above::nullable::<#inner>(#above, #stored)?)
    } else {
        quote_spanned!(span=> #private::Above::get::<#ty>(#above, #stored)?)
    }
}

/// The JSON text of a field, as a default below it reads it: `Result<Option<String>, _>`.
pub(super) fn optional_json(
    index: usize,
    field: &Field,
    value: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    let json = if field.serialize().is_some() {
        let writer = writer_name(index);
        quote!(#private::to_json(&#writer(&#value)))
    } else {
        quote!(#private::to_json(&#value))
    };
    let some = quote!(::core::result::Result::map(#json, ::core::option::Option::Some));
    if field.nullable.is_none() {
        return some;
    }
    quote! {
        if ::core::option::Option::is_none(&#value) {
            ::core::result::Result::Ok(::core::option::Option::None)
        } else {
            #some
        }
    }
}

/// The value of the field, if `json` is a reference to its text.
pub(super) fn read_json(
    index: usize,
    field: &Field,
    json: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    let ty = &field.ty;
    if field.deserialize().is_some() {
        let reader = reader_name(index);
        quote!(::core::result::Result::map(#private::from_json::<#reader>(#json), |read| read.0))
    } else {
        quote!(#private::from_json::<#ty>(#json))
    }
}

/// The handle of a kv entry.
pub(super) fn entry(index: usize, field: &Field, private: &TokenStream) -> TokenStream {
    let ty = &field.ty;
    let (a, b) = (format_ident!("a"), format_ident!("b"));
    let is_same = is_same(&quote!(#a), &quote!(#b), private);
    let is_same = quote!(|#a, #b| #is_same);
    if field.serialize().is_none() && field.deserialize().is_none() {
        return quote_spanned! {at(ty)=>
            #private::EntryMaker::entry::<#ty>(maker, #index, #is_same)
        };
    }
    let write = if field.serialize().is_some() {
        let writer = writer_name(index);
        quote_spanned!(at(ty)=> |value| #private::encode(&#writer(value)))
    } else {
        quote_spanned!(at(ty)=> |value| #private::encode(value))
    };
    let read = if field.deserialize().is_some() {
        let reader = reader_name(index);
        quote_spanned! {at(ty)=>
            |json| ::core::result::Result::map(
                #private::from_json::<#reader>(json),
                |read| read.0,
            )
        }
    } else {
        quote_spanned!(at(ty)=> |json| #private::from_json::<#ty>(json))
    };
    quote_spanned! {at(ty)=>
        #private::EntryMaker::entry_with::<#ty>(maker, #index, #write, #read, #is_same)
    }
}

/// Whether two values are equal, given references to them: `Option<bool>`.
pub(super) fn is_same(a: &TokenStream, b: &TokenStream, private: &TokenStream) -> TokenStream {
    quote! {{
        use #private::{WithEquality as _, WithoutEquality as _};
        (&&#private::Compare(#a, #b)).is_same()
    }}
}

fn writer_name(index: usize) -> Ident {
    format_ident!("__WriteField{index}")
}

fn reader_name(index: usize) -> Ident {
    format_ident!("__ReadField{index}")
}

fn writer(index: usize, field: &Field, with: &TokenStream, private: &TokenStream) -> TokenStream {
    let (name, ty) = (writer_name(index), &field.ty);
    quote_spanned! {Span::mixed_site()=>
        struct #name<'a>(&'a #ty);

        #[automatically_derived]
        impl #private::serde::Serialize for #name<'_> {
            fn serialize<S: #private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                #with(self.0, serializer)
            }
        }
    }
}

fn reader(index: usize, field: &Field, with: &TokenStream, private: &TokenStream) -> TokenStream {
    let (name, ty) = (reader_name(index), &field.ty);
    quote_spanned! {Span::mixed_site()=>
        struct #name(#ty);

        #[automatically_derived]
        impl<'de> #private::serde::Deserialize<'de> for #name {
            fn deserialize<D: #private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                ::core::result::Result::map(#with(deserializer), #name)
            }
        }
    }
}
