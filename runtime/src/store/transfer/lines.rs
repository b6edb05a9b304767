//! The lines of a text.

use std::io::BufRead;

use crate::error::{Error, ErrorKind, Result};

/// The lines of a text, numbered from 1.
pub(super) struct Lines<'f> {
    from: &'f mut dyn BufRead,
    number: usize,
    bytes: Vec<u8>,
}

impl<'f> Lines<'f> {
    pub(super) fn of(from: &'f mut dyn BufRead) -> Self {
        Self { from, number: 0, bytes: Vec::new() }
    }

    /// The next line that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<(usize, &str)>> {
        loop {
            self.bytes.clear();
            self.number += 1;
            let number = self.number;
            let read = self.from.read_until(b'\n', &mut self.bytes).map_err(|error| {
                let what = format!("line {number} cannot be read");
                Error::new(ErrorKind::Storage, what).because(error)
            })?;
            if read == 0 {
                return Ok(None);
            }
            if number == 1 && self.bytes.starts_with("\u{feff}".as_bytes()) {
                self.bytes.drain(.."\u{feff}".len());
            }
            if !self.bytes.trim_ascii().is_empty() {
                break;
            }
        }
        match std::str::from_utf8(self.bytes.trim_ascii()) {
            Ok(line) => Ok(Some((self.number, line))),
            Err(error) => {
                let what = format!("line {} is not UTF-8", self.number);
                let error = Error::new(ErrorKind::InvalidRow, what).because(error);
                Err(error.help("nothing was imported: save the file as UTF-8"))
            }
        }
    }
}
