//! The application behind ABCI, on a real store and engine.

use std::sync::Arc;

use swing_core::{error::Halt, execute::Flags, ports::upgrade::Plan};
use swing_node::{
    abci::ReadApplication,
    app::{AppOptions, NodeApp, OpenError, PROOF_TYPE},
    engine_adapter::SwingsetEngine,
    killpoints::{Killpoint, Killpoints},
    lifecycle::{ExitCode, StopReason},
    releases,
};
use tendermint_proto::v0_38::{
    abci::{CheckTxType, RequestCheckTx, RequestPrepareProposal, RequestProcessProposal, RequestQuery, ResponseQuery},
    types::{ConsensusParams, VersionParams},
};

use crate::support::{
    genesis::{Account, accounts, block, init_chain},
    planned::{schedule, schedule_with},
    scripted::Gate,
};

fn open(folder: &std::path::Path, release: &str) -> Result<NodeApp, OpenError> {
    let release = releases::release(release).expect("a release");
    let engine = SwingsetEngine::new().expect("an engine");
    NodeApp::open(AppOptions::new(folder, release), Box::new(engine))
}

/// A chain of version-1 with `count` accounts and one block.
fn chain(folder: &std::path::Path, count: u64) -> (NodeApp, Vec<Account>) {
    let mut app = open(folder, "version-1").expect("a new home");
    let accounts = accounts(count);
    app.init_chain(init_chain(&accounts)).expect("a good genesis");
    run_block(&mut app, 1, Vec::new());
    (app, accounts)
}

/// Executes and commits; gives the app hash that FinalizeBlock told, and the codes.
#[track_caller]
fn run_block(app: &mut NodeApp, height: u64, txs: Vec<Vec<u8>>) -> (Vec<u8>, Vec<u32>) {
    let response = app.finalize_block(block(height, txs)).expect("executed");
    app.commit().expect("committed");
    (response.app_hash.to_vec(), response.tx_results.iter().map(|result| result.code).collect())
}

fn check(app: &NodeApp, tx: &[u8], kind: CheckTxType) -> u32 {
    let request = RequestCheckTx { tx: tx.to_vec().into(), r#type: kind.into() };
    app.check_tx(request).expect("no fault").code
}

fn query(app: &NodeApp, path: &str, data: &[u8], height: i64, prove: bool) -> ResponseQuery {
    let request = RequestQuery { data: data.to_vec().into(), path: path.to_owned(), height, prove };
    app.query(request).expect("no fault")
}

#[test]
fn several_transactions_of_one_account_pass_the_mempool_and_are_rechecked_after_a_block() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut app, mut accounts) = chain(folder.path(), 2);
    let to = accounts[1].address();
    let txs: Vec<_> = (0..3).map(|_| accounts[0].send(&to, 5)).collect();
    for tx in &txs {
        assert_eq!(check(&app, tx, CheckTxType::New), 0);
    }
    assert_eq!(check(&app, &txs[0], CheckTxType::New), 32, "its sequence is used up");
    let (_, codes) = run_block(&mut app, 2, vec![txs[0].clone()]);
    assert_eq!(codes, [0]);
    assert_eq!(check(&app, &txs[0], CheckTxType::Recheck), 32, "it is in a block");
    assert_eq!(check(&app, &txs[2], CheckTxType::Recheck), 32, "not before the one between");
    assert_eq!(check(&app, &txs[1], CheckTxType::Recheck), 0);
    assert_eq!(check(&app, &txs[2], CheckTxType::Recheck), 0);
    assert_ne!(check(&app, b"no transaction", CheckTxType::New), 0);
}

#[test]
fn a_finalized_block_is_seen_by_nobody_before_its_commit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut app, mut accounts) = chain(folder.path(), 2);
    let to = accounts[1].address();
    let before = app.info().expect("no fault");
    let tx = accounts[0].send(&to, 5);
    let staged = app.finalize_block(block(2, vec![tx.clone()])).expect("executed").app_hash;
    assert_eq!(app.info().expect("no fault"), before);
    assert_eq!(check(&app, &tx, CheckTxType::New), 0, "its sequence is not used up yet");
    app.commit().expect("committed");
    let after = app.info().expect("no fault");
    assert_eq!((after.last_block_height, &after.last_block_app_hash), (2, &staged));
    assert_ne!(after.last_block_app_hash, before.last_block_app_hash);
}

/// Holds the thread that executes block 2 where it has executed it and not answered.
struct HeldInBlock2(Arc<Gate>);

impl Killpoints for HeldInBlock2 {
    fn reach(&self, point: Killpoint, height: u64) {
        if (point, height) == (Killpoint::AfterFinalize, 2) {
            self.0.pass();
        }
    }
}

#[test]
fn a_block_being_executed_delays_neither_check_tx_nor_queries_nor_info() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let gate = Arc::new(Gate::default());
    let release = releases::release("version-1").expect("a release");
    let killpoints = Arc::new(HeldInBlock2(Arc::clone(&gate)));
    let options = AppOptions { killpoints, ..AppOptions::new(folder.path(), release) };
    let engine = Box::new(SwingsetEngine::new().expect("an engine"));
    let mut app = NodeApp::open(options, engine).expect("a new home");
    let mut accounts = accounts(2);
    app.init_chain(init_chain(&accounts)).expect("a good genesis");
    run_block(&mut app, 1, Vec::new());
    let (to, read) = (accounts[1].address(), app.read());
    let tx = accounts[0].send(&to, 5);
    std::thread::scope(|scope| {
        let (read, tx, gate) = (&read, &tx, OpensWhenDropped(&gate));
        scope.spawn(move || {
            let gate = gate;
            gate.0.wait_for_arrival();
            // These would never come back if one of them waited for the block.
            let request = RequestCheckTx { tx: tx.clone().into(), r#type: CheckTxType::New.into() };
            assert_eq!(read.check_tx(request).expect("no fault").code, 0);
            let path = "/store/chain/key".to_owned();
            let answer = read.query(RequestQuery { path, data: "id".into(), prove: true, ..<_>::default() });
            let answer = answer.expect("no fault");
            assert_eq!((answer.code, answer.height), (0, 1));
            assert_eq!(read.info(<_>::default()).expect("no fault").last_block_height, 1);
        });
        assert_eq!(run_block(&mut app, 2, vec![tx.clone()]).1, [0]);
    });
}

/// Opens the gate also when a test fails before it does so itself.
struct OpensWhenDropped<'a>(&'a Gate);

impl Drop for OpensWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.open();
    }
}

#[test]
fn a_block_executed_again_or_after_a_restart_gives_the_same_hash() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut app, mut accounts) = chain(folder.path(), 2);
    let to = accounts[1].address();
    let request = block(2, vec![accounts[0].send(&to, 5)]);
    let first = app.finalize_block(request.clone()).expect("executed");
    let again = app.finalize_block(request.clone()).expect("executed again");
    assert_eq!(first, again);
    drop(app);
    let mut app = open(folder.path(), "version-1").expect("the home of before");
    assert_eq!(app.info().expect("no fault").last_block_height, 1, "nothing was committed");
    assert_eq!(app.finalize_block(request).expect("executed"), first);
}

#[test]
fn init_chain_always_names_the_app_version_and_info_tells_the_committed_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut app = open(folder.path(), "version-2").expect("a new home");
    assert_eq!(app.info().expect("no fault").app_version, 0);
    let response = app.init_chain(init_chain(&accounts(1))).expect("a good genesis");
    let params = response.consensus_params.expect("parameters");
    assert_eq!(params.version.expect("a version").app, 1, "genesis's, not the binary's");
    assert_eq!(response.validators.len(), 1);
    run_block(&mut app, 1, Vec::new());
    assert_eq!(app.info().expect("no fault").app_version, 1);
}

#[test]
fn the_header_of_a_plans_height_is_marked_in_the_block_before_and_a_skip_sets_it_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut app = open(folder.path(), "version-2").expect("a new home");
    let mut genesis = init_chain(&accounts(1));
    genesis.consensus_params.as_mut().expect("there").version = Some(VersionParams { app: 2 });
    app.init_chain(genesis).expect("a good genesis");
    run_block(&mut app, 1, Vec::new());
    drop(app);
    let plan = Plan { name: "version-9".to_owned(), height: 5, info: r#"{"app_version":"9"}"#.to_owned() };
    schedule_with(folder.path(), 2, plan);
    let options = AppOptions {
        flags: Flags { skip_heights: vec![5] },
        ..AppOptions::new(folder.path(), releases::release("version-2").expect("a release"))
    };
    let mut app = NodeApp::open(options, Box::new(SwingsetEngine::new().expect("an engine"))).expect("this home");
    for (height, told, header) in [(3, None, 2), (4, Some(9), 9), (5, Some(2), 2), (6, None, 2)] {
        let update = app.finalize_block(block(height, Vec::new())).expect("executed").consensus_param_updates;
        let complete = |params: &ConsensusParams| params.block.is_some() && params.evidence.is_some();
        assert!(update.as_ref().is_none_or(complete), "CometBFT takes the parameters: {update:?}");
        let update = update.map(|params| params.version.expect("a version").app);
        app.commit().expect("committed");
        let info = app.info().expect("no fault").app_version;
        assert_eq!((update, info), (told, header), "block {height} tells of {}, and Info is asked then", height + 1);
        assert_eq!(app.read().committed().app_version, 2, "the rules stay");
    }
}

#[test]
fn a_genesis_that_cannot_be_used_says_why_and_is_no_fault_of_the_machine() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut app = open(folder.path(), "version-1").expect("a new home");
    let mut request = init_chain(&accounts(1));
    request.app_state_bytes = br#"{"wasm":{}}"#.to_vec().into();
    let reason = app.init_chain(request).expect_err("an unknown section");
    assert_eq!(reason.exit_code(), ExitCode::Failed);
    assert!(reason.to_string().contains("app_state.wasm"), "{reason}");
}

#[test]
fn blocks_out_of_order_are_a_fault_and_not_an_answer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut app, _) = chain(folder.path(), 1);
    for height in [1, 3] {
        let reason = app.finalize_block(block(height, Vec::new())).expect_err("not the next block");
        assert!(matches!(&reason, StopReason::Halt(Halt { reason }) if reason.contains("2 was expected")), "{reason}");
    }
    assert!(matches!(app.commit(), Err(StopReason::Halt(_))), "nothing is staged");
}

/// The response's code, and part of its log.
#[track_caller]
fn check_refused_query(app: &NodeApp, path: &str, height: i64, code: u32, expected: &str) {
    let response = query(app, path, b"", height, false);
    assert_eq!(response.code, code, "{path}: {}", response.log);
    assert!(response.log.contains(expected), "{path}: {}", response.log);
}

#[test]
fn queries_that_cannot_be_answered_say_why() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = open(folder.path(), "version-1").expect("a new home");
    check_refused_query(&app, "/cosmos.bank.v1beta1.Query/Params", 0, 18, "wait for first block");
    drop(app);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (app, _) = chain(folder.path(), 1);
    check_refused_query(&app, "", 0, 6, "unknown query path");
    check_refused_query(&app, "/nothing/here", 0, 6, "unknown query path");
    check_refused_query(&app, "/store/bank/subspace", 0, 6, "/store/<name>/key is served");
    check_refused_query(&app, "/cosmos.bank.v1beta1.Query/Nothing", 0, 6, "unknown query path");
    check_refused_query(&app, "/cosmos.bank.v1beta1.Query/Params", 2, 18, "latest height: 1");
    check_refused_query(&app, "/cosmos.bank.v1beta1.Query/Params", -1, 18, "0 or more expected");
    assert_eq!(query(&app, "/p2p/filter/id/abc", b"", 0, false).code, 0);
    assert_eq!(query(&app, "/app/version", b"", 0, false).value.as_ref(), b"version-1");
}

#[test]
fn a_store_query_proves_presence_and_absence_at_any_kept_height() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut app, _) = chain(folder.path(), 1);
    run_block(&mut app, 2, Vec::new());
    for (key, present) in [(b"id".as_slice(), true), (b"nothing".as_slice(), false)] {
        for height in [1, 2] {
            let response = query(&app, "/store/chain/key", key, height, true);
            assert_eq!((response.code, response.height), (0, height), "{}", response.log);
            assert_eq!(response.value.is_empty(), !present);
            let ops = response.proof_ops.expect("a proof").ops;
            assert_eq!(ops.len(), 1);
            assert_eq!(ops[0].r#type, PROOF_TYPE);
            assert_eq!(ops[0].key, [b"chain/", key].concat());
            assert!(!ops[0].data.is_empty());
        }
    }
}

#[test]
fn the_last_commit_before_a_plan_stops_the_old_release_and_its_guards_answer_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (app, _) = chain(folder.path(), 1);
    drop(app);
    schedule(folder.path(), 2, "version-2", 4);
    let mut app = open(folder.path(), "version-1").expect("the plan is not due");
    app.finalize_block(block(3, Vec::new())).expect("executed");
    let committed = app.commit().expect("committed");
    let reason = committed.then_stop.expect("the stop is due");
    assert_eq!(reason.exit_code(), ExitCode::UpgradeNeeded);
    assert!(reason.to_string().contains("can you handle version-2? no"), "{reason}");
    assert!(reason.to_string().contains("UPGRADE \"version-2\" NEEDED at height: 4: why"), "{reason}");

    let refused = |result: Option<StopReason>| assert!(matches!(result, Some(StopReason::Upgrade(_))), "{result:?}");
    refused(app.prepare_proposal(RequestPrepareProposal { height: 4, ..<_>::default() }).err());
    refused(app.process_proposal(RequestProcessProposal { height: 4, ..<_>::default() }).err());
    refused(app.finalize_block(block(4, Vec::new())).err());
    drop(app);
    assert!(matches!(open(folder.path(), "version-1"), Err(OpenError::Refused(_))));

    let mut app = open(folder.path(), "version-2").expect("it can handle the plan");
    run_block(&mut app, 4, Vec::new());
    let info = app.info().expect("no fault");
    assert_eq!((info.app_version, info.last_block_height), (2, 4));
    drop(app);
    assert!(matches!(open(folder.path(), "version-1"), Err(OpenError::Refused(_))), "no way back");
}
