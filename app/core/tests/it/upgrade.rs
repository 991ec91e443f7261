//! Plans: scheduled, replaced, cancelled, applied, skipped, refused, exported.

use prost::Message;
use serde_json::json;
use swing_core::{
    block::Next,
    error::Rejected,
    modules::{
        BlockContext, GenesisContext, QueryContext, consensus,
        upgrade::{
            genesis, handler,
            preblock::{self, PreBlock},
            query, state as upgrades,
        },
    },
    ports::upgrade::{Decision, Plan},
    query::Status,
    state::State,
};
use swing_proto::{
    cosmos::upgrade::v1beta1::{
        MsgCancelUpgrade, MsgSoftwareUpgrade, Plan as PlanProto, QueryAppliedPlanRequest, QueryAppliedPlanResponse,
        QueryAuthorityResponse, QueryCurrentPlanResponse, QueryModuleVersionsRequest, QueryModuleVersionsResponse,
    },
    google::protobuf::{Any, Timestamp},
};

use crate::support::{Memory, NoEngine, TestRelease, block, commit, gov, line, message, ports, refusal, write};

fn plan(name: &str, height: u64) -> Plan {
    Plan {
        name: name.to_owned(),
        height,
        info: "i".to_owned(),
    }
}

fn software_upgrade(name: &str, height: i64) -> MsgSoftwareUpgrade {
    let plan = PlanProto {
        name: name.to_owned(),
        height,
        info: "i".to_owned(),
        ..PlanProto::default()
    };
    MsgSoftwareUpgrade {
        authority: gov(),
        plan: Some(plan),
    }
}

#[track_caller]
fn schedule(memory: &mut Memory, height: u64, name: &str, plan_height: i64) -> Vec<String> {
    let request = software_upgrade(name, plan_height);
    let (_, events) = message(memory, &block(height), |context| {
        handler::software_upgrade(context, &request)
    })
    .expect("scheduled");
    events.iter().map(line).collect()
}

fn genesis(memory: &mut Memory, section: &serde_json::Value, app_version: u64) -> Result<(), String> {
    let block = BlockContext {
        app_version,
        ..block(0)
    };
    let (mut engine, release) = (NoEngine, TestRelease::default());
    let mut state = State::new(memory);
    let mut context = GenesisContext {
        state: &mut state,
        block: &block,
        engine: &mut engine,
        release: &release,
    };
    genesis::init(&mut context, section).map_err(|error| error.to_string())?;
    let changes = state.into_changes();
    commit(memory, changes);
    Ok(())
}

/// Runs the block's begin on committed state; keeps what it wrote unless it is refused or fails.
fn begin(
    memory: &mut Memory,
    height: u64,
    release: &TestRelease,
    skip: &[u64],
) -> Result<(PreBlock, Vec<String>), String> {
    let mut engine = NoEngine;
    let mut state = State::new(memory);
    let start = state.mark();
    let result = preblock::pre_block(&mut state, &block(height), &mut ports(&mut engine, release), skip);
    let result = result.map_err(|halt| halt.to_string())?;
    let events = state.take_events(start).iter().map(line).collect();
    let changes = state.into_changes();
    commit(memory, changes);
    Ok((result, events))
}

#[test]
fn a_second_plan_replaces_the_first_and_an_event_names_both() {
    let mut memory = Memory::new();
    assert_eq!(
        schedule(&mut memory, 5, "v2", 10),
        ["schedule_upgrade name=v2 height=10"]
    );
    assert_eq!(
        schedule(&mut memory, 6, "v3", 20),
        ["replace_upgrade name=v3 height=20 replaced_name=v2 replaced_height=10"]
    );
    assert_eq!(upgrades::plan(&memory), Ok(Some(plan("v3", 20))));
    // The present height is no past.
    schedule(&mut memory, 20, "v4", 20);
    assert_eq!(upgrades::plan(&memory), Ok(Some(plan("v4", 20))));
}

#[track_caller]
fn check_refused(memory: &mut Memory, request: &MsgSoftwareUpgrade, expected: Rejected) {
    let before = memory.clone();
    let refused = refusal(message(memory, &block(50), |context| {
        handler::software_upgrade(context, request)
    }));
    assert_eq!(refused, expected);
    assert_eq!(*memory, before);
}

#[test]
fn plans_that_cannot_be_are_refused_with_the_sdks_codes_and_words() {
    let mut memory = Memory::new();
    write(&mut memory, |state| upgrades::record_applied(state, "done", 40)).expect("memory");
    let invalid = |words: &str| Rejected::sdk(18, format!("{words}: invalid request"));
    let check = |memory: &mut Memory, name: &str, height, words: &str| {
        check_refused(memory, &software_upgrade(name, height), invalid(words));
    };
    check(&mut memory, "v2", 49, "upgrade cannot be scheduled in the past");
    check(
        &mut memory,
        "done",
        90,
        "upgrade with name done has already been completed",
    );
    check(&mut memory, "", 90, "plan: name cannot be empty");
    check(&mut memory, "v2", 0, "plan: height must be greater than 0");
    check(&mut memory, "v2", -1, "plan: height must be greater than 0");

    let mut timed = software_upgrade("v2", 90);
    if let Some(plan) = &mut timed.plan {
        plan.time = Some(Timestamp { seconds: 0, nanos: 0 });
    }
    check_refused(
        &mut memory,
        &timed,
        invalid("plan: time-based upgrades have been deprecated in the SDK"),
    );
    let mut with_client = software_upgrade("v2", 90);
    if let Some(plan) = &mut with_client.plan {
        plan.upgraded_client_state = Some(Any::default());
    }
    check_refused(
        &mut memory,
        &with_client,
        invalid("plan: upgrade logic for IBC has been moved to the IBC module"),
    );
    let words = "plan: name cannot be empty";
    check_refused(
        &mut memory,
        &MsgSoftwareUpgrade {
            authority: gov(),
            plan: None,
        },
        invalid(words),
    );
}

#[test]
fn gos_zero_time_is_no_time() {
    let mut memory = Memory::new();
    let mut request = software_upgrade("v2", 90);
    if let Some(plan) = &mut request.plan {
        plan.time = Some(Timestamp {
            seconds: -62_135_596_800,
            nanos: 0,
        });
    }
    message(&mut memory, &block(50), |context| {
        handler::software_upgrade(context, &request)
    })
    .expect("scheduled");
}

#[test]
fn only_governance_schedules_and_cancels() {
    let mut memory = Memory::new();
    let alice = "swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd";
    let expected = Rejected {
        codespace: "gov",
        code: 13,
        log: format!(
            "expected {} got {alice}: expected gov account as only signer for proposal message",
            gov()
        ),
    };
    let by_alice = MsgSoftwareUpgrade {
        authority: alice.to_owned(),
        ..software_upgrade("v2", 90)
    };
    check_refused(&mut memory, &by_alice, expected.clone());
    schedule(&mut memory, 50, "v2", 90);
    let cancel = MsgCancelUpgrade {
        authority: alice.to_owned(),
    };
    let refused = refusal(message(&mut memory, &block(50), |context| {
        handler::cancel_upgrade(context, &cancel)
    }));
    assert_eq!(refused, expected);
    assert_eq!(upgrades::plan(&memory), Ok(Some(plan("v2", 90))));
}

#[test]
fn cancelling_removes_the_plan_and_is_no_error_without_one() {
    let mut memory = Memory::new();
    schedule(&mut memory, 50, "v2", 90);
    let cancel = MsgCancelUpgrade { authority: gov() };
    let mut cancelled = || {
        message(&mut memory, &block(51), |context| {
            handler::cancel_upgrade(context, &cancel)
        })
        .expect("gov")
        .1
    };
    assert_eq!(
        cancelled().iter().map(line).collect::<Vec<_>>(),
        ["cancel_upgrade name=v2 height=90"]
    );
    assert!(cancelled().is_empty());
    assert_eq!(upgrades::plan(&memory), Ok(None));
}

#[test]
fn an_upgrade_is_applied_with_all_its_bookkeeping() {
    let mut memory = Memory::new();
    genesis(&mut memory, &json!({}), 1).expect("genesis");
    schedule(&mut memory, 5, "v2", 10);
    let release = TestRelease::handling(&["v2"]);
    assert_eq!(
        begin(&mut memory, 9, &release, &[]),
        Ok((PreBlock::Proceed(Decision::Continue), Vec::new()))
    );
    let (applied, events) = begin(&mut memory, 10, &release, &[]).expect("the handler succeeds");
    assert_eq!(applied, PreBlock::Proceed(Decision::Apply(plan("v2", 10))));
    assert_eq!(events, ["apply_upgrade name=v2 height=10 app_version=2"]);
    assert_eq!(upgrades::plan(&memory), Ok(None));
    assert_eq!(upgrades::last_applied(&memory), Ok(Some(("v2".to_owned(), 10))));
    assert_eq!(upgrades::applied_height(&memory, "v2"), Ok(Some(10)));
    assert_eq!(consensus::state::app_version(&memory), Ok(2));
    let versions = upgrades::versions(&memory).expect("memory");
    assert_eq!(
        versions.into_iter().collect::<Vec<_>>(),
        [("bank".to_owned(), 5), ("swingset".to_owned(), 2)]
    );
    // Its name is used up.
    let again = software_upgrade("v2", 30);
    refusal(message(&mut memory, &block(11), |context| {
        handler::software_upgrade(context, &again)
    }));
}

#[test]
fn a_handler_that_fails_stops_the_node_with_the_reason() {
    let mut memory = Memory::new();
    schedule(&mut memory, 5, "v2", 10);
    let before = memory.clone();
    let release = TestRelease {
        failure: Some("half-way"),
        ..TestRelease::handling(&["v2"])
    };
    let halt = begin(&mut memory, 10, &release, &[]).expect_err("the handler fails");
    assert_eq!(
        halt,
        "halt: upgrade \"v2\" failed at height 10, nothing of it was kept: half-way"
    );
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

fn ask<R: Message + Default>(memory: &Memory, method: &str, request: &impl Message) -> Result<R, (Status, String)> {
    let path = format!("/cosmos.upgrade.v1beta1.Query/{method}");
    let block = block(50);
    let context = QueryContext {
        state: memory,
        block: &block,
    };
    let bytes =
        query::query(&context, &path, &request.encode_to_vec()).map_err(|error| (error.status, error.message))?;
    Ok(R::decode(bytes.as_slice()).expect("its own encoding"))
}

#[test]
fn queries_answer_as_recorded() {
    let mut memory = Memory::new();
    genesis(&mut memory, &json!({"applied": [{"name": "v1", "height": "7"}]}), 1).expect("genesis");
    let none: QueryCurrentPlanResponse = ask(&memory, "CurrentPlan", &()).expect("an answer");
    assert_eq!(none.plan, None);
    schedule(&mut memory, 5, "version-2", 76);
    let current: QueryCurrentPlanResponse = ask(&memory, "CurrentPlan", &()).expect("an answer");
    assert_eq!(current.plan, software_upgrade("version-2", 76).plan);
    let applied = |name: &str| {
        let request = QueryAppliedPlanRequest { name: name.to_owned() };
        ask::<QueryAppliedPlanResponse>(&memory, "AppliedPlan", &request)
            .expect("an answer")
            .height
    };
    assert_eq!((applied("v1"), applied("none")), (7, 0));
    let versions = |module: &str| {
        let request = QueryModuleVersionsRequest {
            module_name: module.to_owned(),
        };
        ask::<QueryModuleVersionsResponse>(&memory, "ModuleVersions", &request).map(|answer| {
            answer
                .module_versions
                .into_iter()
                .map(|entry| (entry.name, entry.version))
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        versions(""),
        Ok(vec![("bank".to_owned(), 4), ("swingset".to_owned(), 1)])
    );
    assert_eq!(versions("bank"), Ok(vec![("bank".to_owned(), 4)]));
    assert_eq!(versions("mint").expect_err("no such module").0, Status::NotFound);
    let authority: QueryAuthorityResponse = ask(&memory, "Authority", &()).expect("an answer");
    assert_eq!(authority.address, "swing10d07y265gmmuvt4z0w9aw880jnsr700j8fsn9t");
    assert_eq!(
        ask::<()>(&memory, "Nothing", &()).expect_err("no such method").0,
        Status::Unimplemented
    );
}

#[test]
fn plan_applied_upgrades_and_versions_survive_an_export() {
    let section = json!({
        "plan": {"name": "v4", "height": "130", "info": "{}"},
        "applied": [{"name": "v2", "height": "90"}, {"name": "v3", "height": "20"}],
        "module_versions": [{"name": "bank", "version": "4"}, {"name": "swingset", "version": "2"}],
    });
    let mut memory = Memory::new();
    genesis(&mut memory, &section, 2).expect("an exported section");
    assert_eq!(genesis::export(&memory), Ok(section));
    // The last is the one of the highest height, whatever the order of names.
    assert_eq!(upgrades::last_applied(&memory), Ok(Some(("v2".to_owned(), 90))));
}

#[track_caller]
fn check_genesis_refused(section: serde_json::Value, app_version: u64, expected: &str) {
    let error = genesis(&mut Memory::new(), &section, app_version).expect_err("refused");
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_genesis_that_cannot_be_is_refused_with_its_path() {
    check_genesis_refused(json!({"plans": []}), 1, "app_state.upgrade: unknown field `plans`");
    check_genesis_refused(
        json!({"plan": {"name": "", "height": "1"}}),
        1,
        "app_state.upgrade.plan.name",
    );
    check_genesis_refused(
        json!({"plan": {"name": "v", "height": "0"}}),
        1,
        "app_state.upgrade.plan.height",
    );
    check_genesis_refused(
        json!({"plan": {"name": "v", "height": 5}}),
        1,
        "app_state.upgrade: invalid type",
    );
    let twice = json!({"applied": [{"name": "v", "height": "1"}, {"name": "v", "height": "2"}]});
    check_genesis_refused(twice, 1, "app_state.upgrade.applied[1].name");
    let used = json!({"plan": {"name": "v", "height": "9"}, "applied": [{"name": "v", "height": "1"}]});
    check_genesis_refused(used, 1, "already been completed");
    let other = json!({"module_versions": [{"name": "bank", "version": "3"}]});
    check_genesis_refused(other, 1, "app_state.upgrade.module_versions");
    check_genesis_refused(json!({}), 9, "test-release does not run app version 9");
}
