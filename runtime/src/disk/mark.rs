//! How far a device got, noted beside the file's content: so that a copy restored over the file is
//! noticed, of which path, machine, inode and time of creation are the same.
//!
//! The mark is an extended attribute of the inode. Writing an older content into the file leaves it
//! in place; copying the file leaves it behind. Where there are none, nothing is noticed.

use std::fs::File;

/// A device, and the last sequence number of the log it is known to have written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) device: u64,
    pub(crate) sequence: u64,
}

#[cfg(unix)]
const NAME: &str = "user.heirloom.mark";

impl Mark {
    #[cfg(unix)]
    pub(super) fn write(self, file: &File) {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.device.to_le_bytes());
        bytes[8..].copy_from_slice(&self.sequence.to_le_bytes());
        // Not every file system has room for it, and the store works without.
        let _ = rustix::fs::fsetxattr(file, NAME, &bytes, rustix::fs::XattrFlags::empty());
    }

    #[cfg(unix)]
    pub(super) fn read(file: &File) -> Option<Self> {
        let mut bytes = [0; 16];
        let len = rustix::fs::fgetxattr(file, NAME, &mut bytes).ok()?;
        let (device, sequence) = bytes.split_first_chunk::<8>()?;
        Some(Self {
            device: u64::from_le_bytes(*device),
            sequence: u64::from_le_bytes(sequence.try_into().ok()?),
        })
        .filter(|_| len == bytes.len())
    }

    #[cfg(not(unix))]
    pub(super) fn write(self, _: &File) {}

    #[cfg(not(unix))]
    pub(super) fn read(_: &File) -> Option<Self> {
        None
    }
}
