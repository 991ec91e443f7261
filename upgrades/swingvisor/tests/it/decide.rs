//! The decision with the node dead, case by case.

use std::collections::{BTreeMap, BTreeSet};

use swingvisor::core::{
    Action, Answer, Child, Done, Facts, Journal, Plan, Policy, Reason, Slot, Stage, Status, Stop, Upgrade, decide,
    rest_ms,
};

fn v(number: u64) -> Slot {
    Slot::Upgrade(format!("version-{number}"))
}

fn plan(height: u64) -> Plan {
    Plan { name: "version-2".to_owned(), height, info: "{}".to_owned() }
}

/// An answer at height 9, with the plan for 10.
fn says(stop: Option<u8>) -> Answer {
    Ok(Status {
        release: "r".to_owned(),
        committed_height: 9,
        app_hash: "AA".to_owned(),
        plan: Some(plan(10)),
        stop: stop.map(|exit_code| Stop { exit_code, lines: vec!["why".to_owned()] }),
        ..Status::default()
    })
}

fn silent() -> Answer {
    Err("no database".to_owned())
}

/// A node in genesis, version-2 installed, nothing asked.
fn facts() -> Facts {
    Facts {
        current: Some(Slot::Genesis),
        installed: BTreeSet::from([Slot::Genesis, v(2)]),
        ..Facts::new(Policy::default())
    }
}

fn asked(answers: impl IntoIterator<Item = (Slot, Answer)>) -> Facts {
    Facts { asked: BTreeMap::from_iter(answers), ..facts() }
}

fn under_way(stage: Stage) -> Journal {
    let upgrade = Upgrade {
        reason: Reason::Plan(plan(10)),
        committed_height: 9,
        app_hash: "AA".to_owned(),
        from: Slot::Genesis,
        to: v(2),
        stage,
    };
    Journal { upgrade: Some(upgrade), ..Journal::default() }
}

#[track_caller]
fn check(journal: &Journal, facts: &Facts, expected: &Action) {
    assert_eq!(decide(journal, facts), *expected);
}

#[track_caller]
fn check_rest(journal: &Journal, facts: &Facts, reason: &str) {
    match decide(journal, facts) {
        Action::Rest { reason: found } => assert!(found.contains(reason), "{found:?} does not say {reason:?}"),
        other => panic!("{other:?} in place of a rest because of {reason:?}"),
    }
}

#[test]
fn a_binary_is_started_only_when_it_says_that_it_goes_on() {
    let none = Journal::default();
    check(&none, &facts(), &Action::Ask(Slot::Genesis));
    check(&none, &asked([(Slot::Genesis, says(None))]), &Action::Start(Slot::Genesis));
    check_rest(&none, &asked([(Slot::Genesis, silent())]), "no database");
    check_rest(&none, &asked([(Slot::Genesis, says(Some(43)))]), "exit code 43");
    check(&none, &Facts { current: None, ..facts() }, &Action::Link(Slot::Genesis));
    check_rest(&none, &Facts { installed: BTreeSet::new(), ..facts() }, "genesis has no binary");
}

#[test]
fn a_needed_plan_leads_to_its_own_binary_once_that_agrees() {
    let none = Journal::default();
    let needs = (Slot::Genesis, says(Some(40)));
    check(&none, &asked([needs.clone()]), &Action::Ask(v(2)));
    let Some(begun) = under_way(Stage::Begun).upgrade else { panic!("it was just made") };
    check(&none, &asked([needs.clone(), (v(2), says(None))]), &Action::Begin(Box::new(begun)));
    check_rest(&none, &asked([needs.clone(), (v(2), silent())]), "no database");
    check_rest(&none, &asked([needs.clone(), (v(2), says(Some(40)))]), "not the right binary");
    // The new binary reads another state than the old one: nothing is switched on that.
    let mut other = says(None);
    if let Ok(status) = &mut other {
        status.committed_height = 8;
    }
    check_rest(&none, &asked([needs.clone(), (v(2), other)]), "not the right binary");
    let itself = Facts { current: Some(v(2)), ..asked([(v(2), says(Some(40)))]) };
    check_rest(&none, &itself, "cannot handle \"version-2\"");
}

#[test]
fn a_binary_that_is_not_the_one_that_the_plan_names_is_neither_asked_nor_switched_to() {
    let other = |facts: Facts| Facts { not_planned: BTreeMap::from([(v(2), "it has SHA-256 1".to_owned())]), ..facts };
    check_rest(&Journal::default(), &other(asked([(Slot::Genesis, says(Some(40)))])), "it has SHA-256 1");
    let agreed = other(asked([(v(2), says(None))]));
    for stage in [Stage::Begun, Stage::BackedUp { folder: None }, Stage::Checked { backup: None }] {
        check_rest(&under_way(stage.clone()), &other(facts()), "it has SHA-256 1");
        check_rest(&under_way(stage), &agreed, "it has SHA-256 1");
    }
    // What is switched to already runs, or does not.
    check(&under_way(Stage::Switched { backup: None }), &agreed, &Action::Switch);
}

#[test]
fn a_missing_binary_is_waited_for_or_downloaded() {
    let none = Journal::default();
    let alone = Facts { installed: BTreeSet::from([Slot::Genesis]), ..asked([(Slot::Genesis, says(Some(40)))]) };
    check_rest(&none, &alone, "swingvisor add-upgrade version-2");
    let policy = Policy { download: true, ..Policy::default() };
    let loading = Facts { policy, ..alone };
    check(&none, &loading, &Action::Fetch(plan(10), v(2)));
    check_rest(&none, &Facts { fetch_failed: Some("404".to_owned()), ..loading }, "404");
}

#[test]
fn a_plan_that_is_not_due_switches_nothing_whatever_the_binary_says() {
    let mut early = says(Some(40));
    if let Ok(status) = &mut early {
        status.plan = Some(plan(11));
    }
    check_rest(&Journal::default(), &asked([(Slot::Genesis, early)]), "contradiction");
}

#[test]
fn a_plan_whose_name_would_lead_out_of_the_folder_is_refused() {
    for name in ["..", ".", ""] {
        let mut answer = says(Some(40));
        if let Ok(status) = &mut answer {
            status.plan = Some(Plan { name: name.to_owned(), ..plan(10) });
        }
        check_rest(&Journal::default(), &asked([(Slot::Genesis, answer)]), "cannot be named");
    }
}

#[test]
fn a_skipped_height_starts_the_same_binary() {
    let policy = Policy { skip_heights: BTreeSet::from([10]), ..Policy::default() };
    let skipping = Facts { policy, ..asked([(Slot::Genesis, says(Some(40)))]) };
    check(&Journal::default(), &skipping, &Action::Start(Slot::Genesis));
    let policy = Policy { skip_heights: BTreeSet::from([11]), ..Policy::default() };
    let other = Facts { policy, ..asked([(Slot::Genesis, says(Some(40)))]) };
    check(&Journal::default(), &other, &Action::Ask(v(2)));
}

#[test]
fn a_binary_that_does_not_fit_state_gives_way_to_one_that_does_the_previous_one_first() {
    let history = vec![Done { plan: None, committed_height: 1, from: v(3), to: v(2), backup: None }];
    let journal = Journal { history, ..Journal::default() };
    for code in [41, 42] {
        let unfit = Facts {
            current: Some(v(2)),
            installed: BTreeSet::from([Slot::Genesis, v(2), v(3)]),
            ..asked([(v(2), says(Some(code)))])
        };
        check(&journal, &unfit, &Action::Ask(v(3)));
        check(&Journal::default(), &unfit, &Action::Ask(Slot::Genesis));
        let mut all = unfit.clone();
        all.asked.extend([(v(3), says(None)), (Slot::Genesis, says(None))]);
        match decide(&journal, &all) {
            Action::Begin(upgrade) => {
                assert_eq!((upgrade.from, upgrade.to), (v(2), v(3)));
                assert!(matches!(upgrade.reason, Reason::Repair { .. }));
            }
            other => panic!("{other:?}"),
        }
        all.asked.extend([(v(3), says(Some(42))), (Slot::Genesis, silent())]);
        check_rest(&journal, &all, "no other binary does");
    }
}

#[test]
fn a_switch_under_way_goes_on_from_each_stage_while_state_is_the_same() {
    let agreed = asked([(v(2), says(None))]);
    check(&under_way(Stage::Begun), &facts(), &Action::Ask(v(2)));
    check(&under_way(Stage::Begun), &agreed, &Action::Backup);
    check(&under_way(Stage::BackedUp { folder: None }), &agreed, &Action::Check);
    check(&under_way(Stage::Checked { backup: None }), &agreed, &Action::Switch);
    let switched = Facts { current: Some(v(2)), ..facts() };
    check(&under_way(Stage::Switched { backup: None }), &switched, &Action::Finish);
    check(&under_way(Stage::Switched { backup: None }), &facts(), &Action::Switch);
    check_rest(&under_way(Stage::Begun), &asked([(v(2), silent())]), "no database");
}

#[test]
fn a_switch_under_way_is_dropped_when_state_was_replaced() {
    let change = |change: fn(&mut Status)| {
        let mut answer = says(None);
        if let Ok(status) = &mut answer {
            change(status);
        }
        asked([(v(2), answer)])
    };
    let cases = [
        change(|status| status.committed_height = 5),
        change(|status| status.app_hash = "BB".to_owned()),
        change(|status| status.plan = None),
        asked([(v(2), says(Some(42)))]),
        Facts { installed: BTreeSet::from([Slot::Genesis]), ..facts() },
    ];
    for stage in [Stage::Begun, Stage::BackedUp { folder: None }, Stage::Checked { backup: None }] {
        for case in &cases {
            let found = decide(&under_way(stage.clone()), case);
            assert!(matches!(found, Action::Abandon { .. }), "{found:?} at {stage:?}");
        }
    }
}

#[test]
fn the_nodes_end_decides_whether_there_is_a_rest_an_end_or_neither() {
    let after = |code: u8, crashes: u32| Facts { child: Child::Ended { code }, crashes, ..facts() };
    let none = Journal::default();
    for code in [0, 2] {
        assert!(matches!(decide(&none, &after(code, 1)), Action::Leave { code: found, .. } if found == code));
    }
    for code in [40, 41, 42] {
        check(&none, &after(code, 1), &Action::Ask(Slot::Genesis));
        check_rest(&none, &after(code, 2), "exit code");
    }
    for code in [1, 7, 43, 50, 51, 52, 137] {
        check_rest(&none, &after(code, 1), &format!("exit code {code}"));
    }
    let limited = Facts { policy: Policy { restarts_max: 2, ..Policy::default() }, ..after(50, 3) };
    assert!(matches!(decide(&none, &limited), Action::Leave { code: 50, .. }));
    let stopped = Facts { child: Child::Stopped { code: 0 }, ..facts() };
    assert!(matches!(decide(&under_way(Stage::Begun), &stopped), Action::Leave { code: 0, .. }));
}

#[test]
fn a_refusal_and_an_unwanted_restart_end_swingvisor() {
    let refused = Facts { refused: Some("exit code 30".to_owned()), ..facts() };
    assert!(matches!(decide(&under_way(Stage::BackedUp { folder: None }), &refused), Action::Leave { code: 1, .. }));
    let policy = Policy { restart_after_upgrade: false, ..Policy::default() };
    let switched = Facts { policy, just_switched: true, ..facts() };
    assert!(matches!(decide(&Journal::default(), &switched), Action::Leave { code: 0, .. }));
    check(&Journal::default(), &Facts { just_switched: true, ..facts() }, &Action::Ask(Slot::Genesis));
}

#[test]
fn a_binary_whose_handler_failed_is_not_started_again() {
    let failed = Facts { handler_failed: BTreeSet::from([v(2)]), current: Some(v(2)), ..asked([(v(2), says(None))]) };
    check_rest(&Journal::default(), &failed, "put a repaired binary there");
}

#[test]
fn rests_double_up_to_the_longest() {
    let policy = Policy { backoff_min_ms: 100, backoff_max_ms: 1_000, ..Policy::default() };
    let rests: Vec<u64> = (0..8).map(|failures| rest_ms(&policy, failures)).collect();
    assert_eq!(rests, [100, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
    assert_eq!(rest_ms(&policy, u32::MAX), 1_000);
}
