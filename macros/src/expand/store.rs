//! `#[derive(Store)]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Generics, Ident, Type};

use super::{at, guard, hidden, located, methods, succession};
use crate::history::History;
use crate::model::{Member, Store};
use crate::paths::Paths;

/// The impls of a store and its methods:
///
/// ```text
/// const _: () = {
///     const __TABLES: &[TableDef] = &[__table_def::<Recording>()];
///     fn __attach_table<R: TableOf<Whispering>>(handle: &Handle) -> Table<R> { … }
///     impl Store for Whispering {
///         const DEF: StoreDef = …;
///         fn attach(handle: &Handle) -> Self {
///             Self { recordings: __attach_table::<Recording>(handle), … }
///         }
///         fn handle(&self) -> &Handle { __handle_of_table(&self.recordings) }
///     }
///     impl TableOf<Whispering> for Recording { const TABLE_IDX: TableIdx = TableIdx(0); }
///     impl GroupOf<Whispering> for Settings { const GROUP_IDX: GroupIdx = GroupIdx(0); }
///     impl Whispering { pub fn open(…) … }
/// };
/// ```
pub(crate) fn store(store: &Store, history: Option<&History>) -> TokenStream {
    let (ident, private) = (&store.ident, &store.paths.private);
    let text = history.map(guard::text);
    let guards = history
        .and_then(|history| history.newest.as_ref())
        .map(|recorded| guard::guards(store, recorded));
    let test = guard::test(store);
    let (helpers, def, attach, handle) = (helpers(store), def(store), attach(store), handle(store));
    let parts = parts(store);
    let memberships = memberships(ident, &store.paths, &store.tables(), &store.groups());
    let methods = methods(ident, &store.vis, &store.paths, &Generics::default());
    let members = members(store);
    let succession = succession::succession(store);
    let impls = hidden(&quote_spanned! {Span::mixed_site()=>
        #helpers
        #members
        #succession

        #[automatically_derived]
        impl #private::Store for #ident {
            const DEF: #private::StoreDef = #def;
            #text

            fn described() -> &'static #private::Described {
                static DESCRIBED: #private::Described = #private::Described::new();
                &DESCRIBED
            }

            fn attach(handle: &#private::Handle) -> Self {
                Self { #attach }
            }

            fn handle(&self) -> &#private::Handle {
                #handle
            }

            fn parts<'s>(&'s self, see: &mut dyn ::core::ops::FnMut(&'s dyn #private::StorePart)) {
                #parts
            }
        }

        // Names that collide are found when the constant is evaluated, which naming it here does.
        const _: #private::StoreDef = <#ident as #private::Store>::DEF;

        #guards
        #memberships
        #methods
    });
    quote!(#test #impls)
}

/// Functions that ask no more of a type than to belong to the store.
///
/// Its impl of `TableOf` says so, and asks in turn that it be a row: a type that is not one is
/// reported there, and nowhere else.
fn helpers(store: &Store) -> TokenStream {
    let (ident, private) = (&store.ident, &store.paths.private);
    let tables = (!store.tables().is_empty()).then(|| {
        quote_spanned! {Span::mixed_site()=>
            const fn __table_def<R: #private::TableOf<#ident>>() -> #private::TableDef {
                #private::table_def::<R>()
                    .referring_to(<R as #private::RefersWithin<#ident>>::TARGETS)
            }

            fn __attach_table<R: #private::TableOf<#ident>>(
                handle: &#private::Handle,
            ) -> #private::Table<R> {
                <#private::Table<R> as #private::Attach>::attach(
                    handle,
                    <R as #private::TableOf<#ident>>::TABLE_IDX,
                )
            }

            fn __table_part<R: #private::TableOf<#ident>>(
                table: &#private::Table<R>,
            ) -> &dyn #private::StorePart {
                table
            }
        }
    });
    let groups = (!store.groups().is_empty()).then(|| {
        quote_spanned! {Span::mixed_site()=>
            const fn __group_def<G: #private::GroupOf<#ident>>() -> #private::GroupDef {
                #private::group_def::<G>()
            }

            fn __attach_group<G: #private::GroupOf<#ident>>(
                handle: &#private::Handle,
            ) -> #private::Kv<G> {
                <#private::Kv<G> as #private::Attach>::attach(
                    handle,
                    <G as #private::GroupOf<#ident>>::GROUP_IDX,
                )
            }

            fn __group_part<G: #private::GroupOf<#ident>>(
                group: &#private::Kv<G>,
            ) -> &dyn #private::StorePart {
                group
            }
        }
    });
    quote!(#tables #groups)
}

/// The descriptors of the members, which that of the store borrows.
fn members(store: &Store) -> TokenStream {
    let private = &store.paths.private;
    let tables =
        store.tables().into_iter().map(|row| quote_spanned!(at(row)=> __table_def::<#row>()));
    let groups =
        store.groups().into_iter().map(|group| quote_spanned!(at(group)=> __group_def::<#group>()));
    quote! {
        const __TABLES: &[#private::TableDef] = &[#(#tables),*];
        const __GROUPS: &[#private::GroupDef] = &[#(#groups),*];
    }
}

/// The descriptor. Names that collide are reported at the store.
fn def(store: &Store) -> TokenStream {
    let (private, name) = (&store.paths.private, &store.name.text);
    let epoch = store.epoch();
    let following = store.previous.is_some().then(|| quote!(.following(&__STEP)));
    let new = quote!(#private::StoreDef::new(#name, #epoch, __TABLES, __GROUPS)#following);
    located(new, store.ident.span())
}

/// `recordings: __attach_table::<Recording>(handle), …`
fn attach(store: &Store) -> TokenStream {
    let fields = store.fields.iter().map(|field| {
        let (member, span) = (&field.ident, at(&field.ty));
        match &field.member {
            Member::Table(row) => {
                quote_spanned!(span=> #member: __attach_table::<#row>(handle),)
            }
            Member::Kv(group) => {
                quote_spanned!(span=> #member: __attach_group::<#group>(handle),)
            }
            Member::Other => TokenStream::new(),
        }
    });
    fields.collect()
}

/// `see(__table_part::<Recording>(&self.recordings)); …`
fn parts(store: &Store) -> TokenStream {
    let fields = store.fields.iter().map(|field| {
        let (member, span) = (&field.ident, at(&field.ty));
        match &field.member {
            Member::Table(row) => {
                quote_spanned!(span=> see(__table_part::<#row>(&self.#member));)
            }
            Member::Kv(group) => {
                quote_spanned!(span=> see(__group_part::<#group>(&self.#member));)
            }
            Member::Other => TokenStream::new(),
        }
    });
    fields.collect()
}

/// The open store behind the first field.
fn handle(store: &Store) -> TokenStream {
    let (ident, private) = (&store.ident, &store.paths.private);
    let Some(first) = store.fields.first() else { return TokenStream::new() };
    let member = &first.ident;
    let (handle, belongs) = match first.member {
        Member::Table(_) => (quote!(Table), quote!(TableOf)),
        _ => (quote!(Kv), quote!(GroupOf)),
    };
    quote_spanned! {Span::mixed_site()=>
        fn __handle<T: #private::#belongs<#ident>>(
            field: &#private::#handle<T>,
        ) -> &#private::Handle {
            <#private::#handle<T> as #private::Attach>::handle(field)
        }
        __handle(&self.#member)
    }
}

/// Which rows and groups belong to the store.
pub(crate) fn memberships(
    store: &Ident,
    paths: &Paths,
    tables: &[&Type],
    groups: &[&Type],
) -> TokenStream {
    let private = &paths.private;
    let tables = tables.iter().enumerate().map(|(index, row)| {
        quote! {
            #[automatically_derived]
            impl #private::TableOf<#store> for #row {
                const TABLE_IDX: #private::TableIdx = #private::TableIdx(#index);
            }
        }
    });
    let groups = groups.iter().enumerate().map(|(index, group)| {
        quote! {
            #[automatically_derived]
            impl #private::GroupOf<#store> for #group {
                const GROUP_IDX: #private::GroupIdx = #private::GroupIdx(#index);
            }
        }
    });
    tables.chain(groups).collect()
}
