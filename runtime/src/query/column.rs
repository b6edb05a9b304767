//! [`Column`]: a field of a row, to ask for rows by.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Bound;

use serde::Serialize;

use super::expr::{Expr, Field, Node};
use super::named::{
    ColumnItem, ColumnOperand, ContainsColumn, OptionalColumn, OrderedColumn, TextColumn,
};
use super::operand::Operand;
use super::order::Order;
use super::path::{EncodeItem, FieldPath, Leads, Member};
use super::ranges::Ranges;
use crate::row::IndexValues;
use crate::row::order::{
    Encode, NONE, SOME, UNENCODABLE, check, encode_shape, encode_stored, text_prefix,
};

/// A column: a field of a row, for queries. `Task::DONE` is the column of the field `done` of
/// `Task`.
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
/// Values compare as in Rust, by the `Eq` and `Ord` of the field's type: an `Option` that is `None`
/// equals `None` and comes before every `Some`; variants of an enum come in the order of their
/// declaration; sets are equal in any order; a NaN equals nothing and has no order. What a type has to
/// do for it, and which do nothing, is said at [`Comparable`](crate::Comparable). A row that lacks the
/// field has its default.
///
/// # Its type
///
/// `R` is the row and `T` the type of the field. `C` names the column in the compiler's messages,
/// and nothing else depends on it: a function takes a column of any name as `Column<R, T, C>`, and
/// [`unnamed`](Self::unnamed) is for columns that must have one type, as in a list.
// The compiler shows the line below if an operator of Rust's stands in place of a method.
#[rustfmt::skip]
pub struct Column<R, T, C = Unnamed> { // compared by methods: `.eq("x")`, `.ne(1)`, `.lt(1)`, `.eq(true)`
    name: &'static str,
    is_path: bool,
    root: &'static str,
    look: Look<R, T>,
    parse: Parse<T>,
    encode: Encode<T>,
    encode_item: Option<EncodeItem>,
    coding: fn() -> &'static str,
    named: PhantomData<fn() -> C>,
}

/// The name of a column, and whether it is that of a path or a computed column.
pub(crate) type Name = (&'static str, bool);

/// Shows the value that a row has.
type Look<R, T> = fn(&R, &mut dyn FnMut(&T));

/// Shows the value that the JSON text of a field says; false if it does not say.
type Parse<T> = fn(&str, &mut dyn FnMut(&T)) -> bool;

/// Adds the encoding of the value in a row. One that cannot be computed equals nothing.
fn encode_shown<R, T>(look: Look<R, T>, row: &R, bytes: &mut Vec<u8>, encode: Encode<T>) {
    let mut is_shown = false;
    look(row, &mut |value| {
        is_shown = true;
        encode_stored(value, bytes, encode);
    });
    if !is_shown {
        bytes.push(UNENCODABLE);
    }
}

/// The name of a column that has no name in the compiler's messages.
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
    Column {
        name: C::NAME,
        is_path: C::IS_PATH,
        root: C::ROOT,
        look: C::look,
        parse: C::parse,
        encode: C::ENCODE,
        encode_item: C::ENCODE_ITEM,
        coding: C::CODING,
        named: PhantomData,
    }
}

impl<R: 'static, T: 'static, C> Column<R, T, C> {
    /// Returns the stored name of the field; of a path, all of them with dots between.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Returns the same column under a type that depends on row and field alone, for lists of
    /// columns.
    ///
    /// ```
    /// # use heirloom::{Column, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, people: u32, cars: u32 }
    /// let counts: [Column<City, u32>; 2] = [City::PEOPLE.unnamed(), City::CARS.unnamed()];
    /// let large = counts.map(|column| column.gt(100_000));
    /// ```
    pub fn unnamed(self) -> Column<R, T> {
        check::<C>();
        let Self { name, is_path, root, look, parse, encode, encode_item, coding, .. } = self;
        let named = PhantomData;
        Column { name, is_path, root, look, parse, encode, encode_item, coding, named }
    }

    /// Returns the path to a field of this column's value, which is a struct that derives
    /// [`Fields`](macro@crate::Fields), or an `Option` of one.
    ///
    /// It has all the operators of a column of the field's type. If this column is an `Option`, so
    /// is the path, and it is `None` if this column is; an `Option` inside another is one `Option`.
    /// An index over the path serves it: `#[table(index(home.city))]`.
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
    pub const fn field<N, U, D>(
        self,
        _: Column<N, U, D>,
    ) -> Column<R, T::To, FieldPath<C, D, T, N, U>>
    where
        T: Leads<N, U, D, C>,
        C: Member<R, T>,
        D: Member<N, U>,
    {
        column()
    }

    /// Shows the value in a row.
    pub(crate) fn show(self, row: &R, see: &mut dyn FnMut(&T)) {
        (self.look)(row, see);
    }

    /// Shows the value in the JSON text of the field `root`; false if that does not say.
    pub(super) fn parse(self, json: &str, see: &mut dyn FnMut(&T)) -> bool {
        (self.parse)(json, see)
    }

    /// The stored name of the field of the row in which the value is, or of the first that it is computed
    /// from.
    #[doc(hidden)]
    pub const fn root(self) -> &'static str {
        self.root
    }

    /// Adds the encoding of the value in a row.
    pub(super) fn encode(self, row: &R, bytes: &mut Vec<u8>) {
        check::<C>();
        encode_shown(self.look, row, bytes, self.encode);
    }

    /// Adds the value in a row to those of an index over a path.
    #[doc(hidden)]
    pub fn index_value(self, row: &R, values: &mut IndexValues) {
        let mut is_shown = false;
        (self.look)(row, &mut |value| {
            is_shown = true;
            values.push::<T, C>(value, self.encode);
        });
        if !is_shown {
            values.push_nothing();
        }
    }

    /// Whether a row has a value, which it has not if that cannot be computed.
    #[doc(hidden)]
    pub fn is_computed(self, row: &R) -> bool {
        let mut is_shown = false;
        (self.look)(row, &mut |_| is_shown = true);
        is_shown
    }

    /// The name of the way in which values are encoded, which an index records.
    #[doc(hidden)]
    pub fn coding(self) -> &'static str {
        (self.coding)()
    }

    /// The condition that the value is that of a row, and whether the row has one.
    pub(crate) fn same_as(self, row: &R) -> (Node, bool) {
        let mut value = Vec::new();
        self.encode(row, &mut value);
        let is_some = value != [NONE];
        (Node::Within(self.erased(), Ranges::point(value)), is_some)
    }

    /// The condition that there is a value, and one that has an order.
    pub(crate) fn has_value(self) -> Node {
        let none = Ranges::points(vec![vec![UNENCODABLE], vec![NONE]]);
        Node::Within(self.erased(), none.complement())
    }

    /// The name, and whether it is that of a path or a computed column.
    pub(super) fn full_name(self) -> Name {
        (self.name, self.is_path)
    }

    pub(crate) fn erased(self) -> Field {
        let Self { look, encode, .. } = self;
        Field::new(self.name, self.is_path, move |row, bytes| {
            encode_shown(look, row, bytes, encode);
        })
    }

    fn within(self, ranges: Ranges) -> Expr<R> {
        Expr::within(self.erased(), ranges)
    }

    /// The bytes that a value compares by; nothing for one that equals nothing, such as a NaN.
    fn encoded<V: Operand<T>>(self, value: V) -> Option<Vec<u8>> {
        check::<C>();
        let mut bytes = Vec::new();
        let mut is_comparable = false;
        value.show(&mut |value| is_comparable = (self.encode)(value, &mut bytes).is_ok());
        is_comparable.then_some(bytes)
    }

    /// Matches rows whose field equals `value`. `None` equals `None`; an `Option` may be compared
    /// with a plain value, and text with a `&str`. Text is compared letter for letter, with its
    /// case. A NaN equals nothing.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: u16, director: Option<String>, genres: Vec<String> }
    /// # let alien = Film { title: "Alien".into(), year: 1979, director: None, genres: vec!["horror".into()] };
    /// assert!(Film::YEAR.eq(1979).matches(&alien));
    /// assert!(Film::DIRECTOR.eq(None::<String>).matches(&alien));
    /// assert!(!Film::DIRECTOR.eq("Ridley Scott").matches(&alien));
    /// assert!(!Film::TITLE.eq("alien").matches(&alien)); // the case differs
    /// ```
    pub fn eq<V: ColumnOperand<T, C>>(self, value: V) -> Expr<R> {
        self.within(self.encoded(value).map_or_else(Ranges::none, Ranges::point))
    }

    /// Matches rows whose field does not equal `value`: the opposite of [`eq`](Self::eq). Unlike in
    /// SQL, a field that is `None` differs from every value, so its row matches.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: u16, director: Option<String>, genres: Vec<String> }
    /// # let alien = Film { title: "Alien".into(), year: 1979, director: None, genres: vec!["horror".into()] };
    /// assert!(Film::DIRECTOR.ne("Ridley Scott").matches(&alien)); // it is `None`
    /// assert!(!Film::YEAR.ne(1979).matches(&alien));
    /// ```
    pub fn ne<V: ColumnOperand<T, C>>(self, value: V) -> Expr<R> {
        !self.eq(value)
    }

    /// Matches rows whose field is less than `value`. `None` is less than every value.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: u16, director: Option<String>, genres: Vec<String> }
    /// # let alien = Film { title: "Alien".into(), year: 1979, director: None, genres: vec!["horror".into()] };
    /// assert!(Film::YEAR.lt(1980).matches(&alien));
    /// assert!(!Film::YEAR.lt(1979).matches(&alien));
    /// assert!(Film::DIRECTOR.lt("A").matches(&alien)); // it is `None`; add `& Film::DIRECTOR.is_some()`
    /// ```
    pub fn lt<V: ColumnOperand<T, C>>(self, value: V) -> Expr<R>
    where
        T: OrderedColumn<C>,
    {
        self.beside(value, |value| (Bound::Unbounded, Bound::Excluded(value)))
    }

    /// Matches rows whose field is `value` or less. `None` is less than every value.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: u16, director: Option<String>, genres: Vec<String> }
    /// # let alien = Film { title: "Alien".into(), year: 1979, director: None, genres: vec!["horror".into()] };
    /// assert!(Film::YEAR.le(1979).matches(&alien));
    /// assert!(Film::DIRECTOR.le("A").matches(&alien)); // it is `None`
    /// ```
    pub fn le<V: ColumnOperand<T, C>>(self, value: V) -> Expr<R>
    where
        T: OrderedColumn<C>,
    {
        self.beside(value, |value| (Bound::Unbounded, Bound::Included(value)))
    }

    /// Matches rows whose field is greater than `value`. `None` is never greater. Text is ordered
    /// by its UTF-8 bytes: upper case comes before lower case.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: u16, director: Option<String>, genres: Vec<String> }
    /// # let alien = Film { title: "Alien".into(), year: 1979, director: None, genres: vec!["horror".into()] };
    /// assert!(Film::YEAR.gt(1978).matches(&alien));
    /// assert!(!Film::DIRECTOR.gt("A").matches(&alien)); // it is `None`
    /// assert!(!Film::TITLE.gt("a").matches(&alien)); // "A" comes before "a"
    /// ```
    pub fn gt<V: ColumnOperand<T, C>>(self, value: V) -> Expr<R>
    where
        T: OrderedColumn<C>,
    {
        self.beside(value, |value| (Bound::Excluded(value), Bound::Unbounded))
    }

    /// Matches rows whose field is `value` or greater. `None` is never greater than a value; every
    /// field is greater than `None`, or equal to it.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: u16, director: Option<String>, genres: Vec<String> }
    /// # let alien = Film { title: "Alien".into(), year: 1979, director: None, genres: vec!["horror".into()] };
    /// assert!(Film::YEAR.ge(1979).matches(&alien));
    /// assert!(!Film::DIRECTOR.ge("").matches(&alien)); // it is `None`
    /// assert!(Film::DIRECTOR.ge(None::<String>).matches(&alien));
    /// ```
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
    ) -> Expr<R> {
        self.within(self.encoded(value).map_or_else(Ranges::none, |value| {
            let (from, to) = bounds(value);
            Ranges::between(from, to)
        }))
    }

    /// Matches rows whose field is `low`, `high`, or lies between them; no row if `low` is the
    /// greater. `None` lies between no two values, and text is ordered by its UTF-8 bytes.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: u16, director: Option<String>, genres: Vec<String> }
    /// # let alien = Film { title: "Alien".into(), year: 1979, director: None, genres: vec!["horror".into()] };
    /// assert!(Film::YEAR.between(1970, 1979).matches(&alien));
    /// assert!(!Film::YEAR.between(1979, 1970).matches(&alien));
    /// assert!(!Film::TITLE.between("a", "z").matches(&alien)); // "A" comes before "a"
    /// assert!(!Film::DIRECTOR.between("A", "Z").matches(&alien)); // it is `None`
    /// ```
    pub fn between<V: ColumnOperand<T, C>, W: ColumnOperand<T, C>>(self, low: V, high: W) -> Expr<R>
    where
        T: OrderedColumn<C>,
    {
        self.within(match (self.encoded(low), self.encoded(high)) {
            (Some(low), Some(high)) => Ranges::between(Bound::Included(low), Bound::Included(high)),
            _ => Ranges::none(),
        })
    }

    /// Matches rows whose field equals one of `values`, as [`eq`](Self::eq) does; no row if there are
    /// none. An `Option` takes plain values as well; `None` equals no plain value.
    ///
    /// An empty array does not say of which type its values are, of several that the field may be compared
    /// with: write `[] as [u16; 0]`, or a `Vec` of the type.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: u16, director: Option<String>, genres: Vec<String> }
    /// # let alien = Film { title: "Alien".into(), year: 1979, director: None, genres: vec!["horror".into()] };
    /// assert!(Film::YEAR.is_in([1977, 1979]).matches(&alien));
    /// assert!(!Film::YEAR.is_in([] as [u16; 0]).matches(&alien));
    /// assert!(!Film::TITLE.is_in(["alien", "ALIEN"]).matches(&alien)); // the case differs
    /// assert!(!Film::DIRECTOR.is_in(["Ridley Scott"]).matches(&alien)); // it is `None`
    /// ```
    pub fn is_in<V: ColumnOperand<T, C>>(self, values: impl IntoIterator<Item = V>) -> Expr<R> {
        let mut values: Vec<_> =
            values.into_iter().filter_map(|value| self.encoded(value)).collect();
        values.sort_unstable();
        values.dedup();
        self.within(Ranges::points(values))
    }

    /// Matches rows whose field is `None`: absent, or `null`, unless its `#[evolve(default …)]`
    /// fills an absent one.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: u16, director: Option<String>, genres: Vec<String> }
    /// # let alien = Film { title: "Alien".into(), year: 1979, director: None, genres: vec!["horror".into()] };
    /// assert!(Film::DIRECTOR.is_none().matches(&alien));
    /// ```
    pub fn is_none(self) -> Expr<R>
    where
        T: OptionalColumn<C>,
    {
        self.within(Ranges::point(vec![NONE]))
    }

    /// Matches rows whose field is not `None`.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: u16, director: Option<String>, genres: Vec<String> }
    /// # let alien = Film { title: "Alien".into(), year: 1979, director: None, genres: vec!["horror".into()] };
    /// assert!(!Film::DIRECTOR.is_some().matches(&alien));
    /// let named = Film { director: Some(String::new()), ..alien };
    /// assert!(Film::DIRECTOR.is_some().matches(&named)); // an empty text is a value
    /// ```
    pub fn is_some(self) -> Expr<R>
    where
        T: OptionalColumn<C>,
    {
        self.within(Ranges::prefix(vec![SOME]))
    }

    /// Matches rows whose text starts with `prefix`, letter for letter, with its case. `None`
    /// starts with nothing; every text starts with `""`. An index serves it.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: u16, director: Option<String>, genres: Vec<String> }
    /// # let alien = Film { title: "Alien".into(), year: 1979, director: None, genres: vec!["horror".into()] };
    /// assert!(Film::TITLE.starts_with("Al").matches(&alien));
    /// assert!(!Film::TITLE.starts_with("al").matches(&alien)); // the case differs
    /// assert!(!Film::DIRECTOR.starts_with("").matches(&alien)); // it is `None`
    /// ```
    pub fn starts_with(self, prefix: impl AsRef<str>) -> Expr<R>
    where
        T: TextColumn<C>,
    {
        let mut encoded = vec![SOME; T::OPTIONS];
        encoded.extend(text_prefix(prefix.as_ref()));
        self.within(Ranges::prefix(encoded))
    }

    /// Matches rows whose text has `item` in it, letter for letter, or whose collection has an item
    /// that equals it. `None` contains nothing. An index over each item of a collection, `#[index(each)]`,
    /// serves it; without one, the rows are read.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: u16, director: Option<String>, genres: Vec<String> }
    /// # let alien = Film { title: "Alien".into(), year: 1979, director: None, genres: vec!["horror".into()] };
    /// assert!(Film::TITLE.contains("lie").matches(&alien));
    /// assert!(Film::GENRES.contains("horror").matches(&alien));
    /// assert!(!Film::GENRES.contains("hor").matches(&alien)); // an item, not a part of one
    /// assert!(!Film::TITLE.contains("ALIEN").matches(&alien)); // the case differs
    /// assert!(!Film::DIRECTOR.contains("").matches(&alien)); // it is `None`
    /// ```
    pub fn contains<I, V: ColumnItem<I, C>>(self, item: V) -> Expr<R>
    where
        T: ContainsColumn<I, C>,
        I: Clone + Serialize + Send + Sync + 'static,
    {
        let (look, item) = (self.look, item.into_owned());
        // Tells conditions apart that have different items.
        let mut encoded = Vec::new();
        if encode_shape(&item, &mut encoded).is_err() {
            return self.within(Ranges::none());
        }
        let mut in_index = Vec::new();
        let in_index = match self.encode_item {
            Some(encode) if !encode(&item, &mut in_index) => return self.within(Ranges::none()),
            encode => encode.map(|_| in_index),
        };
        let holds = move |row: &R| {
            let mut holds = false;
            look(row, &mut |value| holds = value.holds(&item));
            holds
        };
        Expr::holding(self.erased(), encoded, in_index, holds)
    }

    /// Matches rows that [contain](Self::contains) one of `items` at least; no row if there are none.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, genres: Vec<String> }
    /// # let alien = Film { title: "Alien".into(), genres: vec!["horror".into()] };
    /// assert!(Film::GENRES.contains_any(["horror", "noir"]).matches(&alien));
    /// assert!(!Film::GENRES.contains_any(Vec::<String>::new()).matches(&alien));
    /// assert!(!Film::GENRES.contains_any(["Horror"]).matches(&alien)); // the case differs
    /// ```
    pub fn contains_any<I, V: ColumnItem<I, C>>(self, items: impl IntoIterator<Item = V>) -> Expr<R>
    where
        T: ContainsColumn<I, C>,
        I: Clone + Serialize + Send + Sync + 'static,
    {
        Expr::any(items.into_iter().map(|item| self.contains(item)))
    }

    /// Matches rows that [contain](Self::contains) all of `items`; every row if there are none.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, genres: Vec<String> }
    /// # let genres = vec!["horror".into(), "space".into()];
    /// # let alien = Film { title: "Alien".into(), genres };
    /// assert!(Film::GENRES.contains_all(["space", "horror"]).matches(&alien));
    /// assert!(!Film::GENRES.contains_all(["space", "noir"]).matches(&alien));
    /// assert!(Film::GENRES.contains_all(Vec::<String>::new()).matches(&alien));
    /// ```
    pub fn contains_all<I, V: ColumnItem<I, C>>(self, items: impl IntoIterator<Item = V>) -> Expr<R>
    where
        T: ContainsColumn<I, C>,
        I: Clone + Serialize + Send + Sync + 'static,
    {
        Expr::all(items.into_iter().map(|item| self.contains(item)))
    }

    /// Orders rows by this column, the least first. `None` comes first of all; text is ordered by its
    /// UTF-8 bytes, upper case before lower case. Rows with equal values come by key.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: Option<u16> }
    /// # #[derive(Store)]
    /// # struct Cinema { films: Table<Film> }
    /// # let cinema = Cinema::in_memory()?;
    /// # cinema.films.insert(&Film { title: "Alien".into(), year: Some(1979) })?;
    /// # cinema.films.insert(&Film { title: "Aliens".into(), year: Some(1986) })?;
    /// # cinema.films.insert(&Film { title: "untitled".into(), year: None })?;
    /// let oldest = cinema.films.order_by(Film::YEAR.asc()).all()?;
    /// assert_eq!(oldest[0].title, "untitled"); // its year is `None`
    /// assert_eq!(oldest[1].title, "Alien");
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn asc(self) -> Order<R>
    where
        T: OrderedColumn<C>,
    {
        self.ordered(false)
    }

    /// Orders rows by this column, the greatest first. `None` comes last of all; rows with equal values
    /// come by key, backwards.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Film { #[key] title: String, year: Option<u16> }
    /// # #[derive(Store)]
    /// # struct Cinema { films: Table<Film> }
    /// # let cinema = Cinema::in_memory()?;
    /// # cinema.films.insert(&Film { title: "Alien".into(), year: Some(1979) })?;
    /// # cinema.films.insert(&Film { title: "Aliens".into(), year: Some(1986) })?;
    /// # cinema.films.insert(&Film { title: "untitled".into(), year: None })?;
    /// let newest = cinema.films.order_by(Film::YEAR.desc()).all()?;
    /// assert_eq!(newest[0].title, "Aliens");
    /// assert_eq!(newest[2].title, "untitled"); // its year is `None`
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn desc(self) -> Order<R>
    where
        T: OrderedColumn<C>,
    {
        self.ordered(true)
    }

    fn ordered(self, is_desc: bool) -> Order<R>
    where
        T: PartialOrd,
    {
        check::<C>();
        let look = self.look;
        Order::new(self.erased(), is_desc, move |a, b| {
            let mut ordering = None;
            look(a, &mut |a| look(b, &mut |b| ordering = a.partial_cmp(b)));
            ordering
        })
    }
}
