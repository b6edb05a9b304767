//! The step from the struct of the epoch before.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::{at, codec, default, guard, located, record};
use crate::kind::Kind;
use crate::model::{Default, Field, Origin, Record, Step, Way};

/// `impl Successor for …`, and the checks of its conversion; nothing where there is no previous
/// struct.
///
/// ```text
/// const __PREVIOUS: &[FieldDef] = <v0::Recording as Record>::FIELDS;
/// const __PLACE0: usize = place(__PREVIOUS, "id");
/// …
/// impl Successor for Recording {
///     type Previous = v0::Recording;
///     const SOURCES: Option<&'static [SourceDef]> = Some(&[moved(__PREVIOUS, __PLACE0), …]);
///     fn succeed(previous: v0::Recording) -> Result<Self, ConvertError> {
///         let mut parts = Apart::apart(previous);
///         let taken0 = take::<__PLACE0, _, _>(&mut parts)?;
///         …
///         let new0: Id<Recording> = (&&&Way::of(&taken0)).way().go(taken0, no_default)?;
///         …
///         Ok(Self { id: new0, … })
///     }
/// }
/// ```
pub(super) fn step(record: &Record) -> TokenStream {
    let Some(step) = &record.step else { return TokenStream::new() };
    let (ident, private, previous) = (&record.ident, &record.paths.private, &step.previous);
    let argument = quote_spanned!(Span::mixed_site()=> previous);
    let (consts, sources, body) = match &step.way {
        Way::Fields => Fields::new(record, step).expand(&argument),
        Way::From(key) => {
            let from = located(
                quote!(<Self as ::core::convert::From<#previous>>::from(#argument)),
                syn::spanned::Spanned::span(key),
            );
            (TokenStream::new(), none(), quote!(::core::result::Result::Ok(#from)))
        }
        Way::TryFrom(key) => {
            let try_from = located(
                quote! {
                    ::core::result::Result::map_err(
                        <Self as ::core::convert::TryFrom<#previous>>::try_from(#argument),
                        #private::ConvertError::new,
                    )
                },
                syn::spanned::Spanned::span(key),
            );
            (TokenStream::new(), none(), try_from)
        }
    };
    quote_spanned! {Span::mixed_site()=>
        #consts

        #[automatically_derived]
        #[allow(deprecated, unused_imports, unused_variables, clippy::all, clippy::pedantic)]
        impl #private::Successor for #ident {
            type Previous = #previous;

            const SOURCES: ::core::option::Option<&'static [#private::SourceDef]> = #sources;

            fn succeed(
                #argument: #previous,
            ) -> ::core::result::Result<Self, #private::ConvertError> {
                #body
            }
        }
    }
}

/// The member of `impl Record` that says how to step.
pub(super) fn member(record: &Record) -> Option<TokenStream> {
    let (previous, private) = (&record.step.as_ref()?.previous, &record.paths.private);
    let name = match record.kind {
        Kind::Kv => quote!(<#previous as #private::Group>::GROUP),
        _ => quote!(<#previous as #private::Row>::TABLE),
    };
    let name = located(name, syn::spanned::Spanned::span(previous));
    Some(quote! {
        const STEP: ::core::option::Option<#private::Step<Self>> =
            ::core::option::Option::Some(#private::step_to::<Self>(#name));
    })
}

fn none() -> TokenStream {
    quote!(::core::option::Option::None)
}

/// A conversion field by field.
struct Fields<'a> {
    record: &'a Record,
    step: &'a Step,
    private: &'a TokenStream,
    /// The names of the previous fields that are taken, in the order in which they are first.
    taken: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    fn new(record: &'a Record, step: &'a Step) -> Self {
        let mut taken: Vec<&str> = Vec::new();
        for name in record.fields.iter().flat_map(Field::sources) {
            if !taken.contains(&name) {
                taken.push(name);
            }
        }
        Self { record, step, private: &record.paths.private, taken }
    }

    /// The constants, `SOURCES`, and the body of `succeed`.
    fn expand(&self, previous: &TokenStream) -> (TokenStream, TokenStream, TokenStream) {
        let consts = [self.conversion(), self.places(), self.guards(), self.computed()];
        let private = self.private;
        let sources =
            self.record.fields.iter().enumerate().map(|(index, field)| match &field.origin {
                Origin::With { .. } => {
                    let names = sources_name(index);
                    quote!(#private::SourceDef::Computed(#names))
                }
                Origin::Same | Origin::Renamed(_) => {
                    let place = self.place(field.sources()[0]);
                    quote!(#private::moved(__PREVIOUS, #place))
                }
            });
        let sources = quote!(::core::option::Option::Some(&[#(#sources),*]));
        (consts.into_iter().collect(), sources, self.body(previous))
    }

    /// What is known of the conversion, for the checks.
    fn conversion(&self) -> TokenStream {
        let (private, previous) = (self.private, &self.step.previous);
        let (attribute, text) = (self.record.kind.attribute(), self.step.previous_text());
        let fields = located(
            quote!(<#previous as #private::Record>::FIELDS),
            syn::spanned::Spanned::span(previous),
        );
        let named = self.record.fields.iter().flat_map(Field::named_sources);
        let named = named.map(|name| &name.text);
        let same = self.same().map(|(_, field)| record::def(field, private));
        let removed = self.record.removed.iter().map(|removed| &removed.text);
        quote! {
            const __PREVIOUS: &[#private::FieldDef] = #fields;
            const __CONVERSION: #private::Conversion = #private::Conversion {
                attribute: #attribute,
                previous: #text,
                fields: __PREVIOUS,
                named: &[#(#named),*],
                same: &[#(#same),*],
                removed: &[#(#removed),*],
            };
        }
    }

    /// The fields that are taken from one of the same name.
    fn same(&self) -> impl Iterator<Item = (usize, &'a Field)> {
        let is_same = |(_, field): &(usize, &Field)| matches!(field.origin, Origin::Same);
        self.record.fields.iter().enumerate().filter(is_same)
    }

    /// Where the taken fields stand in the previous struct. A closure is not checked against the
    /// type of a field that there is not, so its constants must not be there either.
    fn places(&self) -> TokenStream {
        let private = self.private;
        let places = self.taken.iter().map(|name| {
            let place = self.place(name);
            let fields = self.record.fields.iter();
            let parameter = fields
                .filter(|field| matches!(field.origin, Origin::With { .. }))
                .flat_map(Field::named_sources)
                .find(|source| source.text == *name);
            let Some(parameter) = parameter else {
                return quote!(const #place: ::core::primitive::usize = #private::place(__PREVIOUS, #name););
            };
            quote_spanned! {at(&parameter.origin)=>
                const #place: ::core::primitive::usize =
                    if let ::core::option::Option::Some(message) =
                        &#private::Conversion::check_named(&__CONVERSION, #name)
                    {
                        ::core::panic!("{}", message.as_str())
                    } else {
                        #private::place(__PREVIOUS, #name)
                    };
            }
        });
        places.collect()
    }

    fn guards(&self) -> TokenStream {
        let private = self.private;
        let renamed = self.record.fields.iter().filter_map(|field| match &field.origin {
            Origin::Renamed(name) => {
                let text = &name.text;
                let check = quote!(#private::Conversion::check_named(&__CONVERSION, #text));
                Some(guard::guard(&check, at(&name.origin)))
            }
            _ => None,
        });
        let same = self.same().enumerate().map(|(index, (_, field))| {
            let check = quote!(#private::Conversion::check_same(&__CONVERSION, #index));
            guard::guard(&check, at(&field.parsed.ident))
        });
        let check = quote!(#private::Conversion::check_whole(&__CONVERSION));
        let whole = guard::guard(&check, at(&self.step.previous));
        renamed.chain(same).chain([whole]).collect()
    }

    /// The stored names of the fields that others are computed from.
    fn computed(&self) -> TokenStream {
        let private = self.private;
        let fields = self.record.fields.iter().enumerate();
        let consts = fields.filter_map(|(index, field)| {
            let Origin::With { parameters, .. } = &field.origin else { return None };
            let name = sources_name(index);
            let places = parameters.iter().map(|parameter| self.place(&parameter.text));
            Some(quote! {
                const #name: &[&::core::primitive::str] =
                    &[#(#private::stored_name(__PREVIOUS, #places)),*];
            })
        });
        consts.collect()
    }

    fn body(&self, previous: &TokenStream) -> TokenStream {
        let private = self.private;
        let parts = quote_spanned!(Span::mixed_site()=> parts);
        let takes = self.taken.iter().map(|name| {
            let (taken, place) = (self.taken(name), self.place(name));
            // What is of a private type is reported at what it would become.
            let user = self.record.fields.iter().find(|field| field.sources().contains(name));
            let span = user.map_or_else(Span::mixed_site, |field| at(&field.ty));
            quote_spanned!(span=> let #taken = #private::take::<#place, _, _>(&mut #parts)?;)
        });
        let mut left: Vec<&str> = self.record.fields.iter().flat_map(Field::sources).collect();
        let news: Vec<TokenStream> = self
            .record
            .fields
            .iter()
            .enumerate()
            .map(|(index, field)| self.new_field(index, field, &mut left))
            .collect();
        let members = self.record.fields.iter().enumerate().map(|(index, field)| {
            let (member, new) = (&field.parsed.ident, new_name(index));
            quote!(#member: #new)
        });
        quote! {
            use #private::{WayToBegin as _, WayToCarryOver as _, WayToWiden as _};
            let mut #parts = #private::Apart::apart(#previous);
            #(#takes)*
            #(#news)*
            ::core::result::Result::Ok(Self { #(#members),* })
        }
    }

    /// `let new0: String = …;`
    fn new_field(&self, index: usize, field: &Field, left: &mut Vec<&'a str>) -> TokenStream {
        let (new, ty) = (new_name(index), &field.ty);
        let mut values = field.sources().into_iter().map(|name| {
            left.remove(0);
            let taken = self.taken(name);
            // The last one to need a value gets it, those before get copies.
            if left.contains(&name) {
                let origin = field.named_sources().into_iter().find(|source| source.text == name);
                let span = origin.map_or_else(|| at(ty), |source| at(&source.origin));
                quote_spanned!(span=> ::core::clone::Clone::clone(&#taken))
            } else {
                quote!(#taken)
            }
        });
        let value = match &field.origin {
            Origin::With { closure, .. } => {
                with(closure, &values.collect::<Vec<_>>(), &ty.to_token_stream())
            }
            Origin::Same | Origin::Renamed(_) => {
                let value = values.next();
                let private = self.private;
                let default = match field.origin {
                    Origin::Same => self.default(index, field),
                    _ => quote!(#private::no_default),
                };
                let taken = self.taken(field.sources()[0]);
                let way = located(
                    quote! {
                        (&&&#private::Way::<_, #ty>::of(&#taken)).way().go(#value, #default)?
                    },
                    syn::spanned::Spanned::span(ty),
                );
                way
            }
        };
        quote_spanned!(Span::mixed_site()=> let #new: #ty = #value;)
    }

    /// What a field begins as that the previous struct does not have.
    fn default(&self, index: usize, field: &Field) -> TokenStream {
        let private = self.private;
        if let Default::Computed { sources, .. } = &field.default {
            let above = sources.iter().filter_map(|source| source.field).map(|above| {
                let field = &self.record.fields[above];
                let (stored, new) = (&field.stored, new_name(above));
                let json = codec::optional_json(above, field, &quote!(#new), private);
                quote!((#stored, &|| #json))
            });
            let ident = &self.record.ident;
            let read = codec::read_json(index, field, &quote!(&json), private);
            return quote! {
                || {
                    let json = #private::computed_default::<#ident>(#index, &[#(#above),*])?;
                    ::core::result::Result::map_err(#read, #private::ConvertError::new)
                }
            };
        }
        match default::value(self.record, index) {
            Some(value) => quote!(|| ::core::result::Result::Ok(#value)),
            None if matches!(field.default, Default::Optional) => {
                quote!(|| ::core::result::Result::Ok(::core::option::Option::None))
            }
            None => quote!(#private::no_default),
        }
    }

    fn place(&self, name: &str) -> Ident {
        format_ident!("__PLACE{}", self.number(name))
    }

    fn taken(&self, name: &str) -> Ident {
        format_ident!("taken{}", self.number(name), span = Span::mixed_site())
    }

    fn number(&self, name: &str) -> usize {
        self.taken.iter().position(|taken| *taken == name).unwrap_or_default()
    }
}

/// ```text
/// {
///     fn call<A0, A1, Out>(a0: A0, a1: A1, closure: fn(A0, A1) -> Out) -> Out { closure(a0, a1) }
///     call::<_, _, Status>(taken2, taken3, |completed, failed| …)
/// }
/// ```
fn with(closure: &TokenStream, values: &[TokenStream], ty: &TokenStream) -> TokenStream {
    let types: Vec<Ident> = (0..values.len()).map(|index| format_ident!("A{index}")).collect();
    let arguments: Vec<Ident> = (0..values.len()).map(|index| format_ident!("a{index}")).collect();
    let holes = values.iter().map(|_| quote!(_));
    quote_spanned! {Span::mixed_site()=>
        {
            fn call<#(#types,)* Out>(
                #(#arguments: #types,)*
                closure: fn(#(#types),*) -> Out,
            ) -> Out {
                closure(#(#arguments),*)
            }
            call::<#(#holes,)* #ty>(#(#values,)* #closure)
        }
    }
}

fn new_name(index: usize) -> Ident {
    format_ident!("new{index}", span = Span::mixed_site())
}

fn sources_name(index: usize) -> Ident {
    format_ident!("__SOURCES{index}")
}
