//! Facts about a type as it is written.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Path, PathArguments, Type};

/// The type inside parentheses and the invisible groups that `macro_rules!` leaves.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        other => other,
    }
}

/// The `X` of a type written as `…::name<X>`.
pub(crate) fn generic_argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let last = path_of(ty)?.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let mut arguments = arguments.args.iter();
    match (arguments.next(), arguments.next()) {
        (Some(GenericArgument::Type(argument)), None) => Some(argument),
        _ => None,
    }
}

/// The `X` of an `Option<X>`.
pub(crate) fn option_inner(ty: &Type) -> Option<&Type> {
    generic_argument(ty, "Option")
}

/// The `X` of a type that is written as a collection of std's that may be indexed item by item, or as an
/// `Option` of one.
pub(crate) fn item_type(ty: &Type) -> Option<&Type> {
    const NAMES: [&str; 4] = ["Vec", "VecDeque", "BTreeSet", "HashSet"];
    let ty = option_inner(ty).unwrap_or(ty);
    NAMES.iter().find_map(|name| generic_argument(ty, name))
}

/// Whether the type is written as an `Option<_>`.
pub(crate) fn is_option(ty: &Type) -> bool {
    option_inner(ty).is_some()
}

/// Whether the type is written as one of Rust's own that are everywhere, about which there is nothing to
/// ask.
pub(crate) fn is_primitive(ty: &Type) -> bool {
    const NAMES: [&str; 16] = [
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64",
        "u128", "usize", "String",
    ];
    let ident = path_of(ty).and_then(Path::get_ident);
    ident.is_some_and(|ident| NAMES.iter().any(|name| ident == name))
}

/// Whether the type is written as a tuple or an array.
pub(crate) fn is_tuple(ty: &Type) -> bool {
    matches!(peel(ty), Type::Tuple(_) | Type::Array(_))
}

fn path_of(ty: &Type) -> Option<&Path> {
    match peel(ty) {
        Type::Path(path) if path.qself.is_none() => Some(&path.path),
        _ => None,
    }
}

/// The tokens with `Self` spelled out, for places where `Self` is something else.
pub(crate) fn resolve_self(tokens: TokenStream, name: &Ident) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(ident) if ident == "Self" => {
                let mut name = name.clone();
                name.set_span(ident.span());
                TokenTree::Ident(name)
            }
            TokenTree::Group(group) => {
                let inner = resolve_self(group.stream(), name);
                let mut resolved = Group::new(group.delimiter(), inner);
                resolved.set_span(group.span());
                TokenTree::Group(resolved)
            }
            other => other,
        })
        .collect()
}

/// The names in `Self::name`, wherever they stand.
pub(crate) fn names_of_self(tokens: &impl ToTokens, found: &mut Vec<Ident>) {
    search(tokens.to_token_stream(), found);
}

fn search(tokens: TokenStream, found: &mut Vec<Ident>) {
    // How much of `Self::` stands right before.
    let mut matched = 0;
    for token in tokens {
        matched = match token {
            TokenTree::Ident(name) if matched == 3 => {
                found.push(name);
                0
            }
            TokenTree::Ident(name) if name == "Self" => 1,
            TokenTree::Punct(colon) if colon.as_char() == ':' && matched > 0 => matched + 1,
            TokenTree::Group(group) => {
                search(group.stream(), found);
                0
            }
            _ => 0,
        };
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::{Type, parse_quote};

    use super::{generic_argument, option_inner, resolve_self};

    #[test]
    fn options_are_known_by_their_last_segment() {
        for ty in [quote!(Option<u8>), quote!(std::option::Option<u8>), quote!((Option<u8>))] {
            let ty: Type = syn::parse2(ty).unwrap();
            assert_eq!(option_inner(&ty), Some(&parse_quote!(u8)));
        }
        assert_eq!(option_inner(&parse_quote!(Vec<u8>)), None);
        assert_eq!(generic_argument(&parse_quote!(Table<A, B>), "Table"), None);
    }

    #[test]
    fn self_is_spelled_out_at_any_depth() {
        let tokens = resolve_self(quote!(Vec<(Id<Self>, [Self; 2])>), &parse_quote!(Row));
        assert_eq!(tokens.to_string(), quote!(Vec<(Id<Row>, [Row; 2])>).to_string());
    }
}
