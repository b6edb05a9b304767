//! `#[derive(Comparable)]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Data, DeriveInput, Fields, Index, Member, Type};

use super::{at, coding, hidden};
use crate::parse::resolve_self;
use crate::paths::Paths;

/// Field by field, and variants by their number:
///
/// ```text
/// impl Comparable for Shape {
///     fn sort_key(&self, key: &mut SortKey<'_>) {
///         match self {
///             Self::Dot => key.push(&0_u32),
///             Self::Circle { radius: field0 } => { key.push(&1_u32); … }
///         }
///     }
/// }
/// ```
pub(crate) fn comparable(input: &DeriveInput, paths: &Paths) -> TokenStream {
    let (ident, private) = (&input.ident, &paths.private);
    let site = Span::mixed_site();
    let mut generics = input.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(syn::parse_quote!(#private::Comparable));
    }
    let body = match &input.data {
        Data::Struct(data) => {
            let (pattern, pushes) = fields(input, &data.fields, "", private);
            quote_spanned!(site=> let Self #pattern = self; #pushes)
        }
        Data::Enum(data) if data.variants.is_empty() => quote_spanned!(site=> match *self {}),
        Data::Enum(data) => {
            let arms = data.variants.iter().zip(0_u32..).map(|(variant, number)| {
                let name = &variant.ident;
                let (pattern, pushes) =
                    fields(input, &variant.fields, &format!("{name}::"), private);
                quote_spanned! {site=>
                    Self::#name #pattern => {
                        #private::SortKey::push::<::core::primitive::u32>(key, &#number);
                        #pushes
                    }
                }
            });
            quote_spanned!(site=> match self { #(#arms)* })
        }
        Data::Union(_) => TokenStream::new(),
    };
    let (impl_generics, type_generics, clause) = generics.split_for_impl();
    let key = Ident::new("key", site);
    hidden(&quote_spanned! {site=>
        #[automatically_derived]
        #[allow(deprecated, unused_variables)]
        impl #impl_generics #private::Comparable for #ident #type_generics #clause {
            fn sort_key(&self, #key: &mut #private::SortKey<'_>) {
                #body
            }
        }
    })
}

/// A pattern that takes the fields apart, and what adds them.
fn fields(
    input: &DeriveInput,
    fields: &Fields,
    variant: &str,
    private: &TokenStream,
) -> (TokenStream, TokenStream) {
    let key = Ident::new("key", Span::mixed_site());
    let mut bindings = TokenStream::new();
    let mut pushes = TokenStream::new();
    for (number, field) in fields.iter().enumerate() {
        let member = match &field.ident {
            Some(name) => Member::Named(name.clone()),
            None => Member::Unnamed(Index::from(number)),
        };
        let binding = Ident::new(&format!("field{number}"), Span::mixed_site());
        bindings.extend(quote!(#member: #binding,));
        pushes.extend(push(input, &field.ty, &member, &binding, variant, &key, private));
    }
    (quote!({ #bindings }), pushes)
}

fn push(
    input: &DeriveInput,
    ty: &Type,
    member: &Member,
    binding: &Ident,
    variant: &str,
    key: &Ident,
    private: &TokenStream,
) -> TokenStream {
    // The bounds of the impl say that each parameter has the trait.
    if !input.generics.params.is_empty() {
        return quote_spanned!(at(ty)=> #private::SortKey::push::<#ty>(#key, #binding););
    }
    let written = resolve_self(quote!(#ty), &input.ident);
    let Ok(ty) = syn::parse2::<Type>(written) else { return TokenStream::new() };
    let name = match member {
        Member::Named(name) => name.to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    };
    let text = crate::text::text(quote!(#ty));
    let place = format!("`{}::{variant}{name}` is of type `{text}`", input.ident);
    let named = format_ident!("Compared");
    let checked = coding::checked(&place, &ty, &named, private);
    let encoder = coding::encoder(&ty, private);
    quote_spanned! {at(&ty)=> {
        #checked
        #private::SortKey::push_encoded::<#ty, #named>(#key, #binding, #encoder);
    }}
}
