//! Frames and the little that is read of messages, against the generated code.

use swingvisor::front::{
    frame::{Frame, FrameError, Splitter},
    message::{self, Committed, Kind, Role},
};
use tendermint_proto::v0_38::abci::{
    RequestApplySnapshotChunk, RequestEcho, RequestInitChain, RequestLoadSnapshotChunk, RequestOfferSnapshot,
    RequestProcessProposal, request, response,
};

use super::messages::{
    check, checked, commit, committed, finalize, finalized, flush, hash, info, informed, list_snapshots, prepare,
    query, read_response, request,
};

#[test]
fn every_request_of_abci_0_38_is_known_by_its_kind_and_its_connection() {
    let proposal = RequestProcessProposal { height: 8, ..RequestProcessProposal::default() };
    let load = RequestLoadSnapshotChunk { height: 8, format: 1, chunk: 2 };
    let table = [
        (info(), Kind::Info, Some(Role::Query)),
        (query("/a"), Kind::Query, Some(Role::Query)),
        (flush(), Kind::Flush, None),
        (request(request::Value::Echo(RequestEcho { message: "e".to_owned() })), Kind::Echo, None),
        (check(b"tx", false), Kind::CheckNew, Some(Role::Mempool)),
        (check(b"tx", true), Kind::CheckAgain, Some(Role::Mempool)),
        (list_snapshots(), Kind::ListSnapshots, Some(Role::Snapshot)),
        (request(request::Value::LoadSnapshotChunk(load)), Kind::LoadChunk, Some(Role::Snapshot)),
        (request(request::Value::OfferSnapshot(RequestOfferSnapshot::default())), Kind::Restore, Some(Role::Snapshot)),
        (
            request(request::Value::ApplySnapshotChunk(RequestApplySnapshotChunk::default())),
            Kind::Restore,
            Some(Role::Snapshot),
        ),
        (request(request::Value::InitChain(RequestInitChain::default())), Kind::InitChain, Some(Role::Consensus)),
        (prepare(8), Kind::Propose, Some(Role::Consensus)),
        (request(request::Value::ProcessProposal(proposal)), Kind::Propose, Some(Role::Consensus)),
        (finalize(8), Kind::Finalize(8), Some(Role::Consensus)),
        (finalize(i64::MAX), Kind::Finalize(u64::MAX >> 1), Some(Role::Consensus)),
        (commit(), Kind::Commit, Some(Role::Consensus)),
        (Frame::of(&[]), Kind::Unknown, None),
        (Frame::of(&[0xff; 20]), Kind::Unknown, None),
        (Frame::of(&[0x22, 0x00]), Kind::Unknown, None),
    ];
    for (frame, kind, role) in table {
        assert_eq!((message::kind(&frame), kind.role()), (kind, role));
    }
}

#[test]
fn heights_and_app_hashes_are_read_from_the_replies_that_have_them() {
    let seven = Committed { height: 7, app_hash: hash(7) };
    assert_eq!(message::told_by_info(&informed(7)), Some(seven));
    assert_eq!(message::told_by_info(&checked()), None);
    assert_eq!(message::hash_of_finalized(&finalized(7)), Some(hash(7)));
    assert_eq!(message::hash_of_finalized(&committed()), None);
    assert!(message::is_committed(&committed()) && !message::is_committed(&finalized(7)));
}

#[test]
fn who_is_put_off_hears_why_and_when_and_nothing_of_consensus_is() {
    let seven = Committed { height: 7, app_hash: hash(7) };
    let put_off = |frame: &Frame| message::put_off(message::kind(frame), frame, &seven);
    let answer = |frame: &Frame| read_response(&put_off(frame).expect("an answer"));
    let response::Value::CheckTx(reply) = answer(&check(b"tx", false)) else { panic!("a CheckTx reply") };
    assert_eq!((reply.code, reply.codespace.as_str()), (20, "sdk"), "the SDK's full mempool: send it again");
    assert!(reply.log.contains("upgrading"));
    let response::Value::CheckTx(reply) = answer(&check(b"tx", true)) else { panic!("a CheckTx reply") };
    assert_eq!(reply.code, 0, "what the mempool has, it keeps");
    let response::Value::Query(reply) = answer(&query("/a")) else { panic!("a Query reply") };
    assert!(reply.code != 0 && reply.log.contains("upgrading") && reply.height == 7, "{reply:?}");
    let response::Value::Info(reply) = answer(&info()) else { panic!("an Info reply") };
    assert_eq!((reply.last_block_height, reply.last_block_app_hash.to_vec()), (7, hash(7)));
    let echo = request(request::Value::Echo(RequestEcho { message: "e".to_owned() }));
    let response::Value::Echo(reply) = answer(&echo) else { panic!("an Echo reply") };
    assert_eq!(reply.message, "e");
    assert!(matches!(answer(&flush()), response::Value::Flush(_)));
    assert!(matches!(answer(&list_snapshots()), response::Value::ListSnapshots(_)));
    for frame in [prepare(8), finalize(8), commit(), Frame::of(&[])] {
        assert_eq!(put_off(&frame), None);
    }
}

#[test]
fn frames_come_whole_and_unchanged_however_the_stream_cuts_them() {
    let sent = [flush(), check(&[7; 300], false), check(&[1; 100_000], false), Frame::of(&[])];
    let bytes: Vec<u8> = sent.iter().flat_map(|frame| frame.bytes().to_vec()).collect();
    for step in [1, 2, 7, 4096, bytes.len()] {
        let mut splitter = Splitter::new(1 << 20);
        let mut seen = Vec::new();
        for part in bytes.chunks(step) {
            splitter.push(part);
            while let Some(frame) = splitter.next_frame().expect("a good stream") {
                seen.push(frame);
            }
        }
        assert_eq!(seen, sent, "step {step}");
    }
}

#[test]
fn a_length_that_is_none_or_above_the_cap_is_refused_before_its_bytes_come() {
    let refused = |bytes: &[u8]| {
        let mut splitter = Splitter::new(1000);
        splitter.push(bytes);
        splitter.next_frame().expect_err("a bad stream")
    };
    assert_eq!(refused(&[0xff; 10]), FrameError::BadLength);
    assert_eq!(refused(&[0xe9, 0x07]), FrameError::TooLarge { length: 1001, max: 1000 });
    assert!(matches!(refused(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f]), FrameError::TooLarge { .. }));
}
