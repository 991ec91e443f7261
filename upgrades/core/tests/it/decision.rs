//! The decision, every case: what is committed × what the release can do.

use swing_core::ports::upgrade::{Decision, DecisionInput, Plan};
use swing_upgrades::decision::{Capabilities, decide};

fn plan(name: &str, height: u64) -> Plan {
    Plan { name: name.to_owned(), height, info: "i".to_owned() }
}

/// Committed state at H−1 with nothing planned, app version 1, H = 100.
fn at_100() -> DecisionInput {
    DecisionInput { height: 100, app_version: 1, ..DecisionInput::default() }
}

fn planned(name: &str, height: u64) -> DecisionInput {
    DecisionInput { plan: Some(plan(name, height)), ..at_100() }
}

fn capabilities(app_version: u64, plans: &[&str], runs: &[u64]) -> Capabilities {
    Capabilities {
        app_version,
        plans: plans.iter().map(|name| (*name).to_owned()).collect(),
        runs: runs.iter().copied().collect(),
    }
}

/// The release that the chain began with.
fn old() -> Capabilities {
    capabilities(1, &[], &[0, 1])
}

/// The next release, which may be installed early.
fn new() -> Capabilities {
    capabilities(2, &["v2"], &[0, 1, 2])
}

/// The next release, had it not earned to run the previous rules.
fn new_only() -> Capabilities {
    capabilities(2, &["v2"], &[2])
}

fn applied(mut input: DecisionInput, name: &str, app_version: u64) -> DecisionInput {
    input.last_applied = Some((name.to_owned(), 90));
    input.app_version = app_version;
    input
}

fn skipping(mut input: DecisionInput, heights: &[u64]) -> DecisionInput {
    input.skip_heights = heights.to_vec();
    input
}

#[track_caller]
fn check(input: DecisionInput, release: Capabilities, expected: Decision) {
    assert_eq!(decide(&input, &release), expected, "{input:?}\n{release:?}");
}

#[test]
fn no_plan_and_known_rules_go_on() {
    check(at_100(), old(), Decision::Continue);
    check(at_100(), new(), Decision::Continue);
    check(applied(at_100(), "v2", 2), new(), Decision::Continue);
    check(applied(at_100(), "v2", 2), new_only(), Decision::Continue);
    // An SDK genesis names no app version.
    check(DecisionInput { app_version: 0, ..at_100() }, old(), Decision::Continue);
}

#[test]
fn a_plan_of_a_later_height_is_not_due() {
    check(planned("v2", 101), old(), Decision::Continue);
    check(planned("v2", 101), new(), Decision::Continue);
    check(planned("another", 101), new(), Decision::Continue);
}

#[test]
fn a_release_without_the_handler_is_needed_at_the_height() {
    check(planned("v2", 100), old(), Decision::Needed(plan("v2", 100)));
    check(planned("another", 100), new(), Decision::Needed(plan("another", 100)));
}

#[test]
fn a_release_with_the_handler_applies_at_the_height() {
    check(planned("v2", 100), new(), Decision::Apply(plan("v2", 100)));
    check(planned("v2", 100), new_only(), Decision::Apply(plan("v2", 100)));
}

#[test]
fn a_plan_whose_height_was_missed_is_still_due() {
    check(planned("v2", 99), old(), Decision::Needed(plan("v2", 99)));
    check(planned("v2", 1), new(), Decision::Apply(plan("v2", 1)));
}

#[test]
fn a_plan_that_block_99_made_replaced_or_cancelled_counts_at_100() {
    // The input is what block 99 committed, so each is only another input.
    check(planned("v2", 100), old(), Decision::Needed(plan("v2", 100)));
    check(planned("v3", 100), new(), Decision::Needed(plan("v3", 100)));
    check(planned("v2", 150), old(), Decision::Continue);
    check(at_100(), old(), Decision::Continue);
}

#[test]
fn a_height_that_the_operator_skips_clears_the_plan_whoever_could_handle_it() {
    check(skipping(planned("v2", 100), &[100]), old(), Decision::Skip(plan("v2", 100)));
    check(skipping(planned("v2", 100), &[7, 100]), new(), Decision::Skip(plan("v2", 100)));
    check(skipping(planned("v2", 100), &[99, 101]), old(), Decision::Needed(plan("v2", 100)));
    // A skipped height counts by the block, as in the SDK, so a missed plan is skipped where the block is named.
    check(skipping(planned("v2", 99), &[100]), old(), Decision::Skip(plan("v2", 99)));
    check(skipping(planned("v2", 99), &[99]), old(), Decision::Needed(plan("v2", 99)));
    // It says nothing about blocks without a plan.
    check(skipping(at_100(), &[100]), old(), Decision::Continue);
}

#[test]
fn skipping_does_not_let_a_release_run_rules_that_it_does_not_have() {
    check(skipping(planned("v2", 100), &[100]), new_only(), Decision::UnsupportedAppVersion { app_version: 1 });
    check(
        skipping(applied(planned("v3", 100), "v2", 2), &[100]),
        old(),
        Decision::MissingHandler { last_applied: "v2".to_owned(), app_version: 2 },
    );
}

#[test]
fn a_release_that_cannot_run_the_previous_rules_is_too_early() {
    check(planned("v2", 101), new_only(), Decision::TooEarly(plan("v2", 101)));
    check(planned("another", 101), new_only(), Decision::UnsupportedAppVersion { app_version: 1 });
    check(at_100(), new_only(), Decision::UnsupportedAppVersion { app_version: 1 });
}

#[test]
fn a_binary_older_than_state_is_told_by_version_number() {
    let missing = Decision::MissingHandler { last_applied: "v2".to_owned(), app_version: 2 };
    check(applied(at_100(), "v2", 2), old(), missing.clone());
    check(applied(planned("v3", 101), "v2", 2), old(), missing);
    // State may be ahead by its genesis.
    check(DecisionInput { app_version: 2, ..at_100() }, old(), Decision::UnsupportedAppVersion { app_version: 2 });
    // As in the SDK, a due plan comes first.
    check(applied(planned("v3", 100), "v2", 2), old(), Decision::Needed(plan("v3", 100)));
}

#[test]
fn a_later_release_that_dropped_an_old_handler_is_no_downgrade_cosmos_sdk_16476_akash_638() {
    let later = capabilities(3, &["v3"], &[2, 3]);
    check(applied(at_100(), "v2", 2), later.clone(), Decision::Continue);
    check(applied(planned("v3", 100), "v2", 2), later, Decision::Apply(plan("v3", 100)));
}

#[test]
fn an_upgrade_never_writes_a_lower_app_version() {
    let side_branch = capabilities(2, &["side"], &[2]);
    check(
        applied(planned("side", 100), "v3", 3),
        side_branch,
        Decision::MissingHandler { last_applied: "v3".to_owned(), app_version: 3 },
    );
}

#[test]
fn a_release_that_upgrades_within_its_own_version_applies() {
    let repaired = capabilities(2, &["repair"], &[2]);
    check(applied(planned("repair", 100), "v2", 2), repaired, Decision::Apply(plan("repair", 100)));
}

#[test]
fn plan_names_are_compared_to_the_letter() {
    for name in ["V2", "v2 ", "v", "v22", ""] {
        check(planned(name, 100), new(), Decision::Needed(plan(name, 100)));
    }
}
