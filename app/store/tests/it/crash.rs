//! A process that commits is killed with SIGKILL, again and again; what it leaves is a whole version each time.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use swing_store::{Pruning, Store, StoreOptions};

use crate::{
    blocks::block,
    support::{Model, apply, assert_holds},
};

/// A line of the writer's: the step, the version and its root.
pub type Step = (String, u64, String);

fn parse(line: &str) -> Step {
    let mut words = line.split(' ').map(str::to_owned);
    let mut next = || words.next().expect("three words a line");
    (next(), next().parse().expect("a version"), next())
}

/// Runs the writer on the folders and kills it once it has announced `steps` lines. Says all that it announced.
pub fn run_and_kill(folders: &[&Path], steps: usize) -> Vec<Step> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_store-crash-writer"))
        .args(folders)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the writer starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map(|line| line.expect("text"));
    let mut announced: Vec<Step> = lines.by_ref().take(steps).map(|line| parse(&line)).collect();
    assert_eq!(announced.len(), steps, "the writer ended by itself");
    child.kill().expect("killed");
    announced.extend(lines.map(|line| parse(&line)));
    child.wait().expect("reaped");
    announced
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn after_a_kill_the_store_is_at_a_whole_version_with_the_root_that_was_announced() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut model = Model::new();
    let mut modelled = 0;
    // Odd counts of lines end on "opened" or "committed", even ones on "staged": with a commit under way.
    for steps in [2, 3, 40, 41, 82, 7, 160] {
        let announced = run_and_kill(&[folder.path()], steps);
        let last =
            |step: &str| announced.iter().rev().find(|(name, ..)| name == step).map_or(modelled, |(_, at, _)| *at);
        let (staged, committed) = (last("staged"), last("committed"));
        let store = Store::open(folder.path(), StoreOptions::with_pruning(Pruning::Everything)).expect("opens");
        let version = store.version();
        assert!((committed..=staged.max(committed)).contains(&version), "{committed} ≤ {version} ≤ {staged}");
        for at in modelled + 1..=version {
            apply(&mut model, &block(at));
        }
        modelled = version;
        assert_holds(&store.latest(), &model);
        let root = announced.iter().find(|(_, at, _)| *at == version).map(|(.., root)| root.clone());
        assert_eq!(root, Some(hex(store.root_hash())), "at version {version}");
        let height = store.meta(b"height").expect("read").map(|bytes| bytes.try_into().map(u64::from_be_bytes));
        assert_eq!(height.unwrap_or(Ok(0)), Ok(version), "metadata belongs to its version");
        if version < staged {
            let again = store.stage(staged, block(staged)).expect("staged");
            let (.., root) = announced.last().expect("not empty");
            assert_eq!(hex(again.root_hash()), *root, "the lost version comes out the same");
        }
    }
    assert!(modelled > 100, "blocks were committed between the kills: {modelled}");
}
