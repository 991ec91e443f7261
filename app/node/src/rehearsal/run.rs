//! The blocks of a rehearsal.

use std::path::Path;

use swing_core::{
    block::{Block, Time},
    chain,
    error::Halt,
    execute::{Flags, execute_block},
    modules::{
        swingset::{keys::PENDING_SWAP, swap},
        upgrade::state as upgrades,
    },
    ports::{
        Ports,
        upgrade::{Plan, Release},
    },
    state::{Changes, State, StateError, StateRead},
};
use swing_proto::swing::swingset::v1::PendingSwap;
use swing_store::{Store, StoreError, StoreOptions};

use super::{
    invariants,
    report::{BlockReport, Report},
};
use crate::{app::DATABASE_FOLDER, engine_adapter::SwingsetEngine, signatures::Secp256k1Verifier};

/// Empty blocks that are made after the upgrade's. They are in the digest, so the number never changes.
const BLOCKS_AFTER: u64 = 3;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The copy's database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// State that cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// The engine cannot be made on this machine.
    #[error(transparent)]
    Engine(#[from] Halt),
    /// A file of the copy.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Nothing is pending, and nothing was named.
    #[error("no upgrade plan and no kernel swap is pending at height {height}: name a plan with --plan")]
    NothingPending {
        /// The committed height.
        height: u64,
    },
    /// The release is for other plans.
    #[error("{release} cannot handle plan {plan}: rehearse it with the binary that can, by --binary")]
    CannotHandle {
        /// The release.
        release: String,
        /// The plan's name.
        plan: String,
    },
}

/// What is rehearsed.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A software upgrade.
    Plan(Plan),
    /// A kernel swap by vote.
    Swap(PendingSwap),
}

impl Target {
    /// The plan that is named, else the pending plan, else the pending swap.
    fn find(state: &dyn StateRead, height: u64, named: Option<&str>) -> Result<Self, RehearsalError> {
        let pending = upgrades::plan(state)?;
        if let Some(name) = named {
            let own = pending.filter(|plan| plan.name == name);
            let plan = own.unwrap_or_else(|| Plan { name: name.to_owned(), ..Plan::default() });
            return Ok(Target::Plan(plan));
        }
        if let Some(plan) = pending {
            return Ok(Target::Plan(plan));
        }
        let swap = swap::pending(state)?.ok_or(RehearsalError::NothingPending { height })?;
        Ok(Target::Swap(swap))
    }

    fn name(&self) -> String {
        match self {
            Target::Plan(plan) => plan.name.clone(),
            Target::Swap(swap) => {
                let ids = [&swap.kernel_bundle_id, &swap.lockdown_bundle_id, &swap.supervisor_bundle_id];
                format!("swap {}", ids.map(String::as_str).join(","))
            }
        }
    }

    /// Makes it due in block `height`.
    fn bring_forward(&self, state: &mut State<'_>, height: u64) -> Result<(), StateError> {
        match self {
            Target::Plan(plan) => upgrades::set_plan(state, &Plan { height, ..plan.clone() }),
            Target::Swap(swap) => {
                let now = PendingSwap { height: i64::try_from(height).unwrap_or(i64::MAX), ..swap.clone() };
                state.set(PENDING_SWAP, prost::Message::encode_to_vec(&now))
            }
        }
    }
}

/// The copy, and what executes blocks on it.
struct Stage {
    store: Store,
    engine: SwingsetEngine,
    release: &'static dyn Release,
    time: Time,
}

/// Rehearses on the copy in `folder`, which is this process's alone.
///
/// # Errors
/// [`RehearsalError`] where there is nothing to report; an upgrade that fails is a report.
pub fn run(folder: &Path, release: &'static dyn Release, named: Option<&str>) -> Result<Report, RehearsalError> {
    let database = folder.join(DATABASE_FOLDER);
    let bytes_before = folder_bytes(&database)?;
    let store = Store::open(&database, StoreOptions::default())?;
    let view = store.latest();
    let last = chain::last_block(&view)?;
    let target = Target::find(&view, view.version(), named)?;
    if let Target::Plan(plan) = &target
        && !release.can_handle(&plan.name)
    {
        return Err(RehearsalError::CannotHandle { release: release.name().to_owned(), plan: plan.name.clone() });
    }
    let mut report = Report {
        release: release.name().to_owned(),
        chain_id: last.chain_id.clone(),
        target: target.name(),
        height: view.version(),
        app_hash: view.root_hash().to_vec(),
        before: invariants::check(&view)?,
        ..Report::default()
    };
    drop(view);
    let mut stage = Stage { store, engine: SwingsetEngine::new()?, release, time: last.time };
    let first = report.height.saturating_add(1);
    for height in first..=first.saturating_add(BLOCKS_AFTER) {
        match stage.block(height, (height == first).then_some(&target)) {
            Ok(block) => report.blocks.push(block),
            Err(Failed::Upgrade(halt)) => {
                report.failure = Some(format!("block {height}: {halt}"));
                break;
            }
            Err(Failed::Rehearsal(error)) => return Err(error),
        }
    }
    let view = stage.store.latest();
    report.app_version = chain::last_block(&view)?.app_version;
    report.failure = report.failure.or(swap_failure(&view, &target)?);
    report.after = invariants::check(&view)?;
    drop((view, stage));
    report.growth_bytes = i64::try_from(folder_bytes(&database)?)
        .unwrap_or(i64::MAX)
        .saturating_sub(i64::try_from(bytes_before).unwrap_or(i64::MAX));
    report.memory_peak_bytes = memory_peak();
    Ok(report)
}

enum Failed {
    Upgrade(Halt),
    Rehearsal(RehearsalError),
}

impl From<StateError> for Failed {
    fn from(error: StateError) -> Self {
        Failed::Rehearsal(error.into())
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Failed::Rehearsal(error.into())
    }
}

impl Stage {
    #[expect(clippy::disallowed_types, reason = "the report's durations are measured; nothing is decided by them")]
    fn block(&mut self, height: u64, target: Option<&Target>) -> Result<BlockReport, Failed> {
        let start = std::time::Instant::now();
        let view = self.store.latest();
        let mut state = State::new(&view);
        if let Some(target) = target {
            target.bring_forward(&mut state, height)?;
        }
        let block = Block { height, time: self.time, proposer: vec![0; 20], hash: vec![0; 32], ..Block::default() };
        let signatures = Secp256k1Verifier::default();
        let mut ports = Ports { engine: &mut self.engine, signatures: &signatures, release: self.release };
        execute_block(&mut state, &block, &mut ports, &Flags::default()).map_err(Failed::Upgrade)?;
        let changes = state.into_changes();
        let mut report = touched(&view, &changes)?;
        let staged = self.store.stage(height, changes)?;
        report.height = height;
        report.app_hash = staged.root_hash().to_vec();
        self.store.commit(staged)?;
        report.duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(report)
    }
}

/// What a block's changes come to on the state before it.
fn touched(before: &dyn StateRead, changes: &Changes) -> Result<BlockReport, StateError> {
    let mut report = BlockReport::default();
    for (key, value) in changes {
        let old = before.get(key)?;
        match value {
            Some(value) if old.as_ref() != Some(value) => {
                report.keys_written = report.keys_written.saturating_add(1);
                let bytes = u64::try_from(key.len().saturating_add(value.len())).unwrap_or(u64::MAX);
                report.bytes_written = report.bytes_written.saturating_add(bytes);
            }
            None if old.is_some() => report.keys_deleted = report.keys_deleted.saturating_add(1),
            Some(_) | None => {}
        }
    }
    Ok(report)
}

/// A swap that fails leaves the chain going, and its reason in the record of swaps.
fn swap_failure(state: &dyn StateRead, target: &Target) -> Result<Option<String>, StateError> {
    let Target::Swap(wanted) = target else { return Ok(None) };
    if swap::pending(state)?.is_some() {
        return Ok(Some("the swap was not made".to_owned()));
    }
    let mut number = 0_u64;
    let mut last = None;
    while let Some(record) = swap::record(state, number.saturating_add(1))? {
        number = number.saturating_add(1);
        last = Some(record);
    }
    let kernel = |record: &swing_proto::swing::swingset::v1::SwapRecord| {
        record.swap.as_ref().is_some_and(|swap| swap.kernel_bundle_id == wanted.kernel_bundle_id)
    };
    Ok(last.filter(kernel).filter(|record| !record.reason.is_empty()).map(|record| record.reason))
}

fn folder_bytes(folder: &Path) -> std::io::Result<u64> {
    std::fs::read_dir(folder)?.try_fold(0_u64, |sum, entry| Ok(sum.saturating_add(entry?.metadata()?.len())))
}

/// `VmHWM` of this process. Source: proc(5).
fn memory_peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
