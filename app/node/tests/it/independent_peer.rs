//! The real application behind our ABCI server, spoken to by a client that others wrote.

use std::sync::Arc;

use prost::Message as _;
use swing_node::{
    abci::{Address, Server, ServerConfig, spawn_owner},
    app::{AppOptions, NodeApp, OpenedApp},
    engine_adapter::SwingsetEngine,
    lifecycle::{ExitCode, Lifecycle, StopReason, StopSwitch},
    releases,
};
use swing_proto::cosmos::bank::v1beta1::{QueryBalanceRequest, QueryBalanceResponse};
use tendermint_abci::{Client, ClientBuilder};
use tendermint_proto::v0_38::abci::{
    RequestCheckTx, RequestEcho, RequestInfo, RequestOfferSnapshot, RequestQuery, Snapshot,
};

use crate::support::{
    genesis::{Account, accounts, block, init_chain},
    planned::schedule,
};

/// A node's application that listens on a loopback port.
struct Node {
    server: Server,
    switch: Arc<StopSwitch>,
}

impl Node {
    fn start(data: &std::path::Path) -> Self {
        let release = releases::release("version-1").expect("a release");
        let opened = OpenedApp::open(AppOptions::new(data, release)).expect("it may go on");
        let switch = StopSwitch::new();
        let lifecycle: Arc<dyn Lifecycle> = switch.clone();
        let read = Arc::new(opened.read());
        let build = move || Ok(opened.consensus(Box::new(SwingsetEngine::new().map_err(StopReason::Halt)?)));
        let (consensus, _thread) = spawn_owner(build, Arc::clone(&lifecycle)).expect("a thread");
        let address = "tcp://127.0.0.1:0".parse().expect("an address");
        let server = Server::start(&address, ServerConfig::default(), read, consensus, lifecycle).expect("a free port");
        Node { server, switch }
    }

    fn connect(&self) -> Client {
        let Address::Tcp(address) = self.server.address() else { panic!("it listens on TCP") };
        ClientBuilder::default().connect(address).expect("it listens")
    }
}

/// Executes and commits a block over a connection; gives the app hash and the codes.
fn decide(consensus: &mut Client, height: u64, txs: Vec<Vec<u8>>) -> (Vec<u8>, Vec<u32>) {
    let answer = consensus.finalize_block(block(height, txs)).expect("executed");
    consensus.commit().expect("committed");
    (answer.app_hash.to_vec(), answer.tx_results.iter().map(|result| result.code).collect())
}

fn balance(queries: &mut Client, account: &Account) -> String {
    let request = QueryBalanceRequest { address: account.address().to_string(), denom: "uswing".to_owned() };
    let answer = queries.query(RequestQuery {
        path: "/cosmos.bank.v1beta1.Query/Balance".to_owned(),
        data: request.encode_to_vec().into(),
        ..RequestQuery::default()
    });
    let answer = answer.expect("an answer");
    assert_eq!(answer.code, 0, "{}", answer.log);
    QueryBalanceResponse::decode(answer.value).expect("a response").balance.expect("a balance").amount
}

#[test]
fn another_implementations_client_begins_a_chain_and_runs_blocks_over_its_connections() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let node = Node::start(folder.path());
    let (mut consensus, mut mempool, mut queries) = (node.connect(), node.connect(), node.connect());

    // Longer than the buffers of both sides.
    let message = "x".repeat(100_000);
    assert_eq!(queries.echo(RequestEcho { message: message.clone() }).expect("an answer").message, message);
    assert_eq!(queries.info(RequestInfo::default()).expect("an answer").last_block_height, 0);

    let mut accounts = accounts(2);
    let begun = consensus.init_chain(init_chain(&accounts)).expect("a good genesis");
    assert_eq!(begun.validators.len(), 1);
    decide(&mut consensus, 1, Vec::new());

    let to = accounts[1].address();
    let tx = accounts[0].send(&to, 5);
    let check = |mempool: &mut Client, tx: &[u8]| {
        mempool.check_tx(RequestCheckTx { tx: tx.to_vec().into(), r#type: 0 }).expect("an answer").code
    };
    assert_eq!(check(&mut mempool, &tx), 0);
    assert_ne!(check(&mut mempool, b"no transaction"), 0);
    mempool.flush().expect("an answer");
    let (app_hash, codes) = decide(&mut consensus, 2, vec![tx]);
    assert_eq!(codes, [0]);
    assert_eq!(balance(&mut queries, &accounts[1]), "1000000005");

    let info = queries.info(RequestInfo::default()).expect("an answer");
    assert_eq!((info.last_block_height, info.app_version), (2, 1));
    assert_eq!(info.last_block_app_hash, app_hash);
    assert!(queries.list_snapshots().expect("an answer").snapshots.is_empty());
    // REJECT_FORMAT: there is no format 0.
    let offer = RequestOfferSnapshot { snapshot: Some(Snapshot::default()), ..RequestOfferSnapshot::default() };
    assert_eq!(queries.offer_snapshot(offer).expect("an answer").result, 4);
    assert_eq!(node.switch.reason(), None);
}

#[test]
fn another_implementations_client_gets_the_last_commits_answer_and_none_for_the_block_of_the_plan() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let release = releases::release("version-1").expect("a release");
    let engine = Box::new(SwingsetEngine::new().expect("an engine"));
    let mut app = NodeApp::open(AppOptions::new(folder.path(), release), engine).expect("a new home");
    app.init_chain(init_chain(&accounts(1))).expect("a good genesis");
    app.finalize_block(block(1, Vec::new())).expect("executed");
    app.commit().expect("committed");
    drop(app);
    schedule(folder.path(), 2, "version-2", 4);

    let node = Node::start(folder.path());
    let mut consensus = node.connect();
    decide(&mut consensus, 3, Vec::new());
    let mut queries = node.connect();
    assert_eq!(queries.info(RequestInfo::default()).expect("still answered").last_block_height, 3);
    consensus.finalize_block(block(4, Vec::new())).expect_err("block 4 is version-2's");
    assert_eq!(node.switch.wait().exit_code(), ExitCode::UpgradeNeeded);
}
