//! [`Select`] and [`Distinct`]: columns of the rows of a query.

use std::fmt;

use super::Query;
use super::view::{At, Committed, read};
use crate::error::Result;
use crate::query::aggregate::{Count, Step, Tally, fold};
use crate::query::{Columns, Picks, Run};
use crate::row::Row;
use crate::store::handle::Handle;
use crate::store::watch_aggregate::WatchAggregate;

/// Columns of the rows of a query; made by [`Query::select`].
///
/// Nothing is read until a method asks for it.
pub struct Select<R, S, A = Committed> {
    query: Query<R, A>,
    columns: S,
}

/// The values that columns have in the rows of a query, each once; made by [`Select::distinct`].
pub struct Distinct<R, S, A = Committed> {
    query: Query<R, A>,
    columns: S,
}

impl<R: Row, A: At> Query<R, A> {
    /// Selects a column of the rows, several as a tuple, or something computed from one by
    /// [`Column::map`](crate::Column::map).
    ///
    /// The rows, their order and the errors are those of the query. Only the values selected are kept.
    /// If an index says that all rows of the table decode, and the conditions and the order are served
    /// by an index or the key, only the columns selected are decoded; otherwise the whole row is, as
    /// [`all`](Self::all) does.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, #[index] country: String, people: u32 }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # for (name, country, people) in [("Bern", "ch", 134), ("Basel", "ch", 173), ("Ulm", "de", 126)] {
    /// #     atlas.cities.insert(&City { name: name.into(), country: country.into(), people })?;
    /// # }
    /// let swiss = atlas.cities.filter(City::COUNTRY.eq("ch"));
    /// let people = swiss.select((City::NAME, City::PEOPLE)).all()?;
    /// assert_eq!(people, [("Basel".to_owned(), 173), ("Bern".to_owned(), 134)]);
    ///
    /// let countries = atlas.cities.query().select(City::COUNTRY).distinct().all()?;
    /// assert_eq!(countries, ["ch", "de"]);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn select<S: Columns<R>>(self, columns: S) -> Select<R, S::Itself, A> {
        Select { query: self, columns: columns.itself() }
    }
}

impl<R: Row, S: Columns<R>, A: At> Select<R, S, A> {
    /// Returns the columns of all rows of the result.
    ///
    /// # Errors
    ///
    /// The errors of [`Query::all`].
    pub fn all(&self) -> Result<Vec<S::Value>> {
        let (run, mut picks) = self.run(None)?;
        self.query.placed(run.all(&mut picks))?;
        picks.into_result()
    }

    /// Returns the columns of the first row of the result; `None` if it is empty.
    ///
    /// # Errors
    ///
    /// The errors of [`Query::first`].
    pub fn first(&self) -> Result<Option<S::Value>> {
        let (mut run, mut picks) = self.run(Some(1))?;
        self.query.placed(picks.next(&mut run).transpose())
    }

    /// Iterates over the columns of the rows, read as they are asked for, from one consistent view.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read. A row that does not
    /// decode is an `Err` item, and the rest still come.
    pub fn iter(&self) -> Result<SelectRows<'_, R, S>> {
        let (run, picks) = self.run(None)?;
        Ok(SelectRows { run, picks, handle: self.query.at.handle().clone() })
    }

    /// Keeps of equal values one, in the order of the columns.
    ///
    /// If an index has the columns, rows are read only to tell values apart, at most once for each.
    /// A limit of the query is one of rows.
    #[must_use]
    pub fn distinct(self) -> Distinct<R, S, A> {
        Distinct { query: self.query, columns: self.columns }
    }

    fn run(&self, at_most: Option<usize>) -> Result<(Run<'_>, Picks<R, S>)> {
        let (source, mut spec) = self.query.prepared()?;
        if let Some(at_most) = at_most {
            spec.limit = Some(spec.limit.unwrap_or(at_most).min(at_most));
        }
        let mut picks = Picks::new(read(), self.columns.clone());
        let run = source.run(spec, &mut picks);
        Ok((self.query.placed(run)?, picks))
    }
}

impl<R: Row, S: Columns<R>, A: At> Distinct<R, S, A> {
    /// Returns the values, the least first.
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if there is no filter and a row does not decode.
    pub fn all(&self) -> Result<Vec<S::Value>> {
        let (source, spec) = self.query.prepared()?;
        let mut tally = Tally::new(self.columns.clone(), Count);
        let done = fold(&mut tally, &source, &spec, read(), Step::Final, false);
        self.query.placed(done.and_then(|()| values(&tally)))
    }
}

impl<R: Row + Send + Sync, S: Columns<R>> Distinct<R, S> {
    /// Follows the values: first as they are, then as commits change them.
    ///
    /// A commit costs what it changes: each of its rows is read as it was and as it is. Rows that do
    /// not decode are left out.
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read.
    pub fn watch(&self) -> Result<WatchAggregate<Vec<S::Value>>> {
        WatchAggregate::new(&self.query, Tally::new(self.columns.clone(), Count), Box::new(values))
    }
}

fn values<R: Row, S: Columns<R>>(tally: &Tally<R, S, Count>) -> Result<Vec<S::Value>> {
    Ok(tally.groups()?.into_iter().map(|(value, _)| value).collect())
}

/// The columns of the rows of a query, one after another; made by [`Select::iter`].
///
/// A row that does not decode is an `Err` item; the rest still come.
pub struct SelectRows<'q, R: Row, S: Columns<R>> {
    run: Run<'q>,
    picks: Picks<R, S>,
    handle: Handle,
}

impl<R: Row, S: Columns<R>> Iterator for SelectRows<'_, R, S> {
    type Item = Result<S::Value>;

    fn next(&mut self) -> Option<Self::Item> {
        let values = self.picks.next(&mut self.run)?;
        Some(values.map_err(|error| self.handle.placed(error.at_table(R::TABLE))))
    }
}

macro_rules! debug {
    ($($name:ident [$($generics:tt)*] [$($arguments:tt)*];)*) => {
        $(impl<$($generics)*> fmt::Debug for $name<$($arguments)*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("table", &R::TABLE).finish_non_exhaustive()
            }
        })*
    };
}

debug! {
    Select [R: Row, S, A] [R, S, A];
    Distinct [R: Row, S, A] [R, S, A];
    SelectRows [R: Row, S: Columns<R>] ['_, R, S];
}
