//! The way back from block H on a real home of the solo engine: open until the block after it, and closed from there on.

use swing_localnet::{binaries::NEWEST, rpc::number, scenario::upgrade::UPGRADE_NEEDED, swingd::Swingd};
use swing_node::killpoints::Killpoint;
use swing_tests::solo_home::{SoloHome, UPGRADE_HEIGHT};

use super::{
    killed::{End, NEW, OLD, Story},
    network::{Stage, binaries},
};

/// The committed height that a stopped home tells.
fn committed(swingd: &Swingd) -> u64 {
    let status = swingd.json(&["status"]).expect("a status");
    number(&status["application"]["committed_height"]).expect("a height")
}

#[test]
fn a_solo_node_goes_back_before_h_executes_it_again_and_no_more_once_the_next_block_is_stored() {
    let stage = Stage::of_one_node();
    let binaries = binaries();
    let origin = SoloHome::make(stage.folder(), &binaries).expect("a chain begins");
    let expected = Story::new(&origin, &stage.folder().join("undisturbed"), binaries.clone()).play(origin.height, None);

    let mut story = Story::new(&origin, &stage.folder().join("back"), binaries.clone());
    assert_eq!(story.run(OLD, None), End::Exited(Some(UPGRADE_NEEDED)));
    // H is on disk, and nothing above it was made.
    let after_commit = format!("{}@{UPGRADE_HEIGHT}", Killpoint::AfterCommit.name());
    assert_eq!(story.run(NEW, Some(&after_commit)), End::Killed);
    let swingd = Swingd { program: binaries.path(NEWEST), home: story.node.swingd.home.clone() };
    assert_eq!(committed(&swingd), UPGRADE_HEIGHT);

    let before = (UPGRADE_HEIGHT - 1).to_string();
    swingd.json(&["rollback", "--height", &before]).expect("the way back is open");
    assert_eq!(committed(&swingd), UPGRADE_HEIGHT - 1);
    story.refuses();
    assert_eq!(story.run(NEW, None), End::CameFar);
    assert_eq!(story.finish(origin.height), expected.chain, "H and what follows are as if nothing had been taken back");

    let reached = committed(&swingd);
    let refused = swingd.json(&["rollback", "--height", &before]).expect_err("the way back is closed").to_string();
    assert!(refused.contains("the solo engine has stored block"), "{refused}");
    assert!(refused.contains("state sync"), "it says what is left: {refused}");
    assert_eq!(committed(&swingd), reached, "nothing was changed");
}
