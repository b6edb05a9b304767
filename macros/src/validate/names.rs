//! Rules of the names of tables, kv groups and stores.

use crate::diag::Diag;
use crate::kind::Kind;
use crate::model::{Name, Record, Store};
use crate::parse::generic_argument;

/// The longest name, which is also the longest prefix that the TypeID specification allows.
const MAX_LEN: usize = 63;

/// The stored name of a table or kv group can go into files and other languages as it is.
pub(super) fn record_name_is_valid(record: &Record, diag: &mut Diag) {
    name_is_valid(&record.name, record.kind, diag);
}

/// The name of a store can go into files and other languages as it is.
pub(super) fn store_name_is_valid(store: &Store, diag: &mut Diag) {
    name_is_valid(&store.name, Kind::Store, diag);
}

fn name_is_valid(name: &Name, kind: Kind, diag: &mut Diag) {
    let text = &name.text;
    let Some(problem) = problem(text) else { return };
    let advice = advice(name, kind, &repaired(text, |c| c.is_ascii_alphanumeric() || c == '_'));
    diag.error(&name.origin, format_args!("the stored name `{text}` {problem}; {advice}"));
}

/// Returns the reason why a text cannot be a stored name.
fn problem(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.len() > MAX_LEN {
        Some("is longer than 63 bytes")
    } else if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
        Some("has characters other than ASCII letters, digits, `_` and `-`")
    } else if text.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
        Some("starts with a digit or `-`")
    } else {
        None
    }
}

/// A table whose key is an `Id` has a name that can be the prefix of a TypeID.
pub(super) fn id_prefix_is_valid(record: &Record, diag: &mut Diag) {
    let has_id = record.key_fields().any(|key| generic_argument(&key.ty, "Id").is_some());
    let text = &record.name.text;
    // A name that is wrong anyway has been reported.
    if !has_id || is_type_id_prefix(text) || problem(text).is_some() {
        return;
    }
    let advice = advice(&record.name, Kind::Table, &repaired(&spelled_out(text), |c| c == '_'));
    diag.error(
        &record.name.origin,
        format_args!(
            "ids of this table would start with `{text}`, and the prefix of a TypeID has only \
             `a` to `z` and `_`, with a letter at both ends; {advice}"
        ),
    );
}

fn is_type_id_prefix(text: &str) -> bool {
    text.len() <= MAX_LEN
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && text.starts_with(|first: char| first != '_')
        && !text.ends_with('_')
}

fn advice(name: &Name, kind: Kind, repaired: &str) -> String {
    let attribute = kind.attribute();
    if name.explicit {
        format!("write another, as in `name = \"{repaired}\"`")
    } else {
        format!("give it another with `#[{attribute}(name = \"{repaired}\")]`")
    }
}

/// A name with its digits as words, so that names which differ in nothing else go on differing.
fn spelled_out(text: &str) -> String {
    const WORDS: [&str; 10] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let mut words = String::with_capacity(text.len());
    let mut after_digit = false;
    for c in text.chars() {
        let word = c.to_digit(10).and_then(|digit| WORDS.get(digit as usize));
        // `mp3_file` and `t0`, but also `v2row`.
        let is_new_word = word.is_some() || (after_digit && c != '_');
        if is_new_word && !words.is_empty() && !words.ends_with('_') {
            words.push('_');
        }
        match word {
            Some(word) => words.push_str(word),
            None => words.push(c),
        }
        after_digit = word.is_some();
    }
    words
}

/// The nearest name of small letters and what else is kept.
fn repaired(text: &str, keep: impl Fn(char) -> bool) -> String {
    let text: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c == '-' || c.is_whitespace() { '_' } else { c })
        .filter(|&c| c.is_ascii_lowercase() || keep(c))
        .take(MAX_LEN)
        .collect();
    let text = text.trim_start_matches(|c: char| !c.is_ascii_lowercase()).trim_end_matches('_');
    if text.is_empty() { "…".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{is_type_id_prefix, spelled_out};

    #[test]
    fn names_that_differ_in_digits_differ_in_words() {
        for (name, words) in [
            ("t0", "t_zero"),
            ("t1", "t_one"),
            ("t10", "t_one_zero"),
            ("mp3_file", "mp_three_file"),
            ("v2row", "v_two_row"),
            ("plain", "plain"),
        ] {
            assert_eq!(spelled_out(name), words);
            assert!(is_type_id_prefix(words));
        }
    }
}
