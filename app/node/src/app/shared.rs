//! What the reading half and the consensus half share.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bytes::Bytes;
use swing_core::{
    chain,
    error::Halt,
    modules::{
        swingset::swap,
        upgrade::{self, preblock},
    },
    ports::upgrade::Decision,
    state::StateError,
    tx::signature_checks,
};
use swing_proto::swing::swingset::v1::PendingSwap;
use swing_store::{Store, checkpoint::Checkpoints};

use super::{
    AppOptions, DATABASE_FOLDER,
    committed::{Committed, fault},
    mempool::Mempool,
    snapshots::SnapshotKeeper,
};
use crate::{
    checkpoint::{Keeper, Kept, Requests, words},
    control::CopyMaker,
    engine_adapter::Ahead,
    lifecycle::{Refusal, refusal_of},
    rehearsal::Place,
    signatures::{AheadVerifier, Checks},
};

/// What the halves share.
pub(super) struct Shared {
    pub options: AppOptions,
    /// Before the store, whose views it may hold: it is dropped first.
    pub signatures: AheadVerifier,
    pub store: Store,
    pub keeper: Keeper,
    /// Compiles what coming blocks will run.
    pub ahead: Ahead,
    pub requests: Requests,
    pub snapshots: SnapshotKeeper,
    committed: RwLock<Arc<Committed>>,
    mempool: Mutex<Mempool>,
    /// Asks for signature checks on the committed version.
    checks: RwLock<Option<Checks>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("store", &self.store).field("mempool", &self.mempool).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(options: AppOptions, store: Store) -> Result<Self, Halt> {
        let committed = Committed::load(&store)?;
        Ok(Shared {
            ahead: Ahead::new(options.runtime.clone()),
            keeper: Keeper::new(&options.checkpoints, &options.files),
            requests: Requests::default(),
            signatures: AheadVerifier::new(options.signatures_remembered),
            snapshots: SnapshotKeeper::new(&options.snapshots, &options.files, committed.height),
            mempool: Mutex::new(Mempool::new(&committed)),
            checks: RwLock::new(checks_on(&committed)),
            committed: RwLock::new(Arc::new(committed)),
            options,
            store,
        })
    }

    /// The committed version of this moment.
    pub(super) fn committed(&self) -> Arc<Committed> {
        Arc::clone(&self.committed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a version the one that all read paths see.
    pub(super) fn publish(&self, committed: Committed) {
        let mempool = Mempool::new(&committed);
        *self.checks.write().unwrap_or_else(PoisonError::into_inner) = checks_on(&committed);
        *self.committed.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(committed);
        *self.mempool.lock().unwrap_or_else(PoisonError::into_inner) = mempool;
    }

    /// Works on the mempool's state.
    pub(super) fn with_mempool<T>(&self, work: impl FnOnce(&mut Mempool) -> T) -> T {
        work(&mut self.mempool.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The decision about the block after `committed`. None is taken where there is no chain yet.
    pub(super) fn decide_next(&self, committed: &Committed) -> Result<Option<(u64, Decision)>, Halt> {
        if !committed.has_chain() {
            return Ok(None);
        }
        let height = committed.height.saturating_add(1);
        let overlay = committed.overlay();
        let release = self.options.release;
        let decision = preblock::decide(&overlay, height, release, &self.options.flags.skip_heights).map_err(fault)?;
        Ok(Some((height, decision)))
    }

    /// Sees to the checkpoint before a block that replaces something: made when that block is the one after `committed`, made ready
    /// for before. Returns when it is made, so that nothing of the next block is written before.
    pub(super) fn keep_checkpoint(&self, committed: &Committed, decision: &Decision) -> Result<(), Halt> {
        if committed.height == 0 {
            return Ok(());
        }
        let chain_id = chain::id(&committed.view).map_err(fault)?;
        let kept = self.kept(committed, &chain_id);
        self.requests.serve(&self.store, &self.options.files, &kept);
        let pending = swap::pending(&committed.view).map_err(fault)?;
        let swap = pending.as_ref().and_then(|swap| u64::try_from(swap.height).ok());
        let next = committed.height.saturating_add(1);
        // A plan that is skipped counts: who skips it alone has to come back.
        let due = matches!(decision, Decision::Needed(_) | Decision::Apply(_) | Decision::Skip(_))
            || swap.is_some_and(|height| height <= next);
        if due {
            self.keeper.make(&self.store, &kept, self.options.killpoints.as_ref());
            return Ok(());
        }
        let plan = upgrade::state::plan(&committed.view).map_err(fault)?.map(|plan| plan.height);
        self.compile_ahead(committed, pending.as_ref(), plan.is_some()).map_err(fault)?;
        if let Some(target) = [plan, swap].into_iter().flatten().filter(|height| *height > next).min() {
            let database = self.options.data_folder.join(DATABASE_FOLDER);
            self.keeper.arm(&self.store, &database, committed.height, target);
        }
        Ok(())
    }

    /// Begins to compile what a decided swap, or a plan that this release carries out, will run.
    fn compile_ahead(&self, committed: &Committed, swap: Option<&PendingSwap>, plan: bool) -> Result<(), StateError> {
        if let Some(swap) = swap {
            self.ahead.compile_installed(&committed.view, &swap.kernel_bundle_id)?;
            self.ahead.compile_installed(&committed.view, &swap.supervisor_bundle_id)?;
        }
        if plan && self.options.release.app_version() > committed.app_version {
            self.ahead.compile_release(self.options.release);
        }
        Ok(())
    }

    fn kept<'a>(&self, committed: &'a Committed, chain_id: &'a str) -> Kept<'a> {
        Kept {
            height: committed.height,
            app_hash: &committed.app_hash,
            app_version: committed.app_version,
            chain_id,
            release: self.options.release.name(),
        }
    }

    /// Why this release may not execute the block after `committed`, if it may not.
    pub(super) fn refusal(&self, committed: &Committed) -> Result<Option<Refusal>, Halt> {
        let decided = self.decide_next(committed)?;
        Ok(decided.and_then(|(height, decision)| refusal_of(self.options.release, height, decision)))
    }

    /// Has a transaction decoded and its signatures checked ahead of its turn, if a thread has time for it.
    pub(super) fn foresee(&self, tx: &Bytes) {
        self.signatures.foresee(tx, self.checks.read().unwrap_or_else(PoisonError::into_inner).as_ref());
    }
}

/// What asks for a transaction's signature checks, as far as a committed version tells which they are. A fault met there is met
/// again, and told, by whoever asks for the answer.
fn checks_on(committed: &Committed) -> Option<Checks> {
    // Before the first commit the accounts are in no version that can be shared between threads.
    if committed.height == 0 {
        return None;
    }
    let view = committed.view.clone();
    let chain_id = swing_core::chain::id(&view).ok()?;
    Some(Arc::new(move |tx, verifier| {
        for check in signature_checks(&view, &chain_id, tx).unwrap_or_default() {
            check.verify(verifier);
        }
    }))
}

impl CopyMaker for Shared {
    fn make_copy(&self, at_height: Option<u64>, waiting: &mut dyn FnMut(u64)) -> Result<String, String> {
        let folder = Place::folder_of(&self.options.data_folder);
        let request =
            at_height.and_then(|height| self.requests.add(height, folder.clone(), || self.committed().height));
        let made = match request {
            Some((committed, made)) => {
                waiting(committed);
                made.recv().map_err(|_| "the node is stopping".to_owned())?
            }
            None => {
                let committed = self.committed();
                let chain_id = chain::id(&committed.view).map_err(|error| error.to_string())?;
                self.store
                    .checkpoint(
                        &Checkpoints::through(Arc::clone(&self.options.files), &folder),
                        self.kept(&committed, &chain_id).label(),
                    )
                    .map_err(words)
            }
        }?;
        match at_height {
            Some(height) if height != made.height => {
                Err(format!("height {height} is past, {} is committed", made.height))
            }
            _ => Ok(made.id),
        }
    }
}
