//! A block's begin and what follows its commit.

use super::*;

#[test]
fn an_upgrade_is_applied_with_all_its_bookkeeping() {
    let mut memory = Memory::new();
    genesis(&mut memory, &json!({}), 1).expect("genesis");
    schedule(&mut memory, 5, "v2", 10);
    let release = TestRelease::handling(&["v2"]);
    assert_eq!(begin(&mut memory, 9, &release, &[]), Ok((PreBlock::Proceed(Decision::Continue), Vec::new())));
    let (applied, events) = begin(&mut memory, 10, &release, &[]).expect("the handler succeeds");
    assert_eq!(applied, PreBlock::Proceed(Decision::Apply(plan("v2", 10))));
    assert_eq!(events, ["apply_upgrade name=v2 height=10 app_version=2"]);
    assert_eq!(upgrades::plan(&memory), Ok(None));
    assert_eq!(upgrades::last_applied(&memory), Ok(Some(("v2".to_owned(), 10))));
    assert_eq!(upgrades::applied_height(&memory, "v2"), Ok(Some(10)));
    assert_eq!(consensus::state::app_version(&memory), Ok(2));
    let versions = upgrades::versions(&memory).expect("memory");
    assert_eq!(versions.into_iter().collect::<Vec<_>>(), [("bank".to_owned(), 5), ("swingset".to_owned(), 2)]);
    // Its name is used up.
    let again = software_upgrade("v2", 30);
    refusal(message(&mut memory, &block(11), |context| handler::software_upgrade(context, &again)));
}

#[test]
fn a_handler_that_fails_stops_the_node_with_the_reason() {
    let mut memory = Memory::new();
    schedule(&mut memory, 5, "v2", 10);
    let before = memory.clone();
    let release = TestRelease { failure: Some("half-way"), ..TestRelease::handling(&["v2"]) };
    let halt = begin(&mut memory, 10, &release, &[]).expect_err("the handler fails");
    assert_eq!(halt, "halt: upgrade \"v2\" failed at height 10, nothing of it was kept: half-way");
    assert_eq!(memory, before);
    // A repaired release then succeeds.
    begin(&mut memory, 10, &TestRelease::handling(&["v2"]), &[]).expect("repaired");
    assert!(memory.contains_key(b"migrated".as_slice()));
}

#[test]
fn a_release_that_cannot_handle_a_due_plan_refuses_every_block_from_there_on() {
    let mut memory = Memory::new();
    schedule(&mut memory, 5, "v2", 10);
    let old = TestRelease::default();
    for height in [10, 11] {
        let (refused, events) = begin(&mut memory, height, &old, &[]).expect("no fault");
        assert_eq!(refused, PreBlock::Refuse(Decision::Needed(plan("v2", 10))));
        assert!(events.is_empty());
    }
    assert_eq!(upgrades::plan(&memory), Ok(Some(plan("v2", 10))));
}

#[test]
fn a_skipped_height_clears_the_plan() {
    let mut memory = Memory::new();
    schedule(&mut memory, 5, "v2", 10);
    let (_, events) = begin(&mut memory, 10, &TestRelease::default(), &[10]).expect("skipped");
    assert_eq!(events, ["skip_upgrade name=v2 height=10"]);
    assert_eq!(upgrades::plan(&memory), Ok(None));
    assert_eq!(upgrades::last_applied(&memory), Ok(None));
}

#[track_caller]
fn check_next(memory: &Memory, height: u64, release: &TestRelease, skip: &[u64], expected: Next) {
    assert_eq!(preblock::next_after_commit(memory, height, release, skip), Ok(expected));
}

#[test]
fn the_stop_comes_after_the_commit_before_the_plans_height() {
    let mut memory = Memory::new();
    let (old, new) = (TestRelease::default(), TestRelease::handling(&["v2"]));
    schedule(&mut memory, 5, "v2", 10);
    check_next(&memory, 8, &old, &[], Next::Continue);
    check_next(&memory, 9, &old, &[], Next::StopForUpgrade(plan("v2", 10)));
    check_next(&memory, 9, &new, &[], Next::Continue);
    check_next(&memory, 9, &old, &[10], Next::Continue);
    // A plan made in a block for that block's own height is due in the next.
    schedule(&mut memory, 20, "v2", 20);
    check_next(&memory, 20, &old, &[], Next::StopForUpgrade(plan("v2", 20)));
}
