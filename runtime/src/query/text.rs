//! Conditions on text beyond its bytes: without regard to case, and by patterns.

use super::column::Column;
use super::expr::Expr;
use super::named::TextColumn;
use crate::row::order::{SOME, text_of};

impl<R: 'static, T: 'static, C> Column<R, T, C> {
    /// Matches rows whose text equals `text`, without regard to case.
    ///
    /// Case is that of Unicode and of no language's own: texts are compared letter by letter, each as the
    /// lower case of its upper case. So `ß` equals `ss`, and `σ` equals `ς`; accents count. `None` equals
    /// no text. No index serves it: the rows are read.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, mayor: Option<String> }
    /// let city = City { name: "Gießen".into(), mayor: None };
    /// assert!(City::NAME.eq_ignore_case("GIESSEN").matches(&city));
    /// assert!(!City::NAME.eq_ignore_case("gies").matches(&city));
    /// assert!(!City::MAYOR.eq_ignore_case("").matches(&city)); // it is `None`
    /// ```
    pub fn eq_ignore_case(self, text: impl AsRef<str>) -> Expr<R>
    where
        T: TextColumn<C>,
    {
        let wanted = folded(text.as_ref());
        self.text_test(b'=', wanted.clone(), move |text| folded(text) == wanted)
    }

    /// Matches rows whose text has `part` in it, without regard to case. See
    /// [`eq_ignore_case`](Self::eq_ignore_case) for the rule. `None` contains nothing. It reads every row: indexes do not serve it.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String, mayor: Option<String> }
    /// let city = City { name: "Bad Homburg".into(), mayor: None };
    /// assert!(City::NAME.contains_ignore_case("d ho").matches(&city));
    /// assert!(!City::MAYOR.contains_ignore_case("").matches(&city)); // it is `None`
    /// ```
    pub fn contains_ignore_case(self, part: impl AsRef<str>) -> Expr<R>
    where
        T: TextColumn<C>,
    {
        let wanted = folded(part.as_ref());
        self.text_test(b'~', wanted.clone(), move |text| folded(text).contains(&wanted))
    }

    /// Matches rows whose whole text fits a pattern, in which `%` stands for any text, `_` for one
    /// character, and a backslash takes the meaning from the character after it.
    ///
    /// Letters are compared with their case, unlike in SQLite. `None` fits no pattern. An index serves
    /// what comes before the first `%` or `_`; the rows that begin so are read.
    ///
    /// ```
    /// # use heirloom::Table;
    /// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct City { #[key] name: String }
    /// let city = City { name: "Bad Homburg".into() };
    /// assert!(City::NAME.like("Bad%burg").matches(&city));
    /// assert!(City::NAME.like("___ %").matches(&city));
    /// assert!(!City::NAME.like("Bad").matches(&city)); // not the whole text
    /// assert!(!City::NAME.like(r"Bad\%").matches(&city)); // a percent sign
    /// ```
    pub fn like(self, pattern: impl AsRef<str>) -> Expr<R>
    where
        T: TextColumn<C>,
    {
        let parts = Part::parse(pattern.as_ref());
        let letters = parts.iter().map_while(|part| match part {
            Part::Letter(letter) => Some(*letter),
            _ => None,
        });
        let prefix: String = letters.collect();
        let begins = self.starts_with(&prefix);
        match parts.get(prefix.chars().count()..) {
            Some([Part::Any]) => begins,
            _ => {
                let test = move |text: &str| fits(text, &parts);
                let fits = self.text_test(b'%', pattern.as_ref().to_owned(), test);
                if prefix.is_empty() { fits } else { begins & fits }
            }
        }
    }

    /// A test of the text. Its sign and what it looks for tell it apart from others.
    fn text_test(
        self,
        sign: u8,
        wanted: String,
        test: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Expr<R>
    where
        T: TextColumn<C>,
    {
        let mut identity = vec![sign];
        identity.extend(wanted.into_bytes());
        let around = vec![SOME; T::OPTIONS];
        let column = self.unnamed();
        let holds = move |row: &R| {
            let mut bytes = Vec::new();
            column.encode(row, &mut bytes);
            let text = bytes.strip_prefix(around.as_slice()).and_then(text_of);
            text.is_some_and(|text| test(&text))
        };
        Expr::holding(self.erased(), identity, None, holds)
    }
}

/// A text without its case.
fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Letter(char),
    /// One character.
    One,
    /// Any text.
    Any,
}

impl Part {
    fn parse(pattern: &str) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut letters = pattern.chars();
        while let Some(letter) = letters.next() {
            let part = match letter {
                '%' => Self::Any,
                '_' => Self::One,
                // At the end it stands for itself.
                '\\' => Self::Letter(letters.next().unwrap_or('\\')),
                letter => Self::Letter(letter),
            };
            if part != Self::Any || parts.last() != Some(&Self::Any) {
                parts.push(part);
            }
        }
        parts
    }
}

/// Whether a whole text fits a pattern. It takes as long as both are, multiplied, at most.
fn fits(text: &str, parts: &[Part]) -> bool {
    let mut rest = text.chars();
    let mut at = 0;
    // The position to go on from if the text after the last `Any` does not fit.
    let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let mut ahead = rest.clone();
        let next = ahead.next();
        let is_taken = match (parts.get(at), next) {
            (Some(Part::Any), _) => {
                at += 1;
                retry = Some((at, rest.clone()));
                continue;
            }
            (None, None) => return true,
            (Some(Part::One), Some(_)) => true,
            (Some(Part::Letter(wanted)), Some(letter)) => *wanted == letter,
            _ => false,
        };
        if is_taken {
            at += 1;
            rest = ahead;
            continue;
        }
        let Some((after, from)) = &mut retry else { return false };
        if from.next().is_none() {
            return false;
        }
        at = *after;
        rest = from.clone();
    }
}
