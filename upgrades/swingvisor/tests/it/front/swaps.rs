//! What is told of a change of processes: its phases, what the first block took, and that it takes too long.

use swingvisor::front::{
    Event,
    machine::{Input, Output},
};

use super::{
    machine::{CONSENSUS, PARKED_MS_MAX, Play, at},
    messages::{finalize, finalized, prepare},
};

#[test]
fn what_the_first_block_of_the_new_node_took_is_told_once_it_is_answered() {
    let mut play = Play::proving();
    play.asks(CONSENSUS, prepare(8)).after(300).asks(CONSENSUS, finalize(8)).heard();
    play.after(70).node(CONSENSUS, finalized(1)).node(CONSENSUS, finalized(8));
    let said = play.heard();
    let told: Vec<_> = said.iter().filter(|output| matches!(output, Output::Tell(_))).collect();
    assert!(matches!(&told[..], [Output::Tell(Event::Proved(swap))] if swap.block_ms == Some(70)), "{said:?}");
    // One that was parked is executed from the moment on that a node serves.
    let mut play = Play::parked();
    play.asks(CONSENSUS, finalize(8)).after(500).step(Input::NodeStarted).step(Input::NodeSays(at(7)));
    play.after(40).heard();
    play.node(CONSENSUS, finalized(8));
    assert!(matches!(play.heard()[1], Output::Tell(Event::Proved(swap)) if swap.block_ms == Some(40)));
}

#[test]
fn parked_for_too_long_is_told_once_a_swap_whatever_is_tried_meanwhile() {
    let late = || Output::Tell(Event::Late(PARKED_MS_MAX));
    let mut play = Play::parked();
    play.after(PARKED_MS_MAX - 1).check(&[]).after(1).check(&[late()]);
    assert!(play.machine.view().late);
    play.step(Input::NodeStarted).step(Input::NodeSays(at(6))).heard();
    play.step(Input::NodeLost).after(PARKED_MS_MAX).check(&[]);
    play.step(Input::NodeStarted).step(Input::NodeSays(at(7)));
    assert!(!play.machine.view().late, "a node serves");
    // Lost before it has executed anything: no node has served any block since.
    play.step(Input::NodeLost).heard();
    play.after(1).check(&[]);
    assert!(play.machine.view().late);

    let mut play = Play::proving();
    play.after(PARKED_MS_MAX).check(&[]);
    play.asks(CONSENSUS, finalize(8)).node(CONSENSUS, finalized(8)).heard();
    play.after(PARKED_MS_MAX).check(&[]);
}

#[test]
fn a_swap_that_is_over_before_consensus_asks_costs_no_time() {
    let mut play = Play::parked();
    play.after(300).step(Input::NodeStarted).step(Input::NodeSays(at(7)));
    assert!(
        matches!(play.heard()[1], Output::Tell(Event::TakenOver(swap)) if swap.extra_ms == 0 && swap.parked_ms == 300)
    );
}
