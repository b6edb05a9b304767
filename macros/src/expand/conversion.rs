//! The conversion of a previous struct field by field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::step::previous_name;
use super::{at, codec, default, guard, located, record};
use crate::model::{Default, Field, FieldSource, Record, Step};

/// A conversion field by field.
pub(super) struct Fields<'a> {
    record: &'a Record,
    step: &'a Step,
    private: &'a TokenStream,
    /// The names of the previous fields that are taken, in the order in which they are first.
    taken: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(record: &'a Record, step: &'a Step) -> Self {
        let mut taken: Vec<&str> = Vec::new();
        for name in record.fields.iter().flat_map(Field::sources) {
            if !taken.contains(&name) {
                taken.push(name);
            }
        }
        Self { record, step, private: &record.paths.private, taken }
    }

    /// The constants, `SOURCES`, and the body of `succeed`.
    pub(super) fn expand(&self, previous: &TokenStream) -> (TokenStream, TokenStream, TokenStream) {
        let consts = [self.conversion(), self.places(), self.guards(), self.computed()];
        let private = self.private;
        let sources =
            self.record.fields.iter().enumerate().map(|(index, field)| match &field.source {
                FieldSource::With { .. } => {
                    let names = sources_name(index);
                    quote!(#private::SourceDef::Computed(#names))
                }
                FieldSource::Same | FieldSource::Renamed(_) => {
                    let place = self.place(field.sources()[0]);
                    quote!(#private::moved(__PREVIOUS, #place))
                }
            });
        let sources = quote!(::core::option::Option::Some(&[#(#sources),*]));
        (consts.into_iter().collect(), sources, self.body(previous))
    }

    /// The facts about the conversion that the checks read.
    fn conversion(&self) -> TokenStream {
        let (private, previous) = (self.private, previous_name(self.step));
        let (attribute, text) = (self.record.kind.attribute(), self.step.previous_text());
        let fields =
            located(quote!(<#previous as #private::Record>::FIELDS), self.step.previous.span());
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
        let is_same = |(_, field): &(usize, &Field)| matches!(field.source, FieldSource::Same);
        self.record.fields.iter().enumerate().filter(is_same)
    }

    /// The positions of the taken fields in the previous struct. A closure is not checked against
    /// the type of a field that does not exist, so its constants must not exist either.
    fn places(&self) -> TokenStream {
        let private = self.private;
        let places = self.taken.iter().map(|name| {
            let place = self.place(name);
            let fields = self.record.fields.iter();
            let parameter = fields
                .filter(|field| matches!(field.source, FieldSource::With { .. }))
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
        let renamed = self.record.fields.iter().filter_map(|field| match &field.source {
            FieldSource::Renamed(name) => {
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
            let FieldSource::With { parameters, .. } = &field.source else { return None };
            let name = sources_name(index);
            let names = parameters.iter().map(|parameter| {
                let place = self.place(&parameter.text);
                let name = quote!(#private::stored_name(__PREVIOUS, #place));
                located(name, at(&parameter.origin))
            });
            Some(quote! {
                const #name: &[&::core::primitive::str] =
                    &[#(#names),*];
            })
        });
        consts.collect()
    }

    fn body(&self, previous: &TokenStream) -> TokenStream {
        let private = self.private;
        let parts = quote_spanned!(at(&self.step.previous)=> parts);
        let apart = located(quote!(#private::Apart::apart(#previous)), self.step.previous.span());
        let takes = self.taken.iter().map(|name| {
            let (taken, place) = (self.taken(name), self.place(name));
            let span = taken.span();
            located(quote!(let #taken = #private::take::<#place, _, _>(&mut #parts)?;), span)
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
            let mut #parts = #apart;
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
        let value = match &field.source {
            FieldSource::With { closure, .. } => {
                with(closure, &values.collect::<Vec<_>>(), &ty.to_token_stream())
            }
            FieldSource::Same | FieldSource::Renamed(_) => {
                let value = values.next();
                let private = self.private;
                let default = match field.source {
                    FieldSource::Same => self.default(index, field),
                    _ => quote!(#private::no_default),
                };
                let taken = self.taken(field.sources()[0]);
                located(
                    quote! {
                        (&&&#private::Way::<_, #ty>::of(&#taken)).way().go(#value, #default)?
                    },
                    ty.span(),
                )
            }
        };
        quote_spanned!(Span::mixed_site()=> let #new: #ty = #value;)
    }

    /// The first value of a field that the previous struct does not have.
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

    /// The constant with the place of a previous field.
    fn place(&self, name: &str) -> Ident {
        format_ident!("__PLACE{}", self.number(name), span = self.user(name))
    }

    /// The variable with the value of a previous field.
    fn taken(&self, name: &str) -> Ident {
        format_ident!("taken{}", self.number(name), span = self.user(name))
    }

    /// The span for mistakes of a previous field: the place that names it, or else the type of the
    /// field it becomes.
    fn user(&self, name: &str) -> Span {
        let fields = || self.record.fields.iter();
        let named = fields().flat_map(Field::named_sources).find(|source| source.text == name);
        let same = || fields().find(|field| field.sources().contains(&name));
        match named {
            Some(source) => at(&source.origin),
            None => same().map_or_else(Span::mixed_site, |field| at(&field.ty)),
        }
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
