//! When H fails for everyone, and when it fails for one: the exits of docs/runbook.md, each on real validators.

use std::{path::Path, process::Command, thread};

use serde_json::Value;
use swing_localnet::{
    binaries::{NEWEST, VERSION_1},
    genesis::{Plan, prepare_full_node},
    network::Network,
    report::Narrator,
    rpc::number,
    scenario::{upgrade, visor},
    swingd::Swingd,
    validator::{Engine, Validator},
    wait,
};
use swing_node::{comet::HomeLock, config::Home, lifecycle::ExitCode};
use swing_tests::{
    killable::{AS, KILL_AT},
    points::WAITING,
};

use super::{
    network::{SOON, Stage, binaries, none_lost, refuses},
    newcomers::{INTERVAL, SNAPSHOTS, earliest, state_sync, wait_for_sync},
};

const TEST_VERSION_2: &str = "swingd-test-version-2";
const SKIP: &str = "--unsafe-skip-upgrades";

/// The application's part of a node's status.
fn status(node: &Validator) -> Value {
    node.swingd.json(&["status"]).expect("a status")["application"].clone()
}

fn committed(node: &Validator) -> u64 {
    number(&status(node)["committed_height"]).expect("a height")
}

/// A rollback to the block before `height` is refused, says why and what is left, and changes nothing.
#[track_caller]
fn rollback_is_refused(node: &Validator, height: u64) {
    let before = committed(node);
    let refused = node.swingd.json(&["rollback", "--height", &(height - 1).to_string()]);
    let refused = refused.expect_err("the way back is closed").to_string();
    assert!(refused.contains("too late to go back") && refused.contains("state sync"), "{refused}");
    assert_eq!(committed(node), before, "{}: nothing was changed", node.name);
}

/// Rehearses version-2 with both binaries' owners on the state of one height, while their nodes run; gives the digests.
fn rehearsed(network: &Network, at_height: u64) -> Vec<Value> {
    let height = at_height.to_string();
    let binary = network.binaries.path(NEWEST);
    let run = |swingd: &Swingd| {
        let arguments = ["upgrade", "rehearse", "--at-height", &height, "--binary", binary.to_str().expect("UTF-8")];
        swingd.json(&arguments).expect("the rehearsal passes")
    };
    thread::scope(|scope| {
        let two = network.validators.iter().take(2).map(|node| scope.spawn(|| run(&node.swingd))).collect::<Vec<_>>();
        two.into_iter().map(|rehearsal| rehearsal.join().expect("no panic")).collect()
    })
}

/// Starts a release that fails in its handler on all; gives the nodes that were told to execute H, one at least: who has the votes
/// first ends, and may leave others without them.
fn all_fail(network: &mut Network, height: u64) -> Vec<usize> {
    for node in &mut network.validators {
        node.start(&network.binaries, TEST_VERSION_2, &[AS, "broken-version-2"]).expect("it starts");
    }
    let failed = wait::until("a node to fail", SOON, || {
        let mut failed = Vec::new();
        for (index, node) in network.validators.iter_mut().enumerate() {
            if node.running()?.is_none() {
                failed.push(index);
            }
        }
        Ok((!failed.is_empty()).then_some(failed))
    })
    .expect("block H is decided and cannot be executed");
    for index in &failed {
        let (code, output) = network.validators[*index].wait_for_exit(SOON).expect("it ended");
        assert_eq!(code, i32::from(ExitCode::UpgradeFailed.code()), "{output}");
        assert!(output.contains(&format!("FAILED at height {height}")), "it says so: {output}");
    }
    network.stop_all(SOON).expect("the rest stops");
    failed
}

/// A wrong build makes H, and every node that did is killed before it can go on; gives the app hash that it came to.
fn wrong_build_makes_h(network: &mut Network, height: u64, with_block: &[usize]) -> Value {
    let wait_at = format!("after_commit@{height}");
    for node in &mut network.validators {
        node.start(&network.binaries, TEST_VERSION_2, &[AS, "wrong-version-2", KILL_AT, &wait_at]).expect("it starts");
    }
    for index in with_block {
        let node = network.validators[*index].node().expect("just started");
        node.wait_for_output(WAITING, SOON).expect("it commits block H");
    }
    for node in &mut network.validators {
        node.kill().expect("it is ended");
        let home = node.swingd.home.clone();
        wait::until("CometBFT to die with its node", SOON, || Ok(HomeLock::take(&Home::new(&home)).ok()))
            .expect("it dies");
    }
    let first = &network.validators[with_block[0]];
    assert_eq!(committed(first), height);
    first.swingd.json(&["status"]).expect("a status")["sync_info"]["latest_app_hash"].clone()
}

/// A network on a chain that is begun, with one node that has no vote.
fn begin(stage: &Stage) -> (Network, Validator) {
    let plan = Plan::quick(4, Engine::CometChild);
    let network = upgrade::begin(plan, stage.folder(), binaries(), &mut Narrator::new(false)).expect("a chain begins");
    let program = network.binaries.path(VERSION_1);
    let mut observer = prepare_full_node(&network.plan, stage.folder(), "observer", &program, &network.validators)
        .expect("a new home");
    observer.start(&network.binaries, VERSION_1, &[]).expect("version-1 starts");
    (network, observer)
}

/// What nodes did in block H, as status says it.
fn applied_in(height: u64) -> String {
    format!("upgrade version-2 was applied here in block {height}")
}

/// The node ends by itself, names what it is, and its status says the same and what it did.
#[track_caller]
fn is_named(node: &mut Validator, height: u64, did: &str) {
    let (code, output) = node.wait_for_exit(SOON).expect("it ends");
    assert_eq!(code, i32::from(ExitCode::Diverged.code()), "{}: {output}", node.name);
    assert!(output.contains(&format!("DIVERGED: this node's state after block {height}")), "{output}");
    let status = status(node);
    let diverged = &status["diverged"];
    assert_eq!(diverged["height"], height.to_string(), "{status}");
    assert_eq!(diverged["did"], did, "{status}");
    assert_eq!(diverged["signed_power"], "300 of 400", "{status}");
    assert_ne!(diverged["app_hash"], diverged["chains_app_hash"]);
}

/// Removes all that CometBFT has of the chain, and the application's state; keys and signing state stay.
fn forget_chain(home: &Path) {
    let comet = std::env::var_os("COMETBFT").unwrap_or_else(|| "cometbft".into());
    let output = Command::new(comet).args(["reset-state", "--home"]).arg(home).output().expect("CometBFT runs");
    assert!(output.status.success(), "{output:?}");
    std::fs::rename(home.join("data/application.db"), home.join("data/application.db.diverged")).expect("moved aside");
    assert!(home.join("data/priv_validator_state.json").exists(), "what was signed stays");
}

/// Three of four validators skip the plan. The fourth and a node without a vote apply it, come to another state, and are named at
/// H+1. The one without a vote goes back; the validator, which has signed at H+1, cannot, and syncs anew with its signing state.
#[test]
fn the_plan_is_skipped_on_more_than_two_thirds_and_who_did_otherwise_is_named_and_comes_back() {
    let stage = Stage::new();
    let (mut network, mut observer) = begin(&stage);
    let height = upgrade::schedule(&network, &mut Narrator::new(false)).expect("the plan is scheduled");
    network.validators.iter_mut().chain([&mut observer]).for_each(|node| refuses(node, height));
    let skip_height = height.to_string();
    let skip = [SKIP, skip_height.as_str()];
    let binaries = network.binaries.clone();

    // Block H needs the votes of three: the one that applies the plan is among those that make it, not behind.
    observer.start(&binaries, NEWEST, &[]).expect("version-2 starts");
    network.validators[3].start(&binaries, NEWEST, &[]).expect("version-2 starts");
    for node in &mut network.validators[..2] {
        node.start(&binaries, VERSION_1, &skip).expect("version-1 starts");
    }
    for node in [&network.validators[3], &observer] {
        wait::until("block H", SOON, || Ok((committed(node) == height).then_some(()))).expect("it is made");
    }
    network.validators[2].start(&binaries, VERSION_1, &skip).expect("version-1 starts");
    is_named(&mut network.validators[3], height, &applied_in(height));
    is_named(&mut observer, height, &applied_in(height));
    let three = network.validators[0].rpc();
    wait::until_ok("the chain to go on", SOON, || three.height().map(|at| (at > height + 2).then_some(())))
        .expect("three quarters are enough");
    let skipped = &status(&network.validators[0])["skipped_upgrades"][0];
    assert_eq!((&skipped["name"], &skipped["height"]), (&"version-2".into(), &height.to_string().into()));
    assert!(skipped["sync"].as_str().is_some_and(|text| text.contains(&format!("{SKIP} {height}"))), "{skipped}");

    observer.swingd.json(&["rollback", "--height", &(height - 1).to_string()]).expect("it has signed nothing");
    observer.start(&binaries, VERSION_1, &skip).expect("version-1 starts");

    rollback_is_refused(&network.validators[3], height);
    forget_chain(&network.validators[3].swingd.home);
    // Who syncs the chain later needs the flag too.
    network.validators[3].start(&binaries, VERSION_1, &[]).expect("version-1 starts");
    refuses(&mut network.validators[3], height);
    network.validators[3].start(&binaries, VERSION_1, &skip).expect("version-1 starts");

    network.validators.push(observer);
    network.wait_for_height(height + 5, SOON).expect("all five are on the chain");
    for at in [height, height + 3] {
        network.common_app_hash(at).expect("all agree");
    }
    network.stop_all(SOON).expect("all stop");
}

/// The height at which the validator's key has signed last.
fn signed(node: &Validator) -> u64 {
    let state = std::fs::read(node.swingd.home.join("data/priv_validator_state.json")).expect("the signing state");
    let state: Value = serde_json::from_slice(&state).expect("JSON");
    number(&state["height"]).expect("a height")
}

/// All are before H. Three validators take the repaired build; the fourth skips the plan, and the node without a vote takes a wrong
/// build. These two come to other states, and are named at H+1.
fn two_go_their_own_ways(network: &mut Network, observer: &mut Validator, height: u64) {
    let (binaries, skip_height) = (network.binaries.clone(), height.to_string());
    // Block H and what each makes of it come before the third, without which there is no H+1.
    observer.start(&binaries, TEST_VERSION_2, &[AS, "wrong-version-2"]).expect("the wrong build starts");
    network.validators[3].start(&binaries, VERSION_1, &[SKIP, &skip_height]).expect("version-1 starts");
    for node in &mut network.validators[..2] {
        node.start(&binaries, NEWEST, &SNAPSHOTS).expect("the repaired build starts");
    }
    for node in [&network.validators[3], &*observer] {
        wait::until("block H", SOON, || Ok((committed(node) == height).then_some(()))).expect("it is made");
    }
    wait::until("the skipper to sign above H", SOON, || Ok((signed(&network.validators[3]) > height).then_some(())))
        .expect("it signs");
    network.validators[2].start(&binaries, NEWEST, &SNAPSHOTS).expect("the repaired build starts");
    is_named(&mut network.validators[3], height, &format!("plan version-2 was skipped here in block {height}"));
    is_named(observer, height, &applied_in(height));
}

/// Who has signed above H cannot go back: a snapshot of the others' brings the validator to their state, with its signing state.
fn comes_back_by_state_sync(network: &mut Network, height: u64) {
    let (three, skipper) = network.validators.split_at_mut(3);
    let skipper = &mut skipper[0];
    rollback_is_refused(skipper, height);
    forget_chain(&skipper.swingd.home);
    let (snapshot, rpc) = (height.next_multiple_of(INTERVAL), three[0].rpc());
    // A light client verifies a snapshot's height by the two blocks above it.
    wait::until_ok("a snapshot", SOON, || rpc.height().map(|at| (at > snapshot + 2).then_some(())))
        .expect("it is made");
    state_sync(skipper, three);
    skipper.start(&network.binaries, NEWEST, &[]).expect("version-2 starts");
    wait_for_sync(skipper, snapshot + 1);
    assert!(earliest(&skipper.rpc()) > height, "it has not executed H");
}

/// Version-2 is rehearsed on two validators, with one digest. Then its first build fails on all; a wrong build makes another block H
/// of it; all go back, since nobody has signed above H, and a repaired build of the same plan name goes through. One that skips the
/// plan meanwhile, and one that keeps the wrong build, are named, and come back. Afterwards nobody can go back any more.
#[test]
fn a_repaired_binary_goes_through_h_after_all_went_back_and_past_the_next_block_nobody_can_go_back() {
    let stage = Stage::new();
    let (mut network, mut observer) = begin(&stage);
    let load = visor::load(&network, &mut Narrator::new(false)).expect("an account");
    let height = upgrade::schedule(&network, &mut Narrator::new(false)).expect("the plan is scheduled");

    let reports = rehearsed(&network, height - 4);
    assert_eq!(reports[0]["height"], (height - 4).to_string());
    assert_eq!(reports[0]["digest"], reports[1]["digest"], "the digest is the same on every machine: {reports:?}");
    network.validators.iter_mut().chain([&mut observer]).for_each(|node| refuses(node, height));
    for node in &network.validators {
        let left = std::fs::read_dir(node.swingd.home.join("data/rehearsals"));
        let folders =
            left.into_iter().flatten().filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir()));
        assert_eq!(folders.count(), 0, "the rehearsed copy is thrown away");
    }

    let with_block = all_fail(&mut network, height);
    let wrong = wrong_build_makes_h(&mut network, height, &with_block);
    let before = (height - 1).to_string();
    for node in &network.validators {
        let answer = node.swingd.json(&["rollback", "--height", &before]).expect("the way back is open");
        assert_eq!((&answer["height"], committed(node)), (&Value::from(before.clone()), height - 1), "{answer}");
    }
    two_go_their_own_ways(&mut network, &mut observer, height);
    assert_eq!(status(&observer)["diverged"]["app_hash"], wrong, "H is the block that was decided, executed again");

    observer.swingd.json(&["rollback", "--height", &before]).expect("it has signed nothing");
    observer.start(&network.binaries, NEWEST, &[]).expect("the repaired build starts");
    comes_back_by_state_sync(&mut network, height);
    let skipper = network.validators.pop().expect("four");
    network.validators.push(observer);
    network.wait_for_height(height + 3, SOON).expect("the chain goes on");
    let right = network.common_app_hash(height).expect("all agree on block H");
    assert_ne!(Value::from(right), wrong, "another block H was taken back");
    network.common_app_hash(height + 1).expect("and after it");
    network.validators.push(skipper);
    let last = network.validators[0].rpc().height().expect("a height");
    network.wait_for_height(last + 2, SOON).expect("all five go on");
    network.common_app_hash(last).expect("all five agree");
    none_lost(&network, load);
    network.stop_all(SOON).expect("all stop");
    network.validators[..3].iter().for_each(|node| rollback_is_refused(node, height));
}
