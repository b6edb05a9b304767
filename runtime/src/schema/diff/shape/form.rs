//! [`Shape`]: everything a value may be, by kind.

use std::collections::{BTreeMap, BTreeSet};

use super::node::Node;
use super::scalar::{Integer, Number, Text};

/// The values of a type: of one kind, or of several if it is an `Option`, an enum or untagged.
#[derive(Debug, Default)]
pub(in super::super) struct Shape<'a> {
    pub(in super::super) null: bool,
    pub(in super::super) any: bool,
    pub(in super::super) boolean: bool,
    pub(in super::super) integers: Vec<Integer<'a>>,
    pub(in super::super) numbers: Vec<Number<'a>>,
    pub(in super::super) texts: Vec<Text<'a>>,
    pub(in super::super) arrays: Vec<Array<'a>>,
    pub(in super::super) objects: Vec<Object<'a>>,
    /// Fixed values other than texts, as JSON.
    pub(in super::super) constants: BTreeSet<String>,
    /// The named variants of an enum, and how they are written.
    pub(in super::super) variants: BTreeMap<&'a str, Payload<'a>>,
    pub(in super::super) style: Option<Style<'a>>,
    /// The keywords that are not understood, with their values as text.
    pub(in super::super) unjudged: BTreeMap<&'a str, BTreeSet<String>>,
    /// The kinds of its alternatives, in the order they are tried in.
    pub(in super::super) order: Vec<&'static str>,
    /// Whether there were too many alternatives to look at.
    pub(in super::super) is_cut: bool,
}

/// How an enum writes its variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Style<'a> {
    /// `"Variant"`, `{"Variant": …}`.
    External,
    /// `{"tag": "Variant", …}`, with the data beside the tag or in a field of its own.
    Tagged(&'a str),
}

/// The content of a variant.
#[derive(Debug)]
pub(in super::super) enum Payload<'a> {
    /// Nothing: it is written as a text.
    Unit,
    /// A value of its own.
    Value(Node<'a>),
    /// Fields beside the tag.
    Fields(Object<'a>),
}

/// A list or tuple.
#[derive(Debug)]
pub(in super::super) enum Array<'a> {
    List { item: Node<'a>, is_set: bool, min: Option<u64>, max: Option<u64> },
    Tuple(Vec<Node<'a>>),
}

/// A struct or map.
#[derive(Debug)]
pub(in super::super) struct Object<'a> {
    pub(in super::super) properties: BTreeMap<&'a str, Node<'a>>,
    pub(in super::super) required: BTreeSet<&'a str>,
    pub(in super::super) rest: Rest<'a>,
}

/// The members of an object beside its properties.
#[derive(Debug)]
pub(in super::super) enum Rest<'a> {
    /// Anything, which is ignored and kept.
    Open,
    /// Nothing.
    Closed,
    /// The values of a map, whose keys follow a pattern.
    Map { keys: Option<&'a str>, values: Node<'a> },
}

impl Object<'_> {
    pub(in super::super) fn is_map(&self) -> bool {
        matches!(self.rest, Rest::Map { .. }) && self.properties.is_empty()
    }
}

impl Shape<'_> {
    /// Whether `null` is one of its values.
    pub(in super::super) fn has_null(&self) -> bool {
        self.null || self.any
    }

    /// How many alternatives it has beside `null`, all variants of an enum being one.
    pub(in super::super) fn alternatives(&self) -> usize {
        usize::from(self.any)
            + usize::from(self.boolean)
            + self.integers.len()
            + self.numbers.len()
            + self.texts.len()
            + self.arrays.len()
            + self.objects.len()
            + self.constants.len()
            + usize::from(!self.variants.is_empty())
    }
}
