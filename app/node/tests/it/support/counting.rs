//! An application that counts: its state outlives it as a disk's does, and it fails where a test says so.

use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use swing_node::{
    abci::{Committed, ConsensusApplication, ReadApplication},
    lifecycle::{Halt, StopReason},
};
use tendermint_proto::v0_38::{
    abci::{
        Event, EventAttribute, ExecTxResult, RequestApplySnapshotChunk, RequestCheckTx, RequestFinalizeBlock,
        RequestInfo, RequestInitChain, RequestLoadSnapshotChunk, RequestOfferSnapshot, RequestPrepareProposal,
        RequestProcessProposal, RequestQuery, ResponseApplySnapshotChunk, ResponseCheckTx, ResponseCommit,
        ResponseFinalizeBlock, ResponseInfo, ResponseInitChain, ResponseListSnapshots, ResponseLoadSnapshotChunk,
        ResponseOfferSnapshot, ResponsePrepareProposal, ResponseProcessProposal, ResponseQuery, ValidatorUpdate,
    },
    types::{ConsensusParams, VersionParams},
};

use super::scripted::refusal;

/// Where the application fails or stops, once it comes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    FailInFinalize(i64),
    FailInCommit(i64),
    StopAfterCommit(i64),
}

/// What is on the application's disk.
#[derive(Debug, Default)]
pub struct Disk {
    pub height: i64,
    /// Every transaction that was executed and committed.
    pub txs: Vec<Bytes>,
}

impl Disk {
    fn hash(height: i64, count: usize) -> Vec<u8> {
        let mut hash = vec![0xAB; 16];
        hash.extend(height.to_be_bytes());
        hash.extend((count as u64).to_be_bytes());
        hash
    }
}

/// A disk that applications are opened on, one after another.
#[derive(Clone, Debug, Default)]
pub struct Counting {
    disk: Arc<Mutex<Disk>>,
    pub validators: Vec<ValidatorUpdate>,
}

impl Counting {
    pub fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().expect("not poisoned")
    }

    /// The application as a new process opens it.
    pub fn open(&self, fate: Option<Fate>) -> CountingConsensus {
        CountingConsensus { on: self.clone(), fate, staged: None }
    }
}

/// Transactions that begin so are refused by CheckTx.
pub const REFUSED: &[u8] = b"bad";
/// Transactions that begin so fail in their block.
pub const FAILING: &[u8] = b"fail";

impl ReadApplication for Counting {
    fn info(&self, _: RequestInfo) -> Result<ResponseInfo, StopReason> {
        let disk = self.disk();
        let hash = if disk.height == 0 { Vec::new() } else { Disk::hash(disk.height, disk.txs.len()) };
        Ok(ResponseInfo {
            data: "counting".to_owned(),
            version: "version-1".to_owned(),
            app_version: 0,
            last_block_height: disk.height,
            last_block_app_hash: hash.into(),
        })
    }
    fn query(&self, request: RequestQuery) -> Result<ResponseQuery, StopReason> {
        let disk = self.disk();
        let value = disk.txs.len().to_string().into_bytes();
        match request.path.as_str() {
            "/count" => Ok(ResponseQuery { value: value.into(), height: disk.height, ..ResponseQuery::default() }),
            path => Ok(ResponseQuery {
                code: 6,
                log: format!("unknown path {path:?}"),
                codespace: "sdk".to_owned(),
                ..ResponseQuery::default()
            }),
        }
    }
    fn check_tx(&self, request: RequestCheckTx) -> Result<ResponseCheckTx, StopReason> {
        // A transaction runs once.
        if request.tx.starts_with(REFUSED) || self.disk().txs.contains(&request.tx) {
            return Ok(ResponseCheckTx {
                code: 2,
                log: "refused".to_owned(),
                codespace: "sdk".to_owned(),
                ..ResponseCheckTx::default()
            });
        }
        Ok(ResponseCheckTx { gas_wanted: 10, ..ResponseCheckTx::default() })
    }
    fn list_snapshots(&self) -> Result<ResponseListSnapshots, StopReason> {
        Ok(ResponseListSnapshots::default())
    }
    fn load_snapshot_chunk(&self, _: RequestLoadSnapshotChunk) -> Result<ResponseLoadSnapshotChunk, StopReason> {
        Ok(ResponseLoadSnapshotChunk::default())
    }
}

pub struct CountingConsensus {
    on: Counting,
    fate: Option<Fate>,
    staged: Option<(i64, Vec<Bytes>)>,
}

fn crash() -> StopReason {
    StopReason::Halt(Halt::new("the machine lost power"))
}

impl ConsensusApplication for CountingConsensus {
    fn init_chain(&mut self, _: RequestInitChain) -> Result<ResponseInitChain, StopReason> {
        Ok(ResponseInitChain {
            validators: self.on.validators.clone(),
            app_hash: vec![0xCD; 32].into(),
            ..ResponseInitChain::default()
        })
    }
    fn prepare_proposal(&mut self, request: RequestPrepareProposal) -> Result<ResponsePrepareProposal, StopReason> {
        Ok(ResponsePrepareProposal { txs: request.txs })
    }
    fn process_proposal(&mut self, _: RequestProcessProposal) -> Result<ResponseProcessProposal, StopReason> {
        Ok(ResponseProcessProposal { status: 1 })
    }
    fn finalize_block(&mut self, request: RequestFinalizeBlock) -> Result<ResponseFinalizeBlock, StopReason> {
        if self.fate == Some(Fate::FailInFinalize(request.height)) {
            return Err(crash());
        }
        let count = self.on.disk().txs.len() + request.txs.len();
        let attributes = vec![EventAttribute { key: "kind".to_owned(), value: "count".to_owned(), index: true }];
        let events = vec![Event { r#type: "counted".to_owned(), attributes }];
        let result = |tx: &Bytes| ExecTxResult {
            code: u32::from(tx.starts_with(FAILING)),
            data: tx.clone(),
            gas_wanted: 10,
            gas_used: 5,
            events: events.clone(),
            ..ExecTxResult::default()
        };
        let response = ResponseFinalizeBlock {
            tx_results: request.txs.iter().map(result).collect(),
            events: events.clone(),
            app_hash: Disk::hash(request.height, count).into(),
            // As after an upgrade in block 2.
            consensus_param_updates: (request.height == 2)
                .then(|| ConsensusParams { version: Some(VersionParams { app: 9 }), ..ConsensusParams::default() }),
            ..ResponseFinalizeBlock::default()
        };
        self.staged = Some((request.height, request.txs));
        Ok(response)
    }
    fn commit(&mut self) -> Result<Committed, StopReason> {
        let (height, txs) = self.staged.take().expect("FinalizeBlock came before");
        if self.fate == Some(Fate::FailInCommit(height)) {
            return Err(crash());
        }
        let mut disk = self.on.disk();
        disk.height = height;
        disk.txs.extend(txs);
        let then_stop = (self.fate == Some(Fate::StopAfterCommit(height))).then(refusal);
        Ok(Committed { response: ResponseCommit::default(), then_stop })
    }
    fn offer_snapshot(&mut self, _: RequestOfferSnapshot) -> Result<ResponseOfferSnapshot, StopReason> {
        Ok(ResponseOfferSnapshot::default())
    }
    fn apply_snapshot_chunk(&mut self, _: RequestApplySnapshotChunk) -> Result<ResponseApplySnapshotChunk, StopReason> {
        Ok(ResponseApplySnapshotChunk::default())
    }
    fn block_in_progress(&self) -> bool {
        self.staged.is_some()
    }
}
