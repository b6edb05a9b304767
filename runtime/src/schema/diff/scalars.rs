//! Comparing numbers, texts and their limits.

use super::compare::{Comparison, SchemaPath};
use super::rules;
use super::shape::{Integer, Number, Text, TextKind};

/// How a limit has moved.
#[derive(Debug, Clone, Copy, Default)]
struct Moved {
    loosened: bool,
    tightened: bool,
}

impl Moved {
    /// By a lower limit.
    fn lower<T: PartialOrd>(self, old: Option<T>, new: Option<T>) -> Self {
        self.by(old, new, |was, is| is > was)
    }

    /// By an upper limit.
    fn upper<T: PartialOrd>(self, old: Option<T>, new: Option<T>) -> Self {
        self.by(old, new, |was, is| is < was)
    }

    fn by<T: PartialOrd>(
        mut self,
        old: Option<T>,
        new: Option<T>,
        is_tighter: impl Fn(&T, &T) -> bool,
    ) -> Self {
        match (old, new) {
            (None, None) => {}
            (None, Some(_)) => self.tightened = true,
            (Some(_), None) => self.loosened = true,
            (Some(was), Some(is)) if was == is => {}
            (Some(was), Some(is)) if is_tighter(&was, &is) => self.tightened = true,
            (Some(_), Some(_)) => self.loosened = true,
        }
        self
    }

    /// By the step between values, whose multiples are not compared.
    fn step(mut self, old: &Option<String>, new: &Option<String>) -> Self {
        if old != new {
            self.tightened |= new.is_some();
            self.loosened |= old.is_some();
        }
        self
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn compare_integers(
        &mut self,
        path: &SchemaPath,
        old: &Integer<'a>,
        new: &Integer<'a>,
    ) {
        let name = |integer: &Integer<'a>| {
            let zero = if integer.is_nonzero { " but 0" } else { "" };
            format!("{}{zero}", integer.format.unwrap_or("integer"))
        };
        let (was, is) = (name(old), name(new));
        if !(old.is_known && new.is_known) && old.format != new.format {
            self.push_step(path, &rules::UNJUDGED, &was, &is);
            return;
        }
        let loses = old.range.0 < new.range.0
            || old.range.1 > new.range.1
            || old.has_zero() && new.is_nonzero;
        let gains = new.range.0 < old.range.0
            || new.range.1 > old.range.1
            || new.has_zero() && old.is_nonzero;
        match (loses, gains) {
            (true, _) => self.push_step(path, &rules::NUMBER_NARROWED, was, is),
            (false, true) => self.push_step(path, &rules::NUMBER_WIDENED, was, is),
            (false, false) => {}
        }
        let moved = Moved::default().lower(old.min, new.min).upper(old.max, new.max);
        let limits = |min: Option<i128>, max: Option<i128>| limits(min, max);
        self.report_limits(
            path,
            moved.step(&old.step, &new.step),
            limits(old.min, old.max),
            limits(new.min, new.max),
        );
    }

    pub(super) fn compare_numbers(
        &mut self,
        path: &SchemaPath,
        old: &Number<'a>,
        new: &Number<'a>,
    ) {
        let name = |number: &Number<'a>| number.format.unwrap_or("number").to_owned();
        match (old.bits(), new.bits()) {
            (Some(was), Some(is)) if was < is => {
                self.push_step(path, &rules::NUMBER_WIDENED, name(old), name(new));
            }
            (Some(was), Some(is)) if was > is => {
                self.push_step(path, &rules::NUMBER_NARROWED, name(old), name(new));
            }
            (Some(_), Some(_)) => {}
            _ if old.format == new.format => {}
            _ => self.push_step(path, &rules::UNJUDGED, name(old), name(new)),
        }
        let moved = Moved::default().lower(old.min, new.min).upper(old.max, new.max);
        self.report_limits(
            path,
            moved.step(&old.step, &new.step),
            limits(old.min, old.max),
            limits(new.min, new.max),
        );
    }

    pub(super) fn compare_texts(&mut self, path: &SchemaPath, old: &Text<'a>, new: &Text<'a>) {
        match (old.kind, new.kind) {
            (was, is) if was == is => {}
            (TextKind::Id(was), TextKind::Id(is)) => {
                let id = |table| format!("id of `{table}`");
                self.push_step(path, &rules::REFERENCE_CHANGED, id(was), id(is));
                return;
            }
            // One of them has a format that no type is known to stand behind: perhaps the same type.
            (TextKind::Plain, TextKind::Of(_)) if old.format.is_some() => {
                self.unjudged_format(path, old, new);
            }
            (TextKind::Of(_), TextKind::Plain) if new.format.is_some() => {
                self.unjudged_format(path, old, new);
            }
            _ => {
                self.push_step(path, &rules::TYPE_CHANGED, kind(old), kind(new));
                return;
            }
        }
        if old.kind == new.kind && old.format != new.format {
            self.unjudged_format(path, old, new);
        }
        if let (Some(was), Some(is)) = (old.pattern, new.pattern)
            && was != is
        {
            self.push_step(path, &rules::PATTERN_CHANGED, was, is);
        }
        let mut moved = Moved::default().lower(old.min, new.min).upper(old.max, new.max);
        moved.tightened |= old.pattern.is_none() && new.pattern.is_some();
        moved.loosened |= old.pattern.is_some() && new.pattern.is_none();
        let words = |text: &Text<'a>| match (limits(text.min, text.max), text.pattern) {
            (limits, None) => limits,
            (limits, Some(pattern)) => format!("{limits}, {pattern}"),
        };
        self.report_limits(path, moved, words(old), words(new));
    }

    fn unjudged_format(&mut self, path: &SchemaPath, old: &Text<'a>, new: &Text<'a>) {
        self.push_step(path, &rules::UNJUDGED, kind(old), kind(new));
    }

    /// The limits of a list's length.
    pub(super) fn compare_lengths(
        &mut self,
        path: &SchemaPath,
        old: (Option<u64>, Option<u64>),
        new: (Option<u64>, Option<u64>),
    ) {
        let moved = Moved::default().lower(old.0, new.0).upper(old.1, new.1);
        self.report_limits(path, moved, limits(old.0, old.1), limits(new.0, new.1));
    }

    fn report_limits(&mut self, path: &SchemaPath, moved: Moved, old: String, new: String) {
        if moved.tightened {
            self.push_step(path, &rules::LIMIT_TIGHTENED, &old, &new);
        }
        if moved.loosened {
            self.push_step(path, &rules::LIMIT_LOOSENED, old, new);
        }
    }
}

fn limits<T: std::fmt::Display>(min: Option<T>, max: Option<T>) -> String {
    match (min, max) {
        (None, None) => "no limit".into(),
        (Some(min), None) => format!("from {min}"),
        (None, Some(max)) => format!("to {max}"),
        (Some(min), Some(max)) => format!("{min} to {max}"),
    }
}

fn kind(text: &Text<'_>) -> String {
    match text.kind {
        TextKind::Plain => text.format.unwrap_or("text").into(),
        TextKind::Char => "char".into(),
        TextKind::Id(table) => format!("id of `{table}`"),
        TextKind::Of(format) => format.into(),
    }
}
