//! [`Held`]: writes that wait while the file must not change.

use std::collections::BTreeMap;
use std::io;

use redb::StorageBackend;

/// The pieces in which what others write over is kept.
const PIECE_BYTES: u64 = 4096;

/// The writes that wait while the file must not change, in order.
pub(super) struct Held {
    pub(super) steps: Vec<Step>,
    /// The length as redb sees it.
    pub(super) len: u64,
    /// Beyond this, nothing of the file is visible any more.
    pub(super) base_len: u64,
    /// Pieces of the file as they were before others wrote over them, by offset.
    pub(super) kept: BTreeMap<u64, Vec<u8>>,
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
        Self {
            steps: Vec::new(),
            len,
            base_len: len,
            kept: BTreeMap::new(),
            bytes: 0,
            limit,
            header: Vec::new(),
        }
    }

    pub(super) fn write(&mut self, offset: u64, data: &[u8]) {
        self.len = self.len.max(offset + data.len() as u64);
        self.bytes += data.len() as u64;
        self.steps.push(Step::Write(offset, data.to_vec()));
    }

    pub(super) fn set_len(&mut self, len: u64) {
        self.len = len;
        self.base_len = self.base_len.min(len);
        self.steps.push(Step::SetLen(len));
    }

    /// Keeps this part of the file as it is, since it is about to be written over.
    pub(super) fn keep(
        &mut self,
        inner: &dyn StorageBackend,
        offset: u64,
        len: u64,
    ) -> io::Result<()> {
        let end = self.base_len.min(offset.saturating_add(len));
        let mut at = offset - offset % PIECE_BYTES;
        while at < end {
            if !self.kept.contains_key(&at) {
                let bytes = PIECE_BYTES.min(self.base_len - at);
                let mut piece = vec![0; usize::try_from(bytes).unwrap_or_default()];
                inner.read(at, &mut piece)?;
                self.kept.insert(at, piece);
            }
            at += PIECE_BYTES;
        }
        Ok(())
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
        self.read_base(inner, offset, base)?;
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

    /// Reads the file as it was when writes began to be held back.
    fn read_base(&self, inner: &dyn StorageBackend, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset + out.len() as u64;
        let first = offset - offset % PIECE_BYTES;
        let mut at = offset;
        // All of it may be in one piece, and the file may be shorter now.
        for (&from, piece) in self.kept.range(first..end) {
            if at < from {
                inner.read(at, &mut out[span(offset, at..from)])?;
            }
            overlay(offset, out, from, piece);
            at = from + piece.len() as u64;
        }
        if at < end {
            inner.read(at, &mut out[span(offset, at..end)])?;
        }
        Ok(())
    }
}

/// Copies what `data`, which stands at `at`, has in common with `out`, which stands at `offset`.
pub(super) fn overlay(offset: u64, out: &mut [u8], at: u64, data: &[u8]) {
    let start = offset.max(at);
    let end = (offset + out.len() as u64).min(at + data.len() as u64);
    if start < end {
        out[span(offset, start..end)].copy_from_slice(&data[span(at, start..end)]);
    }
}

/// A part of the file within bytes that begin at `offset`.
fn span(offset: u64, part: std::ops::Range<u64>) -> std::ops::Range<usize> {
    (part.start - offset) as usize..(part.end - offset) as usize
}
