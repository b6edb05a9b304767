//! `#[derive(Store)]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Generics;

use super::members::{attach, defs, handle, helpers, memberships, parts};
use super::{guard, hidden, located, methods, succession};
use crate::history::History;
use crate::model::Store;

/// The impls of a store and its methods:
///
/// ```text
/// const _: () = {
///     const __TABLES: &[TableDef] = &[__table_def::<Recording>()];
///     fn __table_attach<R: TableOf<Whispering>>(handle: &Handle) -> Table<R> { … }
///     impl Store for Whispering {
///         const DEF: StoreDef = …;
///         fn attach(handle: &Handle) -> Self {
///             Self { recordings: __table_attach::<Recording>(handle), … }
///         }
///         fn handle(&self) -> &Handle { __handle(&self.recordings) }
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
    let defs = defs(store);
    let succession = succession::succession(store);
    let impls = hidden(&quote_spanned! {Span::mixed_site()=>
        #helpers
        #defs
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

/// The descriptor. Names that collide are reported at the store.
fn def(store: &Store) -> TokenStream {
    let (private, name) = (&store.paths.private, &store.name.text);
    let epoch = store.epoch();
    let following = store.previous.is_some().then(|| quote!(.following(&__STEP)));
    let new = quote!(#private::StoreDef::new(#name, #epoch, __TABLES, __GROUPS)#following);
    located(new, store.ident.span())
}
