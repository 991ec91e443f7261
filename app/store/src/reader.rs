//! Reading a database that its node may have open, or a checkpoint: for tools.

use std::{path::Path, sync::Arc};

use crate::{
    StoreError, StoreOptions, View, db,
    head::{Head, load_root},
    snapshot,
    store::Shared,
    transcripts::{self, Transcript},
};

/// A database as it was when it was opened. It takes no lock and writes nothing. While a node writes, a file can go away under the
/// reader: another try is due then.
#[derive(Debug)]
pub struct Reader {
    shared: Arc<Shared>,
}

impl Reader {
    /// Opens the database in the folder `path`; none when there is none.
    ///
    /// # Errors
    /// Those of opening and reading.
    pub fn open(path: impl AsRef<Path>, options: StoreOptions) -> Result<Option<Reader>, StoreError> {
        let Some(db) = db::open_read_only(path.as_ref(), &options)? else {
            return Ok(None);
        };
        if snapshot::is_half_restored(&db)? {
            return Ok(None);
        }
        let head = Head::load(&db)?;
        Ok(Some(Reader { shared: Arc::new(Shared::new(db, head, &options)) }))
    }

    /// The committed version, 0 when there is none.
    pub fn version(&self) -> u64 {
        self.shared.head().version
    }

    /// The committed version, to read.
    ///
    /// # Errors
    /// Those of reading.
    pub fn latest(&self) -> Result<View, StoreError> {
        self.at(self.version())
    }

    /// A kept version, to read.
    ///
    /// # Errors
    /// [`StoreError::NotKept`] with the window, when the version is pruned or not yet committed.
    pub fn at(&self, version: u64) -> Result<View, StoreError> {
        let head = self.shared.head();
        let pin = self.shared.window.pin(version, head.version)?;
        let root = if version == head.version { head.root } else { load_root(&self.shared.db, version)? };
        Ok(View::new(Arc::clone(&self.shared), version, root, pin))
    }

    /// The engine's transcripts of the blocks from `from` to `to`, as far as they are kept.
    ///
    /// # Errors
    /// Those of reading.
    pub fn transcripts(&self, from: u64, to: u64) -> Result<Vec<Transcript>, StoreError> {
        transcripts::read(&self.shared.db, from, to)
    }
}
