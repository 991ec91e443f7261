//! Scheduling, replacing, cancelling, and what is refused.

use super::*;

#[test]
fn a_second_plan_replaces_the_first_and_an_event_names_both() {
    let mut memory = Memory::new();
    assert_eq!(schedule(&mut memory, 5, "v2", 10), ["schedule_upgrade name=v2 height=10"]);
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
    let refused = refusal(message(memory, &block(50), |context| handler::software_upgrade(context, request)));
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
    check(&mut memory, "done", 90, "upgrade with name done has already been completed");
    check(&mut memory, "", 90, "plan: name cannot be empty");
    check(&mut memory, "v2", 0, "plan: height must be greater than 0");
    check(&mut memory, "v2", -1, "plan: height must be greater than 0");

    let mut timed = software_upgrade("v2", 90);
    if let Some(plan) = &mut timed.plan {
        plan.time = Some(Timestamp { seconds: 0, nanos: 0 });
    }
    check_refused(&mut memory, &timed, invalid("plan: time-based upgrades have been deprecated in the SDK"));
    let mut with_client = software_upgrade("v2", 90);
    if let Some(plan) = &mut with_client.plan {
        plan.upgraded_client_state = Some(Any::default());
    }
    check_refused(&mut memory, &with_client, invalid("plan: upgrade logic for IBC has been moved to the IBC module"));
    let words = "plan: name cannot be empty";
    check_refused(&mut memory, &MsgSoftwareUpgrade { authority: gov(), plan: None }, invalid(words));
}

#[test]
fn gos_zero_time_is_no_time() {
    let mut memory = Memory::new();
    let mut request = software_upgrade("v2", 90);
    if let Some(plan) = &mut request.plan {
        plan.time = Some(Timestamp { seconds: -62_135_596_800, nanos: 0 });
    }
    message(&mut memory, &block(50), |context| handler::software_upgrade(context, &request)).expect("scheduled");
}

#[test]
fn only_governance_schedules_and_cancels() {
    let mut memory = Memory::new();
    let alice = "swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd";
    let expected = Rejected {
        codespace: "gov",
        code: 13,
        log: format!("expected {} got {alice}: expected gov account as only signer for proposal message", gov()),
    };
    let by_alice = MsgSoftwareUpgrade { authority: alice.to_owned(), ..software_upgrade("v2", 90) };
    check_refused(&mut memory, &by_alice, expected.clone());
    schedule(&mut memory, 50, "v2", 90);
    let cancel = MsgCancelUpgrade { authority: alice.to_owned() };
    let refused = refusal(message(&mut memory, &block(50), |context| handler::cancel_upgrade(context, &cancel)));
    assert_eq!(refused, expected);
    assert_eq!(upgrades::plan(&memory), Ok(Some(plan("v2", 90))));
}

#[test]
fn cancelling_removes_the_plan_and_is_no_error_without_one() {
    let mut memory = Memory::new();
    schedule(&mut memory, 50, "v2", 90);
    let cancel = MsgCancelUpgrade { authority: gov() };
    let mut cancelled =
        || message(&mut memory, &block(51), |context| handler::cancel_upgrade(context, &cancel)).expect("gov").1;
    assert_eq!(cancelled().iter().map(line).collect::<Vec<_>>(), ["cancel_upgrade name=v2 height=90"]);
    assert!(cancelled().is_empty());
    assert_eq!(upgrades::plan(&memory), Ok(None));
}
