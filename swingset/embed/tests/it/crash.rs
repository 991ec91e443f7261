//! A run that is killed, by its process ID, goes on as if it had never been.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

use swingset_embed::{Compaction, FileEnvironment};

use crate::support::{Place, entries, reading, run};

const IDS: u32 = 12;

/// Runs the program on a file until it has said so many lines, or is at the end, and kills it; gives the crank of the last commit
/// that it told of. Step by step the program stands still where it said the last line; otherwise it is somewhere behind it, such as
/// in the middle of the commit that it announced.
fn killed_after(place: &Place, lines: usize, step: bool) -> Option<u64> {
    let arguments = ["run", "--cranks-per-commit", "1", "--step"];
    let arguments = if step { &arguments[..] } else { &arguments[..3] };
    let mut child = place.command("killed", arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut committed = None;
    for number in 1..=lines {
        let Some(line) = said.next() else { break };
        let line = line.unwrap();
        if let Some(crank) = line.strip_prefix("committed crank ") {
            committed = Some(crank.parse().unwrap());
        }
        if step && number < lines {
            input.write_all(b"\n").unwrap();
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    committed
}

#[test]
fn a_run_that_is_killed_between_and_within_commits_ends_like_one_that_never_was() {
    let place = Place::new();
    drop(place.with_queue("killed", 0..IDS));
    fs::copy(place.file("killed"), place.file("undisturbed")).unwrap();
    let mut undisturbed = place.open("undisturbed");
    run(&mut undisturbed);
    let cranks = || place.open("killed").show().unwrap().engine.crank_number;

    for lines in 1..=5 {
        let before = cranks();
        let committed = killed_after(&place, lines, true);
        assert_eq!(committed.is_some(), lines > 1, "the run had work to do");
        assert_eq!(
            cranks(),
            committed.unwrap_or(before),
            "what was committed is there, what was only announced is not"
        );
    }
    for lines in 1..=5 {
        let before = cranks();
        let committed = killed_after(&place, lines, false);
        assert!(cranks() >= committed.unwrap_or(before), "what was committed is there");
    }
    let mut killed = place.open("killed");
    run(&mut killed);
    assert!(entries(killed.environment()) == entries(undisturbed.environment()), "the whole state is the same");
    let counted = reading(&mut killed);
    assert!(counted.contains(&format!("\"count\":\"+{IDS}\",\"distinct\":\"+{IDS}\"")), "{counted}");
}

#[test]
fn a_commit_of_the_engine_that_was_cut_off_anywhere_is_made_again() {
    let place = Place::new();
    let mut machine = place.with_queue("whole", 0..3);
    let start = usize::try_from(machine.environment().file_bytes()).unwrap();
    let before = entries(machine.environment());
    machine.run(1_000, &mut |_| {}).unwrap();
    let after = entries(machine.environment());
    drop(machine);
    let bytes = fs::read(place.file("whole")).unwrap();
    assert!(bytes.len() > start);
    let batch = bytes.len() - start;
    for cut in (0..=24).map(|part| start + batch * part / 24).chain([start + 1, start + 12, bytes.len() - 1]) {
        fs::write(place.file("cut"), &bytes[..cut]).unwrap();
        let env = FileEnvironment::open(&place.file("cut"), Compaction::default()).unwrap();
        assert!(entries(&env) == if cut == bytes.len() { &after[..] } else { &before[..] }, "cut at {cut}");
        drop(env);
        let mut machine = place.open("cut");
        machine.run(1_000, &mut |_| {}).unwrap();
        assert!(entries(machine.environment()) == after, "run again after a cut at {cut}");
    }
}
