//! Module migrations by version map.

use std::collections::BTreeMap;

use bytes::Bytes;
use swing_core::{
    error::{Failure, Rejected},
    ports::upgrade::VersionMap,
    state::{Empty, State, StateRead},
};
use swing_upgrades::migrations::{Step, Target, run};

fn trace(state: &mut State<'_>, text: &str) -> Result<(), Failure> {
    let mut all = state.get(b"trace")?.map(|value| value.to_vec()).unwrap_or_default();
    all.extend_from_slice(text.as_bytes());
    Ok(state.set(b"trace".to_vec(), all)?)
}

fn a_1(state: &mut State<'_>) -> Result<(), Failure> {
    trace(state, "a1 ")
}
fn a_2(state: &mut State<'_>) -> Result<(), Failure> {
    trace(state, "a2 ")
}
fn b_genesis(state: &mut State<'_>) -> Result<(), Failure> {
    trace(state, "b0 ")
}
fn failing(_: &mut State<'_>) -> Result<(), Failure> {
    Err(Failure::Rejected(Rejected::sdk(1, "the step's own reason")))
}

fn a(version: u64) -> Target {
    // Out of order on purpose: a step is found by the version that it starts from.
    let steps = vec![Step { from: 2, run: a_2 }, Step { from: 1, run: a_1 }];
    Target { steps, ..Target::unchanged("a", version, b"a/") }
}

fn b() -> Target {
    Target { genesis: Some(b_genesis), ..Target::unchanged("b", 7, b"b/") }
}

fn versions(entries: &[(&str, u64)]) -> VersionMap {
    entries.iter().map(|(name, version)| ((*name).to_owned(), *version)).collect()
}

#[track_caller]
fn check(from: &[(&str, u64)], targets: &[Target], expected: Result<&str, &str>) {
    let mut state = State::new(&Empty);
    let result = run(&mut state, &versions(from), targets);
    let steps = state.get(b"trace").expect("memory").unwrap_or_default();
    match expected {
        Ok(trace) => {
            let wanted: VersionMap = targets.iter().map(|target| (target.name.to_owned(), target.version)).collect();
            assert_eq!(result, Ok(wanted));
            assert_eq!(String::from_utf8_lossy(&steps), trace);
        }
        Err(reason) => {
            let error = result.expect_err("no migration");
            assert!(error.to_string().contains(reason), "{error}");
            assert!(steps.is_empty(), "a refusal that the maps show comes before any step");
        }
    }
}

#[test]
fn steps_run_one_version_at_a_time_in_the_order_of_names() {
    check(&[("a", 3)], &[a(3)], Ok(""));
    check(&[("a", 2)], &[a(3)], Ok("a2 "));
    check(&[("a", 1)], &[a(3)], Ok("a1 a2 "));
    check(&[("a", 1)], &[b(), a(2)], Ok("a1 b0 "));
}

#[test]
fn gaps_downgrades_and_unknown_modules_are_errors() {
    check(&[("a", 1)], &[a(4)], Err("no migration from version 3"));
    check(&[("a", 0)], &[a(3)], Err("no migration from version 0"));
    check(&[("a", 4)], &[a(3)], Err("never goes down"));
    check(&[("a", 1), ("gone", 2)], &[a(3)], Err("module gone at version 2"));
    check(&[("b", 7)], &[a(3), b()], Err("module a is not in state"));
}

#[test]
fn a_new_module_gets_genesis_only_into_an_empty_store() {
    check(&[("a", 3)], &[a(3), b()], Ok("b0 "));
    let base: BTreeMap<Vec<u8>, Bytes> = BTreeMap::from([(b"b/left".to_vec(), Bytes::from_static(b"x"))]);
    let mut state = State::new(&base);
    let error = run(&mut state, &versions(&[("a", 3)]), &[a(3), b()]).expect_err("the store has a key");
    assert!(error.to_string().contains("module b is new, but its store is not empty"), "{error}");
    assert_eq!(state.get(b"b/left").expect("memory"), Some(Bytes::from_static(b"x")));
}

#[test]
fn a_steps_own_failure_is_the_reason() {
    let mut state = State::new(&Empty);
    let target = Target { steps: vec![Step { from: 1, run: failing }], ..Target::unchanged("a", 2, b"a/") };
    let error = run(&mut state, &versions(&[("a", 1)]), &[target]).expect_err("the step fails");
    assert_eq!(error.to_string(), "the step's own reason");
}
