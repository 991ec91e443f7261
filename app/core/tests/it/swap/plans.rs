//! A swap and a plan leave each other a way; a plan's information is read when it is proposed.

use super::*;

/// A release that starts from schema 1 alone.
const FROM_1: &str = r#"{"kernel_schemas":"1"}"#;

#[test]
fn a_swap_that_would_leave_the_pending_plan_without_a_way_is_refused_when_proposed() {
    let mut voting = Voting::with(&[SAME, NEXT]);
    voting.decide(vec![plan(100, FROM_1)]);
    let result = voting.submit(vec![set(NEXT, 99)]);
    assert_eq!((result.codespace.as_str(), result.code), ("gov", 12), "{}", result.log);
    let words = "plan \"version-3\" at height 100 starts from the kernel schemas 1 to 1, and the kernel's would be 2";
    assert!(result.log.contains(words), "{}", result.log);
    // One that keeps the schema, and one that comes after the plan, are none of its business.
    assert_eq!(voting.submit(vec![set(SAME, 99)]).code, 0);
    assert_eq!(voting.submit(vec![set(NEXT, 100)]).code, 0);
}

#[test]
fn a_plan_that_declares_nothing_or_enough_stands_in_no_swaps_way() {
    for info in ["", "{}", "see the forum", r#"{"kernel_schemas":"1-2"}"#] {
        let mut voting = Voting::with(&[NEXT]);
        voting.decide(vec![plan(100, info)]);
        voting.decide(vec![set(NEXT, 0)]);
        voting.chain.block(Vec::new());
        assert_eq!(voting.outcomes(), [SwapOutcome::Done], "{info}");
    }
}

#[test]
fn a_plan_that_came_during_the_vote_refuses_the_swap_when_it_has_passed() {
    let mut voting = Voting::with(&[NEXT]);
    assert_eq!(voting.submit(vec![plan(100, FROM_1)]).code, 0);
    assert_eq!(voting.submit(vec![set(NEXT, 50)]).code, 0);
    voting.cast(1);
    assert_eq!(voting.proposal(1).status(), ProposalStatus::Passed);
    voting.cast(2);
    check_failed(&voting.proposal(2), "starts from the kernel schemas 1 to 1");
    assert_eq!(voting.pending(), None);
}

#[test]
fn a_plan_that_came_after_the_vote_is_held_against_the_swap_itself() {
    let mut voting = Voting::with(&[NEXT]);
    let height = i64::try_from(voting.chain.height).unwrap() + 4;
    voting.decide(vec![set(NEXT, height)]);
    // As governance cannot do it: a plan that the pending swap should have refused.
    let stored = Plan { name: "version-3".to_owned(), height: 100, info: FROM_1.to_owned(), ..Plan::default() };
    voting.chain.state.insert(b"upgrade/p".to_vec(), prost::Message::encode_to_vec(&stored).into());
    voting.chain.block(Vec::new());
    let [record] = voting.history().try_into().expect("one swap");
    assert_eq!((record.outcome(), record.codespace.as_str(), record.code), (SwapOutcome::Failed, "swingset", 11));
    assert!(record.reason.contains("starts from the kernel schemas 1 to 1"), "{}", record.reason);
    assert_eq!(voting.schema(), "1");
}

#[test]
fn a_plan_whose_release_could_not_start_from_the_schema_to_come_fails_when_it_has_passed() {
    let mut voting = Voting::with(&[NEXT]);
    check_failed(&voting.decide(vec![plan(100, r#"{"kernel_schemas":"2-3"}"#)]), "and the kernel's would be 1");
    voting.decide(vec![set(NEXT, 90)]);
    check_failed(&voting.decide(vec![plan(100, FROM_1)]), "and the kernel's would be 2");
    // Before the swap is made the schema is still 1; with it, it is 2.
    assert_eq!(voting.decide(vec![plan(90, FROM_1)]).status(), ProposalStatus::Passed);
    assert_eq!(voting.decide(vec![plan(100, r#"{"kernel_schemas":"2-3"}"#)]).status(), ProposalStatus::Passed);
}

#[test]
fn no_plan_is_scheduled_while_a_migration_is_under_way() {
    let mut voting = Voting::new();
    voting.chain.state.insert(b"swingset/h/migration".to_vec(), bytes::Bytes::from_static(b"1"));
    check_failed(&voting.decide(vec![plan(100, "")]), "a migration of the kernel's schema is under way");
}

#[test]
fn information_that_machines_would_stumble_over_is_refused_when_it_is_proposed() {
    let mut voting = Voting::new();
    for (info, part) in [
        ("{\"binaries\":", "plan: info begins with { and is not one JSON object"),
        ("{\"bundles\":{}}", "key \"bundles\" is not known"),
        ("{\"binaries\":{\"linux/amd64\":\"https://example.org/swingd\"}}", "needs a URL with ?checksum=sha256:"),
        ("{\"kernel_schemas\":\"2-1\"}", "kernel_schemas: a text such as \"1-2\""),
    ] {
        let result = voting.submit(vec![plan(100, info)]);
        assert_eq!((result.codespace.as_str(), result.code), ("gov", 12), "{info}: {}", result.log);
        assert!(result.log.contains(part), "{}", result.log);
    }
    for info in ["", "{}", "https://example.org/version-3.json", "get it, then restart"] {
        assert_eq!(voting.submit(vec![plan(100, info)]).code, 0, "{info}");
    }
}
