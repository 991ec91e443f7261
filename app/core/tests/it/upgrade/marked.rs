//! The mark in the header of a plan's height: what CometBFT is told in the block before, and what takes it back.

use super::*;
use swing_core::modules::upgrade::mark::{Told, header_app_version};
use swing_proto::tendermint::types::ConsensusParams;

const MARKED: &str = r#"{"app_version":"2"}"#;

fn with_info(height: i64, info: &str, replaces: u64) -> MsgSchedulePlan {
    let plan = PlanProto { name: "v2".to_owned(), height, info: info.to_owned(), ..PlanProto::default() };
    MsgSchedulePlan { authority: gov(), plan: Some(plan), replaces }
}

/// Rules with numbered plans, app version 1, and the plan at 10 with this information.
fn planned(info: &str) -> Memory {
    let mut memory = numbered();
    write(&mut memory, |state| consensus::state::set_app_version(state, 1)).expect("memory");
    run(&mut memory, 5, &with_info(10, info, 0)).expect("scheduled");
    memory
}

/// One block: what CometBFT is told in it, if anything; `within` is what happens in it.
#[track_caller]
fn told_in(
    memory: &mut Memory,
    height: u64,
    release: &TestRelease,
    skip: &[u64],
    within: impl FnOnce(&mut Memory),
) -> Option<u64> {
    let before = Told::before(memory, height).expect("memory");
    begin(memory, height, release, skip).expect("the block begins");
    within(memory);
    end(memory, height);
    let told = before.update(memory, height + 1).expect("memory")?;
    let told = ConsensusParams::decode(told.as_slice()).expect("parameters").version.map_or(0, |version| version.app);
    assert_eq!(header_app_version(memory, height + 1), Ok(told), "the next header and Info have what was told");
    Some(told)
}

/// The app versions in the headers of these heights, with what CometBFT was told in each block before: the committed one never moves
/// before the upgrade.
#[track_caller]
fn headers(memory: &mut Memory, release: &TestRelease, skip: &[u64]) -> Vec<(u64, u64, u64)> {
    let mut header = header_app_version(memory, 8).expect("memory");
    let mut seen = Vec::new();
    for height in 8..=11 {
        let rules = consensus::state::app_version(memory).expect("memory");
        assert_eq!(header_app_version(memory, height), Ok(header), "CometBFT's header of {height} and Info before it");
        seen.push((height, header, rules));
        header = told_in(memory, height, release, skip, |_| {}).unwrap_or(header);
    }
    seen
}

#[test]
fn where_the_plan_says_so_the_header_of_its_height_carries_the_new_app_version_and_the_rules_wait_for_the_upgrade() {
    let new = TestRelease::handling(&["v2"]);
    let marked = headers(&mut planned(MARKED), &new, &[]);
    assert_eq!(marked, [(8, 1, 1), (9, 1, 1), (10, 2, 1), (11, 2, 2)]);
    let unmarked = headers(&mut planned("{}"), &new, &[]);
    assert_eq!(unmarked, [(8, 1, 1), (9, 1, 1), (10, 1, 1), (11, 2, 2)]);
}

#[test]
fn a_skip_sets_the_mark_back_in_the_very_block() {
    let skipped = headers(&mut planned(MARKED), &TestRelease::default(), &[10]);
    assert_eq!(skipped, [(8, 1, 1), (9, 1, 1), (10, 2, 1), (11, 1, 1)]);
}

#[test]
fn a_plan_that_is_cancelled_or_moved_in_the_block_before_leaves_no_mark() {
    let release = TestRelease::handling(&["v2"]);
    let cancelled = told_in(&mut planned(MARKED), 9, &release, &[], |memory| {
        let cancel = MsgCancelPlan { authority: gov(), id: 1, reason: String::new() };
        run(memory, 9, &cancel).expect("governance may");
    });
    assert_eq!(cancelled, None);
    let moved = told_in(&mut planned(MARKED), 9, &release, &[], |memory| {
        run(memory, 9, &with_info(30, MARKED, 1)).expect("governance may");
    });
    assert_eq!(moved, None);
    // One that is due at once marks at once.
    let mut memory = planned("{}");
    let due = told_in(&mut memory, 9, &release, &[], |memory| {
        run(memory, 9, &with_info(10, MARKED, 1)).expect("governance may");
    });
    assert_eq!(due, Some(2));
}

#[test]
fn the_mark_goes_out_with_parameters_that_governance_changed_in_that_block_and_is_no_part_of_them() {
    let mut memory = planned(MARKED);
    let before = Told::before(&memory, 9).expect("memory");
    write(&mut memory, |state| {
        let mut params = consensus::state::params(state)?;
        params.block = Some(swing_proto::tendermint::types::BlockParams { max_bytes: 5, max_gas: 6 });
        consensus::state::set_params(state, &params)
    })
    .expect("memory");
    let told = before.update(&memory, 10).expect("memory").expect("both changed");
    let told = ConsensusParams::decode(told.as_slice()).expect("parameters");
    assert_eq!((told.block.map(|block| block.max_gas), told.version.map(|version| version.app)), (Some(6), Some(2)));
    assert_eq!(consensus::state::app_version(&memory), Ok(1));
}

#[test]
fn the_decision_is_made_by_the_committed_app_version_and_never_by_the_mark() {
    let memory = planned(MARKED);
    assert_eq!(header_app_version(&memory, 10), Ok(2));
    let input = upgrades::decision_input(&memory, 10, &[]).expect("memory");
    assert_eq!((input.app_version, input.plan.map(|plan| plan.height)), (1, Some(10)));
}

#[test]
fn under_version_1s_rules_nothing_is_marked() {
    let mut memory = Memory::new();
    genesis(&mut memory, &json!({}), 1).expect("genesis");
    write(&mut memory, |state| {
        consensus::state::set_app_version(state, 1)?;
        upgrades::set_plan(state, &Plan { info: MARKED.to_owned(), ..plan("v2", 10) })
    })
    .expect("memory");
    let marked = headers(&mut memory, &TestRelease::handling(&["v2"]), &[]);
    assert_eq!(marked, [(8, 1, 1), (9, 1, 1), (10, 1, 1), (11, 2, 2)]);
}

#[test]
fn an_app_version_that_is_not_above_the_present_one_is_refused_and_another_builds_is_not_applied() {
    let mut memory = planned("{}");
    let refused = refusal(run(&mut memory, 6, &with_info(10, r#"{"app_version":"1"}"#, 1)));
    assert!(refused.log.contains("app_version: 1 is not above the present one, 1"), "{refused}");
    let mut memory = planned(r#"{"app_version":"3"}"#);
    let before = memory.clone();
    let halt = begin(&mut memory, 10, &TestRelease::handling(&["v2"]), &[]).expect_err("another build");
    assert!(halt.contains("the plan names app version 3, this release writes 2: it is another build"), "{halt}");
    assert_eq!(memory, before);
}
