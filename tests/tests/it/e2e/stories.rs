//! Stories of four validators on CometBFT.

use swing_localnet::{
    binaries::{NEWEST, VERSION_1},
    genesis::{Plan, prepare_full_node},
    network::Network,
    report::Narrator,
    scenario::{upgrade, visor},
    validator::{Engine, Validator},
    wait,
};

use super::network::{SOON, Stage, binaries, none_lost, refuses};

#[test]
fn four_validators_live_through_the_kernel_upgrade_under_load() {
    let stage = Stage::new();
    let plan = Plan::quick(4, Engine::CometChild);
    let report = upgrade::run(plan, stage.folder(), binaries(), &mut Narrator::new(false))
        .expect("the scenario reaches its end");
    assert!(report.messages_accepted > 0, "no message was sent: {report:?}");
    let before_h = vec![report.upgrade_height - 1; 4];
    assert_eq!(report.stop_heights, before_h, "every version-1 node stops after H−1");
}

/// The validators that have version-2 before its height, the one that stops there, and the one that comes late.
const EARLY: [usize; 2] = [0, 1];
const STOPPING: usize = 2;
const LAGGARD: usize = 3;

/// Replaces version-1 by version-2 on a validator of a running chain, long before the height; gives the new process's ID.
fn install_early(network: &mut Network, index: usize) -> u32 {
    let node = &mut network.validators[index];
    node.stop(SOON).expect("it stops");
    let reached = network.validators[LAGGARD].rpc().height().expect("the others go on");
    let node = &mut network.validators[index];
    node.start(&network.binaries, NEWEST, &[]).expect("version-2 starts");
    let rpc = node.rpc();
    wait::until_ok("it to go on with the others", SOON, || rpc.height().map(|at| (at > reached).then_some(())))
        .expect("it runs version-1's rules");
    node.running().expect("its status").expect("it runs")
}

/// The node went through `height` in the process that it had before, and kept the state before it.
#[track_caller]
fn went_through(node: &mut Validator, pid: u32, height: u64) {
    assert_eq!(node.running().expect("its status"), Some(pid), "{}: the same process", node.name);
    let process = node.node().expect("it runs");
    for line in ["can you handle version-2? yes", "UPGRADE_SWINGSET version-2"] {
        process.wait_for_output(line, SOON).expect("it says so");
    }
    upgrade::has_checkpoint(node, height).expect("it was made before H");
}

/// Two validators have version-2 before the height, and go through it. One stops there and comes back with version-2. The last one is
/// halted before it has decided H−1; the others go on without it; it then completes H−1 from what its peers stored, stops, refuses with
/// version-1 again, and catches up with version-2. A new node syncs the whole chain by running version-1 and then version-2.
#[test]
fn early_ones_a_laggard_and_a_newcomer_cross_the_upgrade_height_under_load() {
    let stage = Stage::new();
    let mut tell = Narrator::new(false);
    let mut network = upgrade::begin(Plan::quick(4, Engine::CometExternal), stage.folder(), binaries(), &mut tell)
        .expect("a chain begins");
    // Nothing is sent to one that is halted: it would take, and not answer.
    let load = visor::load_through(&network, &network.validators[..LAGGARD]).expect("an account");
    let (kernel_1, _) = upgrade::kernel(&network).expect("one kernel on all");
    let pids = EARLY.map(|index| install_early(&mut network, index));
    let height = upgrade::schedule(&network, &mut tell).expect("the plan is scheduled");

    let rpc = network.validators[LAGGARD].rpc();
    wait::until_ok("a height shortly before H−1", SOON, || rpc.height().map(|at| (at + 3 >= height).then_some(())))
        .expect("it comes there");
    network.validators[LAGGARD].pause().expect("the laggard is halted");

    refuses(&mut network.validators[STOPPING], height);
    network.validators[STOPPING].start(&network.binaries, NEWEST, &[]).expect("version-2 starts");
    let three = network.validators[0].rpc();
    wait::until_ok("three validators to pass H", SOON, || three.height().map(|at| (at > height).then_some(())))
        .expect("they go on");
    for (index, pid) in EARLY.into_iter().zip(pids) {
        went_through(&mut network.validators[index], pid, height);
    }

    let laggard = &mut network.validators[LAGGARD];
    laggard.resume().expect("the laggard goes on");
    for _ in 0..2 {
        refuses(laggard, height);
        laggard.start(&network.binaries, VERSION_1, &[]).expect("version-1 starts again");
    }
    laggard.wait_for_exit(SOON).expect("it refuses again");
    laggard.start(&network.binaries, NEWEST, &[]).expect("version-2 starts");

    let program = network.binaries.path(VERSION_1);
    let mut newcomer = prepare_full_node(&network.plan, stage.folder(), "newcomer", &program, &network.validators)
        .expect("a new home");
    newcomer.start(&network.binaries, VERSION_1, &[]).expect("version-1 starts");
    // It syncs up to H−1 and stops, with H at hand.
    refuses(&mut newcomer, height);
    newcomer.start(&network.binaries, NEWEST, &[]).expect("version-2 starts");
    network.validators.push(newcomer);

    network.wait_for_height(height + 4, SOON).expect("all five go on");
    network.common_app_hash(height).expect("all five agree on block H");
    network.common_app_hash(height + 2).expect("all five agree after it");
    let (kernel_2, schema) = upgrade::kernel(&network).expect("one kernel on all");
    assert!(kernel_2[0] != kernel_1[0] && schema == 2, "{kernel_1:?}, {kernel_2:?}, schema {schema}");
    none_lost(&network, load);
    network.stop_all(SOON).expect("all five stop");
}
