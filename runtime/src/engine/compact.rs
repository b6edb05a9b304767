//! Giving back the space that a file no longer needs.

use super::open::Engine;
use crate::error::{Error, ErrorKind, Result};

impl Engine {
    /// Makes the file as short as its content allows; gives by how many bytes it got shorter.
    pub(crate) fn compact(&self) -> Result<u64> {
        self.refuse_if_read_only()?;
        // Changes that observers have not been told of yet hold their views.
        self.hub.deliver();
        let mut writer = self.lock_writer()?;
        let compacted = self.upgrade(&mut writer).and_then(|()| {
            self.flush_held(&mut writer)?;
            // Its documents are read through the view.
            writer.forget_loaded();
            let view = self.view();
            let (fallback, blocks) = (view.closed()?, view.damaged_blocks());
            drop(view);
            self.hub.release_views();
            let compacted = self.view.without_readers(fallback, || {
                let compacted = self.disk.compact();
                let view = self.view_of_disk(self.stamp());
                let view = view.and_then(|view| view.look_at_blocks(blocks).map(|()| view));
                (compacted, view.ok())
            });
            self.hub.keep_view(&self.view());
            compacted
        });
        let bytes = compacted.map_err(|error| self.placed(error))?;
        bytes.ok_or_else(|| self.placed(in_use(self.old_readers().count)))
    }
}

fn in_use(readers: usize) -> Error {
    let finding = match readers {
        1 => "one reader".to_owned(),
        many => format!("{many} readers"),
    };
    Error::new(ErrorKind::InUse, "the file cannot be compacted while it is being read")
        .finding(finding)
        .help(
            "nothing was changed; drop snapshots and iterators, outside of observers, and call `compact` \
             again; `status()` says how many are older than the last commit",
        )
}
