//! The methods of a column that make aggregates, and what rows are grouped by.

use super::functions::{Avg, CountDistinct, Max, Min, Sum};
use crate::query::column::Column;
use crate::query::columns::Mapped;
use crate::query::named::{OrderedColumn, SummableColumn};
use crate::row::Comparable;
use crate::row::order::check;

impl<R: 'static, T: 'static, C> Column<R, T, C> {
    /// Returns the sum of the values as an aggregate, for [`Query::aggregate`](crate::Query::aggregate) and groups.
    ///
    /// `None` is left out; of no rows it is 0. See [`Summable`](crate::query::Summable) for the type of
    /// a sum, and for the one that is out of range.
    ///
    /// ```
    /// use heirloom::query::count;
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, country: String, people: u32 }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # for (name, country, people) in [("Bern", "ch", 134), ("Basel", "ch", 173), ("Ulm", "de", 126)] {
    /// #     atlas.cities.insert(&City { name: name.into(), country: country.into(), people })?;
    /// # }
    /// let both = atlas.cities.query().aggregate((count(), City::PEOPLE.sum()));
    /// assert_eq!(both.get()?, (3, 433));
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn sum(self) -> Sum<R, T, C>
    where
        T: SummableColumn<C>,
    {
        Sum(self)
    }

    /// Returns the least of the values as an aggregate; `None` of no rows, and of those that have `None` only.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: u32 }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// let ends = atlas.cities.query().aggregate((City::PEOPLE.min(), City::PEOPLE.max()));
    /// assert_eq!(ends.get()?, (None, None));
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn min(self) -> Min<R, T, C>
    where
        T: OrderedColumn<C>,
    {
        check::<C>();
        Min(self)
    }

    /// Returns the greatest of the values as an aggregate, like [`min`](Self::min).
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: Option<u32> }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # for (name, people) in [("Bern", Some(134)), ("Chur", Some(134)), ("Ulm", Some(128)), ("Atlantis", None)] {
    /// #     atlas.cities.insert(&City { name: name.into(), people })?;
    /// # }
    /// // Of Bern, Chur, Ulm, and Atlantis, whose number is `None`.
    /// let most = atlas.cities.query().aggregate(City::PEOPLE.max());
    /// assert_eq!(most.get()?, Some(134));
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn max(self) -> Max<R, T, C>
    where
        T: OrderedColumn<C>,
    {
        check::<C>();
        Max(self)
    }

    /// Returns the mean of the values, an `f64`, as an aggregate; `None` of no rows, and of those that have `None` only.
    ///
    /// It is the exact sum, divided by the number of values that are not `None`.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: Option<u32> }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # for (name, people) in [("Bern", Some(134)), ("Chur", Some(134)), ("Ulm", Some(128)), ("Atlantis", None)] {
    /// #     atlas.cities.insert(&City { name: name.into(), people })?;
    /// # }
    /// // Of Bern, Chur, Ulm, and Atlantis, whose number is `None`.
    /// let mean = atlas.cities.query().aggregate(City::PEOPLE.avg());
    /// assert_eq!(mean.get()?, Some(132.0));
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn avg(self) -> Avg<R, T, C>
    where
        T: SummableColumn<C>,
    {
        Avg(self)
    }

    /// Returns the number of values that differ from one another as an aggregate. `None` is not one of them.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: Option<u32> }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # for (name, people) in [("Bern", Some(134)), ("Chur", Some(134)), ("Ulm", Some(128)), ("Atlantis", None)] {
    /// #     atlas.cities.insert(&City { name: name.into(), people })?;
    /// # }
    /// // Of Bern, Chur, Ulm, and Atlantis, whose number is `None`.
    /// let numbers = atlas.cities.query().aggregate(City::PEOPLE.count_distinct());
    /// assert_eq!(numbers.get()?, 2);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    #[must_use]
    pub fn count_distinct(self) -> CountDistinct<R, T, C> {
        check::<C>();
        CountDistinct(self)
    }

    /// Returns what groups rows by something computed from the value, such as the month of a date.
    ///
    /// The function must be pure: equal values must give equal results, at any time. It is called
    /// once for each value, not for each row, if an index gives the values in their order.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Payment { #[key] number: u32, date: String, cents: i64 }
    /// # #[derive(Store)]
    /// # struct App { payments: Table<Payment> }
    /// # let app = App::in_memory()?;
    /// # for (number, date, cents) in [(1, "2026-01-30", 5), (2, "2026-02-01", 7), (3, "2026-02-09", 1)] {
    /// #     app.payments.insert(&Payment { number, date: date.into(), cents })?;
    /// # }
    /// let month = Payment::DATE.map(|date| date.chars().take(7).collect::<String>());
    /// let by_month = app.payments.query().group_by(month).sum(Payment::CENTS)?;
    /// assert_eq!(by_month, [("2026-01".to_owned(), 5), ("2026-02".to_owned(), 8)]);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn map<U, F>(self, compute: F) -> Mapped<R, T, C, F>
    where
        U: Comparable,
        F: Fn(&T) -> U,
    {
        check::<C>();
        Mapped { column: self, compute }
    }
}
