//! The aggregates: what each keeps of the rows, and what it makes of that.

use std::collections::BTreeMap;
use std::fmt;

use super::number::{Summable, Total};
use crate::disk::Totals;
use crate::error::{Error, ErrorKind, Result};
use crate::query::column::{Column, Name};
use crate::query::named::{OrderedColumn, SummableColumn};
use crate::query::path::{Fold, Member};
use crate::row::order::{NONE, UNENCODABLE};
use crate::row::{Key, Row};

/// A computation of [`Query::aggregate`](crate::Query::aggregate) on rows of type `R`: made by the
/// methods [`sum`](Column::sum), [`min`](Column::min), [`max`](Column::max), [`avg`](Column::avg) and
/// [`count_distinct`](Column::count_distinct) of a column, [`count`], or a tuple of several.
///
/// Implemented for these; do not implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an aggregate of rows of `{R}`",
    label = "not an aggregate",
    note = "an aggregate is `count()`, or made by a method of a column, as in `Txn::AMOUNT.sum()`; \
            write several as a tuple"
)]
pub trait Aggregate<R>: Clone + Send + Sync + 'static {
    /// The type of the result.
    type Output: Send + 'static;

    /// The aggregate itself: for a type that is not one, what follows has no other mistake.
    #[doc(hidden)]
    type Itself: Aggregate<R, Output = Self::Output>;

    /// The aggregate itself.
    #[doc(hidden)]
    fn itself(self) -> Self::Itself;

    /// The state that it keeps of the rows.
    #[doc(hidden)]
    type State: Default + Send + 'static;

    /// Adds a row, or takes one out.
    #[doc(hidden)]
    fn take(&self, state: &mut Self::State, row: &R, step: Step);

    /// Returns the result of the rows.
    #[doc(hidden)]
    fn output(&self, state: &Self::State) -> Result<Self::Output>;

    /// Adds the columns that an index must have for it; false if no index will do.
    #[doc(hidden)]
    fn needs(&self, columns: &mut Vec<Needed>) -> bool;

    /// Adds a row by the encoded values of those columns, of which it takes its own from the front;
    /// false if these do not say enough.
    #[doc(hidden)]
    fn take_encoded(
        &self,
        state: &mut Self::State,
        values: &mut dyn Iterator<Item = &[u8]>,
        key: &[u8],
        step: Step,
    ) -> bool;

    /// Makes the state of what many entries of an index come to, which begin with the column that is
    /// needed, if there is one; nothing if that does not tell.
    #[doc(hidden)]
    fn of_totals(&self, totals: &Totals) -> Option<Self::State> {
        let _ = totals;
        None
    }
}

/// A column that an index must have.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Needed {
    pub(super) name: Name,
    /// Whether it is encoded as one number, whose bytes say where they end.
    pub(super) is_number: bool,
}

/// The way in which a row is taken.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is added, and nothing will be taken out.
    Final,
    /// It is added, and may be taken out again.
    Add,
    /// It is taken out.
    Remove,
}

/// Returns the aggregate that is the number of rows.
///
/// Use it beside others; for the number alone, [`Query::count`](crate::Query::count) is faster.
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
/// let by_country = atlas.cities.query().group_by(City::COUNTRY);
/// let sizes = by_country.aggregate((count(), City::PEOPLE.max())).all()?;
/// assert_eq!(sizes, [("ch".to_owned(), (2, Some(173))), ("de".to_owned(), (1, Some(126)))]);
/// # Ok::<(), heirloom::Error>(())
/// ```
#[must_use]
pub fn count() -> Count {
    Count
}

/// The aggregate that is the number of rows; made by [`count`].
#[derive(Debug, Clone, Copy)]
pub struct Count;

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            pub struct $name<R, T, C>(pub(in crate::query) Column<R, T, C>);

            impl<R, T, C> Clone for $name<R, T, C> {
                fn clone(&self) -> Self {
                    *self
                }
            }

            impl<R, T, C> Copy for $name<R, T, C> {}

            impl<R, T, C> fmt::Debug for $name<R, T, C> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_tuple(stringify!($name)).field(&self.0).finish()
                }
            }
        )*
    };
}

functions! {
    /// The aggregate that is the sum of a column; made by [`Column::sum`].
    Sum
    /// The aggregate that is the least value of a column; made by [`Column::min`].
    Min
    /// The aggregate that is the greatest value of a column; made by [`Column::max`].
    Max
    /// The aggregate that is the mean of a column; made by [`Column::avg`].
    Avg
    /// The aggregate that is the number of different values of a column; made by
    /// [`Column::count_distinct`].
    CountDistinct
}

impl<R: Row> Aggregate<R> for Count {
    type Output = usize;
    type Itself = Self;
    type State = usize;

    fn itself(self) -> Self {
        self
    }

    fn take(&self, state: &mut usize, _: &R, step: Step) {
        *state = if step == Step::Remove { state.saturating_sub(1) } else { *state + 1 };
    }

    fn output(&self, state: &usize) -> Result<usize> {
        Ok(*state)
    }

    fn needs(&self, _: &mut Vec<Needed>) -> bool {
        true
    }

    fn take_encoded(
        &self,
        state: &mut usize,
        _: &mut dyn Iterator<Item = &[u8]>,
        _: &[u8],
        _: Step,
    ) -> bool {
        *state += 1;
        true
    }

    fn of_totals(&self, totals: &Totals) -> Option<usize> {
        usize::try_from(totals.entries).ok()
    }
}

/// A sum as it grows.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Summed {
    total: Total,
    /// How many values are not `None`.
    count: u64,
    /// The key of the row with which an integer went out of range.
    left_at: Option<String>,
}

impl Summed {
    fn add<T: Summable>(&mut self, value: super::Amount, key: impl FnOnce() -> String) {
        self.total.add(value);
        self.count += u64::from(!value.is_nothing());
        self.notice_range::<T>(key);
    }

    fn take<R: Row, T: Summable>(&mut self, value: super::Amount, row: &R, step: Step) {
        if step != Step::Remove {
            return self.add::<T>(value, || row.key().to_text());
        }
        self.total.subtract(value);
        self.count = self.count.saturating_sub(u64::from(!value.is_nothing()));
        self.notice_range::<T>(|| row.key().to_text());
    }

    fn notice_range<T: Summable>(&mut self, key: impl FnOnce() -> String) {
        if !self.total.is_bounded() {
            return;
        }
        match (T::is_in_range(&self.total), self.left_at.is_some()) {
            (true, true) => self.left_at = None,
            (false, false) => self.left_at = Some(key()),
            _ => {}
        }
    }

    fn value<R: Row, T: Summable>(&self, column: &str) -> Result<T::Sum> {
        T::from_total(&self.total).ok_or_else(|| {
            let error = Error::new(
                ErrorKind::InvalidValue,
                "the sum is out of the range of its type",
            )
            .at_table(R::TABLE)
            .at_field(column)
            .expecting(std::any::type_name::<T::Sum>())
            .help(
                "it left the range with this row; sum parts of the rows, use a type with more \
                     bits, or implement `heirloom::query::Summable` with a wider `Sum`",
            );
            match &self.left_at {
                Some(key) => error.at_key(key.clone()),
                None => error,
            }
        })
    }
}

fn key_text<R: Row>(key: &[u8]) -> String {
    R::Key::from_bytes(key).map(|key| key.to_text()).unwrap_or_default()
}

/// The parts of an aggregate of numbers that are the same for a sum and a mean.
macro_rules! of_numbers {
    () => {
        type Itself = Self;
        type State = Summed;

        fn itself(self) -> Self {
            self
        }

        fn take(&self, state: &mut Summed, row: &R, step: Step) {
            self.0.show(row, &mut |value| state.take::<R, T>(value.amount(), row, step));
        }

        fn needs(&self, columns: &mut Vec<Needed>) -> bool {
            columns.push(Needed { name: self.0.full_name(), is_number: true });
            T::IS_READ_FROM_INDEX
        }

        fn take_encoded(
            &self,
            state: &mut Summed,
            values: &mut dyn Iterator<Item = &[u8]>,
            key: &[u8],
            _: Step,
        ) -> bool {
            let Some(amount) = values.next().and_then(T::amount_of) else { return false };
            state.add::<T>(amount, || key_text::<R>(key));
            true
        }

        fn of_totals(&self, totals: &Totals) -> Option<Summed> {
            let total = Total::of(totals.sum);
            // Of a sum that is out of range, the row at which it left that is told.
            let is_told = T::IS_SUMMED_IN_INDEX && T::from_total(&total).is_some();
            is_told.then_some(Summed { total, count: totals.integers, left_at: None })
        }
    };
}

impl<R: Row, T, C: 'static> Aggregate<R> for Sum<R, T, C>
where
    T: SummableColumn<C, Total: Send + 'static> + 'static,
{
    type Output = T::Total;

    of_numbers!();

    fn output(&self, state: &Summed) -> Result<T::Total> {
        state.value::<R, T>(self.0.name()).map(T::total)
    }
}

impl<R: Row, T: SummableColumn<C> + 'static, C: 'static> Aggregate<R> for Avg<R, T, C> {
    type Output = Option<f64>;

    of_numbers!();

    fn output(&self, state: &Summed) -> Result<Option<f64>> {
        Ok((state.count > 0).then(|| state.total.float() / state.count as f64))
    }
}

/// Values by their encodings, and how many rows have each.
type Values<V> = BTreeMap<Vec<u8>, (u64, V)>;

/// Whether an encoding is that of a value which has an order.
fn is_value(encoded: &[u8]) -> bool {
    encoded != [NONE] && encoded.first() != Some(&UNENCODABLE)
}

fn take_value<V>(values: &mut Values<V>, encoded: Vec<u8>, step: Step, value: impl FnOnce() -> V) {
    use std::collections::btree_map::Entry;

    match values.entry(encoded) {
        Entry::Vacant(_) if step == Step::Remove => {}
        Entry::Vacant(place) => {
            place.insert((1, value()));
        }
        Entry::Occupied(mut place) if step == Step::Remove => {
            place.get_mut().0 -= 1;
            if place.get().0 == 0 {
                place.remove();
            }
        }
        Entry::Occupied(mut place) => place.get_mut().0 += 1,
    }
}

macro_rules! extremes {
    ($($name:ident: $best:ident, $is_better:ident;)*) => {
        $(
            impl<R: Row, T, C> Aggregate<R> for $name<R, T, C>
            where
                T: OrderedColumn<C> + 'static,
                C: Member<R, T, Kind: Fold<T, To: Clone + Send + 'static>> + 'static,
            {
                type Output = <C::Kind as Fold<T>>::To;
                type Itself = Self;
                type State = Values<Self::Output>;

                fn itself(self) -> Self {
                    self
                }

                fn take(&self, state: &mut Self::State, row: &R, step: Step) {
                    let mut encoded = Vec::new();
                    self.0.encode(row, &mut encoded);
                    if !is_value(&encoded) {
                        return;
                    }
                    if step == Step::Final {
                        let best = state.$best();
                        if best.is_some_and(|(best, _)| !encoded.$is_better(best)) {
                            return;
                        }
                        state.clear();
                    }
                    let value = || {
                        let mut found = C::Kind::none();
                        self.0.show(row, &mut |value| found = C::Kind::some(value));
                        found
                    };
                    take_value(state, encoded, step, value);
                }

                fn output(&self, state: &Self::State) -> Result<Self::Output> {
                    let best = state.$best();
                    Ok(best.map_or_else(C::Kind::none, |(_, (_, value))| value.clone()))
                }

                fn needs(&self, _: &mut Vec<Needed>) -> bool {
                    // A value cannot be told from its encoding.
                    false
                }

                fn take_encoded(
                    &self,
                    _: &mut Self::State,
                    _: &mut dyn Iterator<Item = &[u8]>,
                    _: &[u8],
                    _: Step,
                ) -> bool {
                    false
                }
            }
        )*
    };
}

extremes! {
    Min: first_key_value, lt;
    Max: last_key_value, gt;
}

impl<R: Row, T: 'static, C: 'static> Aggregate<R> for CountDistinct<R, T, C> {
    type Output = usize;
    type Itself = Self;
    type State = Values<()>;

    fn itself(self) -> Self {
        self
    }

    fn take(&self, state: &mut Self::State, row: &R, step: Step) {
        let mut encoded = Vec::new();
        self.0.encode(row, &mut encoded);
        if is_value(&encoded) {
            take_value(state, encoded, step, || ());
        }
    }

    fn output(&self, state: &Self::State) -> Result<usize> {
        Ok(state.len())
    }

    fn needs(&self, columns: &mut Vec<Needed>) -> bool {
        columns.push(Needed { name: self.0.full_name(), is_number: false });
        true
    }

    fn take_encoded(
        &self,
        state: &mut Self::State,
        values: &mut dyn Iterator<Item = &[u8]>,
        _: &[u8],
        step: Step,
    ) -> bool {
        let Some(encoded) = values.next() else { return false };
        // How often a value comes counts only if rows may be taken out.
        let is_known = step == Step::Final && state.contains_key(encoded);
        if is_value(encoded) && !is_known {
            take_value(state, encoded.to_vec(), step, || ());
        }
        true
    }
}

macro_rules! tuples {
    ($(($($name:ident $place:tt)*))*) => {
        $(impl<R, $($name: Aggregate<R>),*> Aggregate<R> for ($($name,)*) {
            type Output = ($($name::Output,)*);
            type Itself = Self;
            type State = ($($name::State,)*);

            fn itself(self) -> Self {
                self
            }

            fn take(&self, state: &mut Self::State, row: &R, step: Step) {
                $(self.$place.take(&mut state.$place, row, step);)*
            }

            fn output(&self, state: &Self::State) -> Result<Self::Output> {
                Ok(($(self.$place.output(&state.$place)?,)*))
            }

            fn needs(&self, columns: &mut Vec<Needed>) -> bool {
                $(self.$place.needs(columns))&&*
            }

            fn take_encoded(
                &self,
                state: &mut Self::State,
                values: &mut dyn Iterator<Item = &[u8]>,
                key: &[u8],
                step: Step,
            ) -> bool {
                $(self.$place.take_encoded(&mut state.$place, values, key, step))&&*
            }

            fn of_totals(&self, totals: &Totals) -> Option<Self::State> {
                Some(($(self.$place.of_totals(totals)?,)*))
            }
        })*
    };
}

tuples!((A 0)(A 0 B 1)(A 0 B 1 C 2)(A 0 B 1 C 2 D 3)(A 0 B 1 C 2 D 3 E 4)(A 0 B 1 C 2 D 3 E 4 F 5));
