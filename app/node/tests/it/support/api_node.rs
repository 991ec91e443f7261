//! A solo node whose genesis is that of the recorded chain, with REST and gRPC on sockets of their own.

use std::{
    net::SocketAddr,
    sync::{Arc, mpsc::sync_channel},
    thread::JoinHandle,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use swing_core::{address::module_address, genesis::default_app_state};
use swing_node::{
    api::{ApiFlags, Clients, ClientsConfig, Listening, NodeSettings, Services},
    app::{AppOptions, OpenedApp},
    config::{Home, cometbft, node_keys::NodeKey, toml_file::TomlFile},
    engine_adapter::SwingsetEngine,
    lifecycle::{Lifecycle, StopReason, StopSwitch},
    releases,
    solo::{Solo, SoloError, Started},
};

use super::solo::{PATIENCE, key};

const GENESIS: &str = include_str!("../../../../../tests/vectors/genesis.json");
/// Of the recorded transactions.
pub const TXS: &str = include_str!("../../../../../tests/vectors/txs.json");
/// The operator of the one validator, and of the recorded one.
const ALICE: &str = "swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd";
const OPERATOR: &str = "swingvaloper19rl4cm2hmr8afy4kldpxz3fka4jguq0amqzpde";
/// What she bonded, which the recorded chain has from a transaction of its genesis.
const BOND: u64 = 50_000_000;

/// A running node, stopped with the value.
pub struct ApiNode {
    _folder: tempfile::TempDir,
    clients: Option<Clients>,
    pub api: SocketAddr,
    pub grpc: SocketAddr,
    switch: Arc<StopSwitch>,
    thread: Option<JoinHandle<()>>,
    agent: ureq::Agent,
}

impl ApiNode {
    /// Starts it, with these settings of `app.toml`. Blocks are made for transactions only, each a millisecond after the one before.
    pub fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::new(folder.path());
        write_home(&home);
        let switch = StopSwitch::new();
        let options = AppOptions::new(home.data_folder(), releases::release("version-1").expect("a release"));
        let opened = OpenedApp::open(options).expect("a new home");
        let read = opened.read();
        let (started, begun) = sync_channel(1);
        let thrown = Arc::clone(&switch);
        let thread = std::thread::spawn(move || {
            let reads = Arc::new(opened.read());
            let mut app = opened.consensus(Box::new(SwingsetEngine::new().expect("an engine")));
            let Started::Serving(solo) = Solo::start(&mut app, reads, &home, &thrown).expect("it starts") else {
                panic!("it stopped before it served");
            };
            started.send(solo.client()).expect("the test waits");
            match solo.run(&mut app) {
                Ok(reason) | Err(SoloError::App(reason)) => thrown.stop(reason),
                Err(error) => panic!("{error}"),
            }
        });
        let engine = begun.recv_timeout(PATIENCE).expect("it starts");
        let file = TomlFile::from_text("app.toml", settings).expect("TOML");
        let loopback = Some("127.0.0.1:0".to_owned());
        let flags = ApiFlags {
            api_enable: Some(true),
            api_address: loopback.clone(),
            grpc_enable: Some(true),
            grpc_address: loopback,
            api_cors: None,
        };
        let config = ClientsConfig::load(Some(&file), &flags).expect("settings");
        let services = Services::new(read, engine, NodeSettings::default(), Arc::clone(&switch) as _);
        let sockets = Listening::bind(&config).expect("free ports");
        let clients = Clients::start(sockets, &config, services).expect("it serves");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        let node = ApiNode {
            _folder: folder,
            api: clients.api().expect("REST"),
            grpc: clients.grpc().expect("gRPC"),
            clients: Some(clients),
            switch,
            thread: Some(thread),
            agent,
        };
        // Each look is a request that takes its time; what is bounded is their number.
        let ready = (0..100_000).any(|_| node.get("/cosmos/upgrade/v1beta1/authority").0 == 200);
        assert!(ready, "the first block does not come");
        node
    }

    /// GET with these headers: status, headers and body.
    #[track_caller]
    pub fn ask(&self, path: &str, headers: &[(&str, &str)]) -> ureq::http::Response<String> {
        let mut request = self.agent.get(format!("http://{}{path}", self.api));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.call().expect("an answer");
        let body = response.body_mut().read_to_string().expect("text");
        response.map(|_| body)
    }

    /// GET: status and body.
    #[track_caller]
    pub fn get(&self, path: &str) -> (u16, Value) {
        let response = self.ask(path, &[]);
        (response.status().as_u16(), serde_json::from_str(response.body()).expect("JSON"))
    }

    /// POST: status and body.
    #[track_caller]
    pub fn post(&self, path: &str, body: &str) -> (u16, Value) {
        let mut response = self.agent.post(format!("http://{}{path}", self.api)).send(body).expect("an answer");
        let text = response.body_mut().read_to_string().expect("text");
        (response.status().as_u16(), serde_json::from_str(&text).expect("JSON"))
    }

    /// Sends a transaction, and waits for its block; gives GetTx's answer.
    #[track_caller]
    pub fn send(&self, tx_base64: &str) -> Value {
        let body = json!({"tx_bytes": tx_base64, "mode": "BROADCAST_MODE_SYNC"}).to_string();
        let (status, sent) = self.post("/cosmos/tx/v1beta1/txs", &body);
        assert_eq!((status, &sent["tx_response"]["code"]), (200, &json!(0)), "{sent}");
        let hash = sent["tx_response"]["txhash"].as_str().expect("a hash").to_owned();
        // Each look is a request that takes its time; what is bounded is their number.
        let found = (0..100_000).map(|_| self.get(&format!("/cosmos/tx/v1beta1/txs/{hash}")));
        let mut found = found.filter(|(status, _)| *status == 200);
        found.next().expect("it is in a block").1
    }

    /// Sends what was recorded, in order; gives GetTx's answers.
    #[track_caller]
    pub fn send_recorded(&self) -> Vec<(Value, Value)> {
        let recorded: Vec<Value> = serde_json::from_str(TXS).expect("JSON");
        let sent = recorded.into_iter().map(|tx| {
            let got = self.send(tx["tx_base64"].as_str().expect("text"));
            (tx, got)
        });
        sent.collect()
    }

    /// Serves what was begun and stops serving.
    pub fn stop_serving(&mut self) {
        if let Some(clients) = self.clients.take() {
            clients.end(PATIENCE);
        }
    }
}

impl Drop for ApiNode {
    fn drop(&mut self) {
        self.stop_serving();
        self.switch.stop(StopReason::Signal { signal: "SIGTERM" });
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn write_home(home: &Home) {
    std::fs::create_dir_all(home.config_folder()).expect("a folder");
    std::fs::create_dir_all(home.data_folder()).expect("a folder");
    let mut config = cometbft::new_file(home, "v").expect("the template is valid");
    for (setting, value) in [
        ("rpc.laddr", "tcp://127.0.0.1:0"),
        ("consensus.timeout_commit", "1ms"),
        ("consensus.create_empty_blocks", "false"),
    ] {
        config.set(setting, value).expect("a setting");
    }
    config.save().expect("written");
    key().save_validator_key(&home.priv_validator_key()).expect("written");
    NodeKey::from_seed([4; 32]).save_node_key(&home.node_key()).expect("written");
    let genesis: Value = serde_json::from_str(GENESIS).expect("JSON");
    let doc = json!({
        // So far ahead that block time takes its least step, whatever the clock says.
        "genesis_time": "2100-01-01T00:00:00Z",
        "chain_id": genesis["chain_id"],
        "app_state": app_state(genesis["app_state"].clone()),
    });
    std::fs::write(home.genesis(), doc.to_string()).expect("written");
}

/// The recorded genesis with this home's validator in place of the transaction that made the recorded one, and quick votes.
fn app_state(mut state: Value) -> Value {
    let own = default_app_state();
    state.as_object_mut().expect("an object").retain(|module, _| own.get(module).is_some());
    for module in ["swingset", "upgrade"] {
        state[module] = own[module].clone();
    }
    state["genutil"] = json!({"gen_txs": []});
    state["auth"]["accounts"][0]["sequence"] = json!("1");
    state["bank"]["balances"][0]["coins"][0]["amount"] = json!((1_000_000_000_000 - BOND).to_string());
    let pool = json!({"address": module_address("bonded_tokens_pool").to_string(),
        "coins": [{"denom": "uswing", "amount": BOND.to_string()}]});
    state["bank"]["balances"].as_array_mut().expect("a list").push(pool);
    state["bank"]["supply"] = json!([]);
    state["gov"]["params"]["voting_period"] = json!("0.040s");
    state["gov"]["params"]["expedited_voting_period"] = json!("0.010s");
    let shares = format!("{BOND}.000000000000000000");
    state["staking"]["validators"] = json!([{
        "operator_address": OPERATOR,
        "consensus_pubkey": {"@type": "/cosmos.crypto.ed25519.PubKey", "key": BASE64.encode(key().public_key())},
        "jailed": false, "status": "BOND_STATUS_BONDED", "tokens": BOND.to_string(), "delegator_shares": shares,
        "description": {"moniker": "v", "identity": "", "website": "", "security_contact": "", "details": ""},
        "unbonding_height": "0", "unbonding_time": "1970-01-01T00:00:00Z",
        "commission": {"commission_rates": {"rate": "0.1", "max_rate": "0.2", "max_change_rate": "0.01"},
                       "update_time": "2026-01-01T00:00:00Z"},
        "min_self_delegation": "1", "unbonding_on_hold_ref_count": "0", "unbonding_ids": []
    }]);
    state["staking"]["delegations"] =
        json!([{"delegator_address": ALICE, "validator_address": OPERATOR, "shares": shares}]);
    state
}
