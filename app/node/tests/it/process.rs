//! The binaries themselves: what they decide before they open a port, and with which exit code they end.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use swing_node::{
    app::{AppOptions, NodeApp},
    engine_adapter::SwingsetEngine,
    lifecycle::{ExitCode, INFO_FILE},
    releases,
};

use crate::support::{
    genesis::{accounts, block, init_chain},
    planned::schedule,
    starting::{self, check_exit},
};

const VERSION_1: &str = env!("CARGO_BIN_EXE_swingd-version-1");
const NEWEST: &str = env!("CARGO_BIN_EXE_swingd");

/// A home whose committed height is 2 and whose plan `version-2` is for this height.
fn home(plan_height: u64) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a temporary folder");
    let data = home.path().join("data");
    let release = releases::release("version-1").expect("a release");
    let engine = SwingsetEngine::new().expect("an engine");
    let mut app = NodeApp::open(AppOptions::new(&data, release), Box::new(engine)).expect("a new home");
    app.init_chain(init_chain(&accounts(1))).expect("a good genesis");
    app.finalize_block(block(1, Vec::new())).expect("executed");
    app.commit().expect("committed");
    drop(app);
    schedule(&data, 2, "version-2", plan_height);
    home
}

fn start(binary: &str, home: &Path) -> Output {
    starting::start(binary, home, &[])
}

fn status(binary: &str, home: &Path) -> Value {
    let output = Command::new(binary).args(["status", "--home"]).arg(home).output().expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn the_old_release_refuses_before_it_opens_a_port_however_often_it_is_started() {
    let home = home(3);
    let info = home.path().join("data").join(INFO_FILE);
    for _ in 0..2 {
        let output = start(VERSION_1, home.path());
        check_exit(&output, ExitCode::UpgradeNeeded, "can you handle version-2? no");
        check_exit(&output, ExitCode::UpgradeNeeded, "UPGRADE \"version-2\" NEEDED at height: 3: why");
        let left = std::fs::read_to_string(&info).expect("the file for supervisors");
        assert_eq!(left, r#"{"name":"version-2","time":"0001-01-01T00:00:00Z","height":3,"info":"why"}"#);
        // Whatever becomes of the file, the next start decides the same.
        std::fs::write(&info, r#"{"name":"ver"#).expect("a torn file");
    }
}

#[test]
fn under_cosmovisor_a_stopped_node_stays_until_it_is_ended_so_that_the_upgrade_is_not_missed() {
    let home = home(3);
    let mut command = Command::new(VERSION_1);
    command.args(["start", "--engine", "solo", "--home"]).arg(home.path()).env("DAEMON_NAME", "swingd");
    let mut node = command.stdout(Stdio::piped()).spawn().expect("the binary runs");
    let mut said = BufReader::new(node.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    // What it says last: everything else of it has ended.
    assert!(said.any(|line| line.contains("waiting for cosmovisor")), "it ended at once");
    assert!(home.path().join("data").join(INFO_FILE).exists());
    let asked = status(VERSION_1, home.path());
    assert_eq!(asked["SyncInfo"]["latest_block_height"], "3", "the height at which cosmovisor acts");
    assert!(node.try_wait().expect("it can be asked").is_none());
    let pid = i32::try_from(node.id()).ok().and_then(Pid::from_raw).expect("a process ID");
    kill_process(pid, Signal::TERM).expect("it runs");
    assert_eq!(node.wait().expect("it ends").code(), Some(i32::from(ExitCode::UpgradeNeeded.code())));
}

#[test]
fn a_stale_file_stops_nobody_and_a_missing_one_lets_nobody_through() {
    let home = home(3);
    std::fs::write(home.path().join("data").join(INFO_FILE), r#"{"name":"version-9","height":1}"#)
        .expect("a stale file");
    // The new release goes on as far as the port, which is taken.
    check_exit(&start(NEWEST, home.path()), ExitCode::Failed, "in use by another process");
    std::fs::remove_file(home.path().join("data").join(INFO_FILE)).expect("removed");
    check_exit(&start(VERSION_1, home.path()), ExitCode::UpgradeNeeded, "NEEDED at height: 3");
}

#[test]
fn before_the_plans_height_both_releases_go_on() {
    let home = home(4);
    for binary in [VERSION_1, NEWEST] {
        check_exit(&start(binary, home.path()), ExitCode::Failed, "in use by another process");
        assert!(!home.path().join("data").join(INFO_FILE).exists());
    }
}

#[test]
fn a_stopped_node_tells_its_height_in_both_spellings_and_why_it_stopped() {
    let stopped = home(3);
    let answer = status(VERSION_1, stopped.path());
    for info in ["sync_info", "SyncInfo"] {
        assert_eq!(answer[info]["latest_block_height"], "3", "below the plan's height no supervisor acts");
    }
    assert_eq!(answer["application"]["committed_height"], "2");
    assert_eq!(answer["application"]["stop"]["exit_code"], ExitCode::UpgradeNeeded.code());
    let answer = status(NEWEST, stopped.path());
    assert_eq!(answer["sync_info"]["latest_block_height"], "2");
    assert_eq!(answer["application"]["plan"]["height"], "3");
    let plans = answer["application"]["plans"].as_array().expect("a list");
    let shown: Vec<_> = plans.iter().map(|plan| (&plan["id"], &plan["height"])).collect();
    assert_eq!(shown, [(&Value::Null, &json!("3"))], "version-1's rules number no plans");
    assert_eq!(answer["application"]["stop"], Value::Null);
    let empty = tempfile::tempdir().expect("a temporary folder");
    assert_eq!(status(NEWEST, empty.path())["sync_info"]["latest_block_height"], "0");
}

#[test]
fn before_it_takes_over_a_binary_says_by_its_exit_code_whether_it_can() {
    let stopped = home(3);
    let ask = |binary: &str, home: &Path| {
        Command::new(binary).args(["pre-upgrade", "--home"]).arg(home).output().expect("the binary runs")
    };
    let refused = ask(VERSION_1, stopped.path());
    assert_eq!(refused.status.code(), Some(30));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("can you handle version-2? no"));
    let agreed = ask(NEWEST, stopped.path());
    assert_eq!(agreed.status.code(), Some(0), "{}", String::from_utf8_lossy(&agreed.stderr));
    let damaged = tempfile::tempdir().expect("a temporary folder");
    let database = damaged.path().join("data/application.db");
    std::fs::create_dir_all(&database).expect("a folder");
    std::fs::write(database.join("CURRENT"), "no database\n").expect("a damaged file");
    assert_eq!(ask(NEWEST, damaged.path()).status.code(), Some(31), "what cannot be read is no answer");
}

#[test]
fn a_wrong_setting_is_told_and_nothing_is_made() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let run = |arguments: &[&str]| {
        Command::new(NEWEST)
            .arg("start")
            .args(arguments)
            .arg("--home")
            .arg(home.path())
            .output()
            .expect("the binary runs")
    };
    check_exit(&run(&["--pruning", "often"]), ExitCode::Failed, "often");
    check_exit(&run(&["--minimum-gas-prices", "cheap"]), ExitCode::Failed, "minimum-gas-prices");
    check_exit(&run(&["--engine", "raft"]), ExitCode::Usage, "raft");
    assert_eq!(std::fs::read_dir(home.path()).expect("the folder").count(), 0);
}
