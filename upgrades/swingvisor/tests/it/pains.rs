//! What operators suffered under other supervisors, one test each, named after the report.

use std::{fs, path::Path};

use rustix::process::Signal;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};
use swingvisor::program;

use crate::support::{Home, copy, status, until, write_node};

/// A file as the SDK writes it.
fn info_file(name: &str, height: u64) -> String {
    json!({ "name": name, "time": "0001-01-01T00:00:00Z", "height": height, "info": "" }).to_string()
}

/// A home with version-2 installed and this in `upgrade-info.json`.
fn with_file(text: &str) -> Home {
    let home = Home::new();
    home.put("upgrades/version-2", "--release 2");
    fs::write(home.at("data/upgrade-info.json"), text).expect("written");
    home
}

#[track_caller]
fn check_not_switched(home: &Home) {
    let (code, said) = home.supervise(&[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(home.current().ends_with("genesis"), "{said}");
    assert_eq!(home.log(), ["start version-1 at 3"], "started once, and never another");
}

/// A file of an upgrade that was done long ago, or that is for a height far away, or for no plan of this chain.
#[test]
fn supervisor_does_not_loop_on_a_stale_info_file_cosmos_sdk_22731() {
    for (name, height) in [("version-2", 2), ("version-2", 1_000_000), ("version-9", 4)] {
        check_not_switched(&with_file(&info_file(name, height)));
    }
}

/// The node stopped for its plan while no supervisor ran; the next one must not start the old binary in circles.
#[test]
fn supervisor_started_inside_the_upgrade_window_takes_the_new_binary_at_once_cosmos_sdk_25861() {
    let home = Home::new();
    home.set_state(&json!({ "committed_height": 7, "plan": Home::plan(8, "{}") }));
    home.put("upgrades/version-2", "--release 2");
    assert_eq!(home.supervise(&[]).0, Some(0));
    home.check_upgraded();
    assert_eq!(home.log(), ["start version-2 at 7", "apply version-2 at 8"], "the old binary was not started");
}

/// The plan is found by its own status, with no file, no RPC and no word in a log.
#[test]
fn supervisor_acts_without_any_info_file_cosmos_sdk_20464_and_9874() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    home.put("upgrades/version-2", "--release 2");
    assert_eq!(home.supervise(&[]).0, Some(0));
    home.check_upgraded();
    assert!(!home.at("data/upgrade-info.json").exists());
}

/// Neither a question that fails nor one that is never answered means "no upgrade", and neither starts a node.
#[test]
fn a_failed_status_query_is_never_no_upgrade_cosmos_sdk_26091() {
    for flags in ["--release 1 --status-fails", "--release 1 --status-hangs"] {
        let home = Home::new();
        home.set_state(&json!({ "committed_height": 7, "plan": Home::plan(8, "{}") }));
        home.put("genesis", flags);
        home.put("upgrades/version-2", "--release 2");
        let running = home.start(&[("SWINGVISOR_PROBE_TIMEOUT", "300ms")]);
        until("the complaint", || home.said().contains("does not say what committed state is").then_some(()));
        assert_eq!(home.log(), [""; 0], "nothing was started");
        assert!(home.current().ends_with("genesis"));
        home.put("genesis", "--release 1");
        assert_eq!(running.wait(), Some(0), "{}", home.said());
        home.check_upgraded();
    }
}

#[test]
fn a_torn_or_empty_info_file_changes_nothing_cosmos_sdk_10428_and_11952() {
    for text in ["", "{\"name\":\"vers", "null", "\0\0\0\0"] {
        check_not_switched(&with_file(text));
        let home = with_file(text);
        home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
        assert_eq!(home.supervise(&[]).0, Some(0));
        home.check_upgraded();
    }
}

/// A restart of the supervisor with the file of a coming upgrade, and its binary, in place.
#[test]
fn a_restart_before_the_height_does_not_switch_cosmos_sdk_22167() {
    let home = with_file(&info_file("version-2", 8));
    home.set_state(&json!({ "plan": Home::plan(8, "{}"), "until": 6 }));
    for _ in 0..3 {
        assert_eq!(home.supervise(&[]).0, Some(0));
        assert!(home.current().ends_with("genesis"));
        assert!(home.log().iter().all(|line| line.starts_with("start version-1")), "{:#?}", home.log());
    }
}

/// A height given with the binary is no reason to switch.
#[test]
fn adding_a_binary_with_a_height_switches_nothing_cosmos_sdk_19227() {
    let home = Home::new();
    home.set_state(&json!({ "until": null, "block_ms": 5 }));
    let running = home.start(&[]);
    until("the node", || home.log().first().cloned());
    let file = home.at("new-release");
    write_node(&file, "--release 2");
    let file = file.to_str().expect("text");
    let added = home.run(&["add-upgrade", "version-2", file, "--upgrade-height", "5"], &[]);
    assert!(added.status.success());
    assert!(
        String::from_utf8_lossy(&added.stderr).contains("changes nothing"),
        "the flag is not passed over in silence"
    );
    until("many blocks", || (home.state()["committed_height"].as_u64()? > 20).then_some(()));
    running.signal(Signal::TERM);
    assert_eq!(running.wait(), Some(0));
    assert_eq!(home.log().len(), 1, "{:#?}", home.log());
    assert!(home.current().ends_with("genesis") && !home.at("data/upgrade-info.json").exists());
}

/// A snapshot of another height is restored under a link that was right before.
#[test]
fn a_restored_snapshot_gets_the_binary_of_its_state_cosmos_sdk_23947() {
    let home = Home::new();
    home.put("upgrades/version-2", "--release 2 --own-rules-only");
    home.put("upgrades/version-3", "--release 3 --own-rules-only");
    for (state, wanted) in [
        (json!({ "app_version": 3, "committed_height": 11 }), "upgrades/version-3"),
        (json!({ "app_version": 1, "committed_height": 11 }), "genesis"),
        (json!({ "app_version": 2, "committed_height": 11 }), "upgrades/version-2"),
    ] {
        home.set_state(&state);
        let (code, said) = home.supervise(&[]);
        assert_eq!(code, Some(0), "{said}");
        assert!(home.current().ends_with(wanted), "{state}: {}", home.current().display());
    }
    assert!(home.journal()["history"][0]["plan"].is_null(), "a repair is no upgrade, and takes no backup");
    assert!(!home.at("data-backup-version-3-11").exists());
}

/// A node that does not end at its height is ended, and the upgrade goes on.
#[test]
fn a_node_that_hangs_at_the_height_is_ended_cosmos_sdk_20745_and_8113() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    home.put("genesis", "--release 1 --ignores-stop");
    home.put("upgrades/version-2", "--release 2");
    let (code, said) = home.supervise(&[("SWINGVISOR_STOP_GRACE", "100ms")]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("still runs"), "{said}");
    home.check_upgraded();
}

/// What is in a backup's place stays, whatever it is; what was cut off does not count.
#[test]
fn a_backup_is_never_overwritten_and_a_partial_one_is_none_cosmos_sdk_10533_and_16963() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    home.put("upgrades/version-2", "--release 2");
    let other = home.at("data-backup-version-2-7");
    fs::create_dir(&other).expect("somebody's folder");
    fs::write(other.join("keep"), "me").expect("written");
    let partial = home.at("data-backup-version-2-7-2.partial");
    fs::create_dir(&partial).expect("a backup that was cut off");
    fs::write(partial.join("half"), "a fi").expect("written");
    let (code, said) = home.supervise(&[]);
    assert_eq!(code, Some(0), "{said}");
    home.check_upgraded();
    assert_eq!(fs::read_to_string(other.join("keep")).expect("it stays"), "me");
    let made = home.at("data-backup-version-2-7-2");
    assert_eq!(home.journal()["history"][0]["backup"], json!(made));
    assert!(made.join("backup.json").exists() && !made.join("half").exists() && !partial.exists());
}

/// The slot has some binary, and it is not the plan's: that shows before the height, and at the height nothing is switched.
#[test]
fn a_wrong_binary_in_the_slot_is_named_and_not_switched_to_osmosis_1284_and_akash_1107() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(40, "{}"), "until": 45, "block_ms": 20 }));
    home.put("upgrades/version-2", "--release 1");
    let running = home.start(&[]);
    until("the complaint", || home.said().contains("upgrades/version-2 is not the right binary").then_some(()));
    assert!(home.current().ends_with("genesis"));
    home.put("upgrades/version-2", "--release 2");
    assert_eq!(running.wait(), Some(0), "{}", home.said());
    assert!(home.current().ends_with("upgrades/version-2"));
}

/// A plan that names this program of version-2 for this machine, and the address's ending.
fn plan_naming(program: &Path, digest: &str, ending: &str, height: u64) -> Value {
    let url = format!("file://{}?checksum={digest}{ending}", program.display());
    let mut binaries = serde_json::Map::new();
    binaries.insert(program::platform(), url.into());
    Home::plan(height, &json!({ "binaries": binaries }).to_string())
}

/// Somebody's own build says that it is version-2, and would do: the plan names another one. It is not executed to find that out.
#[test]
fn a_build_that_is_not_the_plans_is_told_when_it_is_put_there_and_refused_at_the_height_osmosis_1284_and_akash_1107() {
    let home = Home::new();
    let good = home.at("release/toyd");
    write_node(&good, "--release 2");
    let bytes = fs::read(&good).expect("the program");
    for (digest, ending) in [
        (format!("sha256:{}", hex::encode(Sha256::digest(&bytes))), ""),
        (format!("sha512:{}", hex::encode(Sha512::digest(&bytes))), "&archive=false"),
    ] {
        let home = Home::new();
        home.set_state(&json!({ "plan": plan_naming(&good, &digest, ending, 40), "until": 45, "block_ms": 20 }));
        let wrong = home.put("upgrades/version-2", "--release 2");
        let text = fs::read_to_string(&wrong).expect("the script");
        fs::write(&wrong, text.replace("exec", &format!("touch {}\nexec", home.at("executed").display())))
            .expect("written");
        let running = home.start(&[]);
        until("the complaint", || home.said().contains("the plan's binary is not fit").then_some(()));
        let report = status(&home, &[]);
        assert!(report["plan"]["armed"].is_null(), "{report}");
        assert!(report["risks"][0].as_str().is_some_and(|risk| risk.contains("the plan names")), "{report}");
        until("the refusal", || home.said().contains("upgrades/version-2 is not the right binary").then_some(()));
        assert_eq!(home.state()["committed_height"], 39);
        assert!(home.current().ends_with("genesis") && !home.at("executed").exists());
        // The one that the plan names, and nobody has to do anything else.
        fs::rename(copy(&good, &home.at("good")), &wrong).expect("in place");
        assert_eq!(running.wait(), Some(0), "{}", home.said());
        assert!(home.current().ends_with("upgrades/version-2"));
    }
}

/// After a failure at the height a repaired binary has the plan's name and other bytes: its operator names them.
#[test]
fn a_repaired_build_takes_over_when_its_operator_names_it_osmosis_1284_and_akash_1107() {
    let home = Home::new();
    let good = home.at("release/toyd");
    write_node(&good, "--release 2");
    let digest = format!("sha256:{}", hex::encode(Sha256::digest("something else")));
    home.set_state(&json!({ "plan": plan_naming(&good, &digest, "", 8) }));
    let repaired = home.put("upgrades/version-2", "--release 2");
    let sha256 = hex::encode(Sha256::digest(fs::read(&repaired).expect("the program")));
    std::os::unix::fs::symlink(home.at("cosmovisor/genesis"), home.at("cosmovisor/current")).expect("a link");
    assert!(status(&home, &[]).to_string().contains("SWINGVISOR_ACCEPT_SHA256"), "it says how");
    let (code, said) = home.supervise(&[("SWINGVISOR_ACCEPT_SHA256", &sha256)]);
    assert_eq!(code, Some(0), "{said}");
    home.check_upgraded();
    let wrong = home.run(&["config"], &[("SWINGVISOR_ACCEPT_SHA256", "abc")]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("SWINGVISOR_ACCEPT_SHA256"), "{wrong:?}");
}

/// The new binary is started early: that is the operator's right, and it goes through the height in one process.
#[test]
fn a_binary_installed_early_goes_through_the_height_cosmos_sdk_12684() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    home.put("upgrades/version-2", "--release 2");
    std::os::unix::fs::symlink(home.at("cosmovisor/upgrades/version-2"), home.at("cosmovisor/current"))
        .expect("a link");
    assert_eq!(home.supervise(&[]).0, Some(0));
    home.check_upgraded();
    assert_eq!(home.log(), ["start version-2 at 3", "apply version-2 at 8"]);
    // One that runs no rules but its own gives way until the height, and takes over there.
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    home.put("upgrades/version-2", "--release 2 --own-rules-only");
    std::os::unix::fs::symlink(home.at("cosmovisor/upgrades/version-2"), home.at("cosmovisor/current"))
        .expect("a link");
    assert_eq!(home.supervise(&[]).0, Some(0));
    home.check_upgraded();
    assert_eq!(home.log().first().map(String::as_str), Some("start version-1 at 3"));
}
