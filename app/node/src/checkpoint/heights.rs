//! How far the engine and this key have gone: what decides whether a rollback is possible.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use prost::Message;

use super::leveldb::{self, LevelDbError};
use crate::{
    config::Home,
    solo::{BlockStore, SOLO_FOLDER},
};

/// Why the heights could not be had.
#[derive(Debug, thiserror::Error)]
pub enum HeightsError {
    /// CometBFT runs.
    #[error("CometBFT runs on this home (lock {lock}): stop it first")]
    CometRuns {
        /// The lock that it holds.
        lock: PathBuf,
    },
    /// A database of CometBFT's cannot be read.
    #[error("CometBFT's data: {0}")]
    LevelDb(#[from] LevelDbError),
    /// A record of CometBFT's is not what it should be.
    #[error("{database}: {what}")]
    Record {
        /// The database.
        database: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// The solo engine's store.
    #[error(transparent)]
    Solo(#[from] crate::solo::StoreError),
    /// A file.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file of the signing state is not one.
    #[error("{path}: {reason}")]
    SigningState {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Heights of what is on this home; none where there is no such thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heights {
    /// CometBFT's last stored block.
    pub comet_blocks: Option<u64>,
    /// The last block in CometBFT's state.
    pub comet_state: Option<u64>,
    /// The solo engine's last stored block.
    pub solo_blocks: Option<u64>,
    /// The last height at which this home's key has signed.
    pub signed: Option<u64>,
}

/// CometBFT's `BlockStoreState`, as far as it is of use here.
#[derive(Clone, PartialEq, Message)]
struct BlockStoreHeight {
    #[prost(int64, tag = "2")]
    height: i64,
}

/// CometBFT's `State`, as far as it is of use here.
#[derive(Clone, PartialEq, Message)]
struct StateHeight {
    #[prost(int64, tag = "3")]
    last_block_height: i64,
}

impl Heights {
    /// Reads them. Nothing of CometBFT's is changed.
    ///
    /// # Errors
    /// [`HeightsError`].
    pub fn read(home: &Home) -> Result<Heights, HeightsError> {
        let data = home.data_folder();
        let blocks = |bytes: &[u8]| BlockStoreHeight::decode(bytes).ok().map(|record| record.height);
        let state = |bytes: &[u8]| StateHeight::decode(bytes).ok().map(|record| record.last_block_height);
        let solo = data.join(SOLO_FOLDER);
        let solo_blocks = if solo.is_dir() { Some(BlockStore::open(&solo)?.last_height()) } else { None };
        Ok(Heights {
            comet_blocks: comet_height(&data.join("blockstore.db"), b"blockStore", blocks)?,
            comet_state: comet_height(&data.join("state.db"), b"stateKey", state)?,
            solo_blocks: solo_blocks.and_then(|height| u64::try_from(height).ok()),
            signed: signed_height(&home.priv_validator_state())?,
        })
    }
}

fn comet_height(
    database: &Path,
    key: &[u8],
    decode: impl FnOnce(&[u8]) -> Option<i64>,
) -> Result<Option<u64>, HeightsError> {
    if !database.join("CURRENT").exists() {
        return Ok(None);
    }
    // CometBFT locks its databases while it runs. The lock is asked for and given back: nobody can begin between here and the end
    // of a command that holds the home's own lock, but a CometBFT of the operator's, who is told to stop it.
    let _lock = lock(&database.join("LOCK"))?;
    let damaged = |what| HeightsError::Record { database: database.to_path_buf(), what };
    match leveldb::get(database, key)? {
        // Made, and nothing written yet.
        None => Ok(Some(0)),
        Some(record) => {
            let height = decode(&record).ok_or_else(|| damaged("the record of its height is not one"))?;
            Ok(Some(u64::try_from(height).map_err(|_| damaged("its height is negative"))?))
        }
    }
}

fn lock(path: &Path) -> Result<Option<File>, HeightsError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(HeightsError::Io { path: path.to_path_buf(), source }),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(HeightsError::CometRuns { lock: path.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(HeightsError::Io { path: path.to_path_buf(), source }),
    }
}

/// The height in `priv_validator_state.json`.
fn signed_height(path: &Path) -> Result<Option<u64>, HeightsError> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|source| HeightsError::Io { path: path.to_path_buf(), source })?,
    };
    let wrong = |reason: String| HeightsError::SigningState { path: path.to_path_buf(), reason };
    let state: serde_json::Value = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    let height = state
        .get("height")
        .and_then(|height| height.as_str().map_or_else(|| height.as_u64(), |text| text.parse().ok()));
    height.map(Some).ok_or_else(|| wrong("it has no height".to_owned()))
}
