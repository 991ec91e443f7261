//! New nodes that have the newest `swingd` alone and an empty home.

use std::path::Path;

use serde_json::{Value, json};
use swing_localnet::{
    binaries::{NEWEST, VERSION_1},
    genesis::{Plan, prepare_full_node},
    network::Network,
    report::Narrator,
    rpc::{Rpc, number},
    scenario::upgrade::{self, expect_refusal, result_of},
    validator::{Engine, Validator},
    wait,
};
use swing_node::config::{Home, toml_file::TomlFile};

use super::network::{SOON, Stage, binaries};

/// Blocks between two snapshots.
pub const INTERVAL: u64 = 4;
/// How the validators are started: every snapshot is kept.
pub const SNAPSHOTS: [&str; 4] = ["--state-sync.snapshot-interval", "4", "--state-sync.snapshot-keep-recent", "0"];

fn newcomer(network: &Network, folder: &Path, name: &str) -> Validator {
    let program = network.binaries.path(NEWEST);
    prepare_full_node(&network.plan, folder, name, &program, &network.validators).expect("a new home")
}

/// Has a home state sync, as an operator sets it up: two RPC servers to verify headers with, and one header that is trusted.
pub fn state_sync(node: &Validator, servers: &[Validator]) {
    let first = servers[0].rpc();
    let commit = first.call("commit", json!({ "height": "1" })).expect("block 1 is there");
    let hash = commit["signed_header"]["commit"]["block_id"]["hash"].as_str().expect("a hash").to_owned();
    let servers: Vec<_> = servers.iter().map(Validator::rpc_url).collect();
    let mut config = TomlFile::load(Home::new(&node.swingd.home).config_toml()).expect("config.toml");
    for (key, value) in [
        ("enable", "true"),
        ("rpc_servers", &servers.join(",")),
        ("trust_height", "1"),
        ("trust_hash", &hash),
        // The least that CometBFT takes.
        ("discovery_time", "5s"),
    ] {
        config.set(&format!("statesync.{key}"), value).expect("a setting");
    }
    config.save().expect("written");
}

/// The lowest block that the node has.
pub fn earliest(rpc: &Rpc) -> u64 {
    let status = rpc.call("status", json!({})).expect("a status");
    number(&status["sync_info"]["earliest_block_height"]).expect("a height")
}

/// Waits until the node has synced, and makes blocks with the others.
pub fn wait_for_sync(node: &mut Validator, height: u64) {
    let rpc = node.rpc();
    let synced = wait::until_ok("the newcomer to sync", SOON, || {
        let status = rpc.call("status", json!({}))?;
        let sync = &status["sync_info"];
        Ok((sync["catching_up"] == Value::Bool(false) && number(&sync["latest_block_height"])? >= height).then_some(()))
    });
    synced.unwrap_or_else(|error| {
        let comet = std::fs::read_to_string(node.swingd.home.join("cometbft.log")).unwrap_or_default();
        let comet: Vec<_> = comet.lines().rev().take(30).collect();
        let tail = node.node().map(|process| process.output_tail(20)).unwrap_or_default();
        panic!("{}: {error:#}\n{tail}\n{comet:#?}", node.name)
    });
}

/// A message to the contract by this node, whose count is asked of the same.
fn counts(network: &Network, node: &Validator, message: u64) {
    let (swingd, url) = (&network.validators[0].swingd, node.rpc_url());
    // The last message's block is executed here too: the next one is signed for the sequence after it.
    let (height, rpc) = (network.validators[0].rpc().height().expect("a height"), node.rpc());
    wait::until_ok("the newcomer to follow", SOON, || rpc.height().map(|at| (at >= height).then_some(())))
        .expect("it follows");
    let deliver = |method: &str, arguments: &str| {
        let sent = ["swingset", "deliver", "counter", method, arguments];
        let included = swingd.tx(&url, &network.plan.chain_id, "operator", &sent).expect("it is taken");
        result_of(swingd, &url, &included).expect("it is delivered")
    };
    deliver("add", &format!("[{message}]"));
    let answer = deliver("read", "[]");
    assert_eq!(number(&answer["count"]).expect("a count"), message, "{}: {answer}", node.name);
}

/// One begins from a snapshot that version-1 made and goes through the upgrade in one process; one comes from genesis by blocks,
/// across the plan's height; one begins from a snapshot that version-2 made. All come to the same app hash and serve the contract.
#[test]
fn the_newest_binary_alone_syncs_from_genesis_and_from_snapshots_on_both_sides_of_the_upgrade() {
    let stage = Stage::new();
    let plan = Plan::quick(2, Engine::CometExternal);
    let mut network = Network::create(plan, stage.folder(), binaries(), VERSION_1).expect("homes");
    for validator in &mut network.validators {
        validator.start(&network.binaries, VERSION_1, &SNAPSHOTS).expect("version-1 starts");
    }
    // A light client verifies a snapshot's height by the two blocks above it.
    network.wait_for_height(INTERVAL + 3, SOON).expect("blocks are made");

    let mut below = newcomer(&network, stage.folder(), "below");
    state_sync(&below, &network.validators);
    below.start(&network.binaries, NEWEST, &[]).expect("version-2 starts");
    wait_for_sync(&mut below, INTERVAL + 1);
    counts(&network, &below, 1);

    let height = upgrade::schedule(&network, &mut Narrator::new(false)).expect("the plan is scheduled");
    for validator in &mut network.validators {
        let (code, output) = validator.wait_for_exit(SOON).expect("it stops");
        expect_refusal(&validator.name, &validator.swingd, code, &output, height).expect("it refuses");
        validator.start(&network.binaries, NEWEST, &SNAPSHOTS).expect("version-2 starts");
    }
    let snapshot_above = height.next_multiple_of(INTERVAL);
    network.wait_for_height(snapshot_above + 3, SOON).expect("the chain goes on");

    let mut genesis = newcomer(&network, stage.folder(), "genesis");
    let mut above = newcomer(&network, stage.folder(), "above");
    state_sync(&above, &network.validators);
    for node in [&mut genesis, &mut above] {
        node.start(&network.binaries, NEWEST, &[]).expect("version-2 starts");
    }
    for node in [&mut below, &mut genesis, &mut above] {
        wait_for_sync(node, snapshot_above + 1);
    }
    assert_eq!(earliest(&genesis.rpc()), 1, "it has executed every block");
    let begins = [&below, &above].map(|node| earliest(&node.rpc()));
    assert!(begins[0] > 1 && begins[0] < height && begins[1] > height, "{begins:?} around {height}");

    for (message, node) in (2..).zip([&below, &genesis, &above]) {
        counts(&network, node, message);
    }
    network.validators.extend([below, genesis, above]);
    let last = network.validators[0].rpc().height().expect("a height");
    network.wait_for_height(last + 2, SOON).expect("all five go on");
    for at in [last, last + 1] {
        network.common_app_hash(at).expect("all five agree");
    }
    network.stop_all(SOON).expect("all five stop");
}
