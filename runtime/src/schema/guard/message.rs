//! Text that is put together while compiling, where nothing can be allocated.

/// The longest message: some sixty mistakes in one struct. What goes beyond is left out.
const CAPACITY: usize = 16 * 1024;

/// The end of a message that is left incomplete.
const AND_MORE: &str = "\n- and more";

/// A compile error.
#[derive(Debug)]
pub struct Message {
    bytes: [u8; CAPACITY],
    len: usize,
}

impl Message {
    /// The text.
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    pub(in crate::schema) const fn new() -> Self {
        Self { bytes: [0; CAPACITY], len: 0 }
    }

    /// Adds texts, as far as there is room for them.
    pub(in crate::schema) const fn add(&mut self, texts: &[&str]) {
        let mut i = 0;
        while i < texts.len() && self.push(texts[i]) {
            i += 1;
        }
    }

    /// Adds a text, if it leaves room for the end.
    const fn push(&mut self, text: &str) -> bool {
        if self.len + text.len() > CAPACITY - AND_MORE.len() {
            return false;
        }
        self.write(text);
        true
    }

    /// Adds a number.
    pub(super) const fn add_number(&mut self, number: u32) {
        const DIGITS: &str = "0123456789";
        if number >= 10 {
            self.add_number(number / 10);
        }
        let (_, from) = DIGITS.split_at((number % 10) as usize);
        self.add(&[from.split_at(1).0]);
    }

    /// Ends the message after its first `len` bytes.
    const fn end_at(&mut self, len: usize) {
        self.len = len;
        self.write(AND_MORE);
    }

    const fn write(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() {
            self.bytes[self.len] = text[i];
            self.len += 1;
            i += 1;
        }
    }
}

/// The mistakes of one struct, which are counted first: several stand on a line each.
#[derive(Debug)]
pub(super) struct Report {
    message: Message,
    mistakes: usize,
    /// How many there are in all, once they have been counted.
    of: usize,
    /// The position at which the last mistake begins.
    start: usize,
    is_full: bool,
}

impl Report {
    /// A report that counts mistakes, and writes nothing.
    pub(super) const fn counting() -> Self {
        Self { message: Message::new(), mistakes: 0, of: 0, start: 0, is_full: false }
    }

    /// A report on what has been counted, if there is anything; it begins with these words.
    pub(super) const fn writing(self, subject: &[&str], version: &str) -> Option<Self> {
        if self.mistakes == 0 {
            return None;
        }
        let mut report = Self { of: self.mistakes, ..Self::counting() };
        report.push(subject);
        if report.of > 1 {
            report.push(&[" breaks with ", version, " in several ways:"]);
        }
        Some(report)
    }

    /// Begins a mistake.
    pub(super) const fn start(&mut self) {
        self.mistakes += 1;
        self.start = self.message.len;
        self.push(&[if self.of > 1 { "\n- " } else { ": " }]);
    }

    /// Adds the way out that is always there.
    pub(super) const fn or_start_epoch(&mut self, number: &str) {
        self.push(&[", or start a new epoch with `#[store(epoch = ", number, ", previous = …)]`"]);
    }

    pub(super) const fn push(&mut self, texts: &[&str]) {
        let mut i = 0;
        while i < texts.len() && self.of > 0 && !self.is_full {
            if !self.message.push(texts[i]) {
                // Mistakes are told as a whole or not at all.
                self.message.end_at(self.start);
                self.is_full = true;
            }
            i += 1;
        }
    }

    pub(super) const fn message(self) -> Message {
        self.message
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, Report};

    fn report(mistakes: &[&str]) -> Option<String> {
        let mut report = Report::counting();
        for _ in mistakes {
            report.start();
        }
        let mut report = report.writing(&["table `notes`"], "version 3")?;
        for mistake in mistakes {
            report.start();
            report.push(&[mistake]);
        }
        Some(report.message().as_str().to_owned())
    }

    #[test]
    fn one_mistake_is_a_sentence_and_several_are_a_list() {
        assert_eq!(report(&[]), None);
        assert_eq!(report(&["no é"]).unwrap(), "table `notes`: no é");
        assert_eq!(
            report(&["one", "two"]).unwrap(),
            "table `notes` breaks with version 3 in several ways:\n- one\n- two"
        );
    }

    #[test]
    fn mistakes_that_do_not_fit_are_left_out_whole() {
        let long = "€".repeat(CAPACITY / 30);
        let message = report(&[long.as_str(); 20]).unwrap();
        let lines: Vec<&str> = message.lines().collect();
        let (last, told) = lines[1..].split_last().unwrap();
        assert_eq!(*last, "- and more");
        assert_eq!(told, vec![format!("- {long}"); 9]);
        assert!(message.len() <= CAPACITY);
    }
}
