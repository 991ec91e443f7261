//! The engine's tools on the home of a real chain that kept transcripts and a trace.

use std::path::Path;

use serde_json::Value;
use swing_localnet::{
    binaries::{NEWEST, VERSION_1},
    rpc::number,
    swingd::Swingd,
    wait,
};
use swing_node::config::Home;
use swing_tests::solo_home::{SOON, SoloHome, write_settings};

use super::network::binaries;

const SETTINGS: [(&str, &str); 2] = [("swingset.slogfile", "data/slog.jsonl"), ("swingset.vat-transcript-mib", "8")];

/// What a command says when it fails.
#[track_caller]
fn refusal(swingd: &Swingd, arguments: &[&str]) -> String {
    let output = swingd.command(arguments).output().expect("it runs");
    assert!(!output.status.success(), "{arguments:?} is not refused");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn json(swingd: &Swingd, arguments: &[&str]) -> Value {
    swingd.json(arguments).unwrap_or_else(|error| panic!("{error:#}"))
}

fn file(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("written");
    path.display().to_string()
}

#[test]
fn the_engines_tools_read_replay_and_rekernelize_the_home_of_a_real_chain() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let binaries = binaries();
    let made = SoloHome::make_with(folder.path(), &binaries, &SETTINGS).expect("a home");
    let mut node = made.copy(&folder.path().join("home")).expect("the home is copied");
    let home = Home::new(&node.swingd.home);
    // So slow that it is stopped before its plan, whatever this machine has to do besides.
    write_settings(home.config_toml(), &[("consensus.timeout_commit", "2s")]).expect("written");
    node.start(&binaries, VERSION_1, &[]).expect("it starts");
    let swingd = Swingd { program: binaries.path(NEWEST), home: node.swingd.home.clone() };
    // A block's budget is a crank or two, and the counter's first delivery is not the first of all.
    wait::until_ok("a counter that has kept something", SOON, || {
        let counter = swingd.json(&["engine", "vat", "show", "counter"])?;
        Ok((number(&counter["vatstore"]["entries"])? > 0).then_some(()))
    })
    .expect("blocks come");
    assert!(!json(&swingd, &["engine", "vat", "list"]).as_array().expect("a list").is_empty(), "while the node runs");
    node.stop(SOON).expect("it stops");

    looks(&swingd);
    replays(&swingd, folder.path());
    sums_up(&swingd);
    rekernelizes(&swingd, folder.path());
}

fn looks(swingd: &Swingd) {
    let vats = json(swingd, &["engine", "vat", "list"]);
    let counter =
        vats.as_array().expect("a list").iter().find(|vat| vat["name"] == "counter").expect("the counter").clone();
    assert_eq!((&counter["kind"], &counter["raw"]), (&"static".into(), &false.into()));
    let shown = json(swingd, &["engine", "vat", "show", "counter"]);
    assert_eq!(shown, json(swingd, &["engine", "vat", "show", counter["vatID"].as_str().expect("an ID")]));
    let stored = number(&shown["memory"]["instances"][1]["pagesStored"]);
    assert!(stored.is_ok_and(|pages| pages > 0), "{shown:#}");
    assert!(number(&shown["vatstore"]["entries"]).expect("a number") > 0, "{shown:#}");
    let dump = json(swingd, &["engine", "kernel-dump"]);
    assert_eq!((&dump["schema"], &dump["engineStatus"]), (&"1".into(), &"ENGINE_STATUS_RUNNING".into()), "{dump:#}");
    assert_eq!(dump["vats"], vats);
    let references = dump["kernelTable"].as_array().expect("a list");
    assert!(
        references.iter().any(|row| row[1] == counter["vatID"] && row[2] == "o+0"),
        "its root is exported: {references:?}"
    );
    let raw = swingd.run(&["engine", "kernel-dump", "--raw", "--prefix", "vat.name.counter"]).expect("it prints");
    assert_eq!(raw.trim(), format!("vat.name.counter :: {}", counter["vatID"].as_str().expect("an ID")));
    assert!(refusal(swingd, &["engine", "vat", "show", "nobody"]).contains("engine vat list"));
    assert!(refusal(swingd, &["engine", "kernel-dump", "--height", "999999"]).contains("999999"));
}

fn replays(swingd: &Swingd, folder: &Path) {
    let whole = json(swingd, &["engine", "replay-vat", "counter"]);
    assert_eq!((&whole["divergence"], &whole["memory"]), (&Value::Null, &"as in state".into()), "{whole:#}");
    assert!(number(&whole["syscalls"]).expect("a number") > 0, "{whole:#}");
    let last = whole["to"].as_str().expect("a height");
    let part = json(swingd, &["engine", "replay-vat", "counter", "--from", last]);
    assert_eq!((&part["divergence"], &part["memory"]), (&Value::Null, &"as in state".into()), "{part:#}");
    let supervisor = json(swingd, &["engine", "vat", "show", "counter"])["supervisorBundleID"].clone();
    let named = ["engine", "replay-vat", "counter", "--supervisor", supervisor.as_str().expect("an ID")];
    assert_eq!(json(swingd, &named)["deliveries"], whole["deliveries"]);
    let kernel = file(folder, "kernel.bundle", swingset_bundles::release("version-1").expect("a release").kernel);
    let wrong = refusal(swingd, &["engine", "replay-vat", "counter", "--supervisor", &kernel]);
    assert!(wrong.contains("a supervisor bundle is needed, this is a kernel bundle"), "{wrong}");
    let none = refusal(swingd, &["engine", "replay-vat", "counter", "--from", "100000"]);
    assert!(none.contains("vat-transcript-mib"), "{none}");
}

fn sums_up(swingd: &Swingd) {
    let trace = swingd.home.join("data/slog.jsonl").display().to_string();
    let summary = json(swingd, &["engine", "slog-summary", &trace, "--top", "3"]);
    let cranks = summary["cranks"].as_u64().expect("a number");
    assert!(cranks > 3 && summary["unreadableLines"] == 0, "{summary:#}");
    assert_eq!(summary["topCranks"].as_array().expect("a list").len(), 3);
    let kinds: Vec<_> =
        summary["byDelivery"].as_array().expect("a list").iter().map(|row| row["delivery"].as_str()).collect();
    assert!(kinds.contains(&Some("startVat")), "{kinds:?}");
    let log = swingd.home.join("config/app.toml").display().to_string();
    assert!(refusal(swingd, &["engine", "slog-summary", &log]).contains("is it a slogfile?"));
}

fn rekernelizes(swingd: &Swingd, folder: &Path) {
    let before = json(swingd, &["engine", "kernel-dump"]);
    let release = swingset_bundles::release("version-2").expect("a release");
    let (kernel, supervisor) = (file(folder, "2.bundle", release.kernel), file(folder, "s.bundle", release.supervisor));
    let copy = folder.join("copy");
    let to = copy.display().to_string();
    let command = |bundle: &str| -> Vec<String> {
        let words = ["engine", "rekernelize", "--bundle", bundle, "--output-home", &to, "--blocks", "2"];
        words.map(str::to_owned).to_vec()
    };
    let arguments = command(&supervisor);
    let wrong = refusal(swingd, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(wrong.contains("is a supervisor bundle, not a kernel"), "{wrong}");
    assert!(!copy.exists(), "nothing is left of it");
    let arguments = command(&kernel);
    let done = json(swingd, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((&done["schema_before"], &done["schema_after"]), (&"1".into(), &"2".into()), "{done:#}");
    assert!(number(&done["cranks"]).expect("a number") > 0, "queued messages run: {done:#}");
    let copied = Swingd { program: swingd.program.clone(), home: copy };
    let after = json(&copied, &["engine", "kernel-dump"]);
    assert_eq!((&after["kernelBundleID"], &after["schema"]), (&done["kernel_after"], &"2".into()));
    assert_eq!(after["appHash"], done["app_hash"]);
    assert_eq!(json(swingd, &["engine", "kernel-dump"]), before, "the home is as it was");
    let again = refusal(swingd, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(again.contains("is there already"), "{again}");
}
