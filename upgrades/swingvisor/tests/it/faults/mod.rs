//! A fault at every operation on files, each in turn: an upgrade with a download, a backup and a switch must come to the same end
//! with no operator, by swingvisor's own next tries or by its next start.

mod faulty;
mod front;
mod order;

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, mpsc::RecvTimeoutError},
};

use faulty::Numbered;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use swing_files::{
    Disk, Files,
    faults::{Fault, Faulty},
};
use swingvisor::{
    command::Told,
    config::Config,
    core::Journal,
    home::Lock,
    program,
    run::{Events, Supervisor},
};

use crate::support::{Home, SOON, write_node};

/// A home whose plan names a download; the node ends at this height, if at any.
fn home(until: Option<u64>) -> Home {
    let home = Home::new();
    let file = home.at("release/toyd");
    write_node(&file, "--release 2");
    let digest = hex::encode(Sha256::digest(fs::read(&file).expect("the file")));
    let url = format!("file://{}?checksum=sha256:{digest}", file.display());
    let mut binaries = serde_json::Map::new();
    binaries.insert(program::platform(), url.into());
    let info = json!({ "binaries": binaries }).to_string();
    home.set_state(&json!({ "plan": Home::plan(8, &info), "until": until }));
    home
}

/// Supervises in this process, with this port; gives the exit code.
fn supervise(home: &Home, files: Arc<dyn Files>, told: Told) -> u8 {
    supervise_with(home, files, told, &["start"], &[])
}

fn supervise_with(
    home: &Home,
    files: Arc<dyn Files>,
    told: Told,
    arguments: &[&str],
    more: &[(&'static str, String)],
) -> u8 {
    let mut variables = home.variables();
    variables.extend(more.iter().cloned());
    // No looks beside the node: the operations then always come in one order.
    variables
        .extend([("DAEMON_POLL_INTERVAL", "1h".to_owned()), ("DAEMON_ALLOW_DOWNLOAD_BINARIES", "true".to_owned())]);
    let variables = variables.into_iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let config = Config::from_variables(variables).expect("a good environment");
    // One that gets nowhere must fail its test, not hold it.
    let (done, watched) = std::sync::mpsc::channel::<()>();
    let late = told.clone();
    let watch = std::thread::spawn(move || {
        if watched.recv_timeout(SOON) == Err(RecvTimeoutError::Timeout) {
            late.tell();
        }
    });
    // As the command does, so that our own folder is there.
    let _lock = Lock::take(&config.layout).expect("nobody else has it");
    let arguments = arguments.iter().map(OsString::from).collect();
    let supervisor = Supervisor::new(config, files, arguments, Events::new(), told);
    let code = supervisor.expect("threads").run();
    drop(done);
    watch.join().expect("the watch ends");
    code
}

/// What must hold at any moment, for whoever looks: the link leads to a whole program, the journal is whole, and so is a backup.
#[track_caller]
fn check_whole(home: &Home, case: &str) {
    let link = home.at("cosmovisor/current");
    if fs::symlink_metadata(&link).is_ok() {
        check_program(&link.join("bin/toyd"), case);
    }
    let installed = home.at("cosmovisor/upgrades/version-2/bin/toyd");
    if installed.exists() {
        check_program(&installed, case);
    }
    let journal = home.at("cosmovisor/swingvisor/journal.json");
    if let Ok(bytes) = fs::read(&journal) {
        assert!(fs::symlink_metadata(&link).is_ok(), "{case}: the link that was there is gone");
        assert!(Journal::decode(&bytes).is_ok(), "{case}: a torn journal");
    }
    if home.at("data-backup-version-2-7").exists() {
        check_backup(home, case);
    }
}

#[track_caller]
fn check_program(program: &Path, case: &str) {
    let text = fs::read_to_string(program).unwrap_or_else(|error| panic!("{case}: {}: {error}", program.display()));
    assert!(text.ends_with("\"$@\"\n"), "{case}: a torn program: {text:?}");
    let mode = fs::metadata(program).expect("it was just read").permissions().mode();
    assert!(mode & 0o111 != 0, "{case}: {} cannot be executed", program.display());
}

#[track_caller]
fn check_backup(home: &Home, case: &str) {
    let state = home.at("data-backup-version-2-7/application.db/state.json");
    let state = fs::read(&state).unwrap_or_else(|error| panic!("{case}: {}: {error}", state.display()));
    let state: serde_json::Value =
        serde_json::from_slice(&state).unwrap_or_else(|error| panic!("{case}: a torn backup: {error}"));
    assert_eq!(state["committed_height"], 7, "{case}");
    assert!(home.at("data-backup-version-2-7/backup.json").exists(), "{case}");
}

/// One run with a fault at operation `at`, and whatever follows from it.
fn try_fault(at: usize, fault: Fault) {
    let home = home(Some(12));
    let told = Told::new();
    let files = Arc::new(Faulty::new(Numbered::new(Some((at, fault)), told.clone()), &home.at("stash")));
    let code = supervise(&home, files.clone(), told);
    let case = format!("{fault:?} at {at}: {}", files.observer().operation(at));
    assert!(files.observer().struck(), "{case}: there was no such operation");
    if fault != Fault::Fail {
        // The process is gone; what it left is what the next one finds.
        check_whole(&home, &case);
        assert_eq!(supervise(&home, Arc::new(Disk), Told::new()), 0, "{case}");
    } else {
        assert_eq!(code, 0, "{case}: one failed operation is tried again");
    }
    check_whole(&home, &case);
    check_backup(&home, &case);
    home.check_upgraded();
    assert_no_leftovers(&home.at("cosmovisor/swingvisor/downloads"), &case);
}

#[track_caller]
fn assert_no_leftovers(folder: &Path, case: &str) {
    let left: Vec<_> = Disk.list(folder).expect("the folder");
    // A part that was cut off is overwritten by the next download; it is in nobody's way.
    assert!(left.iter().all(|name| name.ends_with(".part")), "{case}: {left:?}");
}

/// The operations of an undisturbed upgrade.
fn operations() -> Vec<String> {
    let home = home(Some(12));
    let told = Told::new();
    let files = Arc::new(Faulty::new(Numbered::new(None, told.clone()), &home.at("stash")));
    assert_eq!(supervise(&home, files.clone(), told), 0, "{:#?}", home.log());
    home.check_upgraded();
    check_backup(&home, "undisturbed");
    of(&home, &files)
}

/// What was done in a home, by its paths in there.
fn of(home: &Home, files: &Faulty<Numbered>) -> Vec<String> {
    let folder = home.path().display().to_string();
    let relative = |operation: &String| operation.replace(&format!("{folder}/"), "").replace(&folder, "HOME");
    files.observer().operations().iter().map(relative).collect()
}

fn try_everywhere(fault: Fault) {
    let operations = operations();
    assert!(operations.len() > 30, "an upgrade has more operations than {operations:#?}");
    for at in 0..operations.len() {
        try_fault(at, fault);
    }
    println!("{fault:?}: {} points tried", operations.len());
}

#[test]
fn an_operation_that_fails_once_is_tried_again_wherever_it_is() {
    try_everywhere(Fault::Fail);
}

#[test]
fn a_supervisor_killed_before_any_operation_is_followed_by_one_that_finishes() {
    try_everywhere(Fault::KillBefore);
}

#[test]
fn a_supervisor_killed_after_any_operation_is_followed_by_one_that_finishes() {
    try_everywhere(Fault::KillAfter);
}

#[test]
fn a_supervisor_killed_in_the_middle_of_any_operation_is_followed_by_one_that_finishes() {
    try_everywhere(Fault::Tear);
}

#[test]
fn a_power_cut_at_any_operation_loses_what_was_not_synced_and_nothing_else() {
    try_everywhere(Fault::PowerCut);
}
