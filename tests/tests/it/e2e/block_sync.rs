//! New nodes that come to the plan's height in block sync, where block H is at hand before H−1 is executed.

use std::path::Path;

use swing_localnet::{
    binaries::{NEWEST, VERSION_1},
    genesis::{Plan, prepare_full_node},
    network::Network,
    report::Narrator,
    scenario::upgrade::{self, expect_refusal},
    validator::{Engine, Validator},
};
use swing_tests::{killable::KILL_AT, points::WAITING};

use super::network::{SOON, Stage, binaries};

fn newcomer(network: &Network, folder: &Path, name: &str) -> Validator {
    let program = network.binaries.path(VERSION_1);
    prepare_full_node(&network.plan, folder, name, &program, &network.validators).expect("a new home")
}

/// What the node's CometBFT has logged in all its runs.
fn comet_log(node: &Validator) -> String {
    std::fs::read_to_string(node.swingd.home.join("cometbft.log")).expect("CometBFT has a log")
}

/// Lines of CometBFT's log that say that the application answered FinalizeBlock of this height.
fn answers(node: &Validator, height: u64) -> usize {
    let height = format!("height={height} ");
    let says = |line: &&str| line.contains("inalized block") && format!("{line} ").contains(&height);
    comet_log(node).lines().filter(says).count()
}

#[track_caller]
fn refuses(node: &mut Validator, height: u64) {
    let (code, output) = node.wait_for_exit(SOON).expect("it stops");
    expect_refusal(&node.name, &node.swingd, code, &output, height).expect("it refuses");
}

/// A chain of one validator that has gone through the upgrade; gives the plan's height.
fn upgraded(stage: &Stage) -> (Network, u64) {
    let mut tell = Narrator::new(false);
    let plan = Plan::quick(1, Engine::CometExternal);
    let mut network = upgrade::begin(plan, stage.folder(), binaries(), &mut tell).expect("a chain begins");
    let height = upgrade::schedule(&network, &mut tell).expect("the plan is scheduled");
    let validator = &mut network.validators[0];
    refuses(validator, height);
    validator.start(&network.binaries, NEWEST, &[]).expect("version-2 starts");
    network.wait_for_height(height + 3, SOON).expect("the chain goes on");
    (network, height)
}

#[test]
fn nodes_in_block_sync_answer_nothing_beyond_h_minus_1_and_go_on_with_version_2_whatever_cometbft_had_saved() {
    let stage = Stage::new();
    let (mut network, height) = upgraded(&stage);

    let mut quiet = newcomer(&network, stage.folder(), "quiet");
    quiet.start(&network.binaries, VERSION_1, &[]).expect("version-1 starts");
    refuses(&mut quiet, height);
    assert_eq!((answers(&quiet, height - 1), answers(&quiet, height)), (1, 0), "{}", comet_log(&quiet));
    quiet.start(&network.binaries, NEWEST, &[]).expect("version-2 starts");

    let mut cut_off = newcomer(&network, stage.folder(), "cut-off");
    let wait_at = format!("after_commit@{}", height - 1);
    cut_off.start(&network.binaries, "swingd-test-version-1", &[KILL_AT, &wait_at]).expect("version-1 starts");
    cut_off.node().expect("just started").wait_for_output(WAITING, SOON).expect("it comes to H−1");
    // Block H−1 is committed here, and CometBFT, which waits for the answer, has not saved its state.
    cut_off.kill().expect("both die");
    for _ in 0..2 {
        cut_off.start(&network.binaries, VERSION_1, &[]).expect("version-1 starts");
        refuses(&mut cut_off, height);
    }
    cut_off.start(&network.binaries, NEWEST, &[]).expect("version-2 starts");

    network.validators.extend([quiet, cut_off]);
    network.wait_for_height(height + 4, SOON).expect("all go on");
    for at in [height - 1, height, height + 2] {
        network.common_app_hash(at).expect("all agree");
    }
    let [_, quiet, cut_off] = &network.validators[..] else { panic!("there are three nodes") };
    let replayed =
        |node: &Validator, what: &str| comet_log(node).contains(&format!("Replay last block using {what} app"));
    assert!(replayed(quiet, "real"), "block H is in CometBFT's store: {}", comet_log(quiet));
    assert!(replayed(cut_off, "mock"), "H−1 is committed and not saved: {}", comet_log(cut_off));
    network.stop_all(SOON).expect("all stop");
}
