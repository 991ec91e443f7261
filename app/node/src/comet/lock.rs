//! The lock on a home, held for as long as a node or its CometBFT runs there.

use std::fs::File;

use rustix::{
    fs::{FlockOperation, flock},
    io::{FdFlags, fcntl_setfd},
};

use super::CometError;
use crate::config::Home;

/// A held lock. It is the open file's: a child that inherits the file holds it too, until it ends.
#[derive(Debug)]
pub struct HomeLock {
    file: File,
}

impl HomeLock {
    /// Takes the lock `data/cometbft.lock` of a home, without waiting.
    ///
    /// # Errors
    /// [`CometError::HomeInUse`], or the system's refusal.
    pub fn take(home: &Home) -> Result<Self, CometError> {
        let path = home.data_folder().join("cometbft.lock");
        let opening = || format!("opening {}", path.display());
        let file = home.files().open_lock(&path).map_err(CometError::system(opening()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(HomeLock { file }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(CometError::HomeInUse { home: home.root().display().to_string(), lock: path.display().to_string() })
            }
            Err(error) => Err(CometError::system(format!("locking {}", path.display()))(error.into())),
        }
    }

    /// Lets children started from now on inherit the lock.
    pub(super) fn inherit(&self) -> Result<(), CometError> {
        fcntl_setfd(&self.file, FdFlags::empty())
            .map_err(|error| CometError::system("sharing the home's lock")(error.into()))
    }

    /// Keeps it from children again.
    pub(super) fn keep(&self) -> Result<(), CometError> {
        fcntl_setfd(&self.file, FdFlags::CLOEXEC)
            .map_err(|error| CometError::system("sharing the home's lock")(error.into()))
    }
}
