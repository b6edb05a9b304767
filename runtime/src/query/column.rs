//! [`Column`]: a field of a row, to ask for rows by.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Bound;

use serde::Serialize;

use super::expr::{Expr, Field};
use super::named::{
    ColumnItem, ColumnOperand, ContainsColumn, OptionalColumn, OrderedColumn, TextColumn,
};
use super::operand::{Item, Operand};
use super::order::Order;
use super::path::{FieldPath, Leads, Member};
use super::ranges::Ranges;
use crate::row::order::{NONE, SOME, encode_stored, text_prefix};

/// A field of a row, to ask for rows by: `Task::DONE` for the field `done` of `Task`.
///
/// `#[derive(Table)]` makes one constant for each field, named as the field in upper case. Its
/// methods are the conditions that its type allows; `&`, `|` and `!` join them.
///
/// ```
/// # use heirloom::{Store, Table};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
/// struct Film {
///     #[key]
///     title: String,
///     year: u16,
///     director: Option<String>,
///     genres: Vec<String>,
/// }
/// # #[derive(Store)]
/// # struct Cinema { films: Table<Film> }
///
/// let old_and_short = Film::YEAR.lt(1980) & !Film::TITLE.starts_with("The ");
/// let known = Film::DIRECTOR.is_some() | Film::GENRES.contains("noir");
/// # let cinema = Cinema::in_memory()?;
/// # let alien = Film { title: "Alien".into(), year: 1979, director: None, genres: vec!["noir".into()] };
/// # cinema.films.insert(&alien)?;
/// let films = cinema.films.filter(old_and_short & known).all()?;
/// # assert_eq!(films.len(), 1);
/// # Ok::<(), heirloom::Error>(())
/// ```
///
/// # What equals what
///
/// Values compare as in Rust: an `Option` that is `None` equals `None` and comes before every
/// `Some`; a NaN equals nothing and has no order. Text is ordered by its UTF-8 bytes. A unit variant
/// of an enum is compared by its stored name. A row that lacks the field has its default.
///
/// # Its type
///
/// `R` is the row and `T` the type of the field. `C` names the column in the compiler's messages, and
/// nothing else depends on it: a function takes a column of any name as `Column<R, T, C>`, and
/// [`unnamed`](Self::unnamed) is for columns that must have one type, as in a list.
pub struct Column<R, T, C = Unnamed> {
    name: &'static str,
    is_path: bool,
    look: Look<R, T>,
    named: PhantomData<fn() -> C>,
}

/// Shows the value that a row has.
type Look<R, T> = fn(&R, &mut dyn FnMut(&T));

/// The name of a column that has none in the compiler's messages.
#[derive(Debug)]
pub enum Unnamed {}

impl<R, T, C> Clone for Column<R, T, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, T, C> Copy for Column<R, T, C> {}

impl<R, T, C> fmt::Debug for Column<R, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Column").field(&self.name).finish()
    }
}

/// The column that a name is the name of.
#[doc(hidden)]
pub const fn column<R, T, C: Member<R, T>>() -> Column<R, T, C> {
    Column { name: C::NAME, is_path: C::IS_PATH, look: C::look, named: PhantomData }
}

impl<R: 'static, T: 'static, C> Column<R, T, C> {
    /// The stored name of the field; of a path, all of them with dots between.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The same column, of a type that says no more than those of row and field.
    ///
    /// ```
    /// # use heirloom::{Column, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: u32, cars: u32 }
    /// let counts: [Column<City, u32>; 2] = [City::PEOPLE.unnamed(), City::CARS.unnamed()];
    /// let large = counts.map(|column| column.gt(100_000));
    /// ```
    pub fn unnamed(self) -> Column<R, T> {
        let Self { name, is_path, look, .. } = self;
        Column { name, is_path, look, named: PhantomData }
    }

    /// The path to a field of this column's value, which is a struct that derives
    /// [`Fields`](macro@crate::Fields), or an `Option` of one.
    ///
    /// It has all the operators of a column of the field's type. Where this column is an `Option`, so
    /// is the path, and it is `None` where this column is; an `Option` inside another is one `Option`.
    ///
    /// ```
    /// use heirloom::{Fields, Store, Table};
    /// # use schemars::JsonSchema;
    /// # use serde::{Deserialize, Serialize};
    /// #[derive(Serialize, Deserialize, JsonSchema, Fields)]
    /// struct Address { city: String, zip: Option<String> }
    ///
    /// #[derive(Serialize, Deserialize, JsonSchema, Table)]
    /// struct Person { #[key] name: String, home: Address, work: Option<Address> }
    /// # #[derive(Store)]
    /// # struct App { people: Table<Person> }
    ///
    /// # let app = App::in_memory()?;
    /// let in_bern = app.people.filter(
    ///     Person::HOME.field(Address::CITY).eq("Bern")
    ///         & Person::WORK.field(Address::ZIP).is_none(),
    /// );
    /// # assert_eq!(in_bern.count()?, 0);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn field<N, U, D>(self, _: Column<N, U, D>) -> Column<R, T::To, FieldPath<C, D, T, N, U>>
    where
        T: Leads<N, U, D, C>,
        C: Member<R, T>,
        D: Member<N, U>,
    {
        column()
    }

    fn erased(self) -> Field
    where
        T: Serialize,
    {
        let look = self.look;
        Field::new(self.name, self.is_path, move |row, bytes| {
            look(row, &mut |value| encode_stored(bytes, value));
        })
    }

    fn within(self, ranges: Ranges) -> Expr<R>
    where
        T: Serialize,
    {
        Expr::within(self.erased(), ranges)
    }

    /// The field has this value.
    pub fn eq<V: ColumnOperand<T, C>>(self, value: V) -> Expr<R>
    where
        T: Serialize,
    {
        self.within(value.encoded().map_or_else(Ranges::none, Ranges::point))
    }

    /// The field has another value.
    pub fn ne<V: ColumnOperand<T, C>>(self, value: V) -> Expr<R>
    where
        T: Serialize,
    {
        !self.eq(value)
    }

    /// The field is less than the value.
    pub fn lt<V: ColumnOperand<T, C>>(self, value: V) -> Expr<R>
    where
        T: OrderedColumn<C>,
    {
        self.beside(value, |value| (Bound::Unbounded, Bound::Excluded(value)))
    }

    /// The field is the value or less.
    pub fn le<V: ColumnOperand<T, C>>(self, value: V) -> Expr<R>
    where
        T: OrderedColumn<C>,
    {
        self.beside(value, |value| (Bound::Unbounded, Bound::Included(value)))
    }

    /// The field is greater than the value.
    pub fn gt<V: ColumnOperand<T, C>>(self, value: V) -> Expr<R>
    where
        T: OrderedColumn<C>,
    {
        self.beside(value, |value| (Bound::Excluded(value), Bound::Unbounded))
    }

    /// The field is the value or greater.
    pub fn ge<V: ColumnOperand<T, C>>(self, value: V) -> Expr<R>
    where
        T: OrderedColumn<C>,
    {
        self.beside(value, |value| (Bound::Included(value), Bound::Unbounded))
    }

    fn beside<V: Operand<T>>(
        self,
        value: V,
        bounds: impl FnOnce(Vec<u8>) -> (Bound<Vec<u8>>, Bound<Vec<u8>>),
    ) -> Expr<R>
    where
        T: Serialize,
    {
        self.within(value.encoded().map_or_else(Ranges::none, |value| {
            let (from, to) = bounds(value);
            Ranges::between(from, to)
        }))
    }

    /// The field is one of the two values or lies between them; nothing does where the first is
    /// the greater.
    pub fn between<V: ColumnOperand<T, C>, W: ColumnOperand<T, C>>(self, low: V, high: W) -> Expr<R>
    where
        T: OrderedColumn<C>,
    {
        self.within(match (low.encoded(), high.encoded()) {
            (Some(low), Some(high)) => Ranges::between(Bound::Included(low), Bound::Included(high)),
            _ => Ranges::none(),
        })
    }

    /// The field has one of these values.
    pub fn is_in<V: ColumnOperand<T, C>>(self, values: impl IntoIterator<Item = V>) -> Expr<R>
    where
        T: Serialize,
    {
        let mut values: Vec<_> = values.into_iter().filter_map(|value| value.encoded()).collect();
        values.sort_unstable();
        values.dedup();
        self.within(Ranges::points(values))
    }

    /// The field is `None`.
    pub fn is_none(self) -> Expr<R>
    where
        T: OptionalColumn<C>,
    {
        self.within(Ranges::point(vec![NONE]))
    }

    /// The field is not `None`.
    pub fn is_some(self) -> Expr<R>
    where
        T: OptionalColumn<C>,
    {
        self.within(Ranges::prefix(vec![SOME]))
    }

    /// The text starts with this one, letter for letter.
    pub fn starts_with(self, prefix: impl AsRef<str>) -> Expr<R>
    where
        T: TextColumn<C>,
    {
        let mut encoded = vec![SOME; T::OPTIONS];
        encoded.extend(text_prefix(prefix.as_ref()));
        self.within(Ranges::prefix(encoded))
    }

    /// The text has this one in it, letter for letter; or the collection has this item.
    pub fn contains<I: ?Sized, V: ColumnItem<I, C>>(self, item: V) -> Expr<R>
    where
        T: Serialize + ContainsColumn<I, C>,
    {
        let look = self.look;
        match item.encoded().map(Item::new) {
            Some(item) => {
                let encoded = item.encoded.clone();
                let holds = move |row: &R| {
                    let mut holds = false;
                    look(row, &mut |value| holds = value.holds(&item));
                    holds
                };
                Expr::holding(self.erased(), encoded, holds)
            }
            None => self.within(Ranges::none()),
        }
    }

    /// In the order of this column, least first.
    pub fn asc(self) -> Order<R>
    where
        T: OrderedColumn<C>,
    {
        Order::new(self.erased(), false)
    }

    /// In the order of this column, greatest first.
    pub fn desc(self) -> Order<R>
    where
        T: OrderedColumn<C>,
    {
        Order::new(self.erased(), true)
    }
}
