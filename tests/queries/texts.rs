//! Conditions on text without regard to case, and by patterns.

use heirloom::{Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
struct Word {
    #[key]
    id: u32,
    #[index]
    text: String,
    also: Option<Option<String>>,
}

#[derive(Store)]
struct Words {
    words: Table<Word>,
}

fn word(id: u32, text: &str) -> Word {
    Word { id, text: text.into(), also: Some(Some(text.into())) }
}

/// Whether a text fits a pattern, by trying all ways.
fn fits(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|from| fits(&text[from..], rest)),
        ['_', rest @ ..] => !text.is_empty() && fits(&text[1..], rest),
        ['\\', letter, rest @ ..] => text.first() == Some(letter) && fits(&text[1..], rest),
        [letter, rest @ ..] => text.first() == Some(letter) && fits(&text[1..], rest),
    }
}

proptest! {
    #[test]
    fn patterns_fit_what_trying_all_ways_finds(
        texts in prop::collection::vec("[ab%_\\\\\u{0}ö]{0,8}", 1..20),
        patterns in prop::collection::vec("[ab%%_\\\\\u{0}ö]{0,8}", 1..10),
    ) {
        let app = Words::in_memory().unwrap();
        app.words.insert_many((0..).zip(&texts).map(|(id, text)| word(id, text))).unwrap();
        for pattern in &patterns {
            let letters: Vec<char> = pattern.chars().collect();
            let expected: Vec<u32> = (0..)
                .zip(&texts)
                .filter(|(_, text)| fits(&text.chars().collect::<Vec<_>>(), &letters))
                .map(|(id, _)| id)
                .collect();
            let found = app.words.filter(Word::TEXT.like(pattern)).keys().unwrap();
            prop_assert_eq!(&found, &expected, "{}", pattern);
            let found = app.words.filter(Word::ALSO.like(pattern)).keys().unwrap();
            prop_assert_eq!(&found, &expected, "{}", pattern);
        }
    }

    #[test]
    fn case_makes_no_difference(text in "\\PC{0,12}", other in "\\PC{0,3}") {
        let row = word(1, &text);
        for same in [text.to_uppercase(), text.clone()] {
            prop_assert!(Word::TEXT.eq_ignore_case(&same).matches(&row));
            prop_assert!(Word::ALSO.contains_ignore_case(&same).matches(&row));
        }
        let both = word(1, &(text + &other));
        prop_assert!(Word::TEXT.contains_ignore_case(&other).matches(&both));
    }
}

#[test]
fn a_pattern_goes_to_where_its_beginning_is() {
    let app = Words::in_memory().unwrap();
    app.words.insert_many((0..1000).map(|id| word(id, &format!("{id:03}")))).unwrap();
    let like = app.words.filter(Word::TEXT.like("12%"));
    assert_eq!(like.explain(), "index (text) of `word`, 1 range, in the order of keys");
    assert_eq!(like.count().unwrap(), 10);
    let like = app.words.filter(Word::TEXT.like("12_"));
    assert_eq!(like.explain(), "index (text) of `word`, 1 range, filtered, in the order of keys");
    let before = app.handle().touched().0;
    assert_eq!(like.count().unwrap(), 10);
    assert_eq!(app.handle().touched().0 - before, 10);
    assert_eq!(app.words.filter(Word::TEXT.like("%7")).count().unwrap(), 100);
    assert_eq!(app.words.filter(!Word::TEXT.like("%7")).count().unwrap(), 900);
}

#[test]
fn none_is_no_text_and_letters_are_those_of_unicode() {
    let none = Word { also: Some(None), ..word(1, "") };
    let absent = Word { also: None, ..word(2, "") };
    for row in [&none, &absent] {
        assert!(!Word::ALSO.like("%").matches(row));
        assert!(!Word::ALSO.like("").matches(row));
        assert!(!Word::ALSO.eq_ignore_case("").matches(row));
        assert!(!Word::ALSO.contains_ignore_case("").matches(row));
    }
    for (text, same) in [("Straße", "STRASSE"), ("ΟΔΟΣ", "οδος"), ("Ärger", "äRGER"), ("ﬁn", "FIN")]
    {
        assert!(Word::TEXT.eq_ignore_case(same).matches(&word(1, text)), "{text} {same}");
    }
    for (text, other) in [("é", "e"), ("é", "e\u{301}"), ("a", "b"), ("", "a")] {
        assert!(!Word::TEXT.eq_ignore_case(other).matches(&word(1, text)), "{text} {other}");
    }
}

#[test]
fn watched_results_of_different_patterns_are_not_one() {
    let app = Words::in_memory().unwrap();
    let first = app.words.filter(Word::TEXT.eq_ignore_case("a")).watch().unwrap();
    let second = app.words.filter(Word::TEXT.contains_ignore_case("a")).watch().unwrap();
    let third = app.words.filter(Word::TEXT.like("_a")).watch().unwrap();
    for watch in [&first, &second, &third] {
        assert!(watch.recv().unwrap().inserted().is_empty());
    }
    app.words.insert_many([word(1, "A"), word(2, "ba"), word(3, "bab")]).unwrap();
    let keys = |watch: &heirloom::watch::Watch<Word>| {
        let delta = watch.recv().unwrap();
        delta.inserted().iter().map(|inserted| inserted.row().id).collect::<Vec<_>>()
    };
    assert_eq!((keys(&first), keys(&second), keys(&third)), (vec![1], vec![1, 2, 3], vec![2]));
}
