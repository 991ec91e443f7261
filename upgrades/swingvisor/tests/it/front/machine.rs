//! The front's decisions, case by case, with no socket and no clock.

use swingvisor::front::{
    Event,
    frame::Frame,
    line::{WAIT_MS_MAX, WAITING_MAX},
    machine::{DRAIN_MS_MAX, Input, Machine, Output, QUIET_MS, QUIET_WITHOUT_RECHECK_MS},
    message::Committed,
};
use tendermint_proto::v0_38::abci::response;

use super::messages::{
    check, checked, commit, committed, finalize, finalized, flush, flushed, hash, info, informed, prepare, queried,
    query, read_response,
};

pub const CONSENSUS: u64 = 3;
const MEMPOOL: u64 = 2;
const QUERY: u64 = 1;
const SNAPSHOT: u64 = 0;
const START_MS_MAX: u64 = 60_000;
pub const PARKED_MS_MAX: u64 = 300_000;

/// A machine, its clock, and what it said.
pub struct Play {
    pub machine: Machine,
    now_ms: u64,
    said: Vec<Output>,
}

impl Play {
    pub fn step(&mut self, input: Input) -> &mut Self {
        let outputs = self.machine.step(self.now_ms, input);
        self.said.extend(outputs);
        self
    }

    pub fn after(&mut self, ms: u64) -> &mut Self {
        self.now_ms += ms;
        self.step(Input::Tick)
    }

    pub fn asks(&mut self, id: u64, frame: Frame) -> &mut Self {
        self.step(Input::Request(id, frame))
    }

    pub fn node(&mut self, id: u64, frame: Frame) -> &mut Self {
        self.step(Input::Reply(id, frame))
    }

    /// What it said since the last look.
    pub fn heard(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.said)
    }

    #[track_caller]
    pub fn check(&mut self, expected: &[Output]) -> &mut Self {
        assert_eq!(self.heard(), expected);
        self
    }

    /// CometBFT and a node at height 6, after the handshake and one block.
    fn serving() -> Self {
        let mut play = Play { machine: Machine::new(START_MS_MAX, PARKED_MS_MAX), now_ms: 1_000, said: Vec::new() };
        for id in [SNAPSHOT, QUERY, MEMPOOL, CONSENSUS] {
            play.step(Input::Opened(id));
        }
        play.step(Input::NodeStarted).step(Input::NodeSays(at(5)));
        play.asks(QUERY, info()).node(QUERY, informed(5));
        play.block(6, false).heard();
        play
    }

    /// One block; the node's last one where it says so.
    fn block(&mut self, height: u8, last: bool) -> &mut Self {
        self.asks(CONSENSUS, finalize(height.into())).node(CONSENSUS, finalized(height));
        self.asks(MEMPOOL, flush()).node(MEMPOOL, flushed());
        self.asks(CONSENSUS, commit());
        if last {
            self.step(Input::Announced(at(height)));
        }
        self.node(CONSENSUS, committed())
    }

    /// Parked after the node's last block, 7.
    pub fn parked() -> Self {
        let mut play = Play::serving();
        play.block(7, true).after(QUIET_WITHOUT_RECHECK_MS).heard();
        play.step(Input::NodeLost).check(&[]);
        play
    }

    /// Replaced, with block 8 not executed.
    pub fn proving() -> Self {
        let mut play = Play::parked();
        play.step(Input::NodeStarted).step(Input::NodeSays(at(7))).heard();
        play
    }
}

pub fn at(height: u8) -> Committed {
    Committed { height: height.into(), app_hash: hash(height) }
}

fn to_node(id: u64, frame: Frame) -> Output {
    Output::ToNode(id, frame)
}

fn to_comet(id: u64, frame: Frame) -> Output {
    Output::ToComet(id, frame)
}

fn parks() -> [Output; 2] {
    [Output::LeaveNode, Output::Tell(Event::Parked(at(7)))]
}

#[track_caller]
fn check_dropped(said: &[Output]) {
    assert!(said.iter().any(|output| matches!(output, Output::DropAll(_))), "{said:?}");
}

#[test]
fn frames_go_both_ways_while_a_node_serves() {
    let mut play = Play::serving();
    play.asks(MEMPOOL, check(b"a", false)).check(&[to_node(MEMPOOL, check(b"a", false))]);
    play.node(MEMPOOL, checked()).check(&[to_comet(MEMPOOL, checked())]);
    play.block(7, false).after(10_000);
    assert!(play.heard().iter().all(|output| matches!(output, Output::ToNode(..) | Output::ToComet(..))));
}

#[test]
fn a_handshake_waits_for_the_first_node_and_is_never_answered_by_the_front() {
    let mut play = Play { machine: Machine::new(START_MS_MAX, PARKED_MS_MAX), now_ms: 0, said: Vec::new() };
    play.step(Input::Opened(QUERY)).asks(QUERY, info()).asks(QUERY, flush()).after(60_000).check(&[]);
    play.step(Input::NodeStarted).after(120_000).check(&[]);
    play.step(Input::NodeSays(at(5))).check(&[
        Output::Connect,
        Output::Tell(Event::Up),
        to_node(QUERY, info()),
        to_node(QUERY, flush()),
    ]);
}

#[test]
fn the_announced_node_serves_the_recheck_to_its_flush_and_nothing_of_the_next_block() {
    let mut play = Play::serving();
    play.block(7, true).heard();
    for frame in [check(b"a", true), check(b"b", true), flush()] {
        play.asks(MEMPOOL, frame.clone()).check(&[to_node(MEMPOOL, frame)]);
    }
    // CometBFT waits for this Flush for ever: however slow the node is, it is served first.
    play.after(QUIET_MS * 10).node(MEMPOOL, checked()).node(MEMPOOL, checked()).heard();
    play.asks(QUERY, query("/a")).check(&[to_node(QUERY, query("/a"))]).node(QUERY, queried()).heard();
    play.node(MEMPOOL, flushed());
    assert_eq!(play.heard().len(), 3, "the reply, and then all connections are parked");
    assert_eq!(play.machine.view().phase, "parked");
}

#[test]
fn a_new_transaction_or_the_next_block_says_that_the_recheck_is_over() {
    for frame in [check(b"new", false), prepare(8)] {
        let id = if frame == prepare(8) { CONSENSUS } else { MEMPOOL };
        let mut play = Play::serving();
        play.block(7, true).heard();
        play.asks(id, frame).check(&parks());
    }
    let mut play = Play::serving();
    play.block(7, true).heard();
    play.after(QUIET_WITHOUT_RECHECK_MS - 1).check(&[]).after(1).check(&parks());
}

#[test]
fn the_flush_after_the_last_commit_is_the_nodes_and_one_that_comes_later_the_fronts() {
    let mut play = Play::serving();
    play.block(7, true).heard();
    play.asks(CONSENSUS, flush()).check(&[to_node(CONSENSUS, flush())]);
    play.after(QUIET_WITHOUT_RECHECK_MS).check(&[]).node(CONSENSUS, flushed()).heard();
    let mut play = Play::parked();
    play.asks(CONSENSUS, flush()).check(&[to_comet(CONSENSUS, flushed())]);
}

#[test]
fn what_was_parked_goes_to_the_next_node_in_order_and_consensus_first() {
    let mut play = Play::parked();
    play.asks(MEMPOOL, check(b"a", false)).asks(MEMPOOL, flush()).asks(QUERY, query("/q"));
    play.asks(CONSENSUS, prepare(8)).asks(CONSENSUS, flush()).after(800).check(&[]);
    play.step(Input::NodeStarted).after(200).step(Input::NodeSays(at(7)));
    let said = play.heard();
    let [Output::Connect, Output::Tell(Event::TakenOver(swap)), rest @ ..] = &said[..] else { panic!("{said:?}") };
    assert_eq!((swap.committed_height, swap.extra_ms, swap.replayed), (7, 1_000, 5));
    let parts = [swap.drain_ms, swap.exit_ms, swap.switch_ms, swap.start_ms];
    assert_eq!((parts, swap.parked_ms), ([QUIET_WITHOUT_RECHECK_MS, 0, 800, 200], 1_000));
    assert_eq!(
        rest,
        [
            to_node(CONSENSUS, prepare(8)),
            to_node(CONSENSUS, flush()),
            to_node(QUERY, query("/q")),
            to_node(MEMPOOL, check(b"a", false)),
            to_node(MEMPOOL, flush()),
        ]
    );
    play.node(CONSENSUS, flushed()).asks(MEMPOOL, check(b"b", false)).heard();
}

#[test]
fn a_node_with_another_state_is_refused_and_cometbft_stays_parked() {
    let other = Committed { height: 7, app_hash: hash(1) };
    // A block may change nothing, and so may the app hash of another height be the same.
    let other_height = Committed { height: 8, app_hash: hash(7) };
    for wrong in [at(6), at(8), other, other_height] {
        let mut play = Play::parked();
        play.asks(CONSENSUS, prepare(8)).step(Input::NodeStarted).step(Input::NodeSays(wrong));
        let said = play.heard();
        assert!(matches!(&said[..], [Output::Tell(Event::Unfit(reason))] if reason.contains("was told")), "{said:?}");
        play.step(Input::NodeLost).after(1_000).check(&[]);
        play.step(Input::NodeStarted).step(Input::NodeSays(at(7)));
        assert!(play.heard().contains(&to_node(CONSENSUS, prepare(8))), "a repaired one takes over");
    }
}

#[test]
fn a_node_that_does_not_serve_in_time_is_told_of_once() {
    let mut play = Play::parked();
    let told =
        |step: &str| Output::Tell(Event::Unfit(format!("{step} 60000 ms after its start (SWINGVISOR_START_TIMEOUT)")));
    play.step(Input::NodeStarted).step(Input::NodeListens).after(START_MS_MAX - 1).check(&[]).after(1);
    play.check(&[told("it listens, and had not answered Info")]).after(START_MS_MAX).check(&[]);
    play.step(Input::NodeLost)
        .step(Input::NodeStarted)
        .after(START_MS_MAX)
        .check(&[told("it had not opened its socket")]);
}

#[test]
fn queries_and_transactions_wait_five_seconds_and_are_then_put_off_in_order() {
    let mut play = Play::parked();
    play.asks(QUERY, query("/a")).after(1_000).asks(QUERY, query("/b")).asks(MEMPOOL, check(b"a", false));
    play.after(WAIT_MS_MAX - 1_001).check(&[]).after(1);
    let said = play.heard();
    assert!(matches!(&said[..], [Output::ToComet(QUERY, _)]), "{said:?}");
    play.after(1_000);
    let said = play.heard();
    assert!(matches!(&said[..], [Output::ToComet(QUERY, _), Output::ToComet(MEMPOOL, _)]), "{said:?}");
    play.asks(CONSENSUS, finalize(8)).after(200_000).check(&[]);
}

#[test]
fn beyond_the_buffer_the_oldest_transactions_are_put_off_in_order() {
    let mut play = Play::parked();
    for _ in 0..WAITING_MAX {
        play.asks(MEMPOOL, check(b"a", false));
    }
    play.check(&[]);
    for _ in 0..5 {
        play.asks(MEMPOOL, check(b"b", false));
        let said = play.heard();
        let [Output::ToComet(MEMPOOL, reply)] = &said[..] else { panic!("{said:?}") };
        assert!(matches!(read_response(reply), response::Value::CheckTx(reply) if reply.code == 20));
    }
    // By bytes as well.
    let mut play = Play::parked();
    for _ in 0..20 {
        play.asks(MEMPOOL, check(&vec![0; 1 << 20], false));
    }
    assert_eq!(play.heard().len(), 5);
}

#[test]
fn a_node_killed_before_the_reply_to_its_last_commit_costs_all_connections() {
    for announced in [false, true] {
        let mut play = Play::serving();
        play.asks(CONSENSUS, finalize(7)).node(CONSENSUS, finalized(7)).asks(CONSENSUS, commit());
        if announced {
            play.step(Input::Announced(at(7)));
        }
        play.heard();
        play.step(Input::NodeLost);
        check_dropped(&play.heard());
    }
}

#[test]
fn a_node_killed_after_that_reply_is_replaced_and_what_it_was_asked_waits() {
    let mut play = Play::serving();
    play.asks(QUERY, query("/before")).block(7, true).heard();
    play.asks(MEMPOOL, check(b"a", true)).asks(MEMPOOL, flush()).heard();
    play.step(Input::NodeLost);
    let said = play.heard();
    // The query's bytes were not kept before the announcement: it is put off.
    let [Output::LeaveNode, Output::ToComet(QUERY, _), Output::Tell(Event::Parked(_))] = &said[..] else {
        panic!("{said:?}")
    };
    play.step(Input::NodeStarted).step(Input::NodeSays(at(7)));
    assert!(play.heard().ends_with(&[to_node(MEMPOOL, check(b"a", true)), to_node(MEMPOOL, flush())]));
}

#[test]
fn a_node_that_answers_nothing_more_is_left_in_the_end() {
    let mut play = Play::serving();
    play.asks(QUERY, query("/slow")).block(7, true).asks(CONSENSUS, prepare(8)).heard();
    play.after(DRAIN_MS_MAX - 1).check(&[]).after(1);
    assert!(matches!(
        &play.heard()[..],
        [Output::LeaveNode, Output::ToComet(QUERY, _), Output::Tell(Event::Parked(_))]
    ));
}

#[test]
fn a_new_node_that_dies_before_its_first_block_is_replaced_again() {
    let mut play = Play::proving();
    play.asks(CONSENSUS, prepare(8)).node(CONSENSUS, finalized(1)).asks(CONSENSUS, finalize(8));
    play.asks(MEMPOOL, check(b"a", false)).heard();
    play.step(Input::NodeLost).check(&parks());
    play.step(Input::NodeStarted).step(Input::NodeSays(at(7)));
    let said = play.heard();
    assert!(said.ends_with(&[to_node(CONSENSUS, finalize(8)), to_node(MEMPOOL, check(b"a", false))]), "{said:?}");
}

#[test]
fn after_the_reply_to_its_first_block_a_lost_node_costs_all_connections() {
    let mut play = Play::proving();
    play.asks(CONSENSUS, finalize(8)).node(CONSENSUS, finalized(8)).heard();
    play.step(Input::NodeLost);
    check_dropped(&play.heard());
    // The next node meets a CometBFT that begins anew.
    play.step(Input::NodeStarted).step(Input::NodeSays(at(7))).check(&[Output::Connect, Output::Tell(Event::Up)]);
}

#[test]
fn an_announcement_that_is_not_of_the_block_that_was_committed_parks_nothing() {
    for announced in [at(6), Committed { height: 7, app_hash: hash(1) }] {
        let mut play = Play::serving();
        play.asks(CONSENSUS, finalize(7)).node(CONSENSUS, finalized(7)).asks(CONSENSUS, commit());
        play.step(Input::Announced(announced)).node(CONSENSUS, committed()).heard();
        play.step(Input::NodeLost);
        check_dropped(&play.heard());
    }
    // Nor one that came for a block before.
    let mut play = Play::serving();
    play.step(Input::Announced(at(7))).block(7, false).heard();
    play.step(Input::NodeLost);
    check_dropped(&play.heard());
}

#[test]
fn cometbft_that_leaves_is_forgotten_at_any_moment_and_wanted_at_its_end() {
    for mut play in [Play::serving(), Play::parked(), Play::proving()] {
        play.step(Input::Left(QUERY));
        check_dropped(&play.heard());
    }
    let mut play = Play::serving();
    play.step(Input::Ending).step(Input::Left(QUERY)).step(Input::Left(CONSENSUS)).check(&[]);
    play.node(QUERY, queried()).check(&[]);
}

#[test]
fn more_than_cometbft_ever_has_waiting_ends_it() {
    let mut play = Play::parked();
    for _ in 0..9 {
        play.asks(CONSENSUS, prepare(8));
    }
    check_dropped(&play.heard());
}
