//! What the reading half and the consensus half share.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use swing_core::{
    chain,
    error::Halt,
    modules::upgrade::{self, preblock},
    ports::upgrade::Decision,
    tx::signature_checks,
};
use swing_store::Store;

use super::{
    AppOptions, DATABASE_FOLDER,
    committed::{Committed, fault},
    mempool::Mempool,
    snapshots::SnapshotKeeper,
};
use crate::{
    checkpoint::{Keeper, Kept},
    lifecycle::{Refusal, refusal_of},
    signatures::RememberingVerifier,
};

/// What the halves share.
#[derive(Debug)]
pub(super) struct Shared {
    pub options: AppOptions,
    pub store: Store,
    pub signatures: RememberingVerifier,
    pub keeper: Keeper,
    pub snapshots: SnapshotKeeper,
    committed: RwLock<Arc<Committed>>,
    mempool: Mutex<Mempool>,
}

impl Shared {
    pub(super) fn new(options: AppOptions, store: Store) -> Result<Self, Halt> {
        let committed = Committed::load(&store)?;
        Ok(Shared {
            keeper: Keeper::new(&options.checkpoints),
            snapshots: SnapshotKeeper::new(&options.snapshots, committed.height),
            signatures: RememberingVerifier::new(options.signatures_remembered),
            mempool: Mutex::new(Mempool::new(&committed)),
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

    /// Sees to the checkpoint before an upgrade: made when the block after `committed` is the upgrade's, made ready for some
    /// blocks before. Returns when it is made, so that nothing of the next block is written before.
    pub(super) fn keep_checkpoint(&self, committed: &Committed, decision: &Decision) -> Result<(), Halt> {
        if committed.height == 0 {
            return Ok(());
        }
        if let Some(plan) = upgrade::state::plan(&committed.view).map_err(fault)? {
            let database = self.options.data_folder.join(DATABASE_FOLDER);
            self.keeper.arm(&self.store, &database, committed.height, plan.height);
        }
        let kept = Kept {
            height: committed.height,
            app_hash: &committed.app_hash,
            app_version: committed.app_version,
            chain_id: &chain::id(&committed.view).map_err(fault)?,
            release: self.options.release.name(),
        };
        self.keeper.before(&self.store, &kept, decision);
        Ok(())
    }

    /// Why this release may not execute the block after `committed`, if it may not.
    pub(super) fn refusal(&self, committed: &Committed) -> Result<Option<Refusal>, Halt> {
        let decided = self.decide_next(committed)?;
        Ok(decided.and_then(|(height, decision)| refusal_of(self.options.release, height, decision)))
    }

    /// Checks the signatures of one transaction, as far as committed state tells which they are, so that they are remembered. A
    /// fault met here is met again, and told, by whoever asks for the answer.
    pub(super) fn verify_ahead(&self, committed: &Committed, tx: &[u8]) {
        // Before the first commit the accounts are in no version that can be shared between threads.
        if committed.height == 0 {
            return;
        }
        let checks = swing_core::chain::id(&committed.view)
            .and_then(|chain_id| signature_checks(&committed.view, &chain_id, tx))
            .unwrap_or_default();
        for check in &checks {
            check.verify(&self.signatures);
        }
    }
}
