//! [`Held`]: writes that wait while the file must not change.

use std::io;

use redb::StorageBackend;

/// The writes that wait while the file must not change, in order.
pub(super) struct Held {
    pub(super) steps: Vec<Step>,
    /// The length as redb sees it.
    pub(super) len: u64,
    /// Beyond this, nothing of the file is visible any more.
    pub(super) base_len: u64,
    /// How many bytes the writes among the steps have.
    pub(super) bytes: u64,
    /// With more, nothing is held back any longer.
    pub(super) limit: u64,
    /// The header of the file from before; empty if it is not known.
    pub(super) header: Vec<u8>,
}

pub(super) enum Step {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

impl Held {
    /// Nothing yet, over a file of this length.
    pub(super) fn over(len: u64, limit: u64) -> Self {
        Self { steps: Vec::new(), len, base_len: len, bytes: 0, limit, header: Vec::new() }
    }

    pub(super) fn write(&mut self, offset: u64, data: &[u8]) {
        self.len = self.len.max(offset + data.len() as u64);
        self.bytes += data.len() as u64;
        self.steps.push(Step::Write(offset, data.to_vec()));
    }

    pub(super) fn read(
        &self,
        inner: &dyn StorageBackend,
        offset: u64,
        out: &mut [u8],
    ) -> io::Result<()> {
        let end = offset + out.len() as u64;
        if end > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let in_base = usize::try_from(self.base_len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (base, beyond) = out.split_at_mut(in_base.min(out.len()));
        if !base.is_empty() {
            inner.read(offset, base)?;
        }
        beyond.fill(0);
        for step in &self.steps {
            match step {
                Step::Write(at, data) => overlay(offset, out, *at, data),
                Step::SetLen(len) if *len < end => {
                    let kept = usize::try_from(len.saturating_sub(offset)).unwrap_or(usize::MAX);
                    out[kept..].fill(0);
                }
                Step::SetLen(_) | Step::Sync => {}
            }
        }
        Ok(())
    }
}

/// Copies what `data`, which stands at `at`, has in common with `out`, which stands at `offset`.
pub(super) fn overlay(offset: u64, out: &mut [u8], at: u64, data: &[u8]) {
    let start = offset.max(at);
    let end = (offset + out.len() as u64).min(at + data.len() as u64);
    if start < end {
        let span = |from: u64| (start - from) as usize..(end - from) as usize;
        out[span(offset)].copy_from_slice(&data[span(at)]);
    }
}
