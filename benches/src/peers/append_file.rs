//! A file of length-prefixed chunks: how the peers that keep no file of their own become durable.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use crate::Result;

/// A file that only grows.
#[derive(Debug)]
pub struct AppendFile(File);

impl AppendFile {
    /// Opens or makes the file `log` of a directory, and gives its bytes so far.
    pub fn open(dir: &Path) -> Result<(Self, Vec<u8>)> {
        let mut file =
            OpenOptions::new().create(true).read(true).append(true).open(dir.join("log"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok((Self(file), bytes))
    }

    /// Adds a chunk; it is on disk when this returns.
    pub fn append(&mut self, chunk: &[u8]) -> Result<()> {
        let mut framed = Vec::with_capacity(chunk.len() + 4);
        framed.extend_from_slice(&u32::try_from(chunk.len())?.to_le_bytes());
        framed.extend_from_slice(chunk);
        self.0.write_all(&framed)?;
        self.0.sync_data()?;
        Ok(())
    }
}

/// The chunks of what [`AppendFile::open`] gave.
pub fn chunks(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (len, after) = rest.split_first_chunk::<4>()?;
        let (chunk, after) = after.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        rest = after;
        Some(chunk)
    })
}
