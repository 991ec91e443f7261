//! Putting a checkpoint in the database's place.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use swing_files::{Files, folder_of};

use super::{CheckpointError, Checkpoints, Manifest, files, verify::quick};
use crate::db;

/// A checkpoint's database, linked beside the one whose place it is to take, and opened once. Until it is put in place nothing has
/// changed; dropping it leaves what the next one removes.
#[derive(Debug)]
pub struct Prepared {
    manifest: Manifest,
    database: PathBuf,
    restoring: PathBuf,
    present: bool,
    files: Arc<dyn Files>,
    /// The locks on both databases: no node starts on either before this is over.
    locks: Vec<db::FolderLock>,
}

/// A database that was put back.
#[derive(Debug)]
pub struct Restored {
    /// The checkpoint that it is.
    pub manifest: Manifest,
    /// The database that stood there before, kept until the next one is restored; none where there was none.
    pub replaced: Option<PathBuf>,
    _locks: Vec<db::FolderLock>,
}

impl Checkpoints {
    /// Makes ready to put a checkpoint in the place of the database in the folder `database`, which no process may have open.
    ///
    /// # Errors
    /// [`crate::StoreError::Locked`] where a node runs; else [`CheckpointError`].
    pub fn prepare(&self, id: &str, database: &Path) -> Result<Prepared, CheckpointError> {
        let manifest = self.find(id)?;
        let restoring = beside(database, "restoring");
        let (port, io) = (self.files(), CheckpointError::io);
        // A folder, or the link to one on another volume.
        let present = port.kind(database).map_err(io(database))?.is_some();
        let mut locks = Vec::new();
        if present {
            locks.push(db::lock(port, database)?);
        }
        port.remove(&restoring).map_err(io(&restoring))?;
        files::link_database(port, &self.database(&manifest), &restoring).map_err(io(&restoring))?;
        quick(&restoring, &manifest)?;
        locks.push(db::lock(port, &restoring)?);
        let (database, files) = (database.to_path_buf(), self.shared_files());
        Ok(Prepared { manifest, database, restoring, present, files, locks })
    }
}

impl Checkpoints {
    /// Links a checkpoint's database into the folder `to`, which must not exist: a database of its own, to be written to.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn copy_database(&self, id: &str, to: &Path) -> Result<Manifest, CheckpointError> {
        let manifest = self.find(id)?;
        files::link_database(self.files(), &self.database(&manifest), to).map_err(CheckpointError::io(to))?;
        quick(to, &manifest)?;
        Ok(manifest)
    }
}

impl Prepared {
    /// Puts it in place. The checkpoint stays; what stood there is moved aside.
    ///
    /// # Errors
    /// [`CheckpointError`]. The database is as it was, unless the error comes from moving aside what was replaced.
    pub fn put_in_place(self) -> Result<Restored, CheckpointError> {
        let Prepared { manifest, database, restoring, present, files, locks } = self;
        let (above, io) = (folder_of(&database), CheckpointError::io);
        if !present {
            files.rename(&restoring, &database).map_err(io(&database))?;
            files.sync_folder(above).map_err(io(above))?;
            return Ok(Restored { manifest, replaced: None, _locks: locks });
        }
        let replaced = beside(&database, "replaced");
        files.remove(&replaced).map_err(io(&replaced))?;
        files.exchange(&restoring, &database).map_err(|error| match error.kind() {
            io::ErrorKind::Unsupported => CheckpointError::NoExchange { path: database.clone() },
            _ => io(&database)(error),
        })?;
        files.sync_folder(above).map_err(io(above))?;
        files.rename(&restoring, &replaced).map_err(io(&replaced))?;
        files.sync_folder(above).map_err(io(above))?;
        Ok(Restored { manifest, replaced: Some(replaced), _locks: locks })
    }
}

fn beside(database: &Path, what: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}
