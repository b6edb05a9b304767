//! [`Collation`]: the order of texts in a language.

use std::fmt;
use std::sync::Arc;

use icu_collator::options::{CollatorOptions, Strength};
use icu_collator::{CollatorBorrowed, CollatorPreferences};
use icu_locale_core::Locale;

use super::column::Column;
use super::expr::Field;
use super::named::TextColumn;
use super::order::Order;
use crate::error::{Error, ErrorKind, Result};
use crate::row::order::{SOME, encode_bytes, text_of};

/// The order of texts in a language, for [`Column::asc_in`] and [`Column::desc_in`].
///
/// It is that of Unicode's collation algorithm and of the CLDR: `ä` stands beside `a` in German and behind `z` in
/// Swedish. With heirloom's feature `collation`, which brings in `icu_collator` and its data.
///
/// ```
/// use heirloom::query::Collation;
/// # use heirloom::{Store, Table};
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
/// # struct City { #[key] name: String }
/// # #[derive(Store)]
/// # struct Atlas { cities: Table<City> }
/// # let atlas = Atlas::in_memory()?;
/// for name in ["Zug", "Ås", "Äetsä", "Aarau"] {
///     atlas.cities.insert(&City { name: name.into() })?;
/// }
/// let names = |language: &str| {
///     let order = City::NAME.asc_in(&Collation::new(language)?);
///     atlas.cities.order_by(order).keys()
/// };
/// assert_eq!(names("de")?, ["Aarau", "Äetsä", "Ås", "Zug"]);
/// assert_eq!(names("sv")?, ["Aarau", "Zug", "Ås", "Äetsä"]);
/// # Ok::<(), heirloom::Error>(())
/// ```
#[derive(Clone)]
pub struct Collation {
    collator: Arc<CollatorBorrowed<'static>>,
    language: Arc<str>,
}

impl fmt::Debug for Collation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Collation").field(&self.language).finish()
    }
}

impl Collation {
    /// Returns the order of a language, which is given by its BCP 47 tag: `de`, `pt-BR`; `de-u-co-phonebk` orders as
    /// German telephone books do, `en-u-kn` orders numbers in texts by their value. A language without rules of
    /// its own has those of Unicode.
    ///
    /// Letters come first, accents decide between texts of the same letters, and case between these.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`](ErrorKind::InvalidValue) if `language` is not a tag.
    pub fn new(language: &str) -> Result<Self> {
        Self::with(language, Strength::Tertiary)
    }

    /// Returns the order of a language in which texts are equal that differ in case alone.
    ///
    /// # Errors
    ///
    /// The error of [`new`](Self::new).
    pub fn ignoring_case(language: &str) -> Result<Self> {
        Self::with(language, Strength::Secondary)
    }

    fn with(language: &str, strength: Strength) -> Result<Self> {
        let refused = |error: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::InvalidValue, "texts cannot be ordered by this language tag")
                .expecting("a BCP 47 tag, such as `de` or `en-u-kn`")
                .finding(format!("`{language}`"))
                .because(error)
        };
        let locale = Locale::try_from_str(language).map_err(|error| refused(error.into()))?;
        let mut options = CollatorOptions::default();
        options.strength = Some(strength);
        let collator = CollatorBorrowed::try_new(CollatorPreferences::from(&locale), options);
        let collator = Arc::new(collator.map_err(|error| refused(error.to_string().into()))?);
        Ok(Self { collator, language: language.into() })
    }

    /// Adds bytes that compare as texts do in the language, in place of the encoding of a text in so many
    /// `Option`s. Where there is none, its encoding stays.
    fn encode(&self, encoded: &[u8], options: usize, bytes: &mut Vec<u8>) {
        let around = vec![SOME; options];
        let Some(text) = encoded.strip_prefix(&*around).and_then(text_of) else {
            return bytes.extend_from_slice(encoded);
        };
        let mut key = Vec::new();
        let Ok(()) = self.collator.write_sort_key_to(&text, &mut key);
        bytes.extend_from_slice(&around);
        encode_bytes(bytes, &key);
    }
}

impl<R: 'static, T: 'static, C> Column<R, T, C> {
    /// Orders rows by this column, the least first, as texts are ordered in a language. `None` comes first of all;
    /// texts that are equal in the language come by the next column.
    ///
    /// No index serves it: the rows are sorted.
    ///
    /// ```
    /// use heirloom::query::Collation;
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, mayor: Option<String> }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # for (name, mayor) in [("Zug", Some("Österle")), ("Chur", Some("zimmer")), ("Ulm", None)] {
    /// #     atlas.cities.insert(&City { name: name.into(), mayor: mayor.map(Into::into) })?;
    /// # }
    /// // The mayor of Zug is Österle, that of Chur zimmer, and that of Ulm `None`.
    /// let order = City::MAYOR.asc_in(&Collation::new("de")?);
    /// assert_eq!(atlas.cities.order_by(order).keys()?, ["Ulm", "Zug", "Chur"]);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn asc_in(self, collation: &Collation) -> Order<R>
    where
        T: TextColumn<C>,
    {
        self.collated(collation, false)
    }

    /// Orders rows by this column, the greatest first, as texts are ordered in a language. See
    /// [`asc_in`](Self::asc_in).
    ///
    /// ```
    /// use heirloom::query::Collation;
    /// # use heirloom::{Store, Table};
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String }
    /// # #[derive(Store)]
    /// # struct Atlas { cities: Table<City> }
    /// # let atlas = Atlas::in_memory()?;
    /// # for name in ["Zug", "aarau"] { atlas.cities.insert(&City { name: name.into() })?; }
    /// let order = City::NAME.desc_in(&Collation::new("de")?);
    /// assert_eq!(atlas.cities.order_by(order).keys()?, ["Zug", "aarau"]);
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    pub fn desc_in(self, collation: &Collation) -> Order<R>
    where
        T: TextColumn<C>,
    {
        self.collated(collation, true)
    }

    fn collated(self, collation: &Collation, is_desc: bool) -> Order<R>
    where
        T: TextColumn<C>,
    {
        let (name, is_path) = self.full_name();
        let (field, collation) = (self.erased(), collation.clone());
        let encode = move |row: &R, bytes: &mut Vec<u8>| {
            let mut encoded = Vec::new();
            field.encode(row, &mut encoded);
            collation.encode(&encoded, T::OPTIONS, bytes);
        };
        // No index has the column under the other kind of name, and so in this order.
        Order::new(Field::new(name, !is_path, encode), is_desc, |_, _| None)
    }
}
