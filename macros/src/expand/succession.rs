//! The step from the store of the epoch before, and its checks.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;

use super::{at, guard, located};
use crate::model::Store;

/// The parts of a store's descriptor that speak of the epoch before, and for each rule that is
/// broken a constant that does not evaluate:
///
/// ```text
/// const __STEP: StoreStep = StoreStep {
///     previous: <v0::Whispering as Store>::DEF,
///     drops: &["scratch"],
///     migrate: Some(|stages| run_migrate::<v0::Whispering, Whispering>(stages, split_tags)),
/// };
/// const __TABLE_LINKS: &[Link] = &[Link::new(…), …];
/// ```
pub(super) fn succession(store: &Store) -> TokenStream {
    let private = &store.paths.private;
    let Some(previous) = &store.previous else { return unfounded(store) };
    let (name, epoch) = (&store.name.text, store.epoch());
    let text = crate::text::text(quote!(#previous));
    let drops = store.drops.iter().map(|dropped| &dropped.text);
    let migrate = migrate(store);
    let def = located(quote!(<#previous as #private::Store>::DEF), previous.span());
    let links = |types: Vec<&Type>, probe: &TokenStream| -> TokenStream {
        let links = types.into_iter().map(|ty| {
            quote_spanned! {at(ty)=>
                #private::Link {
                    same: <#private::#probe<#ty, #previous>>::SAME,
                    follows: <#private::#probe<#ty, #previous>>::FOLLOWS,
                }
            }
        });
        quote!(#(#links),*)
    };
    let tables = links(store.tables(), &quote!(TableLink));
    let groups = links(store.groups(), &quote!(GroupLink));
    let checks = checks(store);
    quote_spanned! {Span::mixed_site()=>
        const __STEP: #private::StoreStep = #private::StoreStep {
            previous: #def,
            drops: &[#(#drops),*],
            migrate: #migrate,
        };

        const __SUCCESSION: #private::Succession = {
            #[allow(unused_imports)]
            use #private::NoLink as _;
            #private::Succession {
                store: #name,
                epoch: #epoch,
                previous: #text,
                step: &__STEP,
                tables: __TABLES,
                table_links: &[#tables],
                groups: __GROUPS,
                group_links: &[#groups],
            }
        };

        #checks
    }
}

fn migrate(store: &Store) -> TokenStream {
    let (ident, private) = (&store.ident, &store.paths.private);
    let Some((migrate, previous)) = store.migrate.as_ref().zip(store.previous.as_ref()) else {
        return quote!(::core::option::Option::None);
    };
    let run = located(quote!(#private::run_migrate::<#previous, #ident>), migrate.span());
    quote!(::core::option::Option::Some(|stages| #run(stages, #migrate)))
}

fn checks(store: &Store) -> TokenStream {
    let private = &store.paths.private;
    let check =
        |call: TokenStream, place: Span| guard::guard(&quote!(#private::Succession::#call), place);
    let mut checks = vec![
        check(quote!(check_name(&__SUCCESSION)), at(&store.name.origin)),
        check(quote!(check_epoch(&__SUCCESSION)), at(&store.epoch_origin())),
        check(quote!(check_left(&__SUCCESSION)), at(&store.previous)),
    ];
    for (index, dropped) in store.drops.iter().enumerate() {
        checks.push(check(quote!(check_drop(&__SUCCESSION, #index)), at(&dropped.origin)));
    }
    for (index, table) in store.tables().into_iter().enumerate() {
        checks.push(check(quote!(check_table(&__SUCCESSION, #index)), at(table)));
    }
    for (index, group) in store.groups().into_iter().enumerate() {
        checks.push(check(quote!(check_group(&__SUCCESSION, #index)), at(group)));
    }
    checks.into_iter().collect()
}

/// The checks of a store without a previous one: none of its rows and groups has one either.
fn unfounded(store: &Store) -> TokenStream {
    let private = &store.paths.private;
    let tables = store.tables().into_iter().enumerate().map(|(index, table)| {
        let check = quote!(#private::check_unfounded_table(__TABLES, #index));
        guard::guard(&check, at(table))
    });
    let groups = store.groups().into_iter().enumerate().map(|(index, group)| {
        let check = quote!(#private::check_unfounded_group(__GROUPS, #index));
        guard::guard(&check, at(group))
    });
    tables.chain(groups).collect()
}
