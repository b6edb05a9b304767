//! The results of a query: rows, keys, a number, and how it is run.

use super::Query;
use super::view::{At, read};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Buffer, Run, Source, Spec, explain};
use crate::row::{Key, Row};

impl<R: Row, A: At> Query<R, A> {
    /// The query as it is run on a source: with the keys of referred rows in place of conditions on them.
    pub(super) fn resolved(&self, source: &Source<'_>) -> Result<Spec> {
        let mut tables = Vec::new();
        let spec = self.placed(source.resolved(&self.spec, &mut tables))?;
        tables.into_iter().for_each(|table_idx| self.at.reads(table_idx));
        Ok(spec)
    }

    /// Returns the source on which the query is run, and the query as it is run there.
    pub(in crate::store) fn prepared(&self) -> Result<(Source<'_>, Spec)> {
        let source = self.at.source(self.table_idx);
        let spec = self.resolved(&source)?;
        Ok((source, spec))
    }

    fn run(
        &self,
        limit: impl FnOnce(Option<usize>) -> Option<usize>,
        buffer: &mut Buffer<R>,
    ) -> Result<Run<'_>> {
        let (source, mut spec) = self.prepared()?;
        spec.limit = limit(spec.limit);
        self.placed(source.run(spec, buffer))
    }

    /// Returns all rows of the result. If an index gives thousands in order, several threads decode
    /// them.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](ErrorKind::InvalidRow) if there is no filter and a row does not decode;
    /// [`iter`](Self::iter) gives the others.
    pub fn all(&self) -> Result<Vec<R>> {
        let mut buffer = Buffer::new(read());
        let run = self.run(|limit| limit, &mut buffer)?;
        self.placed(run.all(&mut buffer))?;
        Ok(buffer.into_result())
    }

    /// Returns the first row of the result; `None` if it is empty.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](ErrorKind::InvalidRow) if there is no filter and the first row does not
    /// decode.
    pub fn first(&self) -> Result<Option<R>> {
        let mut buffer = Buffer::new(read());
        let mut run = self.run(|limit| Some(limit.unwrap_or(1).min(1)), &mut buffer)?;
        self.placed(buffer.next(&mut run).transpose())
    }

    /// Returns the only row of the result.
    ///
    /// ```
    /// # use heirloom::{ErrorKind, Store, Table};
    /// # #[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Task { #[key] name: String, done: bool }
    /// # #[derive(Store)]
    /// # struct App { tasks: Table<Task> }
    /// # let app = App::in_memory()?;
    /// # app.tasks.insert(&Task { name: "sow".into(), done: false })?;
    /// assert_eq!(app.tasks.filter(Task::DONE.eq(false)).one()?.name, "sow");
    ///
    /// let none = app.tasks.filter(Task::DONE.eq(true)).one();
    /// assert_eq!(none.unwrap_err().kind(), ErrorKind::RowCount);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RowCount`](ErrorKind::RowCount) if there is none, or more than one;
    /// [`InvalidRow`](ErrorKind::InvalidRow) as for [`first`](Self::first).
    pub fn one(&self) -> Result<R> {
        let mut buffer = Buffer::new(read());
        let mut run = self.run(|limit| Some(limit.unwrap_or(2).min(2)), &mut buffer)?;
        let first = self.placed(buffer.next(&mut run).transpose())?;
        let second = self.placed(buffer.next(&mut run).transpose())?;
        let found = match (first, second) {
            (Some(row), None) => return Ok(row),
            (None, _) => "no row",
            _ => "several",
        };
        let error = Error::new(ErrorKind::RowCount, "the query must return one row")
            .expecting("one row")
            .finding(found)
            .help("use `first` if none or several are fine");
        self.placed(Err(error))
    }

    /// Returns whether the result has a row. No more of it is looked at than that takes.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Task { #[key] name: String, done: bool }
    /// # #[derive(Store)]
    /// # struct App { tasks: Table<Task> }
    /// # let app = App::in_memory()?;
    /// assert!(!app.tasks.filter(Task::DONE.eq(false)).exists()?);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn exists(&self) -> Result<bool> {
        let (source, mut spec) = self.prepared()?;
        spec.limit = Some(spec.limit.unwrap_or(1).min(1));
        let mut buffer = Buffer::<R>::new(read());
        let count = source.count(&spec, &mut buffer);
        self.placed(count).map(|count| count > 0)
    }

    /// Returns the number of rows of the result. If an index holds all of the conditions, no row is
    /// read.
    ///
    /// Without a filter, rows that do not decode count, as they do in [`len`](crate::Table::len).
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn count(&self) -> Result<usize> {
        let mut buffer = Buffer::<R>::new(read());
        let (source, spec) = self.prepared()?;
        self.placed(source.count(&spec, &mut buffer))
    }

    /// Returns the keys of the rows of the result. If an index holds all of the conditions, no row
    /// is read.
    ///
    /// # Errors
    ///
    /// The errors of [`all`](Self::all).
    pub fn keys(&self) -> Result<Vec<R::Key>> {
        let mut buffer = Buffer::<R>::new(read());
        let (source, spec) = self.prepared()?;
        let keys = self.placed(source.keys(&spec, &mut buffer))?;
        // A row that decodes, and what is in an index, has a key of the table.
        Ok(keys.iter().filter_map(|key| R::Key::from_bytes(key)).collect())
    }

    /// Returns how the query would be run now, in one line: the index it uses or a scan, and
    /// whether rows are filtered and sorted after that.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Task { #[key] name: String, #[index] due: u32, done: bool }
    /// # #[derive(Store)]
    /// # struct App { tasks: Table<Task> }
    /// # let app = App::in_memory()?;
    /// let next = app.tasks.filter(Task::DONE.eq(false)).order_by(Task::DUE).limit(3);
    /// assert_eq!(next.explain(), "index (due) of `task`, filtered, at most 3");
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// The text is for people; it may change between versions.
    pub fn explain(&self) -> String {
        let explained = self.prepared().and_then(|(source, spec)| {
            let filter = spec.simplified();
            let plan = source.plan(&spec, filter.as_ref())?;
            let table = &source.engine.def.tables[self.table_idx];
            Ok(explain(table, &spec, filter.as_ref(), &plan))
        });
        match explained {
            Ok(explained) => explained,
            Err(error) => format!("no plan: {error}"),
        }
    }
}
