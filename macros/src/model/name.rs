//! The stored name of a table, a kv group or a store.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::{Ident, LitStr};

/// A stored name, and the tokens it comes from.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) origin: TokenStream,
    /// Whether it is spelled out in an attribute.
    pub(crate) explicit: bool,
}

impl Name {
    /// Returns the name that the attribute gives, or the struct's name in snake case.
    pub(crate) fn new(explicit: Option<&LitStr>, ident: &Ident) -> Self {
        match explicit {
            Some(name) => {
                Self { text: name.value(), origin: name.to_token_stream(), explicit: true }
            }
            None => Self {
                text: snake_case(&ident.unraw().to_string()),
                origin: ident.to_token_stream(),
                explicit: false,
            },
        }
    }
}

/// `HTTPServer` as `http_server`: a word starts at a capital after a small letter or a digit, and
/// at the last capital of a run that small letters follow.
pub(crate) fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (index, &current) in chars.iter().enumerate() {
        if current.is_uppercase() && index > 0 {
            let before = chars[index - 1];
            let ends_run = chars.get(index + 1).is_some_and(|after| after.is_lowercase());
            let starts_word = before.is_lowercase() || before.is_numeric();
            if starts_word || (before.is_uppercase() && ends_run) {
                snake.push('_');
            }
        }
        snake.extend(current.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn snake_case_of_struct_names() {
        for (name, snake) in [
            ("Recording", "recording"),
            ("VoiceMemo", "voice_memo"),
            ("HTTPServer", "http_server"),
            ("HTTP", "http"),
            ("MyV2Row", "my_v2_row"),
            ("ABTest", "ab_test"),
            ("lower", "lower"),
            ("Odd_Name", "odd_name"),
            ("A", "a"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }
}
