//! Stories of four validators on CometBFT.

use swing_localnet::{
    binaries::{NEWEST, VERSION_1},
    genesis::{Plan, prepare_full_node},
    report::Narrator,
    scenario::upgrade::{self, expect_refusal},
    validator::Engine,
    wait,
};

use super::network::{SOON, Stage, binaries};

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

/// One validator is halted before it has decided H−1; the others stop, come back with version-2 and go on without it; it then
/// completes H−1 from what its peers stored, stops, refuses with version-1 again, and catches up with version-2. A new node syncs
/// the whole chain by running version-1 and then version-2.
#[test]
fn a_laggard_and_a_newcomer_cross_the_upgrade_height() {
    let stage = Stage::new();
    let binaries = binaries();
    let mut tell = Narrator::new(false);
    let mut network = upgrade::begin(Plan::quick(4, Engine::CometExternal), stage.folder(), binaries, &mut tell)
        .expect("a chain begins");
    let height = upgrade::schedule(&network, &mut tell).expect("the plan is scheduled");

    let laggard = 3;
    let rpc = network.validators[laggard].rpc();
    wait::until_ok("a height shortly before H−1", SOON, || rpc.height().map(|at| (at + 3 >= height).then_some(())))
        .expect("it comes there");
    network.validators[laggard].pause().expect("the laggard is halted");

    for validator in &mut network.validators[..laggard] {
        let (code, output) = validator.wait_for_exit(SOON).expect("it stops");
        expect_refusal(&validator.name, &validator.swingd, code, &output, height).expect("it refuses");
        validator.start(&network.binaries, NEWEST, &[]).expect("version-2 starts");
    }
    let three = network.validators[0].rpc();
    wait::until_ok("three validators to pass H", SOON, || three.height().map(|at| (at > height).then_some(())))
        .expect("they go on");

    network.validators[laggard].resume().expect("the laggard goes on");
    for _ in 0..2 {
        let validator = &mut network.validators[laggard];
        let (code, output) = validator.wait_for_exit(SOON).expect("it stops");
        expect_refusal(&validator.name, &validator.swingd, code, &output, height).expect("it refuses");
        validator.start(&network.binaries, VERSION_1, &[]).expect("version-1 starts again");
    }
    network.validators[laggard].wait_for_exit(SOON).expect("it refuses again");
    network.validators[laggard].start(&network.binaries, NEWEST, &[]).expect("version-2 starts");

    let program = network.binaries.path(VERSION_1);
    let mut newcomer = prepare_full_node(&network.plan, stage.folder(), "newcomer", &program, &network.validators)
        .expect("a new home");
    newcomer.start(&network.binaries, VERSION_1, &[]).expect("version-1 starts");
    let (code, output) = newcomer.wait_for_exit(SOON).expect("it syncs up to H−1 and stops, with H at hand");
    expect_refusal(&newcomer.name, &newcomer.swingd, code, &output, height).expect("it refuses");
    newcomer.start(&network.binaries, NEWEST, &[]).expect("version-2 starts");
    network.validators.push(newcomer);

    network.wait_for_height(height + 4, SOON).expect("all five go on");
    network.common_app_hash(height).expect("all five agree on block H");
    network.common_app_hash(height + 2).expect("all five agree after it");
    network.stop_all(SOON).expect("all five stop");
}
