//! The checkpoint before an upgrade, and the way back: the binaries on real homes, and CometBFT's data as 0.38.26 left them after
//! block 12 (`tests/recorded/comet-12`: a table that ends with block 6, and a journal).

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};
use swing_node::{
    app::{AppOptions, DATABASE_FOLDER, NodeApp, OpenError},
    checkpoint::{Heights, HeightsError},
    comet::{CometBinary, HomeLock},
    config::Home,
    engine_adapter::SwingsetEngine,
    releases,
};
use swing_store::{Store, StoreOptions, checkpoint::Checkpoints};

use crate::support::{
    genesis::{accounts, block, init_chain},
    planned::schedule,
};

const VERSION_1: &str = env!("CARGO_BIN_EXE_swingd-version-1");
const NEWEST: &str = env!("CARGO_BIN_EXE_swingd");

fn open(data: &Path, release: &str) -> Result<NodeApp, OpenError> {
    let release = releases::release(release).expect("a release");
    NodeApp::open(AppOptions::new(data, release), Box::new(SwingsetEngine::new().expect("an engine")))
}

fn run_block(app: &mut NodeApp, height: u64) -> Vec<u8> {
    let app_hash = app.finalize_block(block(height, Vec::new())).expect("executed").app_hash;
    app.commit().expect("committed");
    app_hash.to_vec()
}

/// A home at height 2 with a plan `version-2` for `plan_height`, and a key that has signed at `signed`.
fn home(plan_height: u64, signed: u64) -> tempfile::TempDir {
    home_at(2, plan_height, signed)
}

fn home_at(height: u64, plan_height: u64, signed: u64) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a temporary folder");
    let data = home.path().join("data");
    let mut app = open(&data, "version-1").expect("a new home");
    app.init_chain(init_chain(&accounts(1))).expect("a good genesis");
    (1..height).for_each(|height| drop(run_block(&mut app, height)));
    drop(app);
    schedule(&data, height, "version-2", plan_height);
    sign(home.path(), signed);
    home
}

fn sign(home: &Path, height: u64) {
    let state = format!(r#"{{"height":"{height}","round":0,"step":3}}"#);
    fs::write(home.join("data/priv_validator_state.json"), state).expect("written");
}

fn swingd(binary: &str, home: &Path, arguments: &[&str]) -> Output {
    // Nothing is found on an empty path: what an operator without CometBFT's program sees.
    let mut command = Command::new(binary);
    command.args(arguments).arg("--home").arg(home).env("PATH", "").env_remove("COMETBFT");
    command.output().expect("the binary runs")
}

fn list(home: &Path) -> Vec<Value> {
    let output = swingd(NEWEST, home, &["checkpoint", "list", "-o", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a list")
}

#[track_caller]
fn refused(home: &Path, arguments: &[&str], part: &str) {
    let before = committed(home);
    let output = swingd(NEWEST, home, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains(part), "`{part}` is not in: {error}");
    assert_eq!(committed(home), before, "nothing is changed");
}

fn database(home: &Path) -> PathBuf {
    home.join("data").join(DATABASE_FOLDER)
}

fn committed(home: &Path) -> (u64, [u8; 32]) {
    let view = Store::peek(database(home), StoreOptions::default()).expect("readable").expect("there");
    (view.version(), view.root_hash())
}

#[test]
fn a_release_that_stops_makes_one_checkpoint_first_however_often_it_is_started() {
    let home = home(3, 2);
    for _ in 0..2 {
        let output = swingd(VERSION_1, home.path(), &["start", "--engine", "external"]);
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        let made = text.find("checkpoint made");
        let told = text.find("UPGRADE \"version-2\" NEEDED at height: 3").expect("it refuses");
        assert!(made.is_none_or(|made| made < told), "{text}");
    }
    let list = list(home.path());
    assert_eq!(list.len(), 1, "{list:?}");
    let (height, root) = committed(home.path());
    assert_eq!(list[0]["height"], height.to_string());
    assert_eq!(list[0]["app_hash"], root.map(|byte| format!("{byte:02X}")).concat());
    assert_eq!((&list[0]["release"], &list[0]["created_by_height"]), (&"version-1".into(), &"3".into()));
    let verified = swingd(NEWEST, home.path(), &["checkpoint", "verify", "2-1"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[test]
fn the_commit_before_the_plan_makes_it_in_both_releases_and_no_other_commit_does() {
    for release in ["version-1", "version-2"] {
        let home = home(4, 2);
        let mut app = open(&home.path().join("data"), release).expect("the plan is not due");
        let checkpoints = Checkpoints::new(home.path().join("data/checkpoints"));
        assert!(checkpoints.list().expect("listed").is_empty(), "{release}");
        run_block(&mut app, 3);
        let list = checkpoints.list().expect("listed");
        let [Ok(manifest)] = list.as_slice() else { panic!("{release}: {list:?}") };
        assert_eq!((manifest.height, manifest.label.release.as_str()), (3, release));
    }
}

#[test]
fn with_a_keep_of_zero_none_is_made() {
    let home = home(3, 2);
    fs::create_dir_all(home.path().join("config")).expect("made");
    fs::write(home.path().join("config/app.toml"), "[upgrade]\ncheckpoints = 0\n").expect("written");
    let output = swingd(VERSION_1, home.path(), &["start", "--engine", "external"]);
    assert_eq!(output.status.code(), Some(40));
    assert!(list(home.path()).is_empty());
}

/// A home whose block 3 was executed by version-2 after a checkpoint at 2. Also its app hash after block 3.
fn upgraded(signed: u64) -> (tempfile::TempDir, Vec<u8>) {
    let home = home(3, signed);
    let mut app = open(&home.path().join("data"), "version-2").expect("it can handle the plan");
    let app_hash = run_block(&mut app, 3);
    (home, app_hash)
}

#[test]
fn after_a_rollback_the_block_is_executed_again_to_the_same_hash_cosmos_sdk_20472() {
    let (home, app_hash) = upgraded(3);
    let output = swingd(NEWEST, home.path(), &["rollback", "--height", "2", "-o", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&answer["height"], &answer["cometbft"]), (&"2".into(), &"nothing to do".into()));
    assert_eq!(committed(home.path()).0, 2);
    let mut app = open(&home.path().join("data"), "version-2").expect("it can handle the plan");
    assert_eq!(run_block(&mut app, 3), app_hash);
    drop(app);
    assert_eq!(list(home.path()).len(), 1, "the one checkpoint serves again");
}

#[test]
fn past_the_point_of_no_return_a_rollback_refuses_and_names_state_sync_tendermint_9174() {
    let (home, _) = upgraded(4);
    let arguments = ["rollback", "--to", "2-1"];
    refused(home.path(), &arguments, "has signed at height 4, above block 3");
    refused(home.path(), &arguments, "by state sync");
    sign(home.path(), 3);
    record_comet(home.path());
    refused(home.path(), &arguments, "CometBFT has stored block 12");
    refused(home.path(), &["rollback", "--to", "2-2"], "no checkpoint 2-2");
    refused(home.path(), &["rollback", "--height", "3"], "no checkpoint of height 3");
    assert_eq!(swingd(NEWEST, home.path(), &["rollback"]).status.code(), Some(2), "what to go back to must be said");
}

fn status(home: &Path) -> Value {
    let output = swingd(NEWEST, home, &["status"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Value>(&output.stdout).expect("JSON")["application"].take()
}

#[test]
fn list_and_status_say_beside_a_running_node_to_which_checkpoint_there_is_still_a_way_back_cosmos_sdk_20472() {
    let (home, _) = upgraded(3);
    #[track_caller]
    fn check(home: &Path, part: &str) {
        let (list, status) = (list(home), status(home));
        let told = list[0]["rollback"].as_str().expect("a text");
        assert!(told.contains(part), "`{part}` is not in: {told}");
        assert_eq!(status["checkpoints"], json!([{"id": "2-1", "height": "2", "rollback": told}]), "{status:#}");
        assert_eq!(status["checkpoint"], json!({"possible": true, "reason": null}), "{status:#}");
    }
    let node = open(&home.path().join("data"), "version-2").expect("opens");
    check(home.path(), "open");
    sign(home.path(), 4);
    check(home.path(), "has signed at height 4, above block 3");
    check(home.path(), "by state sync");
    sign(home.path(), 3);
    record_comet(home.path());
    let held = fs::File::open(home.path().join("data/state.db/LOCK")).expect("there");
    held.lock().expect("free");
    check(home.path(), "CometBFT has stored block 12");
    drop((held, node));
    fs::write(home.path().join("data/blockstore.db/CURRENT"), "MANIFEST-999999\n").expect("written");
    check(home.path(), "not known: CometBFT's data: ");
}

#[test]
fn a_rollback_refuses_under_a_running_node_or_engine() {
    let (home, _) = upgraded(3);
    let arguments = ["rollback", "--to", "2-1"];
    let app = open(&home.path().join("data"), "version-2").expect("opens");
    refused(home.path(), &arguments, "in use by another process");
    drop(app);
    let lock = HomeLock::take(&Home::new(home.path())).expect("free");
    refused(home.path(), &arguments, "another node or CometBFT runs");
    drop(lock);
    record_comet(home.path());
    let held = fs::File::open(home.path().join("data/state.db/LOCK")).expect("there");
    held.lock().expect("free");
    refused(home.path(), &arguments, "CometBFT runs on this home");
}

#[test]
fn a_remote_signers_height_must_be_stated() {
    let (home, _) = upgraded(0);
    fs::create_dir_all(home.path().join("config")).expect("made");
    fs::write(home.path().join("config/config.toml"), "priv_validator_laddr = \"tcp://127.0.0.1:1\"\n")
        .expect("written");
    refused(home.path(), &["rollback", "--to", "2-1"], "--signed-height");
    refused(home.path(), &["rollback", "--to", "2-1", "--signed-height", "4"], "signed at height 4");
    let output = swingd(NEWEST, home.path(), &["rollback", "--to", "2-1", "--signed-height", "3"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(committed(home.path()).0, 2);
}

#[test]
fn where_cometbfts_state_is_that_of_the_block_its_own_rollback_is_named_or_run_and_the_block_stays() {
    let comet = CometBinary::find(None, std::env::var_os("COMETBFT"), std::env::var_os("PATH"))
        .expect("CometBFT 0.38 is on the search path or in COMETBFT");
    let folder = home_at(11, 12, 12);
    let home = Home::new(folder.path());
    let made = swingd(NEWEST, home.root(), &["init", "v", "--chain-id", "test-1"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    sign(home.root(), 12);
    record_comet(home.root());
    let upgrade = || {
        let mut app = open(&home.data_folder(), "version-2").expect("it can handle the plan");
        run_block(&mut app, 12)
    };
    let app_hash = upgrade();
    let by_hand = swingd(NEWEST, home.root(), &["rollback", "--height", "11"]);
    assert!(by_hand.status.success(), "{}", String::from_utf8_lossy(&by_hand.stderr));
    let said = String::from_utf8_lossy(&by_hand.stderr);
    assert!(said.contains("without --hard") && said.contains("cometbft rollback --home /"), "{said}");
    assert_eq!(committed(home.root()).0, 11);
    assert_eq!(Heights::read(&home).expect("readable").comet_state, Some(12), "left to the operator");

    assert_eq!(upgrade(), app_hash);
    let program = comet.path().to_str().expect("text");
    let run = swingd(NEWEST, home.root(), &["rollback", "--height", "11", "--cometbft", program]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let heights = Heights::read(&home).expect("readable");
    assert_eq!((heights.comet_blocks, heights.comet_state, heights.signed), (Some(12), Some(11), Some(12)));
    assert_eq!(committed(home.root()).0, 11);
}

fn record_comet(home: &Path) {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/comet-12");
    for database in ["blockstore.db", "state.db"] {
        fs::create_dir_all(home.join("data").join(database)).expect("made");
        for entry in fs::read_dir(recorded.join(database)).expect("recorded") {
            let path = entry.expect("entry").path();
            let name = path.file_name().expect("named");
            fs::copy(&path, home.join("data").join(database).join(name)).expect("copied");
        }
    }
}

#[test]
fn cometbfts_heights_are_read_from_its_tables_and_journals_and_nothing_of_it_changes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Home::new(folder.path());
    fs::create_dir_all(home.data_folder()).expect("made");
    assert_eq!(Heights::read(&home).expect("nothing is there"), Heights::default());
    record_comet(folder.path());
    let content = |database: &str| {
        let mut files: Vec<_> = fs::read_dir(home.data_folder().join(database))
            .expect("read")
            .map(|entry| entry.expect("entry").path())
            .map(|path| (path.clone(), fs::read(path).expect("read")))
            .collect();
        files.sort();
        files
    };
    let before = [content("blockstore.db"), content("state.db")];
    let heights = Heights::read(&home).expect("readable");
    assert_eq!((heights.comet_blocks, heights.comet_state, heights.signed), (Some(12), Some(12), None));
    assert_eq!([content("blockstore.db"), content("state.db")], before);
    for database in ["blockstore.db", "state.db"] {
        fs::remove_file(home.data_folder().join(database).join("000003.log")).expect("removed");
    }
    let heights = Heights::read(&home).expect("readable");
    assert_eq!((heights.comet_blocks, heights.comet_state), (Some(6), Some(6)), "what the tables alone say");
}

#[test]
fn damage_to_cometbfts_data_is_an_error_and_never_a_lower_height() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Home::new(folder.path());
    record_comet(folder.path());
    for name in ["000002.ldb", "000003.log", "MANIFEST-000004"] {
        let path = home.data_folder().join("blockstore.db").join(name);
        let whole = fs::read(&path).expect("read");
        // Not the last record of a journal, whose damage looks like a crash, nor the end of a table that nothing here reads.
        for place in (0..whole.len() / 2).step_by(whole.len() / 40) {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x10;
            fs::write(&path, &damaged).expect("written");
            match Heights::read(&home) {
                Ok(heights) => assert_eq!(heights.comet_blocks, Some(12), "{name}, byte {place}"),
                Err(error) => assert!(matches!(error, HeightsError::LevelDb(_)), "{name}, byte {place}: {error}"),
            }
        }
        fs::write(&path, &whole).expect("written");
    }
    assert_eq!(Heights::read(&home).expect("whole again").comet_blocks, Some(12));
}
