//! Where the copies are: `data/rehearsals`, on the filesystem of the database, since they are hard links.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use swing_files::{Files, Kind};
use swing_store::checkpoint::Checkpoints;

/// The folder in the data folder.
const FOLDER: &str = "rehearsals";
/// The lock in it, held while one is rehearsing.
const LOCK: &str = "lock";

/// Why there is no place to rehearse at.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Another rehearsal runs on this home.
    #[error("another rehearsal runs on this home ({lock} is locked): wait for its end")]
    Taken {
        /// The lock.
        lock: PathBuf,
    },
    /// A file or folder.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

fn io(path: &Path) -> impl FnOnce(io::Error) -> PlaceError {
    let path = path.to_path_buf();
    move |source| PlaceError::Io { path, source }
}

/// The place, taken. What is in it goes with the value; what a killed one left, goes when it is taken.
#[derive(Debug)]
pub struct Place {
    folder: PathBuf,
    files: Arc<dyn Files>,
    _lock: File,
}

impl Place {
    /// The folder of copies of a data folder.
    pub fn folder_of(data_folder: &Path) -> PathBuf {
        data_folder.join(FOLDER)
    }

    /// Takes the place in a data folder.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn take(files: &Arc<dyn Files>, data_folder: &Path) -> Result<Self, PlaceError> {
        let folder = Self::folder_of(data_folder);
        files.make_folder(&folder).map_err(io(&folder))?;
        let path = folder.join(LOCK);
        let lock = files.open_lock(&path).map_err(io(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PlaceError::Taken { lock: path }),
            Err(TryLockError::Error(source)) => return Err(PlaceError::Io { path, source }),
        }
        let place = Place { folder, files: Arc::clone(files), _lock: lock };
        place.clear()?;
        Ok(place)
    }

    /// The copies, as checkpoints.
    pub fn copies(&self) -> Checkpoints {
        Checkpoints::through(Arc::clone(&self.files), &self.folder)
    }

    /// The folder of the copy of this ID.
    pub fn copy(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    fn clear(&self) -> Result<(), PlaceError> {
        for name in self.files.list(&self.folder).map_err(io(&self.folder))? {
            let path = self.folder.join(name);
            if self.files.kind(&path).map_err(io(&path))? == Some(Kind::Folder) {
                self.files.remove(&path).map_err(io(&path))?;
            }
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            tracing::warn!(%error, "the rehearsal's copy was not removed; the next rehearsal removes it");
        }
    }
}
