//! A process that ends at any point, and the next one on the same home.

use std::{fs::OpenOptions, io::Write, os::unix::fs::FileExt};

use crate::support::{
    counting::Fate,
    solo::{Running, SoloHome},
};
use swing_node::lifecycle::StopReason;

fn hash_of(node: &Running, height: i64) -> serde_json::Value {
    node.result(&format!("block?height={height}"))["block_id"].clone()
}

#[test]
fn a_crash_in_a_block_executes_the_stored_block_again_and_its_transaction_once() {
    for fate in [Fate::FailInFinalize(2), Fate::FailInCommit(2)] {
        let home = SoloHome::new();
        // So that block 2 is the one with the transaction.
        home.set("consensus.create_empty_blocks", "false");
        let node = home.start(Some(fate)).expect("it starts");
        assert_eq!(node.result("broadcast_tx_sync?tx=\"one\"")["code"], 0);
        assert!(matches!(node.ended(), StopReason::Halt(_)), "{fate:?}");
        assert_eq!(home.app.disk().height, 1, "{fate:?}");
        let node = home.start(None).expect("it starts again");
        node.wait_for(3);
        assert_eq!(node.result("block?height=2")["block"]["data"]["txs"], serde_json::json!(["b25l"]));
        assert_eq!(node.result("tx_search?query=\"tx.height%3D2\"")["total_count"], "1");
        assert_eq!(home.app.disk().txs, ["one"], "{fate:?}");
    }
}

#[test]
fn a_crash_in_the_first_block_begins_the_chain_again_with_the_stored_block() {
    for fate in [Fate::FailInFinalize(1), Fate::FailInCommit(1)] {
        let home = SoloHome::new();
        assert!(matches!(home.run_into(fate), StopReason::Halt(_)), "{fate:?}");
        assert_eq!(home.app.disk().height, 0);
        let size = std::fs::metadata(home.log()).expect("the log").len();
        let node = home.start(None).expect("it starts again");
        node.wait_for(2);
        assert!(std::fs::metadata(home.log()).expect("the log").len() > size, "the stored block was kept");
    }
}

#[test]
fn committed_blocks_and_transactions_are_there_after_a_restart() {
    let home = SoloHome::new();
    let (block, tx) = {
        let node = home.start(None).expect("it starts");
        let sent = node.result("broadcast_tx_commit?tx=\"one\"");
        let hash = sent["hash"].as_str().expect("a hash").to_owned();
        (hash_of(&node, 1), node.result(&format!("tx?hash=0x{hash}&prove=true")))
    };
    let node = home.start(None).expect("it starts again");
    assert_eq!(hash_of(&node, 1), block);
    let hash = tx["hash"].as_str().expect("a hash");
    assert_eq!(node.result(&format!("tx?hash=0x{hash}&prove=true")), tx);
    let (status, answer) = node.get("broadcast_tx_sync?tx=\"one\"");
    assert!(status == 200 && answer.contains("refused"), "CheckTx knows it: {answer}");
}

#[test]
fn the_last_commit_before_an_upgrade_ends_the_engine_and_the_next_release_goes_on() {
    let home = SoloHome::new();
    let node = home.start(Some(Fate::StopAfterCommit(3))).expect("it starts");
    let address = node.address;
    assert!(matches!(node.ended(), StopReason::Upgrade(_)));
    assert!(std::net::TcpStream::connect(address).is_err(), "RPC is closed");
    assert_eq!(home.app.disk().height, 3);
    let node = home.start(None).expect("the next release starts");
    node.wait_for(4);
}

#[test]
fn a_torn_last_record_is_cut_off_and_made_again() {
    for cut in [1, 5, 9, 40] {
        let home = SoloHome::new();
        home.run_into(Fate::FailInFinalize(3));
        let file = OpenOptions::new().write(true).open(home.log()).expect("the log");
        let size = file.metadata().expect("its size").len();
        file.set_len(size - cut).expect("cut");
        let node = home.start(None).expect("it starts again");
        node.wait_for(4);
    }
}

#[test]
fn garbage_behind_the_last_record_is_cut_off() {
    let home = SoloHome::new();
    home.run_into(Fate::FailInFinalize(3));
    let mut file = OpenOptions::new().append(true).open(home.log()).expect("the log");
    file.write_all(&[0x5A; 300]).expect("written");
    let node = home.start(None).expect("it starts again");
    node.wait_for(4);
}

#[test]
fn damage_in_the_middle_is_an_error_and_nothing_is_cut_off() {
    let home = SoloHome::new();
    home.run_into(Fate::FailInFinalize(3));
    let file = OpenOptions::new().read(true).write(true).open(home.log()).expect("the log");
    let size = file.metadata().expect("its size").len();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 60).expect("read");
    file.write_all_at(&[byte[0] ^ 1], 60).expect("written");
    let error = home.refusal();
    assert!(error.contains("damaged at byte 8: its checksum is wrong, and a good record follows at"), "{error}");
    assert_eq!(file.metadata().expect("its size").len(), size);
}

#[test]
fn a_lost_store_is_not_taken_for_a_new_chain() {
    let home = SoloHome::new();
    home.run_into(Fate::FailInFinalize(3));
    std::fs::remove_file(home.log()).expect("removed");
    let error = home.refusal();
    assert!(
        error
            .starts_with("the application has committed block 2, but the solo engine's store in data/solo ends with 0"),
        "{error}"
    );
}

#[test]
fn an_application_that_lost_its_state_is_brought_to_the_last_block() {
    let home = SoloHome::new();
    home.run_into(Fate::FailInFinalize(5));
    *home.app.disk() = Default::default();
    let node = home.start(None).expect("it starts again");
    node.wait_for(6);
}
