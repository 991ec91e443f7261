//! What validators attest for a plan, and what a plan makes of too little.

use super::*;
use swing_core::{
    address::Address,
    modules::{staking, upgrade::readiness},
};

fn operator(number: u8) -> Address {
    Address::new([number; 20])
}

fn hex_of(byte: &str) -> String {
    byte.repeat(32)
}

/// State with four validators of the powers 40, 30, 20 and 10, and a plan `v2` with this information, decided in block 5.
fn planned(height: i64, info: &str) -> Memory {
    let mut memory = numbered();
    for (number, power) in [(1, 40_u64), (2, 30), (3, 20), (4, 10)] {
        memory.insert(staking::keys::last_power(&operator(number)), power.to_be_bytes().to_vec().into());
    }
    run(&mut memory, 5, &with_info(height, info)).expect("scheduled");
    memory
}

fn with_info(height: i64, info: &str) -> MsgSchedulePlan {
    let plan = PlanProto { name: "v2".to_owned(), height, info: info.to_owned(), ..PlanProto::default() };
    MsgSchedulePlan { authority: gov(), plan: Some(plan), replaces: 0 }
}

/// Rehearse at 50, two thirds must agree, looked at ten blocks before the height; moved by 20 blocks, twice at most.
const ASKING: &str = concat!(
    r#"{"rehearsal":{"height":"50","block":"empty"},"#,
    r#""readiness":{"power_percent":"67","postpone_blocks":"20","postponements_max":"2"}}"#
);

fn attestation(number: u8, digest: &str) -> MsgAttestUpgrade {
    MsgAttestUpgrade {
        validator: operator(number).to_operator(),
        plan_id: 1,
        plan_name: "v2".to_owned(),
        binary_sha256: hex_of("ab"),
        digest: digest.to_owned(),
        platform: "linux/amd64".to_owned(),
    }
}

fn asked(memory: &Memory) -> QueryReadinessResponse {
    ours(memory, "Readiness", &QueryReadinessRequest::default()).expect("an answer")
}

#[test]
fn the_tally_counts_power_by_digest_and_names_the_missing_cosmos_sdk_1079_and_2116() {
    let mut memory = planned(100, ASKING);
    let first = run(&mut memory, 60, &attestation(2, &hex_of("11"))).expect("taken");
    let operator_2 = operator(2).to_operator();
    assert_eq!(
        first,
        [format!(
            "attest_upgrade id=1 name=v2 height=100 validator={operator_2} binary_sha256={} digest={} platform=linux/amd64",
            hex_of("ab"),
            hex_of("11")
        )]
    );
    run(&mut memory, 61, &attestation(1, &hex_of("11"))).expect("taken");
    let tally = asked(&memory);
    assert_eq!((tally.plan_id, tally.plan_name.as_str(), tally.plan_height), (1, "v2", 100));
    assert_eq!((tally.rehearsal_height, tally.decision_height), (50, 90));
    assert_eq!((tally.total_power, tally.attested_power, tally.agreeing_power), (100, 70, 70));
    assert_eq!((tally.required_power, tally.conflict), (67, false));
    let missing: Vec<_> = tally.missing.iter().map(|missing| missing.power).collect();
    assert_eq!(missing, [20, 10]);
    let [digest] = tally.digests.try_into().expect("one digest");
    assert_eq!((digest.power, digest.attestations.len()), (70, 2));
}

#[test]
fn different_digests_are_an_alarm_and_a_later_attestation_takes_the_place_of_the_first() {
    let mut memory = planned(100, ASKING);
    run(&mut memory, 60, &attestation(1, &hex_of("11"))).expect("taken");
    let events = run(&mut memory, 61, &attestation(3, &hex_of("22"))).expect("taken");
    let alarm =
        format!("upgrade_attestation_conflict id=1 name=v2 height=100 digests={}:40,{}:20", hex_of("11"), hex_of("22"));
    assert_eq!(events.get(1), Some(&alarm));
    let tally = asked(&memory);
    assert_eq!((tally.conflict, tally.attested_power, tally.agreeing_power), (true, 60, 40));
    assert_eq!(run(&mut memory, 62, &attestation(3, &hex_of("11"))).expect("taken").len(), 1);
    let tally = asked(&memory);
    assert_eq!((tally.conflict, tally.agreeing_power), (false, 60));
    // Who has left the set is counted no more.
    memory.remove(&staking::keys::last_power(&operator(1)));
    let tally = asked(&memory);
    assert_eq!((tally.total_power, tally.agreeing_power), (60, 20));
}

#[track_caller]
fn check_refused(memory: &mut Memory, height: u64, request: &MsgAttestUpgrade, code: u32, words: &str) {
    let refused = refusal(run(memory, height, request));
    assert_eq!((refused.code, refused.log.contains(words)), (code, true), "{refused}");
}

#[test]
fn attestations_that_cannot_be_are_refused_with_the_reason() {
    let mut memory = planned(100, ASKING);
    let good = attestation(1, &hex_of("11"));
    let mut check = |height, change: &dyn Fn(&mut MsgAttestUpgrade), code, words: &str| {
        let mut request = good.clone();
        change(&mut request);
        check_refused(&mut memory, height, &request, code, words);
    };
    check(50, &|_| {}, 18, "the state to rehearse on is that of height 50, which is not there yet");
    check(60, &|request| request.validator = operator(9).to_operator(), 4, "is not in the validator set");
    check(60, &|request| request.validator = operator(1).to_string(), 7, "invalid Bech32 prefix");
    check(60, &|request| request.plan_id = 7, 18, "there is no plan 7");
    check(60, &|request| request.plan_name = "v3".to_owned(), 18, "plan 1 is \"v2\", not \"v3\"");
    check(60, &|request| (request.plan_id, request.plan_name) = (0, "v3".to_owned()), 18, "no plan \"v3\" is pending");
    check(60, &|request| request.binary_sha256 = hex_of("AB"), 18, "64 lower-case hex digits expected");
    check(60, &|request| request.digest.clear(), 18, "digest: 64 lower-case hex digits expected, from a rehearsal");
    check(60, &|request| request.platform = "linux".to_owned(), 18, "os/arch expected");
    let by_name = MsgAttestUpgrade { plan_id: 0, ..good.clone() };
    run(&mut memory, 60, &by_name).expect("a name is enough");
    let cancel = MsgCancelPlan { authority: gov(), id: 1, ..MsgCancelPlan::default() };
    run(&mut memory, 61, &cancel).expect("cancelled");
    check_refused(&mut memory, 62, &good, 18, "plan 1 is not pending: it is cancelled");
    let left = memory.keys().filter(|key| key.starts_with(b"upgrade/a/")).count();
    assert_eq!(left, 0, "attestations end with their plan");
}

#[test]
fn a_binary_is_held_against_the_plans_list() {
    let info = format!("{{\"binaries\":{{\"linux/amd64\":\"https://x/y?checksum=sha256:{}\"}}}}", hex_of("ab"));
    let mut memory = planned(100, &info);
    run(&mut memory, 6, &attestation(1, "")).expect("no rehearsal is asked for, and the binary is the plan's");
    let other = MsgAttestUpgrade { binary_sha256: hex_of("cd"), ..attestation(1, "") };
    check_refused(&mut memory, 6, &other, 18, "is not the plan's for linux/amd64");
    let elsewhere = MsgAttestUpgrade { platform: "darwin/arm64".to_owned(), ..attestation(1, "") };
    check_refused(&mut memory, 6, &elsewhere, 18, "the plan lists no binary for darwin/arm64");
    check_refused(&mut memory, 6, &attestation(1, &hex_of("11")), 18, "the plan fixes no rehearsal");
}

#[test]
fn under_version_1s_rules_nobody_attests() {
    check_refused(&mut Memory::new(), 6, &attestation(1, ""), 37, "they come with the upgrade to version-2");
}

#[test]
fn a_plan_for_which_enough_power_attested_stays_at_its_height() {
    let mut memory = planned(100, ASKING);
    for number in [1, 2] {
        run(&mut memory, 60, &attestation(number, &hex_of("11"))).expect("taken");
    }
    assert!(end(&mut memory, 89).is_empty(), "it is looked at ten blocks before");
    let events = end(&mut memory, 90);
    assert_eq!(
        events,
        ["upgrade_attested id=1 name=v2 height=100 agreeing_power=70 required_power=67 total_power=100"]
    );
    assert!(end(&mut memory, 91).is_empty(), "once");
    let record = history(&memory).swap_remove(0);
    assert_eq!((record.height, record.ready_height, record.unready_times), (100, 90, 0));
    assert_eq!(asked(&memory).decision_height, 0);
}

#[test]
fn a_plan_for_which_too_little_power_attested_is_postponed_and_in_the_end_lapses_cosmos_sdk_19755() {
    let mut memory = planned(100, ASKING);
    let later = MsgSchedulePlan { authority: gov(), plan: software_upgrade("v3", 105).plan, replaces: 0 };
    run(&mut memory, 6, &later).expect("scheduled");
    // All attest, and no two thirds agree.
    for (number, digest) in [(1, "11"), (2, "22"), (3, "11"), (4, "22")] {
        run(&mut memory, 60, &attestation(number, &hex_of(digest))).expect("taken");
    }
    let reason = "power 60 of 100 attested one digest, 67 is required";
    let moved = |from: u64| {
        [
            format!("postpone_upgrade id=1 name=v2 height={} from_height={from} reason={reason}", from + 20),
            format!(
                "postpone_upgrade id=2 name=v3 height={} from_height={} reason=plan 1 before it was postponed",
                from + 25,
                from + 5
            ),
        ]
    };
    assert_eq!(end(&mut memory, 90), moved(100));
    assert!(end(&mut memory, 109).is_empty());
    assert_eq!(end(&mut memory, 110), moved(120));
    assert_eq!(pending(&memory), [1, 2], "their order and distance stay");
    assert_eq!(
        end(&mut memory, 130),
        [format!("lapse_upgrade id=1 name=v2 height=140 reason={reason}; postponed 2 times")]
    );
    assert_eq!(pending(&memory), [2]);
    let record = history(&memory).swap_remove(0);
    assert_eq!((record.status(), record.end_height, record.unready_times), (PlanStatus::Lapsed, 130, 2));
    assert_eq!((record.planned_height, record.height), (100, 140));
    assert!(record.reason.starts_with(reason), "{}", record.reason);
}

#[test]
fn a_plan_that_is_postponed_goes_ahead_once_enough_power_has_attested() {
    let mut memory = planned(100, ASKING);
    assert_eq!(end(&mut memory, 90).len(), 1);
    for number in [1, 2] {
        run(&mut memory, 100, &attestation(number, &hex_of("11"))).expect("taken");
    }
    assert!(end(&mut memory, 110).first().expect("decided").starts_with("upgrade_attested id=1 name=v2 height=120"));
    let release = TestRelease::handling(&["v2"]);
    assert_eq!(
        begin(&mut memory, 120, &release, &[]).expect("due").0,
        PreBlock::Proceed(Decision::Apply(Plan { name: "v2".to_owned(), height: 120, info: ASKING.to_owned() }))
    );
}

#[test]
fn a_swap_voids_what_was_attested_before_it_and_moves_the_rehearsal_behind_it() {
    let mut memory = planned(100, ASKING);
    for number in [1, 2] {
        run(&mut memory, 60, &attestation(number, &hex_of("11"))).expect("taken");
    }
    end(&mut memory, 90);
    let events: Vec<_> = write(&mut memory, |state| {
        let start = state.mark();
        readiness::void(state, 91, "the engine's bundles were swapped").expect("memory");
        state.take_events(start).iter().map(line).collect()
    });
    assert_eq!(
        events,
        [
            "void_upgrade_attestations id=1 name=v2 height=100 count=2 rehearsal_height=91 reason=the engine's bundles were swapped"
        ]
    );
    let tally = asked(&memory);
    assert_eq!((tally.attested_power, tally.rehearsal_height, tally.decision_height), (0, 91, 90));
    check_refused(&mut memory, 91, &attestation(1, &hex_of("11")), 18, "that of height 91, which is not there yet");
    // What was found sufficient is looked at again, and is not: the plan waits for new rehearsals.
    assert!(end(&mut memory, 91).first().expect("decided").starts_with("postpone_upgrade id=1 name=v2 height=120"));
}

#[test]
fn options_that_leave_no_block_for_what_they_ask_are_refused() {
    let check = |height, info: &str, words: &str| {
        let refused = refusal(run(&mut numbered(), 40, &with_info(height, info)));
        assert!(refused.log.contains(words), "{refused}");
    };
    let rehearsal = |height: u64| format!("{{\"rehearsal\":{{\"height\":\"{height}\",\"block\":\"empty\"}}}}");
    check(100, &rehearsal(40), "height 40 is not between the present one, 40, and the plan's, 100");
    check(100, &rehearsal(100), "height 100 is not between");
    check(60, ASKING, "it would be decided at height 50, and nobody can attest before 51");
    check(50, r#"{"readiness":{"power_percent":"67"}}"#, "decided at height 40, and nobody can attest before 41");
    check(100, r#"{"ready":{}}"#, "binaries, kernel_schemas, bundles, app_version, rehearsal and readiness are");
}

#[test]
fn attestations_survive_an_export() {
    let mut memory = planned(100, ASKING);
    run(&mut memory, 60, &attestation(1, &hex_of("11"))).expect("taken");
    let exported = genesis::export(&memory).expect("an export");
    let mut again = Memory::new();
    write(&mut memory, |state| {
        upgrades::set_versions(state, &[("bank".to_owned(), 5), ("upgrade".to_owned(), 4)].into())
    })
    .expect("memory");
    let mut section = exported.clone();
    section["module_versions"] = json!([]);
    genesis(&mut again, &section, 3).expect("an exported section");
    assert_eq!(genesis::export(&again).expect("an export")["numbered"], exported["numbered"]);
    section["numbered"]["records"] = json!([]);
    let error = genesis(&mut Memory::new(), &section, 3).expect_err("no such plan");
    assert!(error.contains("app_state.upgrade.numbered.attestations: plan 1 is not pending"), "{error}");
}
