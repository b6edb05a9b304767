//! The databases of a file: the one that is written to, and those that are still read.

use super::StorageOptions;
use crate::disk::backend::Backend;
use crate::disk::failure::corrupt;
use crate::disk::live::Live;
use crate::error::Result;

/// The databases of the file.
pub(super) struct Opened {
    pub(super) state: State,
    /// Those that were closed to writers after a failure, as long as something is read of them.
    read: Vec<Live>,
}

pub(super) enum State {
    Open(Live),
    /// It could not be opened again after a failure. The next use tries once more.
    Closed(Again),
}

/// How to open the file again.
pub(super) struct Again {
    before: Backend,
    /// It undoes what was refused.
    header: Option<Vec<u8>>,
    tables_to_empty: Vec<String>,
}

impl From<Live> for Opened {
    fn from(live: Live) -> Self {
        Self { state: State::Open(live), read: Vec::new() }
    }
}

impl Opened {
    /// The database that is written to. One that is closed is opened.
    pub(super) fn live(&mut self, options: &StorageOptions) -> Result<&mut Live> {
        if let State::Closed(Again { before, header, tables_to_empty }) = &self.state {
            let live = Live::after(before, options, header.as_deref(), tables_to_empty)?;
            self.state = State::Open(live);
        }
        match &mut self.state {
            State::Open(live) => Ok(live),
            State::Closed(_) => Err(corrupt("the file is closed")),
        }
    }

    /// Opens the file again, as of `header`; if that fails, the next use tries once more. What is being read stays
    /// readable.
    pub(super) fn undo(&mut self, options: &StorageOptions, header: Option<Vec<u8>>) -> Result<()> {
        let before = self.close(header, &[]);
        let opened = self.live(options).map(|_| ());
        self.read.extend(before);
        self.forget_unread();
        opened
    }

    /// Closes a damaged file and opens it again with damaged pages of these tables emptied; if that fails, the next
    /// use tries once more. What is being read ends. redb compares all pages of a file that it has not closed.
    pub(super) fn reopen(
        &mut self,
        options: &StorageOptions,
        tables_to_empty: &[String],
    ) -> Result<()> {
        drop(self.close(None, tables_to_empty));
        self.live(options).map(|_| ())
    }

    fn close(&mut self, header: Option<Vec<u8>>, tables_to_empty: &[String]) -> Option<Live> {
        let State::Open(live) = &self.state else { return None };
        let before = live.backend.clone();
        let again = Again { before, header, tables_to_empty: tables_to_empty.to_vec() };
        match std::mem::replace(&mut self.state, State::Closed(again)) {
            State::Open(live) => Some(live),
            State::Closed(_) => None,
        }
    }

    pub(super) fn forget_unread(&mut self) {
        self.read.retain(Live::is_read);
    }
}
