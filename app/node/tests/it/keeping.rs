//! Which blocks a checkpoint is made before, what is seen to ahead of it, and what becomes of it afterwards.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use serde_json::Value;
use swing_core::{execute::Flags, modules::swingset::keys::PENDING_SWAP, state::Changes};
use swing_node::{
    app::{AppOptions, DATABASE_FOLDER, NodeApp},
    engine_adapter::SwingsetEngine,
    lifecycle::ExitCode,
    releases,
};
use swing_proto::swing::swingset::v1::PendingSwap;
use swing_store::{Store, StoreOptions, checkpoint::Checkpoints};

use crate::support::{
    genesis::{accounts, block, init_chain},
    planned::schedule,
    starting::{AT_THE_PORT, check_exit, said, start},
};

const VERSION_1: &str = env!("CARGO_BIN_EXE_swingd-version-1");
const NEWEST: &str = env!("CARGO_BIN_EXE_swingd");

fn open(data: &Path, release: &str, set: impl FnOnce(&mut AppOptions)) -> NodeApp {
    let mut options = AppOptions::new(data, releases::release(release).expect("a release"));
    set(&mut options);
    NodeApp::open(options, Box::new(SwingsetEngine::new().expect("an engine"))).expect("opens")
}

/// Executes and commits a block; gives what the engine is told to retain.
fn run_block(app: &mut NodeApp, height: u64) -> i64 {
    app.finalize_block(block(height, Vec::new())).expect("executed");
    app.commit().expect("committed").response.retain_height
}

/// A home at height 2 with a plan `version-2`.
fn home(plan_height: u64) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a temporary folder");
    let data = home.path().join("data");
    let mut app = open(&data, "version-1", |_| {});
    app.init_chain(init_chain(&accounts(1))).expect("a good genesis");
    run_block(&mut app, 1);
    drop(app);
    schedule(&data, 2, "version-2", plan_height);
    home
}

fn checkpoints(home: &Path) -> Checkpoints {
    Checkpoints::new(home.join("data/checkpoints"))
}

fn heights(home: &Path) -> Vec<u64> {
    let list = checkpoints(home).list().expect("listed");
    list.into_iter().map(|manifest| manifest.expect("whole").height).collect()
}

/// Waits until the thread in the background has read every checkpoint.
#[track_caller]
fn wait_until_all_are_read(home: &Path) {
    let checkpoints = checkpoints(home);
    for _ in 0..2_400 {
        let list = checkpoints.list().expect("listed");
        if list.iter().flatten().all(|manifest| checkpoints.is_verified(manifest)) {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(50));
    }
    panic!("a checkpoint was never read wholly");
}

#[test]
fn a_plan_that_is_skipped_has_its_checkpoint_too_since_who_skips_alone_must_come_back() {
    let home = home(4);
    let skip = |options: &mut AppOptions| options.flags = Flags { skip_heights: vec![4] };
    let mut app = open(&home.path().join("data"), "version-1", skip);
    run_block(&mut app, 3);
    assert_eq!(heights(home.path()), [3]);
    run_block(&mut app, 4);
    assert_eq!(heights(home.path()), [3], "and there is no further one");
}

#[test]
fn a_kernel_swap_by_vote_has_its_checkpoint_right_before_the_block_that_makes_it() {
    let home = home(1_000);
    let data = home.path().join("data");
    let store = Store::open(data.join(DATABASE_FOLDER), StoreOptions::default()).expect("the database");
    let swap = PendingSwap { kernel_bundle_id: "b1-0".to_owned(), height: 5, ..PendingSwap::default() };
    let mut changes = Changes::new();
    changes.insert(PENDING_SWAP.to_vec(), Some(prost::Message::encode_to_vec(&swap).into()));
    store.commit(store.stage(3, changes).expect("staged")).expect("committed");
    drop(store);
    let mut app = open(&data, "version-1", |_| {});
    assert!(heights(home.path()).is_empty());
    run_block(&mut app, 4);
    assert_eq!(heights(home.path()), [4]);
    // The swap names no bundle that there is, so it fails, and is no longer pending.
    run_block(&mut app, 5);
    run_block(&mut app, 6);
    assert_eq!(heights(home.path()), [4]);
}

#[test]
fn what_the_stopped_release_left_unread_is_read_wholly_by_the_next_one() {
    let home = home(3);
    check_exit(&start(VERSION_1, home.path(), &[]), ExitCode::UpgradeNeeded, "checkpoint made");
    let manifest = checkpoints(home.path()).find("2-1").expect("made");
    assert!(!checkpoints(home.path()).is_verified(&manifest), "it stops at once and reads nothing");
    let app = open(&home.path().join("data"), "version-2", |_| {});
    wait_until_all_are_read(home.path());
    drop(app);
}

#[test]
fn a_damaged_checkpoint_is_never_noted_as_read() {
    let home = home(3);
    check_exit(&start(VERSION_1, home.path(), &[]), ExitCode::UpgradeNeeded, "checkpoint made");
    let database = home.path().join("data/checkpoints/2-1/application.db");
    let table = fs::read_dir(&database)
        .expect("read")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sst"))
        .max_by_key(|path| fs::metadata(path).map_or(0, |meta| meta.len()))
        .expect("a table");
    let mut bytes = fs::read(&table).expect("read");
    let middle = bytes.len() / 3;
    bytes[middle] ^= 0x10;
    fs::remove_file(&table).expect("removed");
    fs::write(&table, &bytes).expect("written");
    let output = Command::new(NEWEST)
        .args(["checkpoint", "verify", "2-1", "--home"])
        .arg(home.path())
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let manifest = checkpoints(home.path()).find("2-1").expect("its manifest is whole");
    assert!(!checkpoints(home.path()).is_verified(&manifest));
}

#[test]
fn room_and_filesystem_are_looked_at_as_soon_as_the_plan_is_in_state() {
    let home = home(1_000);
    let foreseen = || {
        let output =
            Command::new(NEWEST).args(["status", "--home"]).arg(home.path()).output().expect("the binary runs");
        let status: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (
            status["application"]["checkpoint"]["possible"].clone(),
            status["application"]["checkpoint"]["reason"].to_string(),
        )
    };
    assert_eq!(foreseen(), (Value::Bool(true), "null".to_owned()), "before the folder is made");
    check_exit(&start(VERSION_1, home.path(), &[]), ExitCode::Failed, "a checkpoint will be made before this block");
    let elsewhere = tempfile::tempdir_in("/dev/shm").expect("Linux has a filesystem in memory");
    let folder = home.path().join("data/checkpoints");
    fs::remove_dir_all(&folder).expect("it was made by the look");
    symlink(elsewhere.path(), &folder).expect("linked");
    let output = start(VERSION_1, home.path(), &[]);
    check_exit(&output, ExitCode::Failed, "NO CHECKPOINT can be made before this block");
    check_exit(&output, ExitCode::Failed, "is on another filesystem");
    assert!(said(&output).contains(AT_THE_PORT), "it goes on all the same");
    let (possible, reason) = foreseen();
    assert!(possible == Value::Bool(false) && reason.contains("is on another filesystem"), "{reason}");
    fs::create_dir_all(home.path().join("config")).expect("made");
    fs::write(home.path().join("config/app.toml"), "[upgrade]\ncheckpoints = 0\n").expect("written");
    let (possible, reason) = foreseen();
    assert!(possible == Value::Bool(false) && reason.contains("upgrade.checkpoints is 0"), "{reason}");
}

#[test]
fn the_engine_is_never_told_to_drop_a_block_that_the_oldest_checkpoint_needs() {
    let home = home(5);
    let keep_one = |options: &mut AppOptions| options.min_retain_blocks = 1;
    let mut app = open(&home.path().join("data"), "version-2", keep_one);
    assert_eq!(run_block(&mut app, 3), 2, "with no checkpoint the setting decides");
    assert_eq!(run_block(&mut app, 4), 3);
    assert_eq!(heights(home.path()), [4]);
    for height in 5..9 {
        let expected = i64::try_from(height - 1).expect("small").min(5);
        assert_eq!(run_block(&mut app, height), expected, "block 5 is what a rollback to 4 executes again");
    }
}

#[test]
fn only_as_many_are_kept_as_the_policy_says_and_the_newest() {
    let home = home(4);
    let data = home.path().join("data");
    let skip = |heights: &[u64]| {
        let skip_heights = heights.to_vec();
        move |options: &mut AppOptions| options.flags = Flags { skip_heights }
    };
    let mut app = open(&data, "version-1", skip(&[4]));
    run_block(&mut app, 3);
    run_block(&mut app, 4);
    drop(app);
    for (height, plan) in [(5, 7), (8, 10)] {
        schedule(&data, height, "version-2", plan);
        let mut app = open(&data, "version-1", skip(&[plan]));
        run_block(&mut app, height + 1);
        run_block(&mut app, height + 2);
        wait_until_all_are_read(home.path());
    }
    assert_eq!(heights(home.path()), [6, 9]);
}
