//! One opaque error: a kind to match on, the place it concerns, and what to do next.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The result of every fallible method of heirloom.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of an [`Error`], to match on.
///
/// ```
/// use heirloom::ErrorKind;
///
/// fn worth_a_retry(error: &heirloom::Error) -> bool {
///     matches!(error.kind(), ErrorKind::Locked | ErrorKind::Storage)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A stored row or entry does not decode as the type this code declares for it.
    InvalidRow,
    /// A value cannot be stored: it holds a NaN or infinite number, or does not serialize.
    InvalidValue,
    /// There is a row under the key of a new one, or a file at the path of a new one.
    AlreadyExists,
    /// The entry of the quarantine to be resolved is not there any more, or has changed.
    NotFound,
    /// A row has the value of another in a field that is unique.
    NotUnique,
    /// A row breaks a rule of its table, which `#[check(…)]` says.
    CheckFailed,
    /// A row refers to one that does not exist.
    DanglingReference,
    /// A row cannot be removed, since another refers to it.
    StillReferenced,
    /// The closure of an `update` changed the row's key.
    KeyChanged,
    /// An id has the prefix of another table or does not parse, or a text does not parse as a key.
    WrongId,
    /// The schema of this code breaks with a version recorded in the store.
    BreakingChange,
    /// A newer version of the schema has written to the store, which was opened with
    /// `refuse_newer_schema`.
    NewerSchema,
    /// The store is at an epoch that this code does not know.
    NewerEpoch,
    /// A history file is missing, damaged, in conflict, or not a history file.
    InvalidHistory,
    /// The file was written in a newer file format, by a newer heirloom.
    NewerFormat,
    /// A migration failed; the store is as it was before.
    Migration,
    /// A write was made to a store that was opened to be read, or its file cannot be read as it is
    /// without writing to it.
    ReadOnly,
    /// The file is damaged, or is not a heirloom store.
    Corrupt,
    /// Another process has the file open, or this one has it open already.
    Locked,
    /// The file cannot be compacted, since snapshots or other readers of this process still need it as
    /// it is.
    InUse,
    /// The storage failed: the disk is full, the file is unreadable, the path is wrong.
    Storage,
    /// Bytes that should be a summary or changes are something else, or are damaged.
    InvalidUpdate,
    /// The file or the changes belong to another store.
    WrongStore,
    /// A write was made inside of a transaction, but not through it.
    NestedTransaction,
    /// A query that must give exactly one row gives none, or several.
    RowCount,
    /// A watch cannot give more, since the store was closed.
    Closed,
    /// The application itself refused, through [`Error::custom`].
    Custom,
}

/// The error of heirloom: opaque, with a [kind](Error::kind), the place it concerns, and the
/// underlying cause as its [source](StdError::source).
///
/// The message names store, table, key and field as far as it concerns them, what was expected and
/// found, and what to do next.
///
/// ```
/// # use heirloom::{Id, Store, Table};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, JsonSchema, Table)]
/// # #[table(name = "notes")]
/// # struct Note { id: Id<Note>, text: String }
/// # #[derive(Store)]
/// # #[store(name = "app")]
/// # struct App { notes: Table<Note> }
/// use heirloom::ErrorKind;
///
/// let app = App::in_memory()?;
/// let note = Note { id: Id::new(), text: "milk".into() };
/// app.notes.insert(&note)?;
///
/// let error = app.notes.insert(&note).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::AlreadyExists);
/// assert_eq!(error.table(), Some("notes"));
/// assert!(error.to_string().contains("use `put`"));
/// # Ok::<(), heirloom::Error>(())
/// ```
pub struct Error(Box<Inner>);

type Source = Box<dyn StdError + Send + Sync>;

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    what: String,
    context: ErrorContext,
    help: Option<String>,
    source: Option<Source>,
}

#[derive(Debug, Default, Clone)]
struct ErrorContext {
    store: Option<String>,
    table: Option<String>,
    group: Option<String>,
    key: Option<String>,
    field: Option<String>,
    expected: Option<String>,
    found: Option<String>,
    file: Option<PathBuf>,
}

impl Error {
    /// Makes an error of the application's own, to end a transaction with.
    ///
    /// Its kind is [`ErrorKind::Custom`]. It shows `error`'s text and has `error`'s
    /// [source](StdError::source), so that each text of the chain comes once;
    /// [`downcast_ref`](Self::downcast_ref) gives `error` itself. To end a transaction with an error
    /// type of your own, see [`try_transaction`](crate::Store::try_transaction).
    ///
    /// ```
    /// let error = heirloom::Error::custom("the quota is used up");
    /// assert_eq!(error.kind(), heirloom::ErrorKind::Custom);
    /// assert_eq!(error.to_string(), "the quota is used up");
    /// ```
    pub fn custom(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let error = error.into();
        let mut custom = Self::new(ErrorKind::Custom, error.to_string());
        custom.0.source = Some(error);
        custom
    }

    /// Returns the error that was given to [`custom`](Self::custom) if it is of type `E`.
    ///
    /// ```
    /// use std::num::ParseIntError;
    ///
    /// let error = heirloom::Error::custom("12a".parse::<u32>().unwrap_err());
    /// assert!(error.downcast_ref::<ParseIntError>().is_some());
    /// assert!(error.downcast_ref::<std::fmt::Error>().is_none());
    /// ```
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        let source = self.0.source.as_deref().filter(|_| self.is_transparent())?;
        source.downcast_ref()
    }

    /// Whether it stands for its source, instead of saying something about it.
    fn is_transparent(&self) -> bool {
        self.0.kind == ErrorKind::Custom
    }

    /// Returns its kind, to match on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the name of the store concerned.
    pub fn store(&self) -> Option<&str> {
        self.0.context.store.as_deref()
    }

    /// Returns the name of the table concerned.
    pub fn table(&self) -> Option<&str> {
        self.0.context.table.as_deref()
    }

    /// Returns the name of the kv group concerned.
    pub fn group(&self) -> Option<&str> {
        self.0.context.group.as_deref()
    }

    /// Returns the key of the row concerned, in its text form.
    pub fn key(&self) -> Option<&str> {
        self.0.context.key.as_deref()
    }

    /// Returns the stored name of the field concerned; a path such as `address.street` for a nested
    /// one.
    pub fn field(&self) -> Option<&str> {
        self.0.context.field.as_deref()
    }

    /// Returns what should have been there.
    pub fn expected(&self) -> Option<&str> {
        self.0.context.expected.as_deref()
    }

    /// Returns what was there instead.
    pub fn found(&self) -> Option<&str> {
        self.0.context.found.as_deref()
    }

    /// Returns the file concerned.
    pub fn file(&self) -> Option<&Path> {
        self.0.context.file.as_deref()
    }

    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            what: what.into(),
            context: ErrorContext::default(),
            help: None,
            source: None,
        }))
    }

    /// Another error of the same kind and place, for one of several who meet the same cause.
    pub(crate) fn caused_by(cause: &Arc<Self>, what: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind: cause.0.kind,
            what: what.into(),
            context: cause.0.context.clone(),
            help: None,
            source: Some(Box::new(cause.clone())),
        }))
    }

    pub(crate) fn at_store(mut self, store: &str) -> Self {
        self.0.context.store.get_or_insert_with(|| store.to_owned());
        self
    }

    pub(crate) fn at_file(mut self, file: &Path) -> Self {
        self.0.context.file.get_or_insert_with(|| file.to_owned());
        self
    }

    pub(crate) fn at_table(mut self, table: &str) -> Self {
        self.0.context.table.get_or_insert_with(|| table.to_owned());
        self
    }

    pub(crate) fn at_group(mut self, group: &str) -> Self {
        self.0.context.group.get_or_insert_with(|| group.to_owned());
        self
    }

    pub(crate) fn at_key(mut self, key: impl Into<String>) -> Self {
        self.0.context.key.get_or_insert_with(|| key.into());
        self
    }

    pub(crate) fn at_field(mut self, field: impl Into<String>) -> Self {
        self.0.context.field.get_or_insert_with(|| field.into());
        self
    }

    pub(crate) fn expecting(mut self, expected: impl Into<String>) -> Self {
        self.0.context.expected.get_or_insert_with(|| expected.into());
        self
    }

    pub(crate) fn finding(mut self, found: impl Into<String>) -> Self {
        self.0.context.found.get_or_insert_with(|| found.into());
        self
    }

    /// The same error, found in this line of a text.
    pub(crate) fn in_line(mut self, line: &str) -> Self {
        self.0.what = format!("{line}: {}", self.0.what);
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help.get_or_insert_with(|| help.into());
        self
    }

    pub(crate) fn because(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Returns the message without the place and the help.
    pub(crate) fn what(&self) -> &str {
        &self.0.what
    }
}

impl fmt::Display for ErrorContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            ("store", &self.store),
            ("table", &self.table),
            ("group", &self.group),
            ("key", &self.key),
            ("field", &self.field),
        ];
        let mut separator = "";
        for (word, name) in named {
            if let Some(name) = name {
                write!(f, "{separator}{word} `{name}`")?;
                separator = ", ";
            }
        }
        if let Some(file) = &self.file {
            write!(f, "{separator}file {}", file.display())?;
            separator = ", ";
        }
        let stated = [("expected", &self.expected), ("found", &self.found)];
        for (word, value) in stated {
            if let Some(value) = value {
                write!(f, "{separator}{word} {value}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)?;
        let context = self.0.context.to_string();
        if !context.is_empty() {
            write!(f, " ({context})")?;
        }
        match &self.0.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.to_string())
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source: &(dyn StdError + 'static) = self.0.source.as_deref()?;
        if self.is_transparent() { source.source() } else { Some(source) }
    }
}
