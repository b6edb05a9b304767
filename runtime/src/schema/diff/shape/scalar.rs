//! Numbers and texts, with what their formats and limits admit.

use serde_json::Value;

use super::keywords::Keywords;

/// An integer type, and limits within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Integer<'a> {
    /// `int32` and the like.
    pub(in super::super) format: Option<&'a str>,
    /// The range of the type itself.
    pub(in super::super) range: (i128, i128),
    pub(in super::super) is_known: bool,
    /// Limits beyond those of the type.
    pub(in super::super) min: Option<i128>,
    pub(in super::super) max: Option<i128>,
    /// A `NonZero`, which does not read a zero.
    pub(in super::super) is_nonzero: bool,
    pub(in super::super) step: Option<String>,
}

/// Returns the range of a format; pointers are as wide as 64 bits.
fn range_of(format: Option<&str>) -> Option<(i128, i128)> {
    let wide = |range: (i64, i64)| (i128::from(range.0), i128::from(range.1));
    Some(match format {
        None | Some("int128") => (i128::MIN, i128::MAX),
        Some("int8") => wide((i8::MIN.into(), i8::MAX.into())),
        Some("int16") => wide((i16::MIN.into(), i16::MAX.into())),
        Some("int32") => wide((i32::MIN.into(), i32::MAX.into())),
        Some("int64" | "int") => wide((i64::MIN, i64::MAX)),
        Some("uint8") => wide((0, u8::MAX.into())),
        Some("uint16") => wide((0, u16::MAX.into())),
        Some("uint32") => wide((0, u32::MAX.into())),
        Some("uint64" | "uint") => (0, i128::from(u64::MAX)),
        Some("uint128") => (0, i128::MAX),
        Some(_) => return None,
    })
}

impl<'a> Integer<'a> {
    pub(super) fn of(keywords: &mut Keywords<'a>) -> Self {
        let format = keywords.plain.get("format").and_then(|format| format.as_str());
        let range = range_of(format);
        let (lowest, highest) = range.unwrap_or((i128::MIN, i128::MAX));
        let limit = |name, exclusive, toward: i128| {
            let inclusive = keywords.plain.get(name).and_then(|value| whole(value, toward));
            let exclusive = keywords.plain.get(exclusive).and_then(|value| whole(value, -toward));
            let exclusive = exclusive.map(|at| at.saturating_add(toward));
            inclusive.or(exclusive)
        };
        let mut min = limit("minimum", "exclusiveMinimum", 1).filter(|&min| min > lowest);
        let max = limit("maximum", "exclusiveMaximum", -1).filter(|&max| max < highest);
        let mut is_nonzero = false;
        if lowest == 0 && min == Some(1) {
            // How schemars writes an unsigned `NonZero`.
            (min, is_nonzero) = (None, true);
        }
        if let Some(not) = keywords.unjudged.get("not")
            && not.iter().all(|not| not == "{\"const\":0}")
        {
            keywords.unjudged.remove("not");
            is_nonzero = true;
        }
        let step = keywords.plain.get("multipleOf").map(|step| step.to_string());
        Self {
            format,
            range: (lowest, highest),
            is_known: range.is_some(),
            min,
            max,
            is_nonzero,
            step,
        }
    }

    /// Whether a zero is one of its values.
    pub(in super::super) fn has_zero(&self) -> bool {
        !self.is_nonzero
            && self.min.is_none_or(|min| min <= 0)
            && self.max.is_none_or(|max| max >= 0)
    }
}

/// The nearest integer of a limit, upward or downward.
fn whole(value: &Value, toward: i128) -> Option<i128> {
    if let Some(whole) = value.as_i64() {
        return Some(whole.into());
    }
    if let Some(whole) = value.as_u64() {
        return Some(whole.into());
    }
    let at = value.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "it saturates, and was made whole")]
    Some((if toward > 0 { at.ceil() } else { at.floor() }) as i128)
}

/// A floating point type, and limits within it.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Number<'a> {
    /// `float` or `double`.
    pub(in super::super) format: Option<&'a str>,
    pub(in super::super) min: Option<f64>,
    pub(in super::super) max: Option<f64>,
    pub(in super::super) step: Option<String>,
}

impl<'a> Number<'a> {
    pub(super) fn of(keywords: &Keywords<'a>) -> Self {
        let limit = |name| keywords.plain.get(name).and_then(|value| value.as_f64());
        Self {
            format: keywords.plain.get("format").and_then(|format| format.as_str()),
            min: limit("minimum").or(limit("exclusiveMinimum")),
            max: limit("maximum").or(limit("exclusiveMaximum")),
            step: keywords.plain.get("multipleOf").map(|step| step.to_string()),
        }
    }

    /// How many bits it has, if that is known.
    pub(in super::super) fn bits(&self) -> Option<u8> {
        match self.format {
            None | Some("double") => Some(64),
            Some("float") => Some(32),
            Some(_) => None,
        }
    }
}

/// A text type, and limits within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Text<'a> {
    pub(in super::super) kind: TextKind<'a>,
    /// A format that no type is known to stand behind.
    pub(in super::super) format: Option<&'a str>,
    pub(in super::super) pattern: Option<&'a str>,
    pub(in super::super) min: Option<u64>,
    pub(in super::super) max: Option<u64>,
}

/// Which texts a type reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum TextKind<'a> {
    /// Any.
    Plain,
    /// One character.
    Char,
    /// The ids of a table.
    Id(&'a str),
    /// Those of a type: uuids, dates.
    Of(&'a str),
}

/// Formats behind which stands a type that reads nothing else, as schemars writes them.
const TYPED: [&str; 15] = [
    "date",
    "date-time",
    "duration",
    "ip",
    "ipv4",
    "ipv6",
    "partial-date-time",
    "partial-time",
    "time",
    "ulid",
    "uri",
    "url",
    "uuid",
    "zoned-date-time",
    "byte",
];

/// The part of the pattern of ids that follows the table's name.
const ID_SUFFIX: &str = "_[0-7][0-9a-hjkmnp-tv-z]{25}$";

impl<'a> Text<'a> {
    pub(super) fn of(keywords: &Keywords<'a>) -> Self {
        let text = |name| keywords.plain.get(name).and_then(|value| value.as_str());
        let length = |name| keywords.plain.get(name).and_then(|value| value.as_u64());
        let (format, pattern) = (text("format"), text("pattern"));
        let (min, max) = (length("minLength").filter(|&min| min > 0), length("maxLength"));
        let table = pattern.and_then(|pattern| pattern.strip_prefix('^')?.strip_suffix(ID_SUFFIX));
        let plain =
            Self { kind: TextKind::Plain, format: None, pattern: None, min: None, max: None };
        match (table, format) {
            (Some(table), _) => Self { kind: TextKind::Id(table), ..plain },
            (None, None) if pattern.is_none() && (min, max) == (Some(1), Some(1)) => {
                Self { kind: TextKind::Char, ..plain }
            }
            (None, Some(format)) if TYPED.contains(&format) => {
                Self { kind: TextKind::Of(format), format: None, pattern, min, max }
            }
            (None, format) => Self { kind: TextKind::Plain, format, pattern, min, max },
        }
    }

    /// Whether it reads and keeps every text.
    pub(in super::super) fn is_open(&self) -> bool {
        let any = Self {
            kind: TextKind::Plain,
            format: self.format,
            pattern: None,
            min: None,
            max: None,
        };
        *self == any
    }
}
