//! serde's renaming rules for fields.

/// The stored name of a field under `rename_all = "rule"`; serde reports an unknown rule.
pub(super) fn apply(rule: &str, field: &str) -> String {
    match rule {
        // Fields are taken to be in snake case already, and serde leaves `lowercase` alone too.
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => field.to_ascii_uppercase(),
        "PascalCase" => capitalize_words(field, true),
        "camelCase" => capitalize_words(field, false),
        "kebab-case" => field.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => field.to_ascii_uppercase().replace('_', "-"),
        _ => field.to_owned(),
    }
}

/// Drops the underscores and capitalizes what follows them; the first letter as told.
fn capitalize_words(field: &str, first: bool) -> String {
    let mut name = String::with_capacity(field.len());
    let mut starts_word = true;
    for letter in field.chars() {
        if letter == '_' {
            starts_word = true;
            continue;
        }
        let capital = if name.is_empty() { first } else { starts_word };
        name.push(match (capital, name.is_empty()) {
            (true, _) => letter.to_ascii_uppercase(),
            (false, true) => letter.to_ascii_lowercase(),
            (false, false) => letter,
        });
        starts_word = false;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn every_rule_as_serde_has_it() {
        for (rule, name) in [
            ("lowercase", "very_tasty"),
            ("UPPERCASE", "VERY_TASTY"),
            ("PascalCase", "VeryTasty"),
            ("camelCase", "veryTasty"),
            ("snake_case", "very_tasty"),
            ("SCREAMING_SNAKE_CASE", "VERY_TASTY"),
            ("kebab-case", "very-tasty"),
            ("SCREAMING-KEBAB-CASE", "VERY-TASTY"),
        ] {
            assert_eq!(apply(rule, "very_tasty"), name);
        }
        assert_eq!(apply("camelCase", "_private_a1"), "privateA1");
        assert_eq!(apply("camelCase", "Odd_name"), "oddName");
    }
}
