//! The ABCI socket server's own rules, on a scripted application.

use std::{sync::Arc, time::Duration};

use swing_node::{
    abci::Address,
    lifecycle::{ExitCode, StopReason},
};
use tendermint_proto::v0_38::abci::{Request, RequestExtendVote, request, response};

use crate::support::{
    client::{Client, check_tx, commit, echo, finalize, flush, query},
    scripted::{Gate, Script, Scripted, start, start_at},
};

const PATIENCE: Duration = Duration::from_secs(60);

#[track_caller]
fn stopped_with(node: &Scripted) -> StopReason {
    node.switch.wait_at_most(PATIENCE).expect("the process is told to stop")
}

#[track_caller]
fn frame(request: &Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    swing_node::abci::write_frame(request, &mut bytes);
    bytes
}

#[test]
fn pipelined_requests_are_answered_in_order_on_unix_and_tcp() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tcp = "tcp://127.0.0.1:0".parse::<Address>().expect("an address");
    for node in [start([]), start_at(&tcp, folder, [])] {
        let mut client = Client::connect(&node.address);
        let sent = 3000_u32;
        client.send((0..sent).map(|number| check_tx(&number.to_be_bytes())).chain([flush()]));
        for number in 0..sent {
            let Some(response::Value::CheckTx(reply)) = client.reply() else { panic!("a CheckTx reply") };
            assert_eq!(reply.data.as_ref(), number.to_be_bytes());
        }
        assert!(matches!(client.reply(), Some(response::Value::Flush(_))));
    }
}

#[test]
fn a_reply_comes_without_a_flush() {
    let node = start([]);
    let mut client = Client::connect(&node.address);
    client.send([echo("hello")]);
    let Some(response::Value::Echo(reply)) = client.reply() else { panic!("an Echo reply") };
    assert_eq!(reply.message, "hello");
}

#[test]
fn frames_cut_anywhere_are_put_together() {
    let node = start([]);
    let mut client = Client::connect(&node.address);
    let bytes = frame(&Request { value: Some(echo(&"x".repeat(200))) });
    for byte in &bytes {
        client.send_bytes(&[*byte]);
    }
    assert!(matches!(client.reply(), Some(response::Value::Echo(_))));
}

#[test]
fn a_block_being_executed_delays_neither_check_tx_nor_query_nor_info() {
    let gate = Arc::new(Gate::default());
    let node = start([(1, Script::Wait(Arc::clone(&gate)))]);
    let mut consensus = Client::connect(&node.address);
    consensus.send([finalize(1), flush()]);
    gate.wait_for_arrival();
    // The block is in the middle of its execution and stays there until these have been answered.
    let mut mempool = Client::connect(&node.address);
    assert!(matches!(mempool.call(check_tx(b"tx")), response::Value::CheckTx(_)));
    let mut queries = Client::connect(&node.address);
    assert!(matches!(queries.call(query("/a")), response::Value::Query(_)));
    assert!(matches!(queries.call(request::Value::Info(<_>::default())), response::Value::Info(_)));
    gate.open();
    assert!(matches!(consensus.reply(), Some(response::Value::FinalizeBlock(_))));
}

/// Bytes that no server can make sense of: the connection ends with no answer, the node goes on.
#[track_caller]
fn check_closed_without_answer(bytes: &[u8]) {
    let node = start([]);
    let mut bad = Client::connect(&node.address);
    bad.send_bytes(bytes);
    assert_eq!(bad.reply(), None);
    let mut good = Client::connect(&node.address);
    assert!(matches!(good.call(echo("still there")), response::Value::Echo(_)));
    assert_eq!(node.switch.reason(), None);
}

#[test]
fn bad_frames_close_their_connection_and_nothing_else() {
    check_closed_without_answer(&[0xff; 16]);
    check_closed_without_answer(&[0x03, 0xff, 0xff, 0xff]);
    // 100,001 bytes are claimed, 100,000 accepted; nothing of it is waited for.
    check_closed_without_answer(&[0xa1, 0x8d, 0x06]);
    check_closed_without_answer(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
}

#[test]
fn unknown_requests_and_vote_extensions_are_not_answered() {
    check_closed_without_answer(&frame(&Request { value: None }));
    // Field 4 was SetOption, which ABCI 0.38 no longer has.
    check_closed_without_answer(&[0x02, 0x22, 0x00]);
    check_closed_without_answer(&frame(&Request {
        value: Some(request::Value::ExtendVote(RequestExtendVote::default())),
    }));
}

#[test]
fn a_connection_above_the_limit_is_closed() {
    let node = start([]);
    let mut open: Vec<Client> = (0..6).map(|_| Client::connect(&node.address)).collect();
    for client in &mut open {
        client.call(echo("in"));
    }
    assert!(Client::connect(&node.address).reply().is_none());
    open.iter_mut().for_each(|client| drop(client.call(echo("still in"))));
}

#[test]
fn losing_the_consensus_connection_ends_the_process_and_losing_another_does_not() {
    let node = start([]);
    let mut mempool = Client::connect(&node.address);
    mempool.call(check_tx(b"tx"));
    let mut consensus = Client::connect(&node.address);
    consensus.call(finalize(1));
    mempool.close();
    consensus.call(commit());
    assert_eq!(node.switch.reason(), None);
    consensus.close();
    assert_eq!(stopped_with(&node).exit_code(), ExitCode::ConsensusLost);
}

#[test]
fn nonsense_on_the_consensus_connection_ends_the_process() {
    let node = start([]);
    let mut consensus = Client::connect(&node.address);
    consensus.call(finalize(1));
    consensus.send_bytes(&[0xff; 16]);
    assert!(consensus.reply().is_none());
    let reason = stopped_with(&node);
    assert_eq!(reason.exit_code(), ExitCode::ConsensusLost);
    assert!(reason.to_string().contains("not an unsigned varint"), "{reason}");
}

#[test]
fn a_second_consensus_connection_is_turned_away() {
    let node = start([]);
    let mut first = Client::connect(&node.address);
    first.call(finalize(1));
    let mut second = Client::connect(&node.address);
    second.send([finalize(1), flush()]);
    assert!(second.reply().is_none());
    first.call(commit());
    assert_eq!(node.switch.reason(), None);
}

/// The consensus request at height 2 gets no answer and the process ends with this code.
#[track_caller]
fn check_fail_stop(script: Script, expected: ExitCode) {
    let node = start([(2, script)]);
    let mut consensus = Client::connect(&node.address);
    consensus.call(finalize(1));
    consensus.call(commit());
    consensus.send([finalize(2), flush()]);
    assert_eq!(consensus.reply(), None);
    assert_eq!(stopped_with(&node).exit_code(), expected);
}

#[test]
fn a_fault_a_panic_and_the_upgrade_guard_end_the_process_without_an_answer() {
    check_fail_stop(Script::Halt, ExitCode::Halt);
    check_fail_stop(Script::Panic, ExitCode::Panicked);
    check_fail_stop(Script::Guard, ExitCode::UpgradeNeeded);
}

#[test]
fn a_fault_on_a_read_connection_ends_the_process_too() {
    let node = start([]);
    let mut queries = Client::connect(&node.address);
    queries.send([query("/fault"), flush()]);
    assert!(queries.reply().is_none());
    assert_eq!(stopped_with(&node).exit_code(), ExitCode::Halt);
}

#[test]
fn the_last_commit_is_answered_and_the_block_behind_it_in_the_socket_is_not() {
    let node = start([(7, Script::StopAfterCommit)]);
    let mut consensus = Client::connect(&node.address);
    consensus.call(finalize(7));
    // As in block sync: the next block follows with no pause.
    consensus.send([commit(), finalize(8), flush()]);
    let Some(response::Value::Commit(reply)) = consensus.reply() else { panic!("the reply to Commit goes out") };
    assert_eq!(reply.retain_height, 7);
    assert_eq!(consensus.reply(), None, "nothing is answered after the last commit");
    assert_eq!(stopped_with(&node).exit_code(), ExitCode::UpgradeNeeded);
}

#[test]
fn a_clean_stop_finishes_the_block_in_progress() {
    let node = start([]);
    let mut consensus = Client::connect(&node.address);
    consensus.call(finalize(1));
    std::thread::scope(|scope| {
        let drained = scope.spawn(|| node.server.drain(PATIENCE));
        consensus.send([commit()]);
        assert!(matches!(consensus.reply(), Some(response::Value::Commit(_))));
        assert!(consensus.reply().is_none(), "the connection is closed after it");
        assert!(drained.join().expect("no panic"), "nothing was cut off");
    });
    assert!(swing_node::abci::Stream::connect(&node.address).is_err(), "nobody listens any more");
}

#[test]
fn a_clean_stop_does_not_wait_for_ever_for_a_commit_that_does_not_come() {
    let node = start([]);
    let mut consensus = Client::connect(&node.address);
    consensus.call(finalize(1));
    assert!(!node.server.drain(Duration::from_millis(10)));
}
