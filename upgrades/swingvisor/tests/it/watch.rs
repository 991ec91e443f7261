//! The decision beside a running node, case by case.

use std::collections::BTreeSet;

use swingvisor::core::{Answer, Facts, Plan, Policy, Running, Slot, Status, Stop, WatchAction, stands_by, watch};

fn plan() -> Plan {
    Plan { name: "Version-2".to_owned(), height: 10, info: "{}".to_owned() }
}

fn v2() -> Slot {
    Slot::Upgrade("version-2".to_owned())
}

fn says(plan: Option<Plan>, stop: Option<u8>) -> Answer {
    let stop = stop.map(|exit_code| Stop { exit_code, lines: vec!["why".to_owned()] });
    Ok(Status { release: "r".to_owned(), committed_height: 9, plan, stop, ..Status::default() })
}

fn facts(policy: Policy, installed: &[Slot]) -> Facts {
    Facts { current: Some(Slot::Genesis), installed: installed.iter().cloned().collect(), ..Facts::new(policy) }
}

fn running(answer: Answer) -> Running {
    Running { answer, stop_due_ms: None, armed: Vec::new() }
}

#[test]
fn a_plan_is_made_ready_for_before_its_height() {
    let missing = facts(Policy::default(), &[Slot::Genesis]);
    let there = facts(Policy::default(), &[Slot::Genesis, v2()]);
    let loading = facts(Policy { download: true, ..Policy::default() }, &[Slot::Genesis]);
    let with_plan = running(says(Some(plan()), None));
    assert_eq!(watch(&running(says(None, None)), &there), WatchAction::Wait);
    assert_eq!(watch(&running(Err("busy".to_owned())), &loading), WatchAction::Wait);
    assert_eq!(watch(&with_plan, &missing), WatchAction::Wait);
    assert_eq!(watch(&with_plan, &loading), WatchAction::Fetch(plan(), v2()));
    assert_eq!(watch(&with_plan, &there), WatchAction::Arm(plan(), v2()));
    assert_eq!(watch(&Running { armed: vec![v2()], ..with_plan.clone() }, &there), WatchAction::Wait);
    let failed = Facts { fetch_failed: Some("404".to_owned()), ..loading };
    assert_eq!(watch(&with_plan, &failed), WatchAction::Wait);
    let early = Facts { current: Some(v2()), ..there };
    assert_eq!(watch(&with_plan, &early), WatchAction::Wait, "installed early: it goes through the height by itself");
}

#[test]
fn a_node_that_does_not_end_itself_is_ended_after_its_grace_and_not_when_it_skips() {
    let policy = Policy { stop_grace_ms: 1_000, ..Policy::default() };
    let due = |ms| Running { stop_due_ms: Some(ms), armed: vec![v2()], ..running(says(Some(plan()), Some(40))) };
    let there = facts(policy.clone(), &[Slot::Genesis, v2()]);
    assert_eq!(watch(&due(999), &there), WatchAction::Wait);
    assert!(matches!(watch(&due(1_000), &there), WatchAction::End { .. }));
    let skipping = facts(Policy { skip_heights: BTreeSet::from([10]), ..policy }, &[Slot::Genesis, v2()]);
    assert_eq!(watch(&due(1_000), &skipping), WatchAction::Wait);
}

#[test]
fn the_binary_of_the_nearest_plan_stands_by_when_its_height_is_near_and_no_other() {
    let at = |committed_height| Status { committed_height, ..says(Some(plan()), None).expect("an answer") };
    let there = facts(Policy::default(), &[Slot::Genesis, v2()]);
    let far = Plan { height: 1_000, ..plan() };
    for (status, slot, facts, expected) in [
        (at(9), v2(), there.clone(), true),
        (at(0), v2(), there.clone(), true),
        (Status { plan: Some(far), ..at(9) }, v2(), there.clone(), false),
        (Status { plan: None, ..at(9) }, v2(), there.clone(), false),
        (at(9), Slot::Upgrade("version-3".to_owned()), there.clone(), false),
        (at(9), v2(), Facts { current: Some(v2()), ..there.clone() }, false),
        (at(9), v2(), facts(Policy { skip_heights: BTreeSet::from([10]), ..Policy::default() }, &[v2()]), false),
    ] {
        assert_eq!(stands_by(&status, &slot, &facts), expected, "{slot} for {:?}", status.plan);
    }
}
