//! An application whose behaviour at each height is a script, for the server's own rules.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex},
};

use swing_core::ports::upgrade::{Decision, Plan};
use swing_node::{
    abci::{Address, Committed, ConsensusApplication, ReadApplication, Server, ServerConfig, spawn_owner},
    lifecycle::{Halt, Refusal, StopReason, StopSwitch},
};
use tendermint_proto::v0_38::abci::{
    RequestApplySnapshotChunk, RequestCheckTx, RequestFinalizeBlock, RequestInfo, RequestInitChain,
    RequestLoadSnapshotChunk, RequestOfferSnapshot, RequestPrepareProposal, RequestProcessProposal, RequestQuery,
    ResponseApplySnapshotChunk, ResponseCheckTx, ResponseCommit, ResponseFinalizeBlock, ResponseInfo,
    ResponseInitChain, ResponseListSnapshots, ResponseLoadSnapshotChunk, ResponseOfferSnapshot,
    ResponsePrepareProposal, ResponseProcessProposal, ResponseQuery,
};

/// What happens at a height.
#[derive(Clone, Debug)]
pub enum Script {
    /// FinalizeBlock waits until the gate opens.
    Wait(Arc<Gate>),
    /// FinalizeBlock meets a local fault.
    Halt,
    /// FinalizeBlock panics.
    Panic,
    /// Commit is the last one.
    StopAfterCommit,
    /// The guard in FinalizeBlock.
    Guard,
}

/// A door that a test opens.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<(bool, bool)>,
    changed: Condvar,
}

impl Gate {
    pub fn open(&self) {
        self.state.lock().expect("not poisoned").1 = true;
        self.changed.notify_all();
    }

    /// Waits until somebody stands before the door.
    pub fn wait_for_arrival(&self) {
        let state = self.state.lock().expect("not poisoned");
        drop(self.changed.wait_while(state, |(arrived, _)| !*arrived).expect("not poisoned"));
    }

    /// Stands before the door until it is open.
    pub fn pass(&self) {
        let mut state = self.state.lock().expect("not poisoned");
        state.0 = true;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |(_, open)| !*open).expect("not poisoned"));
    }
}

pub fn refusal() -> StopReason {
    let plan = Plan { name: "version-2".to_owned(), height: 8, info: String::new() };
    StopReason::Upgrade(Refusal { release: "version-1".to_owned(), height: 8, decision: Decision::Needed(plan) })
}

pub struct ScriptedRead;

impl ReadApplication for ScriptedRead {
    fn info(&self, _: RequestInfo) -> Result<ResponseInfo, StopReason> {
        Ok(ResponseInfo { data: "scripted".to_owned(), ..ResponseInfo::default() })
    }
    fn query(&self, request: RequestQuery) -> Result<ResponseQuery, StopReason> {
        match request.path.as_str() {
            "/fault" => Err(StopReason::Halt(Halt::new("the disk is gone"))),
            path => Ok(ResponseQuery { log: path.to_owned(), ..ResponseQuery::default() }),
        }
    }
    fn check_tx(&self, request: RequestCheckTx) -> Result<ResponseCheckTx, StopReason> {
        Ok(ResponseCheckTx { data: request.tx, ..ResponseCheckTx::default() })
    }
    fn list_snapshots(&self) -> Result<ResponseListSnapshots, StopReason> {
        Ok(ResponseListSnapshots::default())
    }
    fn load_snapshot_chunk(&self, _: RequestLoadSnapshotChunk) -> Result<ResponseLoadSnapshotChunk, StopReason> {
        Ok(ResponseLoadSnapshotChunk::default())
    }
}

pub struct ScriptedConsensus {
    script: BTreeMap<i64, Script>,
    height: i64,
    in_progress: bool,
}

impl ConsensusApplication for ScriptedConsensus {
    fn init_chain(&mut self, _: RequestInitChain) -> Result<ResponseInitChain, StopReason> {
        Ok(ResponseInitChain::default())
    }
    fn prepare_proposal(&mut self, request: RequestPrepareProposal) -> Result<ResponsePrepareProposal, StopReason> {
        Ok(ResponsePrepareProposal { txs: request.txs })
    }
    fn process_proposal(&mut self, _: RequestProcessProposal) -> Result<ResponseProcessProposal, StopReason> {
        Ok(ResponseProcessProposal { status: 1 })
    }
    fn finalize_block(&mut self, request: RequestFinalizeBlock) -> Result<ResponseFinalizeBlock, StopReason> {
        match self.script.get(&request.height) {
            Some(Script::Wait(gate)) => gate.pass(),
            Some(Script::Halt) => return Err(StopReason::Halt(Halt::new("the disk is gone"))),
            Some(Script::Panic) => assert!(request.height < 0, "a broken assertion"),
            Some(Script::Guard) => return Err(refusal()),
            Some(Script::StopAfterCommit) | None => {}
        }
        self.height = request.height;
        self.in_progress = true;
        let app_hash = request.height.to_be_bytes().to_vec().into();
        Ok(ResponseFinalizeBlock { app_hash, ..ResponseFinalizeBlock::default() })
    }
    fn commit(&mut self) -> Result<Committed, StopReason> {
        self.in_progress = false;
        let last = matches!(self.script.get(&self.height), Some(Script::StopAfterCommit));
        let response = ResponseCommit { retain_height: self.height };
        Ok(Committed { response, then_stop: last.then(refusal) })
    }
    fn offer_snapshot(&mut self, _: RequestOfferSnapshot) -> Result<ResponseOfferSnapshot, StopReason> {
        Ok(ResponseOfferSnapshot { result: 3 })
    }
    fn apply_snapshot_chunk(&mut self, _: RequestApplySnapshotChunk) -> Result<ResponseApplySnapshotChunk, StopReason> {
        Ok(ResponseApplySnapshotChunk::default())
    }
    fn block_in_progress(&self) -> bool {
        self.in_progress
    }
}

/// A server with a scripted application on a free unix socket.
pub struct Scripted {
    pub server: Server,
    pub switch: Arc<StopSwitch>,
    pub address: Address,
    _folder: tempfile::TempDir,
}

pub fn start(script: impl IntoIterator<Item = (i64, Script)>) -> Scripted {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let address = Address::Unix(folder.path().join("abci.sock"));
    start_at(&address, folder, script)
}

pub fn start_at(
    address: &Address,
    folder: tempfile::TempDir,
    script: impl IntoIterator<Item = (i64, Script)>,
) -> Scripted {
    let script = script.into_iter().collect();
    let switch = StopSwitch::new();
    let build = move || Ok(ScriptedConsensus { script, height: 0, in_progress: false });
    let (consensus, _thread) = spawn_owner(build, Arc::clone(&switch) as _).expect("a thread");
    let config = ServerConfig { frame_bytes_max: 100_000, connections_max: 6, ..ServerConfig::default() };
    let server =
        Server::start(address, config, Arc::new(ScriptedRead), consensus, Arc::clone(&switch) as _).expect("a server");
    Scripted { address: server.address().clone(), server, switch, _folder: folder }
}
