//! The plan's binary is started some blocks before its height, and waits; whatever becomes of it, the height is passed.

use serde_json::json;

use super::losses::{Comet, begin_with, finish};
use crate::support::{Home, until};

/// How often the log has this line.
fn count(home: &Home, line: &str) -> usize {
    home.log().iter().filter(|found| *found == line).count()
}

/// Blocks up to 6, and version-2 stands by.
fn standing_by(home: &Home, times: usize) -> Comet {
    let (mut comet, _) = Comet::connect(home);
    comet.commit_to(3, 6);
    until("version-2 to stand by", || (count(home, "stand by version-2") == times).then_some(()));
    comet
}

#[test]
fn the_binary_that_stood_by_takes_over_and_is_neither_started_nor_asked_again() {
    // The command would refuse: what it said while it stood by counts, and it was asked when the node before was dead.
    let (home, running) = begin_with("--stands-by", "--stands-by --pre-upgrade 30", &[]);
    let mut comet = standing_by(&home, 1);
    comet.commit_to(6, 7);
    finish(&home, running, comet);
    let log = home.log();
    let place = |line: &str| log.iter().position(|found| found == line).unwrap_or_else(|| panic!("{line}: {log:#?}"));
    let order = ["stand by version-2", "stop version-1 with 40", "goes version-2", "serve version-2 at 7"].map(place);
    assert!(order.is_sorted(), "{log:#?}");
    assert_eq!((count(&home, "stand by version-2"), count(&home, "goes version-2")), (1, 1), "{log:#?}");
}

#[test]
fn one_that_ends_or_does_not_answer_while_it_stands_by_is_started_as_without() {
    for dies in ["in-standby", "deaf"] {
        let flags = format!("--stands-by --dies {dies}");
        let (home, running) = begin_with("--stands-by", &flags, &[("SWINGVISOR_PROBE_TIMEOUT", "2s")]);
        let mut comet = standing_by(&home, 1);
        comet.commit_to(6, 7);
        finish(&home, running, comet);
        // It is not tried again and again.
        let (stood_by, went) = (count(&home, "stand by version-2"), count(&home, "goes version-2"));
        assert_eq!((stood_by, went), (1, 0), "{dies}: {:#?}", home.log());
    }
}

#[test]
fn a_binary_that_is_put_in_place_later_stands_by_in_place_of_the_one_before() {
    let (home, running) = begin_with("--stands-by", "--stands-by --dies deaf", &[]);
    let mut comet = standing_by(&home, 1);
    home.put("upgrades/version-2", "--release 2 --stands-by");
    until("the other one to stand by", || (count(&home, "stand by version-2") == 2).then_some(()));
    comet.commit_to(6, 7);
    finish(&home, running, comet);
    assert_eq!(count(&home, "goes version-2"), 1, "{:#?}", home.log());
}

#[test]
fn a_node_that_says_its_last_words_and_does_not_end_is_ended() {
    let grace = [("SWINGVISOR_STOP_GRACE", "300ms")];
    let (home, running) = begin_with("--stands-by --dies not-at-all", "--stands-by", &grace);
    let mut comet = standing_by(&home, 1);
    comet.commit_to(6, 7);
    finish(&home, running, comet);
    assert!(home.said().contains("said its last words"), "{}", home.said());
    assert_eq!(count(&home, "goes version-2"), 1, "{:#?}", home.log());
}

#[test]
fn it_is_ended_when_the_plan_is_taken_back() {
    let (home, running) = begin_with("--stands-by", "--stands-by", &[]);
    let comet = standing_by(&home, 1);
    home.set_state(&json!({ "committed_height": 6, "until": null }));
    until("its end", || home.said().contains("no upgrade to it is near any more").then_some(()));
    running.signal(rustix::process::Signal::TERM);
    assert_eq!(running.wait(), Some(0), "{}", home.said());
    drop(comet);
    assert_eq!(count(&home, "goes version-2"), 0, "{:#?}", home.log());
}
