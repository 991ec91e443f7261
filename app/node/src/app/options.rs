//! What an application is opened with.

use std::{path::PathBuf, sync::Arc};

use swing_core::{ante::GasPrices, error::Halt, execute::Flags, ports::upgrade::Release};
use swing_files::{Disk, Files};
use swing_store::{StoreError, StoreOptions};
use swingset_host::{EngineRuntime, transcript::TranscriptRecorder};

use super::snapshots::SnapshotPolicy;
use crate::{
    checkpoint::CheckpointPolicy,
    killpoints::{Killpoints, NoKillpoints},
    lifecycle::Refusal,
};

/// The database's folder in the data folder.
pub const DATABASE_FOLDER: &str = "application.db";

/// Signatures remembered by default: those of a full mempool of CometBFT's default size, and a block.
const SIGNATURES_REMEMBERED: usize = 20_000;

/// What an application is opened with.
#[derive(Clone)]
pub struct AppOptions {
    /// The folder `data` of the home.
    pub data_folder: PathBuf,
    /// The running release.
    pub release: &'static dyn Release,
    /// Flags that execution looks at.
    pub flags: Flags,
    /// This node's prices of gas.
    pub gas_prices: GasPrices,
    /// How the database is opened.
    pub store: StoreOptions,
    /// Successful signature checks remembered; 0 for none.
    pub signatures_remembered: usize,
    /// Blocks that the engine keeps at least (`min-retain-blocks`); 0 keeps all.
    pub min_retain_blocks: u64,
    /// Checkpoints made before upgrades.
    pub checkpoints: CheckpointPolicy,
    /// Snapshots made for others to begin from.
    pub snapshots: SnapshotPolicy,
    /// What collects the engine's transcripts, where they are kept; the engine's own watcher is a clone of it.
    pub transcripts: Option<TranscriptRecorder>,
    /// The engine's runtime, where code that a coming block will run is to be compiled ahead in it.
    pub runtime: Option<Arc<EngineRuntime>>,
    /// The port through which files beside the database are touched.
    pub files: Arc<dyn Files>,
    /// Where a test may kill the process.
    pub killpoints: Arc<dyn Killpoints>,
}

impl AppOptions {
    /// Defaults for a release in a data folder.
    pub fn new(data_folder: impl Into<PathBuf>, release: &'static dyn Release) -> Self {
        let data_folder = data_folder.into();
        AppOptions {
            checkpoints: CheckpointPolicy::new(&data_folder),
            snapshots: SnapshotPolicy::new(&data_folder),
            data_folder,
            release,
            flags: Flags::default(),
            gas_prices: GasPrices::default(),
            store: StoreOptions::default(),
            signatures_remembered: SIGNATURES_REMEMBERED,
            min_retain_blocks: 0,
            transcripts: None,
            runtime: None,
            files: Arc::new(Disk),
            killpoints: Arc::new(NoKillpoints),
        }
    }
}

impl std::fmt::Debug for AppOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppOptions")
            .field("data_folder", &self.data_folder)
            .field("release", &self.release.name())
            .finish_non_exhaustive()
    }
}

/// Why an application could not be opened. No port is open then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The upgrade decision.
    #[error("{0}")]
    Refused(Refusal),
    /// A local fault.
    #[error(transparent)]
    Halt(#[from] Halt),
}
