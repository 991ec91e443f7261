//! What the proposer's thread and the RPC server's threads share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::Value;
use tendermint_proto::v0_38::{
    abci::{
        CheckTxType, RequestCheckTx, RequestInfo, RequestQuery, ResponseCheckTx, ResponseFinalizeBlock, ResponseInfo,
        ResponseQuery,
    },
    types::{Block, ConsensusParams},
};
use tokio::sync::watch;

use super::{StoreError, genesis::Genesis, hashes, mempool::Mempool, state::DecidedBlock, store::BlockStore};
use crate::{
    abci::ReadApplication,
    lifecycle::{Halt, Lifecycle, StopReason},
    rpc::{Backend, Fault, NodeDescription, StoredBlock, TxPlace, TxProof, Unconfirmed, ValidatorPower},
};

/// The chain as both sides see it.
pub(super) struct Chain {
    pub store: BlockStore,
    pub genesis: Genesis,
    pub app: Arc<dyn ReadApplication>,
    pub node: NodeDescription,
    mempool: Mutex<Mempool>,
    heights: watch::Sender<i64>,
    lifecycle: Arc<dyn Lifecycle>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Chain {
    pub(super) fn new(
        store: BlockStore,
        genesis: Genesis,
        app: Arc<dyn ReadApplication>,
        node: NodeDescription,
        mempool: Mempool,
        lifecycle: Arc<dyn Lifecycle>,
    ) -> Self {
        let (heights, _) = watch::channel(0);
        Chain { store, genesis, app, node, mempool: Mutex::new(mempool), heights, lifecycle }
    }

    /// The mempool, for as long as the guard lives. Whoever holds it keeps CheckTx waiting.
    pub(super) fn mempool(&self) -> MutexGuard<'_, Mempool> {
        self.mempool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells waiting callers of a committed block.
    pub(super) fn announce(&self, height: i64) {
        self.heights.send_replace(height);
    }

    /// Tells the process of a fault, and the caller that there was one.
    fn fault(&self, reason: StopReason) -> Fault {
        let fault = Fault(format!("the node stops: {reason}"));
        self.lifecycle.stop(reason);
        fault
    }

    fn stored<T>(&self, outcome: Result<T, StoreError>) -> Result<T, Fault> {
        outcome.map_err(|error| self.fault(Halt::new(error.to_string()).into()))
    }

    fn answered<T>(&self, outcome: Result<T, StopReason>) -> Result<T, Fault> {
        outcome.map_err(|reason| self.fault(reason))
    }
}

impl Backend for Chain {
    fn node(&self) -> NodeDescription {
        self.node.clone()
    }

    fn heights(&self) -> watch::Receiver<i64> {
        self.heights.subscribe()
    }

    fn first_height(&self) -> i64 {
        self.store.initial_height()
    }

    fn last_height(&self) -> i64 {
        self.store.published_height()
    }

    fn block(&self, height: i64) -> Result<StoredBlock, Fault> {
        let DecidedBlock { block, commit } = self.stored(self.store.block(height))?;
        Ok(StoredBlock { block, commit })
    }

    fn results(&self, height: i64) -> Result<ResponseFinalizeBlock, Fault> {
        self.stored(self.store.results(height))
    }

    fn height_of(&self, hash: &[u8]) -> Option<i64> {
        self.store.height_of(&hash.try_into().ok()?)
    }

    fn tx_place(&self, hash: &[u8]) -> Option<TxPlace> {
        let place = self.store.tx(&hash.try_into().ok()?)?;
        Some(TxPlace { height: place.height, index: place.index })
    }

    fn tx_proof(&self, block: &Block, index: u32) -> Option<TxProof> {
        let leaves = hashes::data_leaves(&block.data.as_ref()?.txs);
        let proof = hashes::merkle_proof(&leaves, usize::try_from(index).ok()?)?;
        Some(TxProof {
            root_hash: hashes::merkle_root(&leaves).to_vec(),
            total: i64::try_from(leaves.len()).ok()?,
            leaf_hash: proof.leaf_hash.to_vec(),
            aunts: proof.aunts.iter().map(|aunt| aunt.to_vec()).collect(),
        })
    }

    fn heights_with_txs(&self) -> Vec<i64> {
        self.store.heights_with_txs()
    }

    fn validators(&self, height: i64) -> Vec<ValidatorPower> {
        vec![ValidatorPower { public_key: self.node.validator_key, power: self.store.power(height) }]
    }

    fn consensus_params(&self, height: i64) -> ConsensusParams {
        self.store.params(height)
    }

    fn genesis(&self) -> Value {
        self.genesis.doc.to_value()
    }

    fn info(&self) -> Result<ResponseInfo, Fault> {
        self.answered(self.app.info(RequestInfo::default()))
    }

    fn query(&self, request: RequestQuery) -> Result<ResponseQuery, Fault> {
        self.answered(self.app.query(request))
    }

    fn check_tx(&self, tx: Bytes) -> Result<ResponseCheckTx, Fault> {
        self.answered(self.app.check_tx(RequestCheckTx { tx, r#type: CheckTxType::New.into() }))
    }

    fn broadcast(&self, tx: Bytes) -> Result<Result<ResponseCheckTx, String>, Fault> {
        // Signatures are verified before the lock is taken, side by side with others.
        self.app.foresee(&tx);
        let added = self.mempool().add(tx, self.app.as_ref());
        Ok(self.answered(added)?.map_err(|refusal| refusal.to_string()))
    }

    fn unconfirmed(&self, count: usize) -> Unconfirmed {
        let mempool = self.mempool();
        Unconfirmed { total: mempool.len(), total_bytes: mempool.bytes(), txs: mempool.first(count) }
    }
}
