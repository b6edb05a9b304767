//! The descriptors of fields and keys.

use std::borrow::Cow;

use super::same;
use crate::row::FieldMerge;

/// The default of a field that a stored row lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultKind {
    /// Nothing: a row without the field is invalid.
    Required,
    /// The field is an `Option`: absent reads as `None`.
    Optional,
    /// `#[serde(default)]`, which serde itself applies to rows.
    Serde,
    /// `#[evolve(default)]`: the type's `Default`.
    Type,
    /// `#[evolve(default = EXPR)]`: a constant, as written.
    Value(&'static str),
    /// `#[evolve(default = |a, b| EXPR)]`: computed from fields above, as written.
    Computed(&'static str),
}

impl DefaultKind {
    /// Whether `#[evolve]` gives this default, so that it is ours to fill in.
    #[inline]
    pub const fn is_evolve(self) -> bool {
        matches!(self, Self::Type | Self::Value(_) | Self::Computed(_))
    }

    /// Whether it is the same default, as written.
    pub(in crate::schema) const fn is_same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Required, Self::Required)
            | (Self::Optional, Self::Optional)
            | (Self::Serde, Self::Serde)
            | (Self::Type, Self::Type) => true,
            (Self::Value(a), Self::Value(b)) | (Self::Computed(a), Self::Computed(b)) => same(a, b),
            _ => false,
        }
    }
}

/// One field of a row or one entry of a kv group.
#[derive(Debug, Clone, Copy)]
pub struct FieldDef {
    /// The stored name.
    pub name: &'static str,
    /// The name in the struct, without `r#`.
    pub rust_name: &'static str,
    /// The type as written.
    pub rust_type: &'static str,
    /// Other stored names that are read as this field.
    pub aliases: &'static [&'static str],
    /// The default that fills it if a stored row lacks it.
    pub default: DefaultKind,
    /// An `Option<Option<_>>`, for which absent is `None` and `null` is `Some(None)`.
    pub nullable: bool,
    /// Another spelling of the type, which earlier versions may have recorded.
    pub same_as: Option<&'static str>,
    /// The stored names of the fields that a computed default reads.
    pub reads: &'static [&'static str],
    /// How it merges in a table that merges by field; `None` as one value.
    pub merge: Option<FieldMerge>,
}

impl FieldDef {
    /// The only field of a struct whose derive failed: a type is never spelled like that.
    pub const STUB: Self = Self::new("stub", "stub", "");

    /// A required field without aliases.
    pub const fn new(name: &'static str, rust_name: &'static str, rust_type: &'static str) -> Self {
        Self {
            name,
            rust_name,
            rust_type,
            aliases: &[],
            default: DefaultKind::Required,
            nullable: false,
            same_as: None,
            reads: &[],
            merge: None,
        }
    }

    /// The same field, merged like this.
    pub const fn merging(mut self, merge: FieldMerge) -> Self {
        self.merge = Some(merge);
        self
    }

    /// The same field, read under these names as well.
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The same field with a default.
    pub const fn default(mut self, default: DefaultKind) -> Self {
        self.default = default;
        self
    }

    /// The same field, whose type is an `Option` so many times over, up to two; `written` is what its
    /// name says. Without another default, an `Option` that is missing is `None`.
    #[track_caller]
    pub const fn option(mut self, is_option: bool, is_twice: bool, written: usize) -> Self {
        assert!(
            written == 0 || is_option,
            "a type that is written `Option<_>` and is not `std::option::Option`; give your own type \
             another name, or write it by one, as in `type Choice<T> = mine::Option<T>`"
        );
        assert!(
            is_twice == (written == 2),
            "an `Option` of an `Option` tells absent from `null`, which heirloom has to see; write \
             the field's type as `Option<Option<_>>`"
        );
        if is_option && matches!(self.default, DefaultKind::Required) {
            self.default = DefaultKind::Optional;
        }
        self
    }

    /// The same field as an `Option<Option<_>>`.
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The same field, of a type that was once spelled like this.
    pub const fn same_as(mut self, spelling: &'static str) -> Self {
        self.same_as = Some(spelling);
        self
    }

    /// The same field, whose default is computed from these.
    pub const fn reads(mut self, fields: &'static [&'static str]) -> Self {
        self.reads = fields;
        self
    }

    /// Whether a stored field of this name is this field.
    pub(crate) fn answers_to(&self, stored: &str) -> bool {
        self.name == stored || self.aliases.contains(&stored)
    }
}

/// How a key, or a part of one, is written: in the document as text, in the file as bytes that keep its
/// order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// An `Id<T>`: a TypeID as text, with this prefix; the UUID's 16 bytes in the file.
    Id(Cow<'static, str>),
    /// A `String`: itself.
    Text,
    /// An unsigned integer: decimal digits, big-endian bytes.
    Unsigned,
    /// A signed integer: decimal digits, big-endian bytes with the sign bit flipped.
    Signed,
    /// A `uuid::Uuid`: hyphenated text, 16 bytes.
    Uuid,
}

impl KeyKind {
    /// The word under which the kind is recorded in a file.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Id(_) => "id",
            Self::Text => "text",
            Self::Unsigned => "unsigned",
            Self::Signed => "signed",
            Self::Uuid => "uuid",
        }
    }
}
