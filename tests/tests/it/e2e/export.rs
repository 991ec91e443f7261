//! `swingd export` of a chain in the middle of its work.

use swing_localnet::{
    binaries::{NEWEST, VERSION_1},
    scenario::upgrade::expect_refusal,
    swingd::{Swingd, text},
    wait,
};
use swing_tests::solo_home::{MESSAGES, SOON, SoloHome, UPGRADE_HEIGHT};

use super::{
    killed::counted,
    network::{Stage, binaries},
};

#[test]
fn an_export_is_a_genesis_from_which_a_chain_goes_on_with_its_plan_and_its_queue() {
    let stage = Stage::of_one_node();
    let binaries = binaries();
    let origin = SoloHome::make(stage.folder(), &binaries).expect("a chain begins");
    let mut node = origin.copy(&stage.folder().join("again")).expect("the home is copied");

    let home = node.swingd.home.clone();
    let swingd = Swingd { program: binaries.path(VERSION_1), home: home.clone() };
    let document = stage.folder().join("exported.json");
    swingd.run(&["export", "--output-document", text(&document).expect("UTF-8")]).expect("it is exported");
    for state in ["data/application.db", "data/solo"] {
        std::fs::remove_dir_all(home.join(state)).expect("the chain's data goes");
    }
    std::fs::rename(&document, home.join("config/genesis.json")).expect("the new genesis");
    swingd.run(&["genesis", "validate"]).expect("it is a valid genesis");

    node.start(&binaries, VERSION_1, &[]).expect("version-1 starts");
    let (code, output) = node.wait_for_exit(SOON).expect("it comes to the plan's height");
    expect_refusal("again", &node.swingd, code, &output, UPGRADE_HEIGHT).expect("it refuses");
    assert!(!output.contains("committed block height=1 "), "it begins after the exported height: {output}");
    node.start(&binaries, NEWEST, &[]).expect("version-2 starts");
    let rpc = node.rpc();
    wait::until_ok("blocks after the plan", SOON, || rpc.height().map(|at| (at > UPGRADE_HEIGHT).then_some(())))
        .expect("it goes on");
    assert_eq!(counted(&node), [MESSAGES; 2], "every message of the exported queue is delivered once");
    node.stop(SOON).expect("it stops");
}
