//! A program around the engine: one state in one file, a counter vat, and no chain.
//!
//! # Invariants
//! - Every call ends with a commit or leaves the file as it was.
//! - A run goes in turns, each committed whole. A turn is what a block is on a chain: its number is in state, so that a turn that a
//!   crash took back is done again with the same costs and hashes.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use swingset_abi::{
    kernel::{ResolutionPolicy, VatOptions},
    vat::CapData,
};
use swingset_bundles::RELEASES;
use swingset_host::{
    Controller, ControllerOptions, EngineError, EngineRuntime,
    controller::{CrankBudget, EngineView, MigrationBudget, SwapReceipt, SwingsetBundles, SwingsetConfig, VatConfig},
    env::{EnvError, Environment},
    replay::{ReplayError, ReplayReport, VatReplay},
    transcript::TranscriptRecorder,
};

use crate::{Compaction, FileEnvironment, StoreError, transcripts};

/// The static vat, and its bundle's name.
const VAT: &str = "counter";
/// Turns done. Beside the engine's keys, which begin otherwise.
const TURNS: &[u8] = b"embed/turns";
/// Promise of the last message's result.
const LAST_RESULT: &[u8] = b"embed/lastResult";
/// No block waits for a migration here: it is done within the swap, in this many slices at most.
const MIGRATION: MigrationBudget = MigrationBudget { slices_max: 1_000_000, ..MigrationBudget::IN_BAND };

/// A call failed; the file is as the last commit left it.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The state in memory.
    #[error(transparent)]
    State(#[from] EnvError),
    /// A vat's transcript.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// No release is embedded.
    #[error("no release is embedded: build with the released bundles")]
    NoRelease,
}

type Result<T> = std::result::Result<T, MachineError>;

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The cranks up to this one are about to be committed.
    Committing(u64),
    /// They are on disk.
    Committed(u64),
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It waits, or its result does.
    Pending,
    /// Its result.
    Fulfilled(CapData),
    /// Its error.
    Rejected(CapData),
}

/// What there is to show.
#[derive(Clone, Debug)]
pub struct View {
    /// Bundles, schema, cranks, and why the engine is stopped.
    pub engine: EngineView,
    /// Hash over everything that the kernel did.
    pub activity_hash: String,
    /// The last message's promise, and what became of it; unknown while the engine is stopped.
    pub last: Option<(String, Option<Outcome>)>,
    /// Bytes of the file.
    pub file_bytes: u64,
}

/// The engine on a file.
#[derive(Debug)]
pub struct Machine {
    env: FileEnvironment,
    controller: Controller,
    /// What collects transcripts, and how many bytes of them are kept.
    transcripts: Option<(TranscriptRecorder, u64)>,
}

impl Machine {
    /// Makes the first release's state with a counter vat. A file that was made before and holds nothing is taken.
    ///
    /// # Errors
    /// A state is there already; the file.
    pub fn initialize(path: &Path, compaction: Compaction, runtime: Arc<EngineRuntime>) -> Result<Machine> {
        let release = RELEASES.first().ok_or(MachineError::NoRelease)?;
        let bundles = SwingsetBundles {
            kernel: release.kernel.to_vec(),
            lockdown: release.lockdown.to_vec(),
            supervisor: release.supervisor.to_vec(),
            vats: release.vats.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect(),
        };
        let vat = VatConfig {
            name: VAT.to_owned(),
            bundle: VAT.to_owned(),
            parameters: CapData { body: "#{}".to_owned(), slots: Vec::new() },
            options: VatOptions::default(),
        };
        let env = if path.exists() {
            FileEnvironment::open(path, compaction)?
        } else {
            FileEnvironment::create(path, compaction)?
        };
        let controller = Controller::new(runtime, ControllerOptions::default());
        let mut machine = Machine { env, controller, transcripts: None };
        machine.controller.initialize_swingset(&mut machine.env, &SwingsetConfig { vats: vec![vat] }, &bundles)?;
        machine.env.commit()?;
        Ok(machine)
    }

    /// Opens a state.
    ///
    /// # Errors
    /// The file; a state that is not initialized or of another engine.
    pub fn open(path: &Path, compaction: Compaction, runtime: Arc<EngineRuntime>) -> Result<Machine> {
        let env = FileEnvironment::open(path, compaction)?;
        let controller = Controller::build(runtime, &env, ControllerOptions::default())?;
        Ok(Machine { env, controller, transcripts: None })
    }

    /// Keeps transcripts from the next turn on, the newest up to so many bytes.
    pub fn keep_transcripts(&mut self, bytes_max: u64) {
        let recorder = TranscriptRecorder::new(usize::try_from(bytes_max).unwrap_or(usize::MAX));
        self.controller.watch(Box::new(recorder.clone()));
        self.transcripts = Some((recorder, bytes_max));
    }

    /// Does once more what a vat was delivered since its start, by the transcripts, and says what differs. Writes nothing.
    ///
    /// # Errors
    /// Transcripts that do not begin with the vat's start or have a gap.
    pub fn replay(&self, vat: &str, runtime: Arc<EngineRuntime>) -> Result<ReplayReport> {
        let mut replay = VatReplay::new(runtime, &self.env, None, None)?;
        for (turn, entry) in transcripts::of_vat(&self.env, vat)? {
            replay.deliver(turn, &entry)?;
        }
        Ok(replay.report().clone())
    }

    /// Queues a message to a vat's root object; gives the promise of its result. `args` is the list of arguments in smallcaps JSON.
    ///
    /// # Errors
    /// No such vat, too large; a stopped engine; the file.
    pub fn send(&mut self, vat: &str, method: &str, args: &str) -> Result<String> {
        let args = CapData { body: format!("#{args}"), slots: Vec::new() };
        let env = &mut self.env;
        let kpid = self.controller.queue_to_vat_root(env, vat, method, args, ResolutionPolicy::Ignore {})?;
        let kpid = kpid.ok_or_else(|| EngineError::halt("the kernel made no promise for the message's result"))?;
        // The interest keeps the result until the next message takes its place.
        self.controller.kp_register_interest(env, &kpid)?;
        if let Some(before) = text(env, LAST_RESULT)? {
            self.controller.kp_release_interest(env, &before)?;
        }
        env.set(LAST_RESULT, Bytes::copy_from_slice(kpid.as_bytes()))?;
        env.commit()?;
        Ok(kpid)
    }

    /// Runs until nothing is left or the engine stops, and commits every so many cranks. Each commit is a turn, and a turn is the timer's
    /// second.
    ///
    /// # Errors
    /// The engine's own faults; the file. What was committed before stays.
    pub fn run(&mut self, cranks_per_commit: u64, announce: &mut dyn FnMut(Progress)) -> Result<()> {
        loop {
            let turn = number(&self.env, TURNS)?.saturating_add(1);
            self.controller.begin_block(&self.env, turn, turn)?;
            while self.controller.poll_timer(&mut self.env)? {}
            let summary = self.controller.run(&mut self.env, &mut CrankBudget::new(cranks_per_commit.max(1)))?;
            self.controller.end_block(&mut self.env)?;
            let over = summary.idle || summary.stopped.is_some();
            if over && summary.cranks == 0 {
                // Nothing ran, but what was found out (that the engine is stopped) is kept.
                return Ok(self.env.commit()?);
            }
            self.env.set(TURNS, Bytes::from(turn.to_string()))?;
            if let Some((recorder, bytes_max)) = &self.transcripts
                && let Some(bytes) = recorder.take()
            {
                transcripts::keep(&mut self.env, turn, bytes, *bytes_max)?;
            }
            let crank = self.controller.view(&self.env)?.crank_number;
            announce(Progress::Committing(crank));
            self.env.commit()?;
            announce(Progress::Committed(crank));
            if over {
                return Ok(());
            }
        }
    }

    /// Installs a kernel's bundle and puts it in the present kernel's place, with the migration of the schema, as one commit. Every
    /// queued message stays, and a stopped engine goes on.
    ///
    /// # Errors
    /// A bundle that is malformed, no kernel, or does not fit the state: nothing is kept; the file.
    pub fn swap_kernel(&mut self, bundle: &[u8]) -> Result<SwapReceipt> {
        let swapped = self
            .controller
            .validate_and_install_bundle(&mut self.env, bundle, None)
            .and_then(|installed| self.controller.set_kernel_bundle_id(&mut self.env, &installed.id, MIGRATION));
        match swapped {
            Ok(receipt) => {
                self.env.commit()?;
                Ok(receipt)
            }
            Err(error) => {
                self.controller.discard();
                self.env.discard()?;
                Err(error.into())
            }
        }
    }

    /// The state in short.
    ///
    /// # Errors
    /// The engine's own faults.
    pub fn show(&mut self) -> Result<View> {
        let engine = self.controller.view(&self.env)?;
        let last = match text(&self.env, LAST_RESULT)? {
            Some(kpid) if engine.stopped.is_none() => {
                let outcome = match self.controller.kp_resolution(&mut self.env, &kpid)? {
                    None => Outcome::Pending,
                    Some((false, data)) => Outcome::Fulfilled(data),
                    Some((true, data)) => Outcome::Rejected(data),
                };
                Some((kpid, Some(outcome)))
            }
            kpid => kpid.map(|kpid| (kpid, None)),
        };
        let activity_hash = self.controller.get_activityhash(&self.env)?;
        Ok(View { engine, activity_hash, last, file_bytes: self.env.file_bytes() })
    }

    /// The whole state, the engine's and this program's.
    pub fn environment(&self) -> &FileEnvironment {
        &self.env
    }
}

fn text(env: &FileEnvironment, key: &[u8]) -> Result<Option<String>> {
    Ok(env.get(key)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn number(env: &FileEnvironment, key: &[u8]) -> Result<u64> {
    Ok(text(env, key)?.and_then(|text| text.parse().ok()).unwrap_or(0))
}
