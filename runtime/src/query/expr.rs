//! [`Expr`]: a condition on rows.

use std::fmt;
use std::ops::{BitAnd, BitOr, Not};
use std::sync::Arc;

use super::ranges::Ranges;

/// Encodes a field of a row.
type Encode<R> = Arc<dyn Fn(&R, &mut Vec<u8>) + Send + Sync>;

/// Looks at a row.
type Look<R> = Arc<dyn Fn(&R) -> bool + Send + Sync>;

/// A field by its stored name.
pub(crate) struct Field<R> {
    pub(crate) name: &'static str,
    /// Whether the name is made of several, and may be that of another field.
    pub(crate) is_path: bool,
    pub(crate) encode: Encode<R>,
}

impl<R> Field<R> {
    /// Whether it is the field of the row that is stored under this name.
    pub(crate) fn is_stored_as(&self, name: &str) -> bool {
        !self.is_path && self.name == name
    }

    fn is(&self, other: &Self) -> bool {
        (self.name, self.is_path) == (other.name, other.is_path)
    }
}

/// Says which field it is.
impl<R> fmt::Debug for Field<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", if self.is_path { "path " } else { "" }, self.name)
    }
}

impl<R> Clone for Field<R> {
    fn clone(&self) -> Self {
        Self { name: self.name, is_path: self.is_path, encode: self.encode.clone() }
    }
}

/// A condition on rows of type `R`, made by the methods of [`Column`](crate::Column) and joined by
/// `&`, `|` and `!`.
pub struct Expr<R>(pub(crate) Node<R>);

pub(crate) enum Node<R> {
    /// The encoding of a field lies in a set.
    Within(Field<R>, Ranges),
    /// A text or collection has this in it.
    Holds {
        field: Field<R>,
        item: Vec<u8>,
        look: Look<R>,
    },
    All(Vec<Node<R>>),
    Any(Vec<Node<R>>),
    Not(Box<Node<R>>),
}

impl<R> Clone for Node<R> {
    fn clone(&self) -> Self {
        match self {
            Self::Within(field, ranges) => Self::Within(field.clone(), ranges.clone()),
            Self::Holds { field, item, look } => {
                Self::Holds { field: field.clone(), item: item.clone(), look: look.clone() }
            }
            Self::All(nodes) => Self::All(nodes.clone()),
            Self::Any(nodes) => Self::Any(nodes.clone()),
            Self::Not(node) => Self::Not(node.clone()),
        }
    }
}

impl<R> Clone for Expr<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R> fmt::Debug for Expr<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Says all that tells conditions apart: two that look the same are the same.
impl<R> fmt::Debug for Node<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(field, ranges) => write!(f, "{field:?} in {ranges:?}"),
            Self::Holds { field, item, .. } => write!(f, "{field:?} holds {item:?}"),
            Self::All(nodes) => f.debug_tuple("All").field(nodes).finish(),
            Self::Any(nodes) => f.debug_tuple("Any").field(nodes).finish(),
            Self::Not(node) => f.debug_tuple("Not").field(node).finish(),
        }
    }
}

impl<R> Expr<R> {
    pub(crate) fn within(field: Field<R>, ranges: Ranges) -> Self {
        Self(Node::Within(field, ranges))
    }

    pub(crate) fn holding(field: Field<R>, item: Vec<u8>, look: Look<R>) -> Self {
        Self(Node::Holds { field, item, look })
    }

    /// Whether the row meets the condition.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: u32 }
    /// let bern = City { name: "Bern".into(), people: 134_000 };
    /// assert!(City::PEOPLE.gt(100_000).matches(&bern));
    /// ```
    pub fn matches(&self, row: &R) -> bool {
        self.0.matches(row, &mut Vec::new())
    }
}

impl<R> Node<R> {
    pub(crate) fn matches(&self, row: &R, buffer: &mut Vec<u8>) -> bool {
        match self {
            Self::Within(field, ranges) => {
                buffer.clear();
                (field.encode)(row, buffer);
                ranges.holds(buffer)
            }
            Self::Holds { look, .. } => look(row),
            Self::All(nodes) => nodes.iter().all(|node| node.matches(row, buffer)),
            Self::Any(nodes) => nodes.iter().any(|node| node.matches(row, buffer)),
            Self::Not(node) => !node.matches(row, buffer),
        }
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
            Self::Holds { .. } if negated => Self::Not(Box::new(self.clone())),
            Self::Holds { .. } => self.clone(),
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
        let mut sets: Vec<(Field<R>, Vec<Ranges>)> = Vec::new();
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

/// What lies in all of the sets, or in any.
fn meet<R>(field: Field<R>, sets: Vec<Ranges>, is_all: bool) -> Node<R> {
    let ranges = if is_all {
        // What lies in all lies outside of none: in one go, however many they are.
        let outside = sets.into_iter().flat_map(|set| set.complement().into_vec());
        Ranges::union_of(outside.collect()).complement()
    } else {
        Ranges::union_of(sets.into_iter().flat_map(Ranges::into_vec).collect())
    };
    Node::Within(field, ranges)
}

impl<R> BitAnd for Expr<R> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        // Flat, so that a chain of any length nests no deeper.
        Self(match (self.0, other.0) {
            (Node::All(mut nodes), Node::All(more)) => {
                nodes.extend(more);
                Node::All(nodes)
            }
            (Node::All(mut nodes), other) => {
                nodes.push(other);
                Node::All(nodes)
            }
            (node, Node::All(mut nodes)) => {
                nodes.insert(0, node);
                Node::All(nodes)
            }
            (node, other) => Node::All(vec![node, other]),
        })
    }
}

impl<R> BitOr for Expr<R> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(match (self.0, other.0) {
            (Node::Any(mut nodes), Node::Any(more)) => {
                nodes.extend(more);
                Node::Any(nodes)
            }
            (Node::Any(mut nodes), other) => {
                nodes.push(other);
                Node::Any(nodes)
            }
            (node, Node::Any(mut nodes)) => {
                nodes.insert(0, node);
                Node::Any(nodes)
            }
            (node, other) => Node::Any(vec![node, other]),
        })
    }
}

impl<R> Not for Expr<R> {
    type Output = Self;

    fn not(self) -> Self {
        Self(match self.0 {
            Node::Not(node) => *node,
            node => Node::Not(Box::new(node)),
        })
    }
}
