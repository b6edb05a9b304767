//! What a query gives: rows, keys, a number, and how it is run.

use super::Query;
use super::view::{At, read};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Buffer, Run, Spec, explain};
use crate::row::{Key, Row};

impl<R: Row, A: At> Query<R, A> {
    fn run(&self, spec: Spec, buffer: &mut Buffer<R>) -> Result<Run<'_>> {
        self.placed(self.at.source(self.table_idx).run(spec, buffer))
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
        let run = self.run(self.spec.clone(), &mut buffer)?;
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
        let mut spec = self.spec.clone();
        spec.limit = Some(spec.limit.unwrap_or(1).min(1));
        let mut buffer = Buffer::new(read());
        let mut run = self.run(spec, &mut buffer)?;
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
        let mut spec = self.spec.clone();
        spec.limit = Some(spec.limit.unwrap_or(2).min(2));
        let mut buffer = Buffer::new(read());
        let mut run = self.run(spec, &mut buffer)?;
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
        let limit = Some(self.spec.limit.unwrap_or(1).min(1));
        let spec = Spec { limit, ..self.spec.clone() };
        let mut buffer = Buffer::<R>::new(read());
        let count = self.at.source(self.table_idx).count(&spec, &mut buffer);
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
        self.placed(self.at.source(self.table_idx).count(&self.spec, &mut buffer))
    }

    /// Returns the keys of the rows of the result. If an index holds all of the conditions, no row
    /// is read.
    ///
    /// # Errors
    ///
    /// The errors of [`all`](Self::all).
    pub fn keys(&self) -> Result<Vec<R::Key>> {
        let mut buffer = Buffer::<R>::new(read());
        let keys = self.placed(self.at.source(self.table_idx).keys(&self.spec, &mut buffer))?;
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
        let source = self.at.source(self.table_idx);
        let filter = self.spec.simplified();
        match source.plan(&self.spec, filter.as_ref()) {
            Ok(plan) => {
                let table = &source.engine.def.tables[self.table_idx];
                explain(table, &self.spec, filter.as_ref(), &plan)
            }
            Err(error) => format!("no plan: {error}"),
        }
    }
}
