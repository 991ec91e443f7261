//! Transactions recorded from a Cosmos SDK chain, executed in order on its genesis.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};
use swing_core::{
    address::Address,
    block::{Block, Time, TxResult},
    execute::{Flags, execute_block},
    ports::Ports,
    state::State,
};

use crate::{
    chain::{Chain, Genesis},
    engine::CountingEngine,
    release::TestRelease,
    signers::K256,
};

const TXS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/txs.json"));
const GENESIS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/genesis.json"));
const EXPORT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/export.json"));

/// The recorded chain had modules that this one has not; the accounts of the transactions do not touch them.
const OTHER_MODULES: [&str; 5] = ["authz", "distribution", "feegrant", "mint", "slashing"];

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("vectors are JSON")
}

fn genesis() -> Genesis {
    let document = json(GENESIS);
    let mut app_state = document["app_state"].clone();
    for module in OTHER_MODULES {
        app_state.as_object_mut().expect("an object").remove(module);
    }
    Genesis {
        app_state,
        max_gas: -1,
        chain_id: document["chain_id"].as_str().expect("text").to_owned(),
        initial_height: 1,
        validators: Vec::new(),
    }
}

fn events(result: &Value) -> Vec<(String, Vec<(String, String)>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let attributes = |event: &Value| {
        let attributes = event["attributes"].as_array().into_iter().flatten();
        attributes.map(|attribute| (text(&attribute["key"]), text(&attribute["value"]))).collect()
    };
    let events = result["events"].as_array().into_iter().flatten();
    events.map(|event| (text(&event["type"]), attributes(event))).collect()
}

#[track_caller]
fn check(recorded: &Value, result: &TxResult) {
    let name = recorded["name"].as_str().unwrap_or_default();
    let expected = &recorded["result"];
    assert_eq!(u64::from(result.code), expected["code"].as_u64().unwrap_or(0), "{name}: {}", result.log);
    assert_eq!(result.codespace, expected["codespace"].as_str().unwrap_or_default(), "{name}");
    assert_eq!(result.log, expected["log"].as_str().unwrap_or_default(), "{name}");
    assert_eq!(result.gas_wanted.to_string(), expected["gas_wanted"].as_str().unwrap_or_default(), "{name}");
    assert_eq!(STANDARD.encode(&result.data), expected["data"].as_str().unwrap_or_default(), "{name}");
    let own: Vec<_> = result.events.iter().map(|event| (event.kind.clone(), event.attributes.clone())).collect();
    assert_eq!(own, events(expected), "{name}");
}

/// The recorded time of the block in which a transaction ran, without its fraction.
fn block_at(chain: &mut Chain, height: u64, txs: Vec<Vec<u8>>) -> Vec<TxResult> {
    let time = Time { seconds: 1_795_433_657 + i64::try_from(height).expect("small") / 2, nanos: 0 };
    let mut state = State::new(&chain.state);
    let mut engine = CountingEngine::default();
    let mut ports = Ports { engine: &mut engine, signatures: &K256, release: &TestRelease };
    let block = Block { height, time, proposer: vec![1; 20], hash: vec![2; 32], txs };
    let output = execute_block(&mut state, &block, &mut ports, &Flags::default()).expect("the block executes");
    for (key, value) in state.into_changes() {
        match value {
            Some(value) => drop(chain.state.insert(key, value)),
            None => drop(chain.state.remove(&key)),
        }
    }
    chain.height = height;
    output.tx_results
}

#[test]
fn recorded_transactions_give_the_recorded_results_and_balances() {
    let mut chain = genesis().start().expect("the recorded genesis is valid here");
    let recorded = json(TXS);
    for tx in recorded.as_array().expect("a list") {
        let raw = STANDARD.decode(tx["tx_base64"].as_str().expect("text")).expect("base64");
        assert_eq!(hex::encode_upper(Sha256::digest(&raw)), tx["hash"].as_str().expect("text"));
        let height: u64 = tx["height"].as_str().expect("text").parse().expect("a number");
        while chain.height + 1 < height {
            let next = chain.height + 1;
            block_at(&mut chain, next, Vec::new());
        }
        let results = block_at(&mut chain, height, vec![raw]);
        check(tx, results.first().expect("one result"));
    }
    while chain.height < 33 {
        let next = chain.height + 1;
        block_at(&mut chain, next, Vec::new());
    }
    let export = json(EXPORT);
    let accounts = [0, 1].map(|index| json(GENESIS)["app_state"]["auth"]["accounts"][index]["address"].clone());
    for account in accounts {
        let balances = export["app_state"]["bank"]["balances"].as_array().expect("a list");
        let balance = balances.iter().find(|balance| balance["address"] == account).expect("exported");
        let address = Address::parse(account.as_str().expect("text")).expect("an address");
        assert_eq!(
            chain.balance(&address).to_string(),
            balance["coins"][0]["amount"].as_str().expect("text"),
            "{account}"
        );
    }
}

#[test]
fn a_genesis_with_another_chains_modules_is_refused_by_name() {
    let mut genesis = genesis();
    genesis.app_state = json(GENESIS)["app_state"].clone();
    let refused = genesis.start().err().expect("refused").to_string();
    assert!(
        refused.starts_with("app_state.authz: no module of this chain has this section; known are auth, bank"),
        "{refused}"
    );
}
