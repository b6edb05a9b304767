//! The root maps of a document.

/// A root map of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Root {
    Table(String),
    Group(String),
    /// The cells of a table's rows.
    Cells(String),
    /// Late edits of other documents that this one carries, and what could not be converted.
    Forwarded,
    /// Which edits of other documents were decided on.
    Seen,
}

/// The roots that belong neither to tables nor to kv groups.
pub(crate) const BOOKKEEPING: [Root; 2] = [Root::Forwarded, Root::Seen];

impl Root {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Table(name) => format!("table:{name}"),
            Self::Group(name) => format!("kv:{name}"),
            Self::Cells(name) => format!("cells:{name}"),
            Self::Forwarded => "forwarded".to_owned(),
            Self::Seen => "seen".to_owned(),
        }
    }

    /// The root of that name; `None` for one of a later heirloom, which we leave alone.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name.split_once(':') {
            Some(("table", name)) => Some(Self::Table(name.to_owned())),
            Some(("kv", name)) => Some(Self::Group(name.to_owned())),
            Some(("cells", name)) => Some(Self::Cells(name.to_owned())),
            Some(_) => None,
            None => BOOKKEEPING.into_iter().find(|root| root.name() == name),
        }
    }
}
