//! The process is killed at every named point around the upgrade and goes on with whichever binary is right: the app hashes are
//! those of an undisturbed run.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use swing_node::killpoints::Killpoint;
use swing_tests::{
    points::WAITING,
    script::{LAST_HEIGHT, UPGRADE_HEIGHT},
};

/// Exit code of a node that another release must follow.
const UPGRADE_NEEDED: i32 = 40;

/// What one run of the scripted node printed, and how it ended.
#[derive(Debug, Default)]
struct Run {
    hashes: BTreeMap<u64, String>,
    points: BTreeSet<(String, u64)>,
    code: Option<i32>,
    said: Vec<String>,
}

/// Runs the scripted node; at `wait_at` it is killed.
fn run(data: &Path, release: &str, wait_at: Option<&str>) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scripted-node"));
    command.arg(data).arg(release).args(wait_at).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the scripted node starts");
    let mut run = Run::default();
    for line in BufReader::new(child.stdout.take().expect("its output is piped")).lines() {
        let line = line.expect("text");
        if line == WAITING {
            child.kill().expect("it waits to be killed");
            continue;
        }
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["point", name, height] => {
                run.points.insert(((*name).to_owned(), height.parse().expect("a height")));
            }
            [height, hash] if height.parse::<u64>().is_ok() && hash.len() == 64 => {
                run.hashes.insert(height.parse().expect("a height"), (*hash).to_owned());
            }
            _ => run.said.push(line),
        }
    }
    run.code = child.wait().expect("it ended").code();
    run
}

/// Version-1 up to its refusal, then version-2 to the end.
fn undisturbed(data: &Path) -> (Run, Run) {
    let first = run(data, "version-1", None);
    assert_eq!(first.code, Some(UPGRADE_NEEDED), "version-1 stops for the upgrade: {first:#?}");
    assert_eq!(first.hashes.keys().last(), Some(&(UPGRADE_HEIGHT - 1)), "it stops after H−1: {first:#?}");
    let second = run(data, "version-2", None);
    assert_eq!(second.code, Some(0), "version-2 goes on to the end: {second:#?}");
    (first, second)
}

fn folder(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join(name);
    std::fs::create_dir_all(&data).expect("a data folder");
    (folder, data)
}

#[test]
fn a_node_killed_at_any_point_around_the_upgrade_comes_to_the_same_hashes() {
    let (_guard, data) = folder("undisturbed");
    let (first, second) = undisturbed(&data);
    let mut expected = first.hashes.clone();
    expected.extend(second.hashes.clone());
    assert_eq!(expected.len() as u64, LAST_HEIGHT, "every block has a hash");

    let passed: BTreeSet<_> = first.points.union(&second.points).cloned().collect();
    let mut tried = BTreeSet::new();
    for point in Killpoint::ALL {
        for height in [UPGRADE_HEIGHT - 1, UPGRADE_HEIGHT] {
            if !passed.contains(&(point.name().to_owned(), height)) {
                continue;
            }
            let (_guard, data) = folder("killed");
            let mut seen = BTreeMap::new();
            let wait_at = format!("{}@{height}", point.name());
            let mut killed = false;
            for (release, wait_at) in
                [("version-1", Some(&wait_at)), ("version-1", None), ("version-2", Some(&wait_at)), ("version-2", None)]
            {
                let run = run(&data, release, wait_at.map(String::as_str));
                killed |= run.code.is_none();
                seen.extend(run.hashes);
            }
            assert!(killed, "{wait_at} was never reached in the run that was to be killed there");
            // The block that was committed when the process died before saying so has no line: its successor binds it.
            seen.entry(height).or_insert_with(|| expected[&height].clone());
            assert_eq!(seen, expected, "killed at {wait_at}");
            tried.insert(point);
        }
    }
    // The points of the process's end belong to `swingd start`: `e2e::killed` kills there.
    let of_the_application: BTreeSet<_> = Killpoint::ALL
        .into_iter()
        .filter(|point| !matches!(point, Killpoint::BeforeStop | Killpoint::BeforeInfoFile | Killpoint::AfterInfoFile))
        .collect();
    assert_eq!(tried, of_the_application, "a listed point was never reached");
}

#[test]
fn a_handler_that_fails_leaves_the_state_of_the_block_before_and_a_repaired_binary_goes_on_cosmos_sdk_9616() {
    let (_guard, data) = folder("undisturbed");
    let (_, expected) = undisturbed(&data);

    let (_guard, data) = folder("broken");
    run(&data, "version-1", None);
    for _ in 0..2 {
        let broken = run(&data, "broken-version-2", None);
        assert_eq!(broken.code, Some(43), "the upgrade fails, and fails again: {broken:#?}");
        assert!(broken.hashes.is_empty(), "no block is committed: {broken:#?}");
        assert!(broken.said.iter().any(|line| line.contains("FAILED at height 8")), "it says why: {broken:#?}");
    }
    let back = run(&data, "version-1", None);
    assert_eq!(back.code, Some(UPGRADE_NEEDED), "state is still that of H−1: {back:#?}");
    let repaired = run(&data, "version-2", None);
    assert_eq!(repaired.code, Some(0), "{repaired:#?}");
    assert_eq!(repaired.hashes, expected.hashes, "as if nothing had happened");
}

#[test]
fn version_2_installed_early_comes_to_the_same_hashes_without_a_stop_gaia_1118() {
    let (_guard, data) = folder("undisturbed");
    let (first, second) = undisturbed(&data);
    let mut expected = first.hashes;
    expected.extend(second.hashes);

    let (_guard, data) = folder("early");
    let early = run(&data, "version-2", None);
    assert_eq!(early.code, Some(0), "{early:#?}");
    assert_eq!(early.hashes, expected, "the release that runs the previous rules earns it on every block");
}
