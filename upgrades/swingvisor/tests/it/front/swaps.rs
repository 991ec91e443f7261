//! What is told of a change of processes: its phases, what the first block took, and that it takes too long.

use serde_json::{Value, json};
use swingvisor::front::{
    Event,
    machine::{Input, Output},
};

use super::{
    losses::{Comet, begin_with},
    machine::{CONSENSUS, PARKED_MS_MAX, Play, at},
    messages::{finalize, finalized, prepare},
};
use crate::support::{Home, Running, free_address, page, until};

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

/// Version-2 takes over at height 8, and does so in this way.
fn at_the_height(flags: &str, pages: &str) -> (Home, Running, Comet) {
    let more = [("SWINGVISOR_LISTEN", pages), ("SWINGVISOR_PROBE_TIMEOUT", "1s")];
    let (home, running) = begin_with("", flags, &more);
    let (mut comet, _) = Comet::connect(&home);
    comet.commit_to(3, 7);
    (home, running, comet)
}

#[test]
fn a_binary_that_hangs_is_told_of_with_its_step_the_time_and_what_to_do_until_a_block_is_committed() {
    let pages = free_address();
    let report = || serde_json::from_str::<Value>(&page(&pages, "/status")).expect("JSON");
    let advice = "swingvisor add-upgrade version-2 FILE --force";
    for (dies, step) in [
        ("never-listens", "it had not opened its socket 500 ms after its start (SWINGVISOR_START_TIMEOUT)"),
        ("never-answers", "it listens, and had not answered Info 500 ms after its start (SWINGVISOR_START_TIMEOUT)"),
    ] {
        let (home, running, mut comet) = at_the_height(&format!("--dies {dies}"), &pages);
        let told = |place: &Value| place.to_string().contains(step) && place.to_string().contains(advice);
        until("the rest and its reason", || told(&report()["next_action"]).then_some(()));
        // Also while it is tried again.
        until("another try", || Some(report()).filter(|now| now["pid"].is_u64() && told(&now["risks"])));
        let said = home.run(&["status"], &[]);
        assert!(String::from_utf8_lossy(&said.stdout).contains(step), "{said:?}");
        home.put("upgrades/version-2", "--release 2");
        comet.commit_to(7, 8);
        until("nothing to be told any more", || (report()["risks"] == json!([])).then_some(()));
        drop((comet, running));
    }
    let (_home, _running, _comet) = at_the_height("--status-hangs", &pages);
    let step = "status` had not answered after 1000 ms and was ended: put another binary in its place";
    until(step, || report()["next_action"].to_string().contains(step).then_some(()));
}
