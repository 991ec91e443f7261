//! Plans with numbers: several pending, replaced, cancelled, applied, skipped; and all of it in the history.

use super::*;

fn schedule_plan(name: &str, height: i64, replaces: u64) -> MsgSchedulePlan {
    MsgSchedulePlan { authority: gov(), plan: software_upgrade(name, height).plan, replaces }
}

fn cancel_plan(id: u64) -> MsgCancelPlan {
    MsgCancelPlan { authority: gov(), id, reason: "a better one is near".to_owned() }
}

/// State with the plans v2 at 100, v3 at 200 and v4 at 300, with the numbers 1 to 3.
fn three() -> Memory {
    let mut memory = numbered();
    for (name, height) in [("v3", 200), ("v2", 100), ("v4", 300)] {
        run(&mut memory, 5, &schedule_plan(name, height, 0)).expect("scheduled");
    }
    memory
}

#[test]
fn several_plans_are_pending_and_the_nearest_is_the_one_that_all_others_see() {
    let mut memory = numbered();
    let events = run(&mut memory, 5, &schedule_plan("v3", 200, 0)).expect("scheduled");
    assert_eq!(events, ["schedule_upgrade id=1 name=v3 height=200"]);
    assert_eq!(pending(&memory), [1]);
    run(&mut memory, 6, &schedule_plan("v2", 100, 0)).expect("scheduled");
    run(&mut memory, 7, &schedule_plan("v4", 300, 0)).expect("scheduled");
    assert_eq!(pending(&memory), [2, 1, 3], "by height");
    let current: QueryCurrentPlanResponse =
        ask(&memory, "/cosmos.upgrade.v1beta1.Query/CurrentPlan", &()).expect("an answer");
    assert_eq!(current.plan, software_upgrade("v2", 100).plan);
    let one: QueryPlanResponse = ours(&memory, "Plan", &QueryPlanRequest { id: 3 }).expect("an answer");
    let record = one.plan.expect("a record");
    assert_eq!((record.name.as_str(), record.scheduled_height, record.planned_height), ("v4", 7, 300));
    assert_eq!(
        ours::<QueryPlanResponse>(&memory, "Plan", &QueryPlanRequest { id: 4 }).expect_err("none").0,
        Status::NotFound
    );
}

#[test]
fn the_sdks_messages_replace_and_cancel_the_nearest_plan() {
    let mut memory = three();
    let events = schedule(&mut memory, 6, "v5", 250);
    assert_eq!(events, ["replace_upgrade id=4 name=v5 height=250 replaced_id=2 replaced_name=v2 replaced_height=100"]);
    assert_eq!(pending(&memory), [1, 4, 3]);
    let cancel = MsgCancelUpgrade { authority: gov() };
    assert_eq!(run(&mut memory, 7, &cancel).expect("gov"), ["cancel_upgrade id=1 name=v3 height=200"]);
    assert_eq!(pending(&memory), [4, 3]);
    run(&mut memory, 8, &cancel).expect("gov");
    run(&mut memory, 8, &cancel).expect("gov");
    assert!(run(&mut memory, 8, &cancel).expect("none is no error").is_empty());
    assert_eq!(schedule(&mut memory, 9, "v6", 400), ["schedule_upgrade id=5 name=v6 height=400"]);
    assert_eq!(pending(&memory), [5]);
}

#[test]
fn a_plan_is_replaced_or_cancelled_by_its_number() {
    let mut memory = three();
    let events = run(&mut memory, 6, &schedule_plan("v4", 310, 3)).expect("its own name is free for what replaces it");
    assert_eq!(events, ["replace_upgrade id=4 name=v4 height=310 replaced_id=3 replaced_name=v4 replaced_height=300"]);
    let events = run(&mut memory, 7, &cancel_plan(1)).expect("cancelled");
    assert_eq!(events, ["cancel_upgrade id=1 name=v3 height=200 reason=a better one is near"]);
    assert_eq!(pending(&memory), [2, 4]);
    let ends: Vec<_> = history(&memory)
        .iter()
        .map(|record| (record.id, record.status(), record.end_height, record.replaced_by))
        .collect();
    assert_eq!(
        ends,
        [
            (1, PlanStatus::Cancelled, 7, 0),
            (2, PlanStatus::Pending, 0, 0),
            (3, PlanStatus::Replaced, 6, 4),
            (4, PlanStatus::Pending, 0, 0)
        ]
    );
}

#[track_caller]
fn check_refused<M: prost::Message + prost::Name>(memory: &mut Memory, request: &M, code: u32, words: &str) {
    let before = memory.clone();
    let refused = refusal(run(memory, 50, request));
    assert_eq!((refused.code, refused.log.contains(words)), (code, true), "{refused}");
    assert_eq!(*memory, before);
}

#[test]
fn what_cannot_be_decided_is_refused_with_the_reason() {
    let mut memory = three();
    write(&mut memory, |state| upgrades::record_applied(state, "done", 40)).expect("memory");
    let check = |memory: &mut Memory, name: &str, height, replaces, words: &str| {
        check_refused(memory, &schedule_plan(name, height, replaces), 18, words);
    };
    check(&mut memory, "v9", 49, 0, "upgrade cannot be scheduled in the past");
    check(&mut memory, "done", 900, 0, "has already been completed");
    check(&mut memory, "v3", 900, 0, "plan 1 is pending under this name: replace it, or cancel it first");
    check(&mut memory, "v9", 200, 0, "plan 1 (\"v3\") is pending at this height");
    check(&mut memory, "v9", 900, 7, "there is no plan 7");
    check_refused(&mut memory, &cancel_plan(9), 18, "there is no plan 9");
    check_refused(&mut memory, &MsgCancelPlan { reason: "x".repeat(301), ..cancel_plan(1) }, 18, "at most 300 bytes");
    run(&mut memory, 50, &cancel_plan(3)).expect("cancelled");
    check_refused(&mut memory, &cancel_plan(3), 18, "plan 3 is not pending: it is cancelled");
    check(&mut memory, "v9", 900, 3, "plan 3 is not pending: it is cancelled");
    let alice = "swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd".to_owned();
    let by_alice = MsgSchedulePlan { authority: alice.clone(), ..schedule_plan("v9", 900, 0) };
    check_refused(&mut memory, &by_alice, 13, "expected gov account");
    check_refused(&mut memory, &MsgCancelPlan { authority: alice, ..cancel_plan(1) }, 13, "expected gov account");
    for number in 2..16_i64 {
        run(&mut memory, 50, &schedule_plan(&format!("more-{number}"), 1_000 + number, 0)).expect("room");
    }
    check(&mut memory, "v9", 900, 0, "16 plans are pending: cancel or replace one");
    run(&mut memory, 50, &schedule_plan("v9", 900, 1)).expect("in place of one");
}

#[test]
fn under_version_1s_rules_plans_have_no_numbers() {
    let mut memory = Memory::new();
    let words = "they come with the upgrade to version-2";
    check_refused(&mut memory, &schedule_plan("v2", 100, 0), 37, words);
    check_refused(&mut memory, &cancel_plan(1), 37, words);
    check_refused(&mut memory, &MsgUpdateParams { authority: gov(), params: None }, 37, words);
    schedule(&mut memory, 5, "v2", 10);
    assert_eq!(memory.keys().map(|key| String::from_utf8_lossy(key)).collect::<Vec<_>>(), ["upgrade/p"]);
}

#[test]
fn notice_is_measured_in_the_block_that_decides() {
    let mut memory = numbered();
    set_notice(&mut memory, 20);
    let words = "leaves 19 blocks of notice, at least 20 are needed: height 70 or later";
    check_refused(&mut memory, &schedule_plan("v2", 69, 0), 18, words);
    check_refused(&mut memory, &software_upgrade("v2", 69), 18, words);
    // When it was proposed it would still have been in time: it is not refused there, for nobody knows how long a vote takes.
    let proposed = pack(&schedule_plan("v2", 69, 0));
    message(&mut memory, &block(50), |context| handler::check_proposed(context, &proposed)).expect("proposed");
    run(&mut memory, 50, &schedule_plan("v2", 70, 0)).expect("in time");
    let far = MsgUpdateParams { authority: gov(), params: Some(Params { notice_blocks_min: u64::MAX }) };
    check_refused(&mut memory, &far, 18, "notice_blocks_min: at most 31536000");
}

#[test]
fn what_a_proposal_could_never_do_is_refused_when_it_is_proposed() {
    let mut memory = three();
    let mut check = |request: &Any, words: &str| {
        let refused = refusal(message(&mut memory, &block(50), |context| handler::check_proposed(context, request)));
        assert!(refused.log.contains(words), "{refused}");
    };
    check(&pack(&schedule_plan("v3", 900, 0)), "is pending under this name");
    check(&pack(&schedule_plan("v9", 40, 0)), "in the past");
    check(&pack(&cancel_plan(9)), "there is no plan 9");
}

#[test]
fn an_applied_plans_record_says_what_it_was_applied_with_and_the_next_one_is_the_nearest_then() {
    let mut memory = three();
    let release = TestRelease::handling(&["v2"]);
    let (applied, events) = begin(&mut memory, 100, &release, &[]).expect("the handler succeeds");
    assert_eq!(applied, PreBlock::Proceed(Decision::Apply(plan("v2", 100))));
    assert!(
        events
            .iter()
            .any(|line| line.starts_with("apply_upgrade id=2 name=v2 height=100 app_version=2 handler_digest="))
    );
    end(&mut memory, 100);
    assert_eq!(pending(&memory), [1, 3]);
    assert_eq!(upgrades::applied_height(&memory, "v2"), Ok(Some(100)));
    let record = history(&memory).swap_remove(1);
    assert_eq!((record.status(), record.end_height), (PlanStatus::Applied, 100));
    let done = record.done.expect("an applied plan");
    assert_eq!((done.release.as_str(), done.app_version, done.migrated_height), ("test-release", 2, 100));
    for digest in [&done.handler_digest, &done.bundles_digest, &done.changes_digest] {
        assert_eq!(digest.len(), 64, "{digest}");
    }
    // Another repair under the same name leaves another state in the very block.
    let mut other = three();
    let repaired = TestRelease { writes: "otherwise", ..TestRelease::handling(&["v2"]) };
    begin(&mut other, 100, &repaired, &[]).expect("the handler succeeds");
    let other = history(&other).swap_remove(1).done.expect("an applied plan");
    assert_ne!(other.changes_digest, done.changes_digest);
    assert_eq!(other.handler_digest, done.handler_digest);
}

#[test]
fn a_rehearsal_may_apply_a_plan_at_another_height_and_one_that_nobody_decided() {
    for (name, id) in [("v4", 3), ("v9", 4)] {
        let mut memory = three();
        write(&mut memory, |state| upgrades::set_plan(state, &plan(name, 60))).expect("memory");
        begin(&mut memory, 60, &TestRelease::handling(&["v4", "v9"]), &[]).expect("the handler succeeds");
        let record = history(&memory).into_iter().find(|record| record.name == name).expect("a record");
        assert_eq!((record.id, record.status(), record.end_height), (id, PlanStatus::Applied, 60));
        assert_eq!(pending(&memory).first(), Some(&2), "what is pending stays");
    }
}

#[test]
fn a_release_without_the_bundles_that_the_plan_names_does_not_apply_it() {
    let mut memory = numbered();
    let mut request = schedule_plan("v2", 100, 0);
    if let Some(plan) = &mut request.plan {
        plan.info = format!("{{\"bundles\":{{\"kernel\":\"b1-{}\"}}}}", "0".repeat(128));
    }
    run(&mut memory, 5, &request).expect("scheduled");
    let before = memory.clone();
    let halt = begin(&mut memory, 100, &TestRelease::handling(&["v2"]), &[]).expect_err("another build");
    assert!(halt.contains("this release carries") && halt.contains("it is another build"), "{halt}");
    assert_eq!(memory, before);
}

#[test]
fn a_skipped_plan_is_in_the_history_and_the_next_one_is_the_nearest_then() {
    let mut memory = three();
    let (_, events) = begin(&mut memory, 100, &TestRelease::default(), &[100]).expect("skipped");
    assert_eq!(events, ["skip_upgrade id=2 name=v2 height=100"]);
    assert_eq!(pending(&memory), [1, 3]);
    let record = history(&memory).swap_remove(1);
    assert_eq!((record.status(), record.end_height), (PlanStatus::Skipped, 100));
}

#[test]
fn plans_of_before_they_had_numbers_get_them_in_the_order_of_their_heights() {
    let mut memory = Memory::new();
    write(&mut memory, |state| {
        upgrades::record_applied(state, "v3", 20)?;
        upgrades::record_applied(state, "v2", 90)
    })
    .expect("memory");
    schedule(&mut memory, 95, "v4", 130);
    write(&mut memory, migrations::to_3).expect("memory");
    let known: Vec<_> = history(&memory)
        .iter()
        .map(|record| (record.id, record.name.clone(), record.height, record.status()))
        .collect();
    assert_eq!(
        known,
        [
            (1, "v3".to_owned(), 20, PlanStatus::Applied),
            (2, "v2".to_owned(), 90, PlanStatus::Applied),
            (3, "v4".to_owned(), 130, PlanStatus::Pending)
        ]
    );
    assert_eq!(pending(&memory), [3]);
}

#[test]
fn everything_about_plans_survives_an_export() {
    let mut memory = three();
    run(&mut memory, 6, &cancel_plan(1)).expect("cancelled");
    begin(&mut memory, 100, &TestRelease::handling(&["v2"]), &[]).expect("applied");
    end(&mut memory, 100);
    let exported = genesis::export(&memory).expect("an export");
    assert_eq!(exported["plan"], serde_json::Value::Null, "the pending plans are among the records");
    let mut again = Memory::new();
    genesis(&mut again, &exported, 3).expect("an exported section");
    assert_eq!(history(&again), history(&memory));
    assert_eq!((pending(&again), genesis::export(&again)), (vec![3], Ok(exported)));
    // The next plan gets the next number.
    assert_eq!(
        schedule(&mut again, 110, "v5", 400),
        ["replace_upgrade id=4 name=v5 height=400 replaced_id=3 replaced_name=v4 replaced_height=300"]
    );
}

#[test]
fn a_chain_that_begins_again_at_height_one_keeps_the_history_and_no_pending_plan() {
    let mut memory = three();
    write(&mut memory, |state| numbers::for_zero_height(state, 60)).expect("memory");
    assert!(pending(&memory).is_empty());
    assert!(history(&memory).iter().all(|record| record.status() == PlanStatus::Cancelled));
}

#[test]
fn a_genesis_with_plans_that_cannot_be_is_refused_with_its_path() {
    let section = |records: serde_json::Value| json!({"numbered": {"params": {"notice_blocks_min": "5"}, "records": records, "attestations": []}});
    let record = |id: u64, name: &str, height: i64| {
        let (name, status) = (name.to_owned(), PlanStatus::Pending.into());
        swing_proto::json::to_json(&PlanRecord { id, name, height, status, ..PlanRecord::default() }).expect("JSON")
    };
    let check = |records, app_version, words: &str| {
        let error = genesis(&mut Memory::new(), &section(records), app_version).expect_err("refused");
        assert!(error.contains(words), "{error}");
    };
    check(json!([record(0, "v", 9)]), 3, "app_state.upgrade.numbered.records: number 0 is zero");
    check(json!([record(1, "", 9)]), 3, "plan 1 has no name");
    check(json!([record(1, "v", 9), record(2, "w", 9)]), 3, "plan 2 shares name or height");
    check(json!([record(1, "v", 9), record(2, "v", 8)]), 3, "plan 2 shares name or height");
    check(json!([]), 1, "app_state.upgrade.numbered: app version 1 has no numbered plans");
}
