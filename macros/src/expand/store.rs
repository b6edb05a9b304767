//! `#[derive(Store)]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Generics, Ident, Type};

use super::{at, hidden, methods};
use crate::model::{Member, Store};
use crate::paths::Paths;

/// The impls of a store and its methods:
///
/// ```text
/// const _: () = {
///     impl Store for Whispering {
///         const DEF: StoreDef = …;
///         fn attach(handle: &Handle) -> Self {
///             Self { recordings: <Table<Recording> as Attach>::attach(handle, 0), … }
///         }
///         fn handle(&self) -> &Handle { Attach::handle(&self.recordings) }
///     }
///     impl TableOf<Whispering> for Recording { const SLOT: usize = 0; }
///     impl GroupOf<Whispering> for Settings { const SLOT: usize = 0; }
///     impl Whispering { pub fn open(…) … }
/// };
/// ```
pub(crate) fn store(store: &Store) -> TokenStream {
    let (ident, private) = (&store.ident, &store.paths.private);
    let Some(first) = store.fields.first() else { return TokenStream::new() };
    let (def, attach) = (def(store), attach(store));
    let (first, first_ty) = (&first.ident, &first.ty);
    let slots = slots(ident, &store.paths, &store.tables(), &store.groups());
    let methods = methods(ident, &store.vis, &store.paths, &Generics::default());
    hidden(&quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #private::Store for #ident {
            const DEF: #private::StoreDef = #def;

            fn attach(handle: &#private::Handle) -> Self {
                Self { #attach }
            }

            fn handle(&self) -> &#private::Handle {
                <#first_ty as #private::Attach>::handle(&self.#first)
            }
        }

        // Names that collide are found when the constant is evaluated, which naming it here does.
        const _: #private::StoreDef = <#ident as #private::Store>::DEF;

        #slots
        #methods
    })
}

/// The descriptor, in a block of its own constants so that it can borrow them.
fn def(store: &Store) -> TokenStream {
    let private = &store.paths.private;
    let name = &store.name.text;
    let tables = store
        .tables()
        .into_iter()
        .map(|row| quote_spanned!(at(row)=> #private::table_def::<#row>()));
    let groups = store
        .groups()
        .into_iter()
        .map(|group| quote_spanned!(at(group)=> #private::group_def::<#group>()));
    quote! {
        {
            const __HEIRLOOM_TABLES: &[#private::TableDef] = &[#(#tables),*];
            const __HEIRLOOM_GROUPS: &[#private::GroupDef] = &[#(#groups),*];
            #private::StoreDef::new(#name, 0, __HEIRLOOM_TABLES, __HEIRLOOM_GROUPS)
        }
    }
}

/// `recordings: <Table<Recording> as Attach>::attach(handle, 0), …`
fn attach(store: &Store) -> TokenStream {
    let private = &store.paths.private;
    let (mut tables, mut groups) = (0_usize, 0_usize);
    let mut fields = TokenStream::new();
    for field in &store.fields {
        let counter = match field.member {
            Member::Table(_) => &mut tables,
            Member::Kv(_) => &mut groups,
            Member::Other => continue,
        };
        let (member, ty, slot) = (&field.ident, &field.ty, *counter);
        *counter += 1;
        fields.extend(quote_spanned! {at(ty)=>
            #member: <#ty as #private::Attach>::attach(handle, #slot),
        });
    }
    fields
}

/// Which rows and groups belong to the store.
pub(crate) fn slots(
    store: &Ident,
    paths: &Paths,
    tables: &[&Type],
    groups: &[&Type],
) -> TokenStream {
    let tables = tables.iter().enumerate().map(|(slot, row)| (slot, row, quote!(TableOf)));
    let groups = groups.iter().enumerate().map(|(slot, group)| (slot, group, quote!(GroupOf)));
    let private = &paths.private;
    let impls = tables.chain(groups).map(|(slot, ty, belongs)| {
        quote! {
            #[automatically_derived]
            impl #private::#belongs<#store> for #ty {
                const SLOT: ::core::primitive::usize = #slot;
            }
        }
    });
    impls.collect()
}
