//! swingvisor as a process, over toy nodes.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Home, until, write_node};

#[test]
fn a_plan_in_state_is_carried_out_with_no_hand_and_the_journal_tells_it() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    home.put("upgrades/version-2", "--release 2");
    let (code, said) = home.supervise(&[]);
    assert_eq!(code, Some(0), "{said}");
    home.check_upgraded();
    assert_eq!(
        home.log(),
        ["start version-1 at 3", "stop version-1 with 40 at 7", "start version-2 at 7", "apply version-2 at 8"]
    );
    let done = &home.journal()["history"][0];
    assert_eq!((&done["plan"], &done["committed_height"]), (&json!("version-2"), &json!(7)));
    // For whoever goes back to cosmovisor.
    let info = fs::read(home.at("cosmovisor/current/upgrade-info.json")).expect("cosmovisor's file");
    assert_eq!(serde_json::from_slice::<Value>(&info).expect("JSON")["name"], "version-2");
}

#[test]
fn a_backup_of_the_dead_nodes_database_is_whole_and_shares_its_tables() {
    use std::os::unix::fs::MetadataExt as _;
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    home.put("upgrades/version-2", "--release 2");
    fs::create_dir(home.at("data/cs.wal")).expect("something of CometBFT");
    let (code, said) = home.supervise(&[]);
    assert_eq!(code, Some(0), "{said}");
    let backup = home.at("data-backup-version-2-7");
    let state: Value =
        serde_json::from_slice(&fs::read(backup.join("application.db/state.json")).expect("the state")).expect("JSON");
    assert_eq!(state["committed_height"], 7, "the state before the upgrade");
    assert_eq!(home.journal()["history"][0]["backup"], json!(backup));
    let inode = |path: &str| fs::metadata(home.at(path)).expect("a file").ino();
    assert_eq!(inode("data/application.db/000001.sst"), inode("data-backup-version-2-7/application.db/000001.sst"));
    assert!(!backup.join("cs.wal").exists() && !backup.join("application.db/cs.wal").exists());

    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    home.put("upgrades/version-2", "--release 2");
    assert_eq!(home.supervise(&[("UNSAFE_SKIP_BACKUP", "true")]).0, Some(0));
    home.check_upgraded();
    assert!(!home.at("data-backup-version-2-7").exists());
}

#[test]
fn a_crashing_node_is_restarted_with_rests_and_its_exit_code_is_passed_on_in_the_end() {
    let home = Home::new();
    home.put("genesis", "--release 1 --crash-at 5");
    // A node that lives as long as the longest rest has not crashed at once: on a busy machine its start alone takes 50 ms.
    let (code, said) = home.supervise(&[("SWINGVISOR_RESTARTS_MAX", "3"), ("SWINGVISOR_BACKOFF_MAX", "60s")]);
    assert_eq!(code, Some(7), "{said}");
    assert_eq!(home.log().iter().filter(|line| line.starts_with("start")).count(), 4, "{:#?}", home.log());
}

#[test]
fn sigterm_is_passed_on_and_a_node_that_does_not_heed_it_is_killed_after_its_grace() {
    let home = Home::new();
    home.set_state(&json!({ "until": null }));
    let running = home.start(&[]);
    until("blocks", || home.log().first().cloned());
    running.signal(Signal::TERM);
    assert_eq!(running.wait(), Some(0), "{}", home.said());

    home.put("genesis", "--release 1 --ignores-term");
    let running = home.start(&[("DAEMON_SHUTDOWN_GRACE", "100ms")]);
    until("the second start", || home.log().get(1).cloned());
    running.signal(Signal::TERM);
    assert_eq!(running.wait(), Some(137), "{}", home.said());
}

#[test]
fn the_node_dies_with_a_killed_swingvisor_and_the_next_one_goes_on() {
    let home = Home::new();
    home.set_state(&json!({ "until": null, "block_ms": 5 }));
    let running = home.start(&[]);
    let pid = until("the node", || {
        let said = home.said();
        said.split("pid=").nth(1)?.split_whitespace().next()?.parse::<i32>().ok()
    });
    until("its first word", || home.log().first().cloned());
    running.signal(Signal::KILL);
    running.wait();
    let pid = rustix::process::Pid::from_raw(pid).expect("an ID");
    until("the node's death", || rustix::process::test_kill_process(pid).is_err().then_some(()));
    let again = home.start(&[]);
    until("the second start", || home.log().get(1).cloned());
    again.signal(Signal::TERM);
    assert_eq!(again.wait(), Some(0), "{}", home.said());
}

#[test]
fn a_second_swingvisor_on_the_same_home_is_refused() {
    let home = Home::new();
    home.set_state(&json!({ "until": null, "block_ms": 5 }));
    let running = home.start(&[]);
    until("the node", || home.log().first().cloned());
    let (code, said) = home.supervise(&[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("another swingvisor works on"), "{said}");
    running.signal(Signal::TERM);
    assert_eq!(running.wait(), Some(0));
}

#[test]
fn a_missing_binary_is_waited_for_and_taken_when_it_is_there() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    let running = home.start(&[]);
    until("the question for it", || home.said().contains("swingvisor add-upgrade version-2").then_some(()));
    assert!(home.current().ends_with("genesis"));
    let file = home.at("new-release");
    write_node(&file, "--release 2");
    let added = home.run(&["add-upgrade", "version-2", file.to_str().expect("text")], &[]);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    assert_eq!(running.wait(), Some(0), "{}", home.said());
    home.check_upgraded();
}

#[test]
fn a_new_binary_that_refuses_is_not_switched_to() {
    for (flags, word) in [
        ("--release 2 --pre-upgrade 30", "exit code 30"),
        ("--release 2 --pre-upgrade 77", "exit code 77"),
        ("--release 2 --pre-upgrade 31", "another try 3 times"),
    ] {
        let home = Home::new();
        home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
        home.put("upgrades/version-2", flags);
        let (code, said) = home.supervise(&[("DAEMON_PREUPGRADE_MAX_RETRIES", "2")]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(word), "{said}");
        assert!(home.current().ends_with("genesis"));
        assert_eq!(home.state()["committed_height"], 7);
        // A repaired binary, and the same command again.
        home.put("upgrades/version-2", "--release 2 --pre-upgrade 1");
        assert_eq!(home.supervise(&[]).0, Some(0), "exit code 1 means that there is no such command");
        home.check_upgraded();
    }
}

#[test]
fn the_operators_own_check_may_refuse_and_hears_plan_and_height() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    home.put("upgrades/version-2", "--release 2");
    let script = home.at("cosmovisor/check.sh");
    fs::write(&script, "#!/bin/sh\necho \"$1 $2\" > heard\nexit $(cat verdict)\n").expect("written");
    fs::write(home.at("verdict"), "3").expect("written");
    let custom = [("COSMOVISOR_CUSTOM_PREUPGRADE", "check.sh")];
    let (code, said) = home.supervise(&custom);
    assert_eq!(code, Some(1), "{said}");
    assert!(home.current().ends_with("genesis"));
    assert_eq!(fs::read_to_string(home.at("heard")).expect("it ran in the home"), "version-2 8\n");
    fs::write(home.at("verdict"), "0").expect("written");
    assert_eq!(home.supervise(&custom).0, Some(0));
    home.check_upgraded();
}

#[test]
fn hooks_run_around_the_switch_and_a_slow_or_failing_one_holds_nothing_up() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    home.put("upgrades/version-2", "--release 2");
    let (code, said) = home.supervise(&[
        ("SWINGVISOR_HOOK_BEFORE_SWITCH", "readlink cosmovisor/current > before; exit 9"),
        (
            "SWINGVISOR_HOOK_AFTER_SWITCH",
            "echo $SWINGVISOR_PLAN $SWINGVISOR_HEIGHT $(readlink cosmovisor/current) > after; sleep 1000",
        ),
        ("SWINGVISOR_HOOK_TIMEOUT", "200ms"),
    ]);
    assert_eq!(code, Some(0), "{said}");
    home.check_upgraded();
    assert!(fs::read_to_string(home.at("before")).expect("it ran").trim().ends_with("cosmovisor/genesis"));
    let after = fs::read_to_string(home.at("after")).expect("it ran");
    assert!(after.starts_with("version-2 8 ") && after.trim().ends_with("upgrades/version-2"), "{after}");
    assert!(said.contains("had not answered after 200 ms"), "{said}");
}

#[test]
fn swingvisor_ends_after_a_switch_where_it_is_told_to() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    home.put("upgrades/version-2", "--release 2");
    let (code, said) = home.supervise(&[("DAEMON_RESTART_AFTER_UPGRADE", "false")]);
    assert_eq!(code, Some(0), "{said}");
    assert!(home.current().ends_with("upgrades/version-2"));
    assert_eq!(home.state()["committed_height"], 7, "the new binary was not started");
    assert_eq!(home.supervise(&[]).0, Some(0));
    home.check_upgraded();
}

#[test]
fn a_failed_handler_is_tried_again_only_with_other_bytes() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    home.put("upgrades/version-2", "--release 2 --handler-fails");
    let running = home.start(&[]);
    until("the wish for a repaired binary", || home.said().contains("put a repaired binary there").then_some(()));
    assert_eq!(home.state()["committed_height"], 7);
    home.put("upgrades/version-2", "--release 2");
    assert_eq!(running.wait(), Some(0), "{}", home.said());
    home.check_upgraded();
    let starts = home.log().iter().filter(|line| line.starts_with("start version-2")).count();
    assert_eq!(starts, 2, "{:#?}", home.log());
}

#[test]
fn another_command_is_run_once_with_its_arguments_and_its_exit_code() {
    let home = Home::new();
    let output = home.run(&["run", "version", "--help"], &[]);
    assert!(String::from_utf8_lossy(&output.stdout).contains(r#""said":["version","--help"]"#));
    assert_eq!(home.run(&["run", "dance"], &[]).status.code(), Some(2));
}
