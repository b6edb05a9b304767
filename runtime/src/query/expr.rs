//! [`Expr`]: a condition on rows.

use std::any::{Any, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ranges::Ranges;
use super::source::Source;
use crate::error::Result;
use crate::row::Row;
use crate::row::order::{SOME, encode_key_bytes};
use crate::schema::descriptor::TableIdx;

/// Encodes a field of a row. The rows of all tables go through the same code, which knows their type
/// only here: compiled for each row type, it would be most of what an app compiles.
type Encode = Arc<dyn Fn(&dyn Any, &mut Vec<u8>) + Send + Sync>;

/// Looks at a row.
type Look = Arc<dyn Fn(&dyn Any) -> bool + Send + Sync>;

/// A field by its stored name.
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// Whether the name is made of several, and may be that of another field.
    pub(crate) is_path: bool,
    encode: Encode,
}

impl Field {
    pub(crate) fn new<R: 'static>(
        name: &'static str,
        is_path: bool,
        encode: impl Fn(&R, &mut Vec<u8>) + Send + Sync + 'static,
    ) -> Self {
        let encode = move |row: &dyn Any, bytes: &mut Vec<u8>| {
            // The public types see to it that a row is given to no field of another.
            if let Some(row) = row.downcast_ref() {
                encode(row, bytes);
            }
        };
        Self { name, is_path, encode: Arc::new(encode) }
    }

    /// Adds the encoding of the field's value in a row.
    pub(crate) fn encode(&self, row: &dyn Any, bytes: &mut Vec<u8>) {
        (self.encode)(row, bytes);
    }

    /// Whether it has this name, which is that of a path or not.
    pub(crate) fn is_named(&self, name: (&str, bool)) -> bool {
        (self.name, self.is_path) == name
    }

    fn is(&self, other: &Self) -> bool {
        (self.name, self.is_path) == (other.name, other.is_path)
    }
}

/// Says which field it is.
impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", if self.is_path { "path " } else { "" }, self.name)
    }
}

/// A condition on rows of type `R`, made by the methods of [`Column`](crate::Column) and joined by
/// `&`, `|` and `!`.
///
/// ```
/// # use heirloom::Table;
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
/// # struct City { #[key] name: String, people: u32, coast: bool }
/// let condition = City::PEOPLE.gt(100_000) & !City::COAST.eq(true) | City::NAME.eq("Ulm");
/// assert!(condition.matches(&City { name: "Ulm".into(), people: 126, coast: false }));
/// ```
pub struct Expr<R> {
    node: Node,
    row: PhantomData<fn(&R)>,
}

/// The argument of `filter`: an [`Expr`].
///
/// A trait only for the compiler's message about what is not one. Implemented for `Expr`; do not
/// implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a condition on rows of `{R}`",
    label = "not a condition",
    note = "a condition is made by a method of a column, not by `==` or `<`: write \
            `COLUMN.eq(value)`, `COLUMN.lt(value)`, and for a column of `bool` `COLUMN.eq(true)`"
)]
pub trait Condition<R> {
    /// The condition.
    #[doc(hidden)]
    fn into_expr(self) -> Expr<R>;
}

impl<R> Condition<R> for Expr<R> {
    fn into_expr(self) -> Self {
        self
    }
}

/// A condition, without the type of its rows.
#[derive(Clone)]
pub(crate) enum Node {
    /// The encoding of a field lies in a set.
    Within(Field, Ranges),
    /// A text or collection has this in it.
    Holds {
        field: Field,
        item: Vec<u8>,
        /// Its form in an index over each item, if there is such an index.
        in_index: Option<Vec<u8>>,
        look: Look,
    },
    /// A function of the app's own, under a number of its own.
    Test {
        number: u64,
        look: Look,
    },
    /// The row that a field refers to meets a condition. It is replaced by the keys of the rows that do,
    /// before anything is planned.
    Refers {
        field: Field,
        condition: Box<Node>,
        target: Target,
    },
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
}

/// The table that a condition on referred rows is about.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    row: fn() -> TypeId,
    is_optional: bool,
    keys: fn(Source<'_>, Node) -> Result<Vec<Vec<u8>>>,
}

impl<R> Clone for Expr<R> {
    fn clone(&self) -> Self {
        Self::of(self.node.clone())
    }
}

impl<R> fmt::Debug for Expr<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt(f)
    }
}

/// Says all that tells conditions apart: two that look the same are the same.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(field, ranges) => write!(f, "{field:?} in {ranges:?}"),
            Self::Holds { field, item, .. } => write!(f, "{field:?} holds {item:?}"),
            Self::Test { number, .. } => write!(f, "test {number}"),
            Self::Refers { field, condition, .. } => write!(f, "{field:?} refers to {condition:?}"),
            Self::All(nodes) => f.debug_tuple("All").field(nodes).finish(),
            Self::Any(nodes) => f.debug_tuple("Any").field(nodes).finish(),
            Self::Not(node) => f.debug_tuple("Not").field(node).finish(),
        }
    }
}

impl<R> Expr<R> {
    fn of(node: Node) -> Self {
        Self { node, row: PhantomData }
    }

    /// Returns the condition that all of several hold; without any, every row meets it.
    ///
    /// ```
    /// use heirloom::query::Expr;
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: u32 }
    /// let words = ["a", "i"];
    /// let condition = Expr::all(words.map(|word| City::NAME.contains(word)));
    /// assert!(condition.matches(&City { name: "Mainz".into(), people: 220_000 }));
    /// ```
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self::of(Node::All(conditions.into_iter().map(Self::into_node).collect()))
    }

    /// Returns the condition that one of several holds at least; without any, no row meets it.
    ///
    /// ```
    /// use heirloom::query::Expr;
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: u32 }
    /// let starts = ["Ma", "Mu"];
    /// let condition = Expr::any(starts.map(|start| City::NAME.starts_with(start)));
    /// assert!(condition.matches(&City { name: "Mainz".into(), people: 220_000 }));
    /// ```
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self::of(Node::Any(conditions.into_iter().map(Self::into_node).collect()))
    }

    pub(crate) fn within(field: Field, ranges: Ranges) -> Self {
        Self::of(Node::Within(field, ranges))
    }

    /// The condition, without the type of its rows.
    pub(crate) fn into_node(self) -> Node {
        self.node
    }
}

impl<R: 'static> Expr<R> {
    pub(crate) fn holding(
        field: Field,
        item: Vec<u8>,
        in_index: Option<Vec<u8>>,
        look: impl Fn(&R) -> bool + Send + Sync + 'static,
    ) -> Self {
        let look = move |row: &dyn Any| row.downcast_ref().is_some_and(&look);
        Self::of(Node::Holds { field, item, in_index, look: Arc::new(look) })
    }

    /// A function of the app's own. Two of them are never the same.
    pub(crate) fn test(look: impl Fn(&R) -> bool + Send + Sync + 'static) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let look = move |row: &dyn Any| row.downcast_ref().is_some_and(&look);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Self::of(Node::Test { number, look: Arc::new(look) })
    }

    /// A condition on the row that a field refers to.
    pub(crate) fn refers<T: Row>(
        field: Field,
        is_optional: bool,
        condition: Expr<T>,
        keys: fn(Source<'_>, Node) -> Result<Vec<Vec<u8>>>,
    ) -> Self {
        let target = Target { row: TypeId::of::<T>, is_optional, keys };
        Self::of(Node::Refers { field, condition: Box::new(condition.node), target })
    }

    /// Whether the row meets the condition. A condition on the row that it refers to
    /// ([`Column::is`](crate::Column::is)) cannot be told from the row alone; with one, none does.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: u32 }
    /// let bern = City { name: "Bern".into(), people: 134_000 };
    /// assert!(City::PEOPLE.gt(100_000).matches(&bern));
    /// ```
    pub fn matches(&self, row: &R) -> bool {
        !self.node.has_referred() && self.node.matches(row, &mut Vec::new())
    }
}

impl Node {
    pub(crate) fn matches(&self, row: &dyn Any, buffer: &mut Vec<u8>) -> bool {
        match self {
            Self::Within(field, ranges) => {
                buffer.clear();
                field.encode(row, buffer);
                ranges.holds(buffer)
            }
            Self::Holds { look, .. } | Self::Test { look, .. } => look(row),
            // A row alone does not say.
            Self::Refers { .. } => false,
            Self::All(nodes) => nodes.iter().all(|node| node.matches(row, buffer)),
            Self::Any(nodes) => nodes.iter().any(|node| node.matches(row, buffer)),
            Self::Not(node) => !node.matches(row, buffer),
        }
    }

    /// Whether it has a condition on referred rows.
    pub(crate) fn has_referred(&self) -> bool {
        match self {
            Self::Within(..) | Self::Holds { .. } | Self::Test { .. } => false,
            Self::Refers { .. } => true,
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(Self::has_referred),
            Self::Not(node) => node.has_referred(),
        }
    }

    /// The same condition with the keys of referred rows in place of conditions on these, as the view of
    /// `source` has them. Adds the tables that were looked at.
    pub(crate) fn resolved(&self, source: &Source<'_>, tables: &mut Vec<TableIdx>) -> Result<Self> {
        let mut all = |nodes: &[Self]| -> Result<Vec<Self>> {
            nodes.iter().map(|node| node.resolved(source, tables)).collect()
        };
        Ok(match self {
            Self::Within(..) | Self::Holds { .. } | Self::Test { .. } => self.clone(),
            Self::All(nodes) => Self::All(all(nodes)?),
            Self::Any(nodes) => Self::Any(all(nodes)?),
            Self::Not(node) => Self::Not(Box::new(node.resolved(source, tables)?)),
            Self::Refers { field, condition, target } => {
                let table_idx = source.table_of((target.row)())?;
                tables.push(table_idx);
                let referred = source.of_table(table_idx);
                let condition = condition.resolved(&referred, tables)?;
                let kind = source.engine.def.tables[table_idx].key;
                let keys = (target.keys)(referred, condition)?.into_iter().map(|key| {
                    let mut value = Vec::new();
                    if target.is_optional {
                        value.push(SOME);
                    }
                    encode_key_bytes(kind, &key, &mut value);
                    value
                });
                let mut values: Vec<Vec<u8>> = keys.collect();
                values.sort_unstable();
                values.dedup();
                Self::Within(field.clone(), Ranges::points(values))
            }
        })
    }

    /// The same condition with `Not` only where nothing else will do, and conditions on one field
    /// joined into one.
    pub(crate) fn simplified(&self) -> Self {
        self.pushed(false).joined()
    }

    fn pushed(&self, negated: bool) -> Self {
        let all = |nodes: &[Self]| nodes.iter().map(|node| node.pushed(negated)).collect();
        match self {
            Self::Within(field, ranges) => {
                let ranges = ranges.clone();
                let ranges = if negated { ranges.complement() } else { ranges };
                Self::Within(field.clone(), ranges)
            }
            Self::Holds { .. } | Self::Test { .. } | Self::Refers { .. } if negated => {
                Self::Not(Box::new(self.clone()))
            }
            Self::Holds { .. } | Self::Test { .. } | Self::Refers { .. } => self.clone(),
            Self::All(nodes) if negated => Self::Any(all(nodes)),
            Self::All(nodes) => Self::All(all(nodes)),
            Self::Any(nodes) if negated => Self::All(all(nodes)),
            Self::Any(nodes) => Self::Any(all(nodes)),
            Self::Not(node) => node.pushed(!negated),
        }
    }

    fn joined(self) -> Self {
        let (nodes, is_all) = match self {
            Self::All(nodes) => (nodes, true),
            Self::Any(nodes) => (nodes, false),
            other => return other,
        };
        let mut sets: Vec<(Field, Vec<Ranges>)> = Vec::new();
        let mut joined: Vec<Self> = Vec::new();
        let mut rest: Vec<Self> = nodes.into_iter().rev().collect();
        while let Some(node) = rest.pop() {
            match (node.joined(), is_all) {
                (Self::All(inner), true) | (Self::Any(inner), false) => {
                    rest.extend(inner.into_iter().rev());
                }
                (Self::Within(field, ranges), _) => {
                    match sets.iter_mut().find(|(known, _)| known.is(&field)) {
                        Some((_, known)) => known.push(ranges),
                        None => sets.push((field, vec![ranges])),
                    }
                }
                (other, _) => joined.push(other),
            }
        }
        let mut sets: Vec<Self> = sets.into_iter().map(|(f, all)| meet(f, all, is_all)).collect();
        sets.append(&mut joined);
        match sets.len() {
            1 => sets.swap_remove(0),
            _ if is_all => Self::All(sets),
            _ => Self::Any(sets),
        }
    }
}

/// Returns the values that lie in all of the sets, or in any of them.
fn meet(field: Field, sets: Vec<Ranges>, is_all: bool) -> Node {
    let ranges = if is_all {
        // The intersection is the complement of the union of complements: one pass, however many
        // they are.
        let outside = sets.into_iter().flat_map(|set| set.complement().into_vec());
        Ranges::union_of(outside.collect()).complement()
    } else {
        Ranges::union_of(sets.into_iter().flat_map(Ranges::into_vec).collect())
    };
    Node::Within(field, ranges)
}

impl Node {
    /// Both; flat, so that a chain of any length nests no deeper.
    pub(crate) fn and(self, other: Self) -> Self {
        Self::All(match (self, other) {
            (Self::All(mut nodes), Self::All(more)) => {
                nodes.extend(more);
                nodes
            }
            (Self::All(mut nodes), other) => {
                nodes.push(other);
                nodes
            }
            (node, Self::All(mut nodes)) => {
                nodes.insert(0, node);
                nodes
            }
            (node, other) => vec![node, other],
        })
    }

    fn or(self, other: Self) -> Self {
        Self::Any(match (self, other) {
            (Self::Any(mut nodes), Self::Any(more)) => {
                nodes.extend(more);
                nodes
            }
            (Self::Any(mut nodes), other) => {
                nodes.push(other);
                nodes
            }
            (node, Self::Any(mut nodes)) => {
                nodes.insert(0, node);
                nodes
            }
            (node, other) => vec![node, other],
        })
    }

    fn negated(self) -> Self {
        match self {
            Self::Not(node) => *node,
            node => Self::Not(Box::new(node)),
        }
    }
}

impl<R> BitAnd for Expr<R> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self::of(self.node.and(other.node))
    }
}

impl<R> BitOr for Expr<R> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self::of(self.node.or(other.node))
    }
}

impl<R> Not for Expr<R> {
    type Output = Self;

    fn not(self) -> Self {
        Self::of(self.node.negated())
    }
}
