//! All rows of a result at once, many looked up together.

use super::Run;
use crate::disk::Keys;
use crate::error::{Error, ErrorKind, Result};
use crate::query::buffer::RowBuffer;
use crate::query::order::out_of_order;
use crate::query::parts::{KEYS_AT_ONCE, Parts, ROWS_OF_A_THREAD};
use crate::query::plan::Access;
use crate::query::source::missing_row;
use crate::query::walk::Walk;

/// From so many rows on, it pays to ask an index how many there are before memory grows for them.
const COUNT_FROM_ROWS: usize = 1 << 10;

/// For so many rows there is room from the start: pages are full, but for the last.
const PAGE_ROWS: usize = 128;

impl Run<'_> {
    /// Adds all rows that are left to the result.
    pub(crate) fn all(mut self, buffer: &mut dyn RowBuffer) -> Result<()> {
        self.is_full = true;
        if self.left <= PAGE_ROWS {
            buffer.reserve(self.left);
        }
        let mut expected = None;
        while let Some(row) = self.next(buffer) {
            row?;
            buffer.keep();
            self.take_fetched(buffer)?;
            if buffer.len() < COUNT_FROM_ROWS {
                continue;
            }
            let expected = match expected {
                Some(expected) => expected,
                None => {
                    let still = self.still_to_come()?;
                    buffer.reserve(still);
                    *expected.insert(buffer.len() + still)
                }
            };
            if expected.saturating_sub(buffer.len()) >= 2 * ROWS_OF_A_THREAD {
                self.take_in_parts(buffer)?;
            }
        }
        if cfg!(debug_assertions) {
            self.check_order(buffer)?;
        }
        Ok(())
    }

    /// Whether the rows come in the order that their own types have.
    fn check_order(&self, buffer: &dyn RowBuffer) -> Result<()> {
        for number in 1..buffer.len() {
            let (mut first, mut second) = (number - 1, number);
            if self.spec.is_reversed {
                std::mem::swap(&mut first, &mut second);
            }
            let neighbours = buffer.kept(first).zip(buffer.kept(second));
            let wrong = neighbours.and_then(|(a, b)| out_of_order(&self.spec.order, a, b));
            let Some(order) = wrong else { continue };
            let error = Error::new(
                ErrorKind::InvalidValue,
                "rows come in another order than the `PartialOrd` of the field's type says",
            );
            return Err(self.source.placed(error.at_field(order.field.name).help(
                "derive `PartialOrd` for the type without discriminants in another order, or \
                 implement `heirloom::Comparable` for it; builds without debug assertions do not \
                 look for this",
            )));
        }
        Ok(())
    }

    /// Adds the rows that were looked up together with the last one, if nothing more is to be
    /// asked of them.
    fn take_fetched(&mut self, buffer: &mut dyn RowBuffer) -> Result<()> {
        let is_asked_more = self.filter.is_some() || self.is_cut_off || self.to_skip > 0;
        if is_asked_more || !self.is_streamed() {
            return Ok(());
        }
        let is_index = matches!(self.walks.front(), Some(Walk::Index(_)));
        while let Some(lookup) = self.fetched.next() {
            let (key, stored) = lookup?;
            if self.source.is_written(key) {
                continue;
            }
            let Some(stored) = stored else { return Err(self.source.placed(missing_row())) };
            self.rows_read += 1;
            self.entries_read += u64::from(is_index);
            match buffer.read(key, stored) {
                Ok(()) => {
                    buffer.keep();
                    self.left -= 1;
                }
                Err(error) if self.tells(&error) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Adds many rows of an index, looked up and decoded by several threads, if nothing more is to
    /// be asked of them.
    fn take_in_parts(&mut self, buffer: &mut dyn RowBuffer) -> Result<()> {
        let is_asked_more = self.filter.is_some() || self.is_cut_off || self.to_skip > 0;
        let is_asked_more = is_asked_more || !self.is_streamed();
        let is_written = self.source.written.is_some_and(|written| !written.is_empty());
        if is_asked_more || is_written || !self.fetched.is_empty() {
            return Ok(());
        }
        let Some(walk @ Walk::Index(_)) = self.walks.front_mut() else { return Ok(()) };
        let mut keys = Keys::default();
        let at_most = self.left.min(KEYS_AT_ONCE);
        let found = walk.append_keys(self.is_back, at_most, &mut keys);
        let parts = Parts {
            view: &self.source.view,
            table_idx: self.source.table_idx,
            keys: &keys,
            skips_invalid: self.is_filtered,
        };
        let before = buffer.len();
        parts.read_into(buffer)?;
        self.left -= buffer.len() - before;
        self.rows_read += keys.len() as u64;
        self.entries_read += keys.len() as u64;
        // The rows before a failure are looked at first.
        found
    }

    /// About how many rows still come, if an index tells by its blocks; 0 if none does.
    fn still_to_come(&self) -> Result<usize> {
        let Some(Access::Index { index, spans }) = &self.counted else { return Ok(0) };
        let mut count = 0;
        for span in spans {
            count += self.source.view.index_totals(self.source.table_idx, *index, span)?.0.entries;
        }
        let still = count.saturating_sub(self.entries_read).saturating_add(1);
        Ok(usize::try_from(still).unwrap_or(usize::MAX).min(self.left.saturating_add(1)))
    }
}
