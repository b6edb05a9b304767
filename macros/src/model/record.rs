//! A row or a kv group.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{DeriveInput, FieldsNamed, Ident, LitStr, Path, Type, Visibility};

use super::default::Default;
use super::index::Index;
use super::name::Name;
use super::rename;
use super::step::{FieldSource, Step};
use crate::diag::Diag;
use crate::kind::Kind;
use crate::parse::{self, SerdeContainer, SerdeField, resolve_self};
use crate::paths::Paths;

/// A struct that is stored as a JSON object.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) paths: Paths,
    pub(crate) name: Name,
    pub(crate) serde: SerdeContainer,
    pub(crate) fields: Vec<Field>,
    /// The fields of earlier versions, or of the previous struct, that are given up.
    pub(crate) removed: Vec<parse::Removed>,
    /// The fields that are the key: those of `key(…)`, else the first with `#[key]`, or the one named
    /// `id`.
    pub(crate) key: Vec<usize>,
    /// The key of several fields, as it is written.
    pub(crate) composite: Option<Composite>,
    /// Whether there was to be one.
    pub(crate) is_key_broken: bool,
    pub(crate) indexes: Vec<Index>,
    /// Its columns that are computed from fields.
    pub(crate) computed: Vec<Computed>,
    /// How rows merge, if not as one value.
    pub(crate) merge: Option<LitStr>,
    /// The rules of its values.
    pub(crate) checks: Vec<Check>,
    /// How it follows from the struct of the epoch before.
    pub(crate) step: Option<Step>,
    /// Whether there was to be one.
    pub(crate) is_previous_broken: bool,
    /// Keys that ask for a conversion, as written.
    pub(crate) conversions: Vec<Path>,
}

/// A key of several fields, these by their place in the struct.
#[derive(Debug)]
pub(crate) struct Composite {
    /// The tokens to blame for its type.
    pub(crate) origin: Path,
    /// As written; a name without a place is not that of a field.
    pub(crate) fields: Vec<(Ident, Option<usize>)>,
}

/// A column that is computed from fields.
#[derive(Debug)]
pub(crate) struct Computed {
    pub(crate) ident: Ident,
    /// Its name, without `r#`.
    pub(crate) name: String,
    /// The type, with `Self` spelled out.
    pub(crate) ty: Type,
    /// The type as written, as text.
    pub(crate) ty_text: String,
    /// With `row.field` for the name of a field.
    pub(crate) expr: TokenStream,
    /// As written.
    pub(crate) code: String,
    /// Which fields it reads.
    pub(crate) reads: Vec<usize>,
    /// Whether it has a mistake that has been reported.
    pub(crate) is_broken: bool,
}

impl Computed {
    /// The name of its column's constant.
    pub(crate) fn column(&self) -> Ident {
        Ident::new(&self.name.to_uppercase(), self.ident.span())
    }
}

/// A rule of the values of a row.
#[derive(Debug)]
pub(crate) struct Check {
    /// The tokens to blame.
    pub(crate) origin: Path,
    /// With `self.field` for the name of a field.
    pub(crate) expr: TokenStream,
    /// As written.
    pub(crate) code: String,
    /// Which fields it reads.
    pub(crate) reads: Vec<usize>,
}

/// A field with everything resolved.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) parsed: parse::Field,
    /// The type, with `Self` spelled out.
    pub(crate) ty: Type,
    /// The type as written, as text.
    pub(crate) ty_text: String,
    pub(crate) stored: String,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) default: Default,
    /// The `Option<X>` of an `Option<Option<X>>` that serde reads and writes itself.
    pub(crate) nullable: Option<Type>,
    pub(crate) source: FieldSource,
}

impl Field {
    /// The function of the user's own that writes the field.
    pub(crate) fn serialize(&self) -> Option<&TokenStream> {
        self.parsed.serde.serialize.as_ref()
    }

    /// The function of the user's own that reads the field.
    pub(crate) fn deserialize(&self) -> Option<&TokenStream> {
        self.parsed.serde.deserialize.as_ref()
    }

    /// The row that it refers to, if its type is written as a `Ref<_>` or an `Option` of one.
    pub(crate) fn referred(&self) -> Option<&Type> {
        let ty = parse::option_inner(&self.ty).unwrap_or(&self.ty);
        parse::generic_argument(ty, "Ref")
    }

    /// The name of its column's constant; nothing if it has none.
    pub(crate) fn column(&self) -> Option<Ident> {
        if self.parsed.column.skip.is_some() {
            return None;
        }
        Some(match &self.parsed.column.name {
            Some(name) => Ident::new(&name.value(), name.span()),
            None => Ident::new(&self.parsed.name.to_uppercase(), self.parsed.ident.span()),
        })
    }

    /// The tokens to blame for the stored name.
    pub(crate) fn name_origin(&self) -> TokenStream {
        match self.parsed.serde.rename.as_ref().and_then(|rename| rename.serialize.as_ref()) {
            Some(name) => name.to_token_stream(),
            None => self.parsed.ident.to_token_stream(),
        }
    }
}

impl Record {
    /// Reads a row or a kv group, whose fields are these.
    pub(crate) fn new(
        input: &DeriveInput,
        kind: Kind,
        fields: &FieldsNamed,
        diag: &mut Diag,
    ) -> Self {
        let mut container = parse::container(&input.attrs, kind, diag);
        let serde = parse::serde_container(&input.attrs);
        let parsed: Vec<parse::Field> =
            fields.named.iter().filter_map(|field| parse::field(field, diag)).collect();
        let names: Vec<String> = parsed.iter().map(|field| field.name.clone()).collect();
        let checks = checks(input, kind, &parsed, &names, diag);
        let written = std::mem::take(&mut container.computed);
        let computed = computed(&input.ident, written, &names, diag);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let marked = parsed.iter().position(|field| field.key.is_some());
        let composite = container.key.as_ref().map(|key| Composite {
            origin: key.key.clone(),
            fields: key.fields.iter().map(|field| (field.clone(), place(field, &names))).collect(),
        });
        let key: Vec<usize> = match &composite {
            _ if kind != Kind::Table => Vec::new(),
            Some(composite) => composite.fields.iter().filter_map(|(_, place)| *place).collect(),
            None => {
                let named = || names.iter().position(|name| *name == "id");
                marked.or_else(named).into_iter().collect()
            }
        };
        let mut fields: Vec<Field> =
            parsed.into_iter().map(|field| resolve(field, &names, &serde, &input.ident)).collect();
        record_under_stored_names(&mut fields);
        Self {
            kind,
            ident: input.ident.clone(),
            vis: input.vis.clone(),
            paths: Paths::new(container.krate.as_ref()),
            name: Name::new(container.name.as_ref(), &input.ident),
            serde,
            indexes: Index::all(&fields, &computed, &container.indexes, &key),
            computed,
            merge: container.merge.clone(),
            step: Step::new(&container),
            is_previous_broken: container.is_previous_broken,
            conversions: container.from.iter().chain(&container.try_from).cloned().collect(),
            fields,
            removed: container.removes.unwrap_or_default(),
            checks,
            key,
            composite,
            is_key_broken: container.is_key_broken,
        }
    }

    /// Constants of the user's own that defaults name as `Self::NAME`.
    pub(crate) fn own_constants(&self) -> Vec<Ident> {
        let mut found = Vec::new();
        for field in &self.fields {
            match field.parsed.evolve.as_ref().map(|evolve| &evolve.form) {
                Some(parse::Form::Value(expr)) => parse::names_of_self(expr, &mut found),
                Some(parse::Form::Computed(closure)) => {
                    parse::names_of_self(&closure.expr, &mut found);
                }
                _ => {}
            }
        }
        found
    }

    /// The type of the key, given the types of its fields.
    pub(crate) fn key_type(&self, types: &[&Type]) -> TokenStream {
        let [ty] = types else {
            let origin = self.composite.as_ref().map(|composite| &composite.origin);
            return quote_spanned!(origin.span()=> (#(#types),*));
        };
        quote!(#ty)
    }

    /// The fields that are the key.
    pub(crate) fn key_fields(&self) -> impl Iterator<Item = &Field> {
        self.key.iter().filter_map(|&place| self.fields.get(place))
    }
}

/// The rules of the struct and of its fields, in which names are those of fields.
fn checks(
    input: &DeriveInput,
    kind: Kind,
    fields: &[parse::Field],
    names: &[String],
    diag: &mut Diag,
) -> Vec<Check> {
    if kind == Kind::Fields {
        return Vec::new();
    }
    let of_struct = parse::checks(&input.attrs, diag);
    let of_fields = fields.iter().flat_map(|field| &field.checks);
    let written = of_fields.chain(&of_struct).filter_map(|check| {
        let mut over = parse::OverFields::new(names, "self");
        let expr = over.rewrite(check.expr.clone());
        let is_right = over.report(&input.ident, diag);
        let code = crate::text::text(check.expr.clone());
        is_right.then(|| Check { origin: check.path.clone(), expr, code, reads: over.reads })
    });
    written.collect()
}

/// The computed columns, in which names are those of fields.
fn computed(
    row: &Ident,
    written: Vec<parse::Computed>,
    names: &[String],
    diag: &mut Diag,
) -> Vec<Computed> {
    let resolved = written.into_iter().map(|parse::Computed { ident, ty, expr }| {
        let mut over = parse::OverFields::new(names, "row");
        let (code, ty_text) = (crate::text::text(expr.clone()), ty.to_token_stream());
        let expr = over.rewrite(expr);
        let is_right = over.report(row, diag);
        // An expression with a mistake is left out, so that the compiler finds no second one in it.
        let expr = if is_right { expr } else { quote!(::core::panic!()) };
        Computed {
            name: ident.unraw().to_string(),
            ident,
            ty: syn::parse2(resolve_self(ty_text.clone(), row)).unwrap_or(ty),
            ty_text: crate::text::text(ty_text),
            expr: resolve_self(expr, row),
            code,
            reads: over.reads,
            is_broken: !is_right,
        }
    });
    resolved.collect()
}

/// The place of the field of this name.
fn place(field: &Ident, names: &[&str]) -> Option<usize> {
    let text = field.unraw().to_string();
    names.iter().position(|name| *name == text)
}

/// Puts stored names into the recorded text of computed defaults.
fn record_under_stored_names(fields: &mut [Field]) {
    let stored: Vec<(String, String)> =
        fields.iter().map(|field| (field.parsed.name.clone(), field.stored.clone())).collect();
    for field in fields {
        if let Some(parse::Evolve { form: parse::Form::Computed(closure), .. }) =
            &field.parsed.evolve
        {
            field.default.record_under(&closure.expr, &stored);
        }
    }
}

fn resolve(
    mut parsed: parse::Field,
    names: &[&str],
    serde: &SerdeContainer,
    receiver: &Ident,
) -> Field {
    let written = parsed.ty.to_token_stream();
    let ty = syn::parse2(resolve_self(written.clone(), receiver));
    let ty = ty.unwrap_or_else(|_| parsed.ty.clone());
    parsed.ty = ty.clone();
    for function in [&mut parsed.serde.serialize, &mut parsed.serde.deserialize] {
        *function = function.take().map(|path| resolve_self(path, receiver));
    }
    let own_functions = parsed.serde.serialize.is_some() || parsed.serde.deserialize.is_some();
    let nullable = parse::option_inner(&ty).filter(|inner| parse::is_option(inner));
    let (stored, aliases) = stored_names(&parsed.name, &parsed.serde, serde);
    Field {
        default: Default::new(&parsed, names, serde.default.as_ref(), receiver),
        source: FieldSource::new(&parsed, receiver),
        nullable: nullable.filter(|_| !own_functions).cloned(),
        ty_text: crate::text::text(written),
        stored,
        aliases,
        ty,
        parsed,
    }
}

/// The name a field is written under, and the others it is read under.
fn stored_names(
    name: &str,
    field: &SerdeField,
    container: &SerdeContainer,
) -> (String, Vec<LitStr>) {
    let rule = container.rename_all.as_ref().and_then(|renames| renames.serialize.as_ref());
    let renamed = field.rename.as_ref().and_then(|renames| renames.serialize.as_ref());
    let stored = match (renamed, rule) {
        (Some(renamed), _) => renamed.value(),
        (None, Some(rule)) => rename::apply(&rule.value(), name),
        (None, None) => name.to_owned(),
    };
    // With `rename(deserialize = …)` several times, the others are aliases.
    let also = field.rename.iter().flat_map(|renames| &renames.deserialize);
    let mut aliases: Vec<LitStr> = Vec::new();
    for alias in also.chain(&field.aliases) {
        let value = alias.value();
        if value != stored && aliases.iter().all(|known| known.value() != value) {
            aliases.push(alias.clone());
        }
    }
    (stored, aliases)
}
