//! The fields of a store: tables and kv groups.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, Type};

use super::at;
use crate::model::{Handle, Member, Store};
use crate::paths::Paths;

/// The names that heirloom has for tables, or for kv groups.
struct Names {
    /// The word for one, of which generated functions are named.
    word: &'static str,
    handle: &'static str,
    /// The trait of the type inside of the handle that says to which stores it belongs.
    belonging: &'static str,
    idx: &'static str,
    idx_type: &'static str,
    def_type: &'static str,
}

static TABLE: Names = Names {
    word: "table",
    handle: "Table",
    belonging: "TableOf",
    idx: "TABLE_IDX",
    idx_type: "TableIdx",
    def_type: "TableDef",
};

static GROUP: Names = Names {
    word: "group",
    handle: "Kv",
    belonging: "GroupOf",
    idx: "GROUP_IDX",
    idx_type: "GroupIdx",
    def_type: "GroupDef",
};

impl Names {
    /// The names for a field of a store, and the type inside of it.
    fn of(field: &Handle) -> Option<(&'static Self, &Type)> {
        match &field.member {
            Member::Table(row) => Some((&TABLE, row)),
            Member::Kv(group) => Some((&GROUP, group)),
            Member::Other => None,
        }
    }

    /// The name of a generated function, `__table_def`, with errors about it shown at this place.
    fn function(&self, does: &str, place: Span) -> Ident {
        Ident::new(&format!("__{}_{does}", self.word), place)
    }
}

/// Functions that ask no more of a type than to belong to the store:
///
/// ```text
/// const fn __table_def<T: TableOf<Whispering>>() -> TableDef { … }
/// fn __table_attach<T: TableOf<Whispering>>(handle: &Handle) -> Table<T> { … }
/// fn __table_part<T: TableOf<Whispering>>(field: &Table<T>) -> &dyn StorePart { … }
/// ```
///
/// Its impl of `TableOf` says so, and asks in turn that it be a row: a type that is not one is
/// reported there, and nowhere else.
pub(super) fn helpers(store: &Store) -> TokenStream {
    let (ident, private) = (&store.ident, &store.paths.private);
    let tables = (!store.tables().is_empty()).then(|| {
        let def = quote! {
            #private::table_def::<__T>()
                .referring_to(<__T as #private::RefersWithin<#ident>>::TARGETS)
        };
        helpers_of(store, &TABLE, &def)
    });
    let groups = (!store.groups().is_empty())
        .then(|| helpers_of(store, &GROUP, &quote!(#private::group_def::<__T>())));
    quote!(#tables #groups)
}

fn helpers_of(store: &Store, names: &Names, def: &TokenStream) -> TokenStream {
    let (ident, private) = (&store.ident, &store.paths.private);
    let [handle, belonging, idx, def_type] =
        [names.handle, names.belonging, names.idx, names.def_type]
            .map(|name| format_ident!("{name}"));
    let [def_of, attach, part] =
        ["def", "attach", "part"].map(|does| names.function(does, Span::mixed_site()));
    quote_spanned! {Span::mixed_site()=>
        const fn #def_of<__T: #private::#belonging<#ident>>() -> #private::#def_type {
            #def
        }

        fn #attach<__T: #private::#belonging<#ident>>(
            handle: &#private::Handle,
        ) -> #private::#handle<__T> {
            <#private::#handle<__T> as #private::Attach>::attach(
                handle,
                <__T as #private::#belonging<#ident>>::#idx,
            )
        }

        fn #part<__T: #private::#belonging<#ident>>(
            field: &#private::#handle<__T>,
        ) -> &dyn #private::StorePart {
            field
        }
    }
}

/// The descriptors of the fields, which that of the store borrows.
pub(super) fn defs(store: &Store) -> TokenStream {
    let private = &store.paths.private;
    let defs = |names: &Names, types: Vec<&Type>| -> Vec<TokenStream> {
        let defs = types.into_iter().map(|ty| {
            let def = names.function("def", at(ty));
            quote_spanned!(at(ty)=> #def::<#ty>())
        });
        defs.collect()
    };
    let (tables, groups) = (defs(&TABLE, store.tables()), defs(&GROUP, store.groups()));
    quote! {
        const __TABLES: &[#private::TableDef] = &[#(#tables),*];
        const __GROUPS: &[#private::GroupDef] = &[#(#groups),*];
    }
}

/// `recordings: __table_attach::<Recording>(handle), …`
pub(super) fn attach(store: &Store) -> TokenStream {
    let fields = store.fields.iter().filter_map(|field| {
        let (names, ty) = Names::of(field)?;
        let (member, place) = (&field.ident, at(&field.ty));
        let attach = names.function("attach", place);
        Some(quote_spanned!(place=> #member: #attach::<#ty>(handle),))
    });
    fields.collect()
}

/// `see(__table_part::<Recording>(&self.recordings)); …`
pub(super) fn parts(store: &Store) -> TokenStream {
    let fields = store.fields.iter().filter_map(|field| {
        let (names, ty) = Names::of(field)?;
        let (member, place) = (&field.ident, at(&field.ty));
        let part = names.function("part", place);
        Some(quote_spanned!(place=> see(#part::<#ty>(&self.#member));))
    });
    fields.collect()
}

/// The open store behind the first field.
pub(super) fn handle(store: &Store) -> Option<TokenStream> {
    let (ident, private) = (&store.ident, &store.paths.private);
    let first = store.fields.first()?;
    let (names, _) = Names::of(first)?;
    let member = &first.ident;
    let [handle, belonging] = [names.handle, names.belonging].map(|name| format_ident!("{name}"));
    Some(quote_spanned! {Span::mixed_site()=>
        fn __handle<__T: #private::#belonging<#ident>>(
            field: &#private::#handle<__T>,
        ) -> &#private::Handle {
            <#private::#handle<__T> as #private::Attach>::handle(field)
        }
        __handle(&self.#member)
    })
}

/// The impls that say which types belong to the store:
///
/// ```text
/// impl TableOf<Whispering> for Recording { const TABLE_IDX: TableIdx = TableIdx(0); }
/// ```
pub(crate) fn memberships(
    store: &Ident,
    paths: &Paths,
    tables: &[&Type],
    groups: &[&Type],
) -> TokenStream {
    let private = &paths.private;
    let tables = tables.iter().enumerate().map(|(index, row)| (&TABLE, index, row));
    let groups = groups.iter().enumerate().map(|(index, group)| (&GROUP, index, group));
    let impls = tables.chain(groups).map(|(names, index, ty)| {
        let [belonging, idx, idx_type] =
            [names.belonging, names.idx, names.idx_type].map(|name| format_ident!("{name}"));
        quote! {
            #[automatically_derived]
            impl #private::#belonging<#store> for #ty {
                const #idx: #private::#idx_type = #private::#idx_type(#index);
            }
        }
    });
    impls.collect()
}
