//! Upgrades rehearsed on copies: of a home that is stopped, and of one whose node runs.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use swing_core::{
    chain,
    modules::{bank, swingset, upgrade::state::clear_plan},
    state::{Changes, State},
};
use swing_node::{
    abci::ConsensusApplication as _,
    app::{AppOptions, ConsensusApp, DATABASE_FOLDER, OpenedApp},
    config::Home,
    control,
    engine_adapter::SwingsetEngine,
    rehearsal::invariants::{self, Checked},
    releases,
};
use swing_store::{Store, StoreOptions, View};
use tendermint_proto::{google::protobuf::Timestamp, v0_38::abci::RequestFinalizeBlock};

use crate::support::{
    genesis::{accounts, block, init_chain},
    planned::schedule,
};

const VERSION_1: &str = env!("CARGO_BIN_EXE_swingd-version-1");
const NEWEST: &str = env!("CARGO_BIN_EXE_swingd");

fn opened(data: &Path, release: &str) -> OpenedApp {
    OpenedApp::open(AppOptions::new(data, releases::release(release).expect("a release"))).expect("opens")
}

fn consensus(opened: OpenedApp) -> ConsensusApp {
    opened.consensus(Box::new(SwingsetEngine::new().expect("an engine")))
}

fn run_block(app: &mut ConsensusApp, request: RequestFinalizeBlock) -> Vec<u8> {
    let app_hash = app.finalize_block(request).expect("executed").app_hash.to_vec();
    app.commit().expect("committed");
    app_hash
}

/// A home at height 2 with a plan `version-2`. Two of them are the same to the byte.
fn home(plan_height: u64) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a temporary folder");
    let data = home.path().join("data");
    let mut app = consensus(opened(&data, "version-1"));
    app.init_chain(init_chain(&accounts(1))).expect("a good genesis");
    run_block(&mut app, block(1, Vec::new()));
    drop(app);
    schedule(&data, 2, "version-2", plan_height);
    home
}

fn rehearse(binary: &str, home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary);
    command.args(["upgrade", "rehearse", "-o", "json", "--home"]).arg(home).args(arguments);
    command.output().expect("the binary runs")
}

#[track_caller]
fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["passed"], true, "{report:#}");
    report
}

#[track_caller]
fn refused(output: &Output, part: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(part), "`{part}` is not in: {said}");
}

fn copies_left(home: &Path) -> usize {
    let entries = std::fs::read_dir(home.join("data/rehearsals")).expect("the folder");
    entries.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir())).count()
}

fn view(home: &Path) -> View {
    Store::peek(home.join("data").join(DATABASE_FOLDER), StoreOptions::default()).expect("readable").expect("there")
}

#[test]
fn a_stopped_home_is_rehearsed_with_one_digest_and_what_the_block_comes_to_then_it_comes_to_at_the_height() {
    let (first, second) = (home(1_000), home(1_000));
    let one = report(&rehearse(NEWEST, first.path(), &[]));
    assert_eq!((&one["target"], &one["height"], &one["app_version"]), (&"version-2".into(), &"2".into(), &"2".into()));
    assert_eq!(one["blocks_after"].as_array().map(Vec::len), Some(3));
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<u64>().ok()).expect("a number");
    assert!(number(&one["upgrade_block"]["keys_written"]) > 10, "the new bundles alone are as many: {one:#}");
    assert!(number(&one["memory_peak_bytes"]) > 1 << 20 && number(&one["growth_bytes"]) > 0, "{one:#}");
    for checked in one["invariants"].as_array().expect("a list") {
        assert!(number(&checked["looked_at"]) > 0, "a check that looks at nothing says nothing: {checked}");
    }
    let two = report(&rehearse(VERSION_1, second.path(), &["--binary", NEWEST]));
    assert_eq!(one["digest"], two["digest"], "another home, another commanding binary");
    for home in [&first, &second] {
        assert_eq!((view(home.path()).version(), copies_left(home.path())), (2, 0), "nothing is left of it");
    }

    // The same block for real.
    schedule_at(first.path(), 3);
    let last = chain::last_block(&view(first.path())).expect("readable").time;
    let mut app = consensus(opened(&first.path().join("data"), "version-2"));
    let time = Timestamp { seconds: last.seconds, nanos: i32::try_from(last.nanos).expect("small") };
    let request = RequestFinalizeBlock {
        height: 3,
        time: Some(time),
        hash: vec![0; 32].into(),
        proposer_address: vec![0; 20].into(),
        ..RequestFinalizeBlock::default()
    };
    let app_hash = hex::encode_upper(run_block(&mut app, request));
    assert_eq!(one["upgrade_block"]["app_hash"], app_hash);
}

/// Nobody has to find out at the height how long it takes, how much it writes and how much memory it needs.
#[test]
fn an_upgrade_tells_its_duration_before_its_height_cosmos_sdk_13315() {
    let home = home(1_000);
    let told = report(&rehearse(NEWEST, home.path(), &[]));
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<u64>().ok()).expect("a number");
    let duration = number(&told["upgrade_block"]["duration_ms"]);
    assert!(duration > 0, "replacing a kernel takes time: {told:#}");
    for block in told["blocks_after"].as_array().expect("a list") {
        assert!(number(&block["duration_ms"]) < duration, "a block after it is a block: {told:#}");
    }
    assert_eq!(view(home.path()).version(), 2, "the height is still far away");
}

/// Moves the pending plan without a block, so that the height stays.
fn schedule_at(home: &Path, height: u64) {
    let folder = home.join("data").join(DATABASE_FOLDER);
    std::fs::remove_dir_all(&folder).expect("removed");
    let again = self::home(height);
    std::fs::rename(again.path().join("data").join(DATABASE_FOLDER), folder).expect("moved");
}

#[test]
fn what_cannot_be_rehearsed_is_told() {
    let home = home(1_000);
    refused(&rehearse(VERSION_1, home.path(), &[]), "version-1 cannot handle plan version-2");
    refused(&rehearse(NEWEST, home.path(), &["--at-height", "9"]), "stopped at height 2, and 9 was asked for");
    refused(&rehearse(NEWEST, home.path(), &["--checkpoint", "2-1"]), "no checkpoint 2-1");
    refused(&rehearse(NEWEST, home.path(), &["--plan", "version-9"]), "cannot handle plan version-9");
    refused(&rehearse(NEWEST, home.path(), &["--binary", "/bin/false"]), "gave no report");
    let store = Store::open(home.path().join("data").join(DATABASE_FOLDER), StoreOptions::default()).expect("opens");
    let latest = store.latest();
    let mut state = State::new(&latest);
    clear_plan(&mut state).expect("cleared");
    store.commit(store.stage(3, state.into_changes()).expect("staged")).expect("committed");
    drop((latest, store));
    refused(&rehearse(NEWEST, home.path(), &[]), "no upgrade plan and no kernel swap is pending at height 3");
    report(&rehearse(NEWEST, home.path(), &["--plan", "version-2"]));
    assert_eq!(copies_left(home.path()), 0);
}

#[test]
fn a_kept_checkpoint_is_rehearsed_on_and_stays_as_it_is() {
    let home = home(3);
    drop(opened(&home.path().join("data"), "version-2"));
    let on_checkpoint = report(&rehearse(NEWEST, home.path(), &["--checkpoint", "2-1"]));
    let on_home = report(&rehearse(NEWEST, home.path(), &[]));
    assert_eq!(on_checkpoint["digest"], on_home["digest"]);
    let verified = Command::new(NEWEST)
        .args(["checkpoint", "verify", "2-1", "--home"])
        .arg(home.path())
        .output()
        .expect("the binary runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[test]
fn a_running_node_makes_the_copy_at_once_or_of_the_state_of_a_coming_height() {
    let folder = home(1_000);
    let home = Home::new(folder.path());
    let node = opened(&home.data_folder(), "version-1");
    control::serve(&home.control_socket(), node.copy_maker()).expect("it listens");
    let mut app = consensus(node);
    run_block(&mut app, block(3, Vec::new()));
    let at_once = report(&rehearse(NEWEST, home.root(), &[]));
    assert_eq!(at_once["height"], "3");

    let mut waiting = Command::new(NEWEST)
        .args(["upgrade", "rehearse", "-o", "json", "--at-height", "5", "--home"])
        .arg(home.root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut said = BufReader::new(waiting.stderr.take().expect("piped")).lines();
    let line = said.next().expect("a line").expect("text");
    assert!(line.contains("waiting for height 5; 3 is committed"), "{line}");
    refused(&rehearse(NEWEST, home.root(), &[]), "another rehearsal runs on this home");
    run_block(&mut app, block(4, Vec::new()));
    run_block(&mut app, block(5, Vec::new()));
    run_block(&mut app, block(6, Vec::new()));
    let at_five = report(&waiting.wait_with_output().expect("it ends"));
    assert_eq!(at_five["height"], "5");
    refused(&rehearse(NEWEST, home.root(), &["--at-height", "5"]), "height 5 is past, 6 is committed");
    assert_eq!(copies_left(home.root()), 0);
    assert_eq!(view(home.root()).version(), 6, "the node has gone on");
}

/// The processes that this one has started and that still run.
fn children(parent: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").expect("Linux has it").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| stat(*pid).is_some_and(|fields| fields[1] == parent.to_string())).collect()
}

/// What `/proc` says of a process, from its state on: its parent comes second, how nice it is the seventeenth.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(text.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect())
}

#[test]
fn the_rehearsing_process_takes_what_nobody_else_wants_and_opens_no_port() {
    let home = home(1_000);
    let mut command = Command::new(NEWEST);
    command.args(["upgrade", "rehearse", "-o", "json", "--home"]).arg(home.path()).stdout(Stdio::piped());
    let mut running = command.spawn().expect("the binary runs");
    let (mut nicest, mut open) = (0, Vec::new());
    while running.try_wait().expect("its end is seen").is_none() {
        for child in children(running.id()) {
            let nice = stat(child).map_or(0, |fields| fields[16].parse().expect("a number"));
            nicest = nicest.max(nice);
            let Ok(files) = std::fs::read_dir(format!("/proc/{child}/fd")) else { continue };
            open.extend(files.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok()));
        }
        std::thread::yield_now();
    }
    report(&running.wait_with_output().expect("it ended"));
    assert_eq!(nicest, 19);
    let opened = |part: &str| open.iter().filter(|path| path.to_string_lossy().contains(part)).count();
    assert!(opened("data/rehearsals/") > 0, "its files are seen: {open:?}");
    assert_eq!(opened("socket:"), 0, "{open:?}");
}

/// State with something wrong in it: what each check must find.
fn broken(change: impl FnOnce(&View, &mut Changes)) -> Vec<Checked> {
    let home = home(1_000);
    let store = Store::open(home.path().join("data").join(DATABASE_FOLDER), StoreOptions::default()).expect("opens");
    let latest = store.latest();
    let mut changes = Changes::new();
    change(&latest, &mut changes);
    let state = State::resume(&latest, changes);
    invariants::check(&state).expect("readable").into_iter().filter(|checked| checked.broken > 0).collect()
}

#[track_caller]
fn check_broken(name: &str, change: impl FnOnce(&View, &mut Changes)) {
    let found = broken(change);
    assert!(found.iter().any(|checked| checked.name.contains(name)), "{name}: {found:?}");
}

/// The first entry under a prefix.
fn entry(view: &View, prefix: &[u8]) -> (Vec<u8>, Vec<u8>) {
    use swing_core::state::StateRead as _;
    let (key, value) = view.prefix(prefix).next().expect("there is one").expect("readable");
    (key, value.to_vec())
}

#[test]
fn each_invariant_is_seen_when_it_is_broken_and_none_is_on_a_good_chain() {
    assert_eq!(broken(|_, _| {}), []);
    check_broken("bank", |view, changes| {
        let (key, mut value) = entry(view, bank::keys::BALANCES);
        *value.last_mut().expect("a byte") ^= 1;
        changes.insert(key, Some(value.into()));
    });
    check_broken("action queue", |_, changes| {
        changes.insert(swingset::keys::action(7), Some(vec![1].into()));
    });
    check_broken("queues", |_, changes| {
        changes.insert(swingset::keys::kernel("runQueue.99"), Some(b"x".to_vec().into()));
    });
    check_broken("c-lists", |view, changes| {
        let (key, _) = entry(view, b"swingset/k/v1.c.ko");
        changes.insert(key, None);
    });
    check_broken("c-lists", |view, changes| {
        let (key, _) = entry(view, b"swingset/k/ko2");
        let kref = String::from_utf8_lossy(&key).split('.').next().map(str::to_owned).expect("a kref");
        changes.insert(format!("{kref}.refCount").into_bytes(), Some(b"9,1".to_vec().into()));
    });
    check_broken("page roots", |view, changes| {
        let (key, mut value) = entry(view, b"~swingset/page/");
        value[7] ^= 1;
        changes.insert(key, Some(value.into()));
    });
}
