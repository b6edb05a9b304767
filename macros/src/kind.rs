//! Which derive is at work, and the words its messages use.

/// One of the derives that take a struct with named fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Table,
    Kv,
    Store,
    /// A struct inside a row.
    Fields,
}

impl Kind {
    /// The derive, as it is written.
    pub(crate) fn derive(self) -> &'static str {
        match self {
            Self::Table => "#[derive(Table)]",
            Self::Kv => "#[derive(Kv)]",
            Self::Store => "#[derive(Store)]",
            Self::Fields => "#[derive(Fields)]",
        }
    }

    /// The attribute of the whole struct.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Kv => "kv",
            Self::Store => "store",
            Self::Fields => "fields",
        }
    }

    /// Returns the noun for the struct, with its article.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Table => "a row",
            Self::Kv => "a kv group",
            Self::Store => "a store",
            Self::Fields => "a struct inside a row",
        }
    }

    /// Returns the keys that the attribute of the whole struct takes.
    pub(crate) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Table => &[
                "name", "key", "index", "unique", "computed", "merge", "removes", "previous",
                "from", "try_from", "crate",
            ],
            Self::Kv => &["name", "removes", "previous", "from", "try_from", "crate"],
            Self::Store => &["name", "epoch", "history", "previous", "drops", "migrate", "crate"],
            Self::Fields => &["crate"],
        }
    }
}
