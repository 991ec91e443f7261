//! The main job without CometBFT.

use swing_localnet::{genesis::Plan, report::Narrator, scenario::upgrade, validator::Engine};

use super::network::{Stage, binaries};

#[test]
fn a_solo_chain_lives_through_the_kernel_upgrade_and_loses_no_message() {
    let stage = Stage::of_one_node();
    let plan = Plan::quick(1, Engine::Solo);
    let report =
        upgrade::run(plan, stage.folder(), binaries(), &mut Narrator::new(true)).expect("the scenario reaches its end");
    assert!(report.messages_accepted > 0, "no message was sent: {report:?}");
}
