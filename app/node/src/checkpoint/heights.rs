//! How far the engine and this key have gone: what decides whether a rollback is possible.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use prost::Message;

use super::leveldb::{self, LevelDbError};
use crate::{
    config::Home,
    signing::{HighWater, Signed, SigningError},
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
    /// What the key has signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

/// CometBFT's databases of blocks and of its state, in the data folder.
const BLOCKS: &str = "blockstore.db";
const STATE: &str = "state.db";

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
        // CometBFT locks its databases while it runs. The locks are asked for and given back: nobody can begin between here and the
        // end of a command that holds the home's own lock, but a CometBFT of the operator's, who is told to stop it.
        let _locks = [lock(&data.join(BLOCKS).join("LOCK"))?, lock(&data.join(STATE).join("LOCK"))?];
        let solo = data.join(SOLO_FOLDER);
        let solo_blocks = if solo.is_dir() { Some(BlockStore::open(&solo)?.last_height()) } else { None };
        Heights::with_solo(home, solo_blocks.and_then(|height| u64::try_from(height).ok()))
    }

    /// The same beside an engine that runs or is about to: no lock is taken, which would stand in its way. So it may be behind by a
    /// moment. The solo engine's store is not looked into; its last block is the `committed` one or the next.
    ///
    /// # Errors
    /// [`HeightsError`]; what CometBFT changes while it is read can be one.
    pub fn glance(home: &Home, committed: u64) -> Result<Heights, HeightsError> {
        Heights::with_solo(home, home.data_folder().join(SOLO_FOLDER).is_dir().then_some(committed))
    }

    fn with_solo(home: &Home, solo_blocks: Option<u64>) -> Result<Heights, HeightsError> {
        let data = home.data_folder();
        let blocks = |bytes: &[u8]| BlockStoreHeight::decode(bytes).ok().map(|record| record.height);
        let state = |bytes: &[u8]| StateHeight::decode(bytes).ok().map(|record| record.last_block_height);
        Ok(Heights {
            comet_blocks: comet_height(&data.join(BLOCKS), b"blockStore", blocks)?,
            comet_state: comet_height(&data.join(STATE), b"stateKey", state)?,
            solo_blocks,
            signed: signed_height(home)?,
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

/// The highest of what the signing state says and what is remembered of this home's key: a state that was put back says too little.
fn signed_height(home: &Home) -> Result<Option<u64>, SigningError> {
    let state = Signed::of_home(home)?;
    let mark = HighWater::of_home(home)?.and_then(|mark| mark.signed());
    Ok(state.max(mark).map(|signed| signed.height))
}
