//! Module migrations by version map.

use std::collections::BTreeMap;

use bytes::Bytes;
use swing_core::{
    error::{Failure, Rejected},
    modules::upgrade::migration,
    ports::upgrade::VersionMap,
    state::{Empty, State, StateRead},
};
use swing_upgrades::migrations::{Slice, Step, Target, go_on, run};

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
    let steps = vec![Step::whole(2, a_2), Step::whole(1, a_1)];
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
fn a_new_module_gets_genesis_only_into_an_empty_store_cosmos_sdk_15120_and_20489() {
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
    let target = Target { steps: vec![Step::whole(1, failing)], ..Target::unchanged("a", 2, b"a/") };
    let error = run(&mut state, &versions(&[("a", 1)]), &[target]).expect_err("the step fails");
    assert_eq!(error.to_string(), "the step's own reason");
}

/// A step in slices over five entries; the cursor is how many are done.
fn counted(state: &mut State<'_>, cursor: &[u8], entries: u64) -> Result<Slice, Failure> {
    trace(state, &format!("c[{}]{entries} ", String::from_utf8_lossy(cursor)))?;
    let done: u64 = String::from_utf8_lossy(cursor).parse().unwrap_or(0) + entries;
    Ok(if done >= 5 { Slice::Done } else { Slice::More(done.to_string().into_bytes()) })
}

fn stuck(_: &mut State<'_>, _: &[u8], _: u64) -> Result<Slice, Failure> {
    Ok(Slice::More(b"here".to_vec()))
}

fn c(steps: Vec<Step>, version: u64) -> Target {
    Target { steps, ..Target::unchanged("c", version, b"c/") }
}

/// Runs block after block until nothing is under way; gives each block's trace and the versions after it.
fn blocks(from: &[(&str, u64)], targets: &[Target]) -> Vec<(String, VersionMap)> {
    let mut state = State::new(&Empty);
    let mut versions = run(&mut state, &versions(from), targets).expect("the upgrade's block");
    let mut all = Vec::new();
    loop {
        let traced = state.get(b"trace").expect("memory").unwrap_or_default();
        all.push((String::from_utf8_lossy(&traced).trim().to_owned(), versions.clone()));
        if migration::under_way(&state).expect("memory").is_none() {
            return all;
        }
        state.delete(b"trace".to_vec()).expect("memory");
        versions = go_on(&mut state, &versions, targets).expect("a later block");
    }
}

#[test]
fn a_step_in_slices_does_one_a_block_and_the_version_rises_at_its_end() {
    let targets = [a(3), c(vec![Step::whole(1, a_1), Step::sliced(2, counted, 2), Step::whole(3, a_2)], 4)];
    let done = blocks(&[("a", 1), ("c", 1)], &targets);
    assert_eq!(
        done,
        [
            ("a1 a2 a1 c[]2".to_owned(), versions(&[("a", 3), ("c", 2)])),
            ("c[2]2".to_owned(), versions(&[("a", 3), ("c", 2)])),
            ("c[4]2 a2".to_owned(), versions(&[("a", 3), ("c", 4)])),
        ]
    );
}

#[test]
fn two_modules_with_slices_take_turns_and_two_steps_of_one_follow_each_other() {
    let d = Target { steps: vec![Step::sliced(1, counted, 5)], ..Target::unchanged("d", 2, b"d/") };
    let twice = c(vec![Step::sliced(1, counted, 4), Step::sliced(2, counted, 9)], 3);
    let done = blocks(&[("c", 1), ("d", 1)], &[d, twice]);
    assert_eq!(
        done,
        [
            ("c[]4".to_owned(), versions(&[("c", 1), ("d", 1)])),
            ("c[4]4".to_owned(), versions(&[("c", 2), ("d", 1)])),
            ("c[]9".to_owned(), versions(&[("c", 3), ("d", 1)])),
            ("c[]5".to_owned(), versions(&[("c", 3), ("d", 2)])),
        ]
    );
}

#[test]
fn a_slice_that_ends_at_once_needs_no_second_block() {
    let done = blocks(&[("c", 1)], &[c(vec![Step::sliced(1, counted, 9)], 2)]);
    assert_eq!(done, [("c[]9".to_owned(), versions(&[("c", 2)]))]);
}

#[test]
fn a_slice_that_would_never_end_is_an_error() {
    let targets = [c(vec![Step::sliced(1, stuck, 1)], 2)];
    let mut state = State::new(&Empty);
    let from = run(&mut state, &versions(&[("c", 1)]), &targets).expect("the first slice names a cursor");
    let error = go_on(&mut state, &from, &targets).expect_err("the same cursor again");
    assert!(error.to_string().contains("module c: a slice left a cursor of 4 bytes"), "{error}");
    let error = go_on(&mut State::new(&Empty), &from, &targets).expect_err("none is under way");
    assert!(error.to_string().contains("no migration is under way"), "{error}");
    let error = go_on(&mut state, &from, &[a(3)]).expect_err("another release");
    assert!(error.to_string().contains("one that this release does not know"), "{error}");
}
