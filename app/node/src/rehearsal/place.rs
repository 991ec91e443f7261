//! Where the copies are: `data/rehearsals`, on the filesystem of the database, since they are hard links.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

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

/// The place, taken. What is in it goes with the value; what a killed one left, goes when it is taken.
#[derive(Debug)]
pub struct Place {
    folder: PathBuf,
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
    pub fn take(data_folder: &Path) -> Result<Self, PlaceError> {
        let folder = Self::folder_of(data_folder);
        fs::create_dir_all(&folder).map_err(|source| PlaceError::Io { path: folder.clone(), source })?;
        let path = folder.join(LOCK);
        let lock = File::create(&path).map_err(|source| PlaceError::Io { path: path.clone(), source })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(PlaceError::Taken { lock: path }),
            Err(TryLockError::Error(source)) => return Err(PlaceError::Io { path, source }),
        }
        let place = Place { folder, _lock: lock };
        place.clear()?;
        Ok(place)
    }

    /// The copies, as checkpoints.
    pub fn copies(&self) -> Checkpoints {
        Checkpoints::new(&self.folder)
    }

    /// The folder of the copy of this ID.
    pub fn copy(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    fn clear(&self) -> Result<(), PlaceError> {
        let io = |path: &Path| {
            let path = path.to_path_buf();
            move |source| PlaceError::Io { path, source }
        };
        for entry in fs::read_dir(&self.folder).map_err(io(&self.folder))? {
            let path = entry.map_err(io(&self.folder))?.path();
            if path.is_dir() {
                fs::remove_dir_all(&path).map_err(io(&path))?;
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
