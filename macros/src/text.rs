//! Tokens as text, always in the same way.
//!
//! Types and defaults are recorded in the schema as written. How the compiler prints tokens
//! differs between its versions, and how a user breaks lines means nothing, so both are evened
//! out here.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The text of a type or an expression.
pub(crate) fn text(tokens: TokenStream) -> String {
    let mut printer = Printer::default();
    printer.stream(tokens, Delimiter::None);
    printer.out
}

/// The kind of the last token, as far as spaces depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Last {
    /// Nothing yet, or an opening bracket: no space follows.
    #[default]
    Open,
    /// A word, a literal or a closed group: an operator after it is a binary one.
    Operand,
    /// A keyword that an expression follows, as in `return -1`.
    Keyword,
    /// An operator that stands by itself, or a comma: a space follows.
    Spaced,
    /// A prefix or a path separator: what follows is attached to it.
    Attached,
}

#[derive(Debug, Default)]
struct Printer {
    out: String,
    last: Last,
    /// The generic brackets open at this point.
    angles: usize,
    /// Whether the parameters of a closure are being printed.
    parameters: bool,
}

impl Printer {
    fn stream(&mut self, tokens: TokenStream, within: Delimiter) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(word) => self.word(&word.to_string()),
                TokenTree::Literal(literal) => self.word(&literal.to_string()),
                TokenTree::Group(group) => self.group(group.delimiter(), group.stream()),
                TokenTree::Punct(punct) => {
                    let mut operator = String::from(punct.as_char());
                    let mut spacing = punct.spacing();
                    while spacing == Spacing::Joint
                        && let Some(TokenTree::Punct(next)) = tokens.peek()
                        && is_operator(&operator, next.as_char(), self.angles)
                    {
                        operator.push(next.as_char());
                        spacing = next.spacing();
                        tokens.next();
                    }
                    let trailing = match tokens.peek() {
                        // In parentheses it is what makes a tuple of one.
                        None => within != Delimiter::Parenthesis,
                        Some(TokenTree::Punct(next)) => next.as_char() == '>' && self.angles > 0,
                        Some(_) => false,
                    };
                    if operator == "," && trailing {
                        continue;
                    }
                    self.operator(&operator);
                }
            }
        }
    }

    fn space(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with(' ') {
            self.out.push(' ');
        }
    }

    fn word(&mut self, word: &str) {
        if matches!(self.last, Last::Operand | Last::Keyword | Last::Spaced) {
            self.space();
        }
        self.out.push_str(word);
        self.last = match word {
            "return" | "in" | "if" | "else" | "match" | "as" | "mut" | "dyn" | "const" | "move"
            | "break" => Last::Keyword,
            _ => Last::Operand,
        };
    }

    fn group(&mut self, delimiter: Delimiter, inner: TokenStream) {
        let (open, close) = match delimiter {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Brace => ("{ ", " }"),
            Delimiter::None => ("", ""),
        };
        let apart = matches!(self.last, Last::Keyword | Last::Spaced);
        if apart || (delimiter == Delimiter::Brace && self.last == Last::Operand) {
            self.space();
        }
        if delimiter == Delimiter::Brace && inner.is_empty() {
            self.out.push_str("{}");
        } else {
            self.out.push_str(open);
            let angles = std::mem::take(&mut self.angles);
            self.last = Last::Open;
            self.stream(inner, delimiter);
            self.angles = angles;
            self.out.push_str(close);
        }
        self.last = Last::Operand;
    }

    fn operator(&mut self, operator: &str) {
        let after_operand = self.last == Last::Operand;
        match operator {
            "," | ";" => {
                self.out.push_str(operator);
                self.last = Last::Spaced;
            }
            ":" => {
                self.out.push(':');
                self.last = Last::Spaced;
            }
            "::" | "." | ".." | "..=" => self.attached(operator),
            "?" => self.out.push('?'),
            "!" if after_operand => self.attached("!"),
            "'" => {
                self.prefix_space();
                self.out.push('\'');
                self.last = Last::Attached;
            }
            "<" if self.opens_generics() => {
                self.prefix_space();
                self.out.push('<');
                self.angles += 1;
                self.last = Last::Open;
            }
            ">" if self.angles > 0 => {
                self.out.push('>');
                self.angles -= 1;
                self.last = Last::Operand;
            }
            "||" if !after_operand => {
                self.prefix_space();
                self.out.push_str("||");
                self.last = Last::Spaced;
            }
            "|" if self.parameters => {
                self.out.push('|');
                self.parameters = false;
                self.last = Last::Spaced;
            }
            "|" if !after_operand => {
                self.prefix_space();
                self.out.push('|');
                self.parameters = true;
                self.last = Last::Attached;
            }
            _ if after_operand || operator == "->" => {
                self.space();
                self.out.push_str(operator);
                self.last = Last::Spaced;
            }
            _ => {
                self.prefix_space();
                self.out.push_str(operator);
                self.last = Last::Attached;
            }
        }
    }

    /// The space before what starts an operand.
    fn prefix_space(&mut self) {
        if matches!(self.last, Last::Keyword | Last::Spaced) {
            self.space();
        }
    }

    fn attached(&mut self, operator: &str) {
        self.prefix_space();
        self.out.push_str(operator);
        self.last = Last::Attached;
    }

    /// Whether a `<` here opens generics: after `::`, at the start of an operand, or after a name
    /// that is written as types are.
    fn opens_generics(&self) -> bool {
        if self.last != Last::Operand {
            return true;
        }
        let start = self.out.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |i| i + 1);
        self.out[start..].starts_with(char::is_uppercase)
    }
}

/// Whether `next` goes on with the operator `so_far`.
fn is_operator(so_far: &str, next: char, angles: usize) -> bool {
    match (so_far, next) {
        // Two closing brackets, as in `Vec<Vec<u8>>`.
        (">", '>') => angles == 0,
        (":", ':') | ("-" | "=", '>') | ("&", '&') | ("|", '|') | ("<", '<') | (".", '.') => true,
        (".." | "=" | "!" | "<" | ">" | "+" | "-" | "*" | "/" | "%" | "^" | "&" | "|", '=') => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    fn even(source: &str) -> String {
        text(source.parse().unwrap())
    }

    #[test]
    fn types() {
        for ty in [
            "Option<Vec<u8>>",
            "std::collections::BTreeMap<String, Vec<(u8, u16)>>",
            "[u8; 4]",
            "&'static str",
            "Box<dyn Fn(u8) -> u8 + Send>",
            "Id<super::Recording>",
            "<u8 as Trait>::Out",
            "(u8,)",
            "Option<(u8,)>",
            "()",
            "r#type::Name",
        ] {
            assert_eq!(even(ty), ty);
        }
        assert_eq!(even("Option <\n Vec < u8 , > , >"), "Option<Vec<u8>>");
    }

    #[test]
    fn expressions() {
        for expr in [
            "-1",
            "1.5",
            "\"a  b\"",
            "Status::Pending",
            "Vec::new()",
            "Vec::<u8>::new()",
            "Some(3)",
            "[1, 2, 3]",
            "LIMIT * 2 - 1",
            "a < b",
            "!a && b || -c > *d",
            "Point { x: 1, y: -2 }",
            "0..=9",
            "&[1, 2]",
            "if a { 1 } else { 2 }",
            "|a, b| u8::from(a.is_some()) + b",
            "|a: Option<u8>| -> u8 { a.unwrap_or(1) }",
            "concat!(\"a\", \"b\")",
            "a as u8",
            "words.iter().map(|word| word.len()).sum::<usize>()",
            "match a { Some(_) => 1, None => 2 }",
        ] {
            assert_eq!(even(expr), expr);
        }
    }
}
