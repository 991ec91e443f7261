//! `swingd snapshots` on a real home: what is exported is what a lost database is restored from.

use serde_json::json;
use swing_localnet::{binaries::NEWEST, swingd::Swingd};
use swing_tests::solo_home::SoloHome;

use super::{
    killed::{End, NEW, Story},
    network::{Stage, binaries},
};

#[test]
fn a_lost_database_is_restored_from_a_snapshot_of_the_home_and_the_chain_goes_on() {
    let stage = Stage::of_one_node();
    let binaries = binaries();
    let origin = SoloHome::make(stage.folder(), &binaries).expect("a chain begins");
    let expected = Story::new(&origin, &stage.folder().join("undisturbed"), binaries.clone()).play(origin.height, None);

    let mut story = Story::new(&origin, &stage.folder().join("restored"), binaries.clone());
    let swingd = Swingd { program: binaries.path(NEWEST), home: story.node.swingd.home.clone() };
    assert_eq!(swingd.json(&["snapshots", "list"]).expect("listed"), json!([]));
    let exported = swingd.json(&["snapshots", "export"]).expect("exported");
    let height = origin.height.to_string();
    assert_eq!((&exported["height"], &exported["release"]), (&json!(height), &json!("version-1")), "{exported}");
    assert_eq!(swingd.json(&["snapshots", "list"]).expect("listed"), json!([exported]));

    let refused = swingd.json(&["snapshots", "restore", &height, "1"]).expect_err("state is there").to_string();
    assert!(refused.contains("remove it first"), "{refused}");
    std::fs::remove_dir_all(swingd.home.join("data/application.db")).expect("the database is lost");
    let restored = swingd.json(&["snapshots", "restore", &height, "1"]).expect("restored");
    assert_eq!(restored, exported);
    swingd.json(&["snapshots", "delete", &height, "1"]).expect("deleted");
    assert_eq!(swingd.json(&["snapshots", "list"]).expect("listed"), json!([]));

    story.refuses();
    assert_eq!(story.run(NEW, None), End::CameFar);
    assert_eq!(story.finish(origin.height), expected.chain, "as if nothing had been lost");
}
