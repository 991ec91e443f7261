//! What the operator is told: status pages, `status`, webhooks, and the other commands.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _},
        net::UnixStream,
    },
};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Home, free_address, get, next_post, status, until, write_node};

#[test]
fn the_pages_show_the_plan_the_time_left_the_binaries_and_what_would_make_it_fail() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(1_000_000, "{}"), "until": null, "block_ms": 5 }));
    let address = free_address();
    let listen = [("SWINGVISOR_LISTEN", address.as_str())];
    let running = home.start(&listen);
    let page = |path: &str| get(&address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"));
    let report = || serde_json::from_str::<Value>(&page("/status")?.1).ok();
    let missing = until("the plan without its binary", || {
        report().filter(|report| report["plan"]["seconds_left"].is_u64() && report["sha256"].is_string())
    });
    assert_eq!((&missing["plan"]["height"], &missing["plan"]["installed"]), (&json!(1_000_000), &json!(false)));
    let blocks_left = missing["plan"]["blocks_left"].as_u64().expect("a number");
    assert_eq!(blocks_left + missing["committed_height"].as_u64().expect("a number"), 1_000_000);
    assert!(missing["risks"][0].as_str().is_some_and(|risk| risk.contains("add-upgrade version-2 FILE")), "{missing}");

    home.put("upgrades/version-2", "--release 2");
    let ready = until("the armed binary", || report().filter(|report| !report["plan"]["armed"].is_null()));
    assert_eq!(ready["plan"]["armed"]["release"], "version-2");
    assert_eq!(ready["risks"], json!([]), "{ready}");
    assert_eq!(fs::read_to_string(home.at("precompiled")).expect("it has compiled what it brings"), "version-2");
    assert!(ready["next_action"].as_str().is_some_and(|next| next.contains("switch to upgrades/version-2")), "{ready}");

    let (head, metrics) = page("/metrics").expect("a page");
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/plain"), "{head}");
    for line in
        ["swingvisor_node_up 1", "swingvisor_plan_height 1000000", "swingvisor_plan_armed 1", "swingvisor_risks 0"]
    {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
    assert_eq!(status(&home, &listen)["plan"]["armed"]["release"], "version-2", "the command asks the running one");
    assert!(page("/etc/passwd").expect("an answer").0.starts_with("HTTP/1.1 404"));
    assert!(get(&address, "POST /status HTTP/1.1\r\n\r\n").expect("an answer").0.starts_with("HTTP/1.1 405"));
    // A client that sends nothing does not keep others waiting for ever.
    let silent = TcpStream::connect(&address).expect("connected");
    assert!(page("/status").is_some());
    drop(silent);
    running.signal(Signal::TERM);
    assert_eq!(running.wait(), Some(0));
}

#[test]
fn the_command_asks_the_running_one_over_a_socket_that_only_its_owner_may_use() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(1_000_000, "{}"), "until": null, "block_ms": 5 }));
    home.put("upgrades/version-2", "--release 2");
    let socket = home.at("cosmovisor/swingvisor/status.sock");
    for _ in 0..2 {
        let running = home.start(&[]);
        let report = until("the time left, which only the running one knows", || {
            let report = status(&home, &[]);
            (report["plan"]["seconds_left"].is_u64() && !report["plan"]["armed"].is_null()).then_some(report)
        });
        assert!(report["pid"].is_u64() && report["supervised"] == json!(true), "{report}");
        let next = report["next_action"].as_str().expect("a text");
        assert!(next.contains("switch to upgrades/version-2 when the node stops for height 1000000"), "{report}");
        let found = fs::symlink_metadata(&socket).expect("the socket");
        assert!(found.file_type().is_socket());
        assert_eq!(found.mode() & 0o777, 0o600);
        // A client that says nothing does not keep others waiting for ever.
        let silent = UnixStream::connect(&socket).expect("connected");
        assert!(status(&home, &[])["pid"].is_u64());
        drop(silent);
        // One that is killed leaves the file, and the next one takes its place.
        running.signal(Signal::KILL);
        running.wait();
        assert!(socket.exists());
        assert_eq!(status(&home, &[])["supervised"], json!(false));
    }
    let running = home.start(&[]);
    until("the third one", || status(&home, &[])["pid"].as_u64());
    running.signal(Signal::TERM);
    assert_eq!(running.wait(), Some(0));
    assert!(!socket.exists(), "it goes with its swingvisor");
}

/// None of these is the binary's fault, so none shows when that is asked.
#[test]
fn what_else_would_make_an_upgrade_fail_is_told_before_its_height() {
    let home = Home::new();
    let readiness = json!({ "agreeing_power": "30", "required_power": "67", "total_power": "100" });
    let mut plan = Home::plan(1_000_000, "{}");
    plan["readiness"] = readiness.clone();
    let no = json!({ "possible": false, "reason": "NO CHECKPOINT can be made: the disk is full" });
    home.set_state(&json!({ "plan": plan, "until": null, "block_ms": 5, "checkpoint": no }));
    home.put("upgrades/version-2", "--release 2");
    // As long as a disk that nobody has, and no byte of it is there.
    let log = home.at("data/application.db/000002.log");
    fs::File::create(&log).and_then(|file| file.set_len(1 << 43)).expect("a file with a hole");
    let running = home.start_with(&["run", "start", "--unsafe-skip-upgrades", "1000000"], &[]);
    let report =
        until("the armed binary", || Some(status(&home, &[])).filter(|report| !report["plan"]["armed"].is_null()));
    let risks: Vec<&str> = report["risks"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let expected = [
        "this node skips version-2 at height 1000000",
        "30 of 100 power has attested the same for version-2, 67 is asked for",
        "no checkpoint can be made before an upgrade: NO CHECKPOINT can be made: the disk is full",
        "MB of room, the backup takes about 838860",
    ];
    assert_eq!(risks.len(), expected.len(), "{risks:#?}");
    for (risk, word) in risks.iter().zip(expected) {
        assert!(risk.contains(word), "{risk}");
    }
    assert_eq!(report["plan"]["readiness"], json!({ "agreeing_power": 30, "required_power": 67, "total_power": 100 }));
    running.signal(Signal::TERM);
    assert_eq!(running.wait(), Some(0));
    // And nothing is said of what is as it should be.
    fs::remove_file(&log).expect("removed");
    plan["readiness"] = json!({ "agreeing_power": "67", "required_power": "67", "total_power": "100" });
    home.set_state(&json!({ "plan": plan, "checkpoint": { "possible": true, "reason": "" } }));
    assert_eq!(status(&home, &[])["risks"], json!([]));
}

#[test]
fn a_binary_that_was_found_fit_is_asked_once_more_shortly_before_its_height() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(30, "{}"), "until": null, "block_ms": 200 }));
    // What it needs is there now, and gone later; the file itself stays the same.
    let needs = home.at("library");
    fs::write(&needs, "").expect("written");
    let path = home.put("upgrades/version-2", "--release 2");
    let script = fs::read_to_string(&path).expect("the script");
    let script = script.replace("exec", &format!("[ -e {} ] || exit 127\nexec", needs.display()));
    fs::write(&path, script).expect("written");
    let running = home.start(&[]);
    until("the first question", || home.said().contains("the plan's binary is ready").then_some(()));
    fs::remove_file(&needs).expect("removed");
    until("the second one", || home.said().contains("the plan's binary is not fit").then_some(()));
    assert!(home.state()["committed_height"].as_u64().is_some_and(|height| height >= 20), "{}", home.state());
    running.signal(Signal::TERM);
    running.wait();
}

#[test]
fn status_without_a_running_swingvisor_looks_at_the_home_itself_and_changes_nothing() {
    let home = Home::new();
    home.set_state(&json!({ "committed_height": 7, "plan": Home::plan(8, "{}") }));
    let report = status(&home, &[]);
    assert_eq!((&report["supervised"], &report["current"]), (&json!(false), &Value::Null));
    assert!(report["next_action"].as_str().is_some_and(|next| next.contains("point the link at genesis")));
    assert!(!home.at("cosmovisor/current").exists() && !home.at("cosmovisor/swingvisor").exists());

    std::os::unix::fs::symlink(home.at("cosmovisor/genesis"), home.at("cosmovisor/current")).expect("a link");
    let report = status(&home, &[]);
    assert_eq!((&report["committed_height"], &report["plan"]["blocks_left"]), (&json!(7), &json!(1)));
    assert!(report["next_action"].as_str().is_some_and(|next| next.contains("has no binary")), "{report}");
    home.put("upgrades/version-2", "--release 2");
    let report = status(&home, &[]);
    assert_eq!(report["next_action"], "begin the switch from genesis to upgrades/version-2");
    home.put("genesis", "--release 1 --status-fails");
    let report = status(&home, &[]);
    assert!(report["state_unknown"].as_str().is_some_and(|why| why.contains("cannot be read")), "{report}");
    let text = home.run(&["status"], &[]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("current: genesis"));
}

#[test]
fn all_pending_plans_are_shown_with_what_is_left_and_whether_their_binaries_are_there() {
    let home = Home::new();
    let plan = |id: u64, name: &str, height: u64| json!({ "id": id, "name": name, "height": height, "info": "{}" });
    let later = [plan(6, "version-3", 2_000_000), plan(5, "version-4", 3_000_000)];
    let state = json!({ "plan": plan(4, "version-2", 1_000_000), "later": later, "until": null, "block_ms": 5 });
    home.set_state(&state);
    home.put("upgrades/version-2", "--release 2");
    home.put("upgrades/version-4", "--release 4");
    std::os::unix::fs::symlink(home.at("cosmovisor/genesis"), home.at("cosmovisor/current")).expect("a link");
    let offline = status(&home, &[]);
    let shown: Vec<(&Value, &Value, &Value)> = offline["plans"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|plan| (&plan["id"], &plan["slot"], &plan["installed"]))
        .collect();
    let expected = [
        (&json!(4), &json!("upgrades/version-2"), &json!(true)),
        (&json!(6), &json!("upgrades/version-3"), &json!(false)),
        (&json!(5), &json!("upgrades/version-4"), &json!(true)),
    ];
    assert_eq!(shown, expected, "{offline}");
    assert_eq!(offline["plan"], offline["plans"][0], "the nearest one");
    assert_eq!(offline["plan"]["armed"]["release"], "version-2");
    let text = String::from_utf8_lossy(&home.run(&["status"], &[]).stdout).into_owned();
    assert!(text.contains("name: version-3, height: 2000000"), "{text}");

    let address = free_address();
    let listen = [("SWINGVISOR_LISTEN", address.as_str())];
    let running = home.start(&listen);
    let report = || {
        let output = home.run(&["status", "-o", "json"], &listen);
        serde_json::from_slice::<Value>(&output.stdout).ok()
    };
    let all = |report: &Value| report["plans"].as_array().is_some_and(|plans| plans.len() == 3);
    let seen = until("three plans with their time left", || {
        report().filter(|report| all(report) && report["plans"][2]["seconds_left"].is_u64())
    });
    assert!(seen["next_action"].as_str().is_some_and(|next| next.contains("switch to upgrades/version-2")), "{seen}");
    running.signal(Signal::TERM);
    assert_eq!(running.wait(), Some(0), "{}", home.said());

    home.set_state(&json!({ "until": null, "block_ms": 5 }));
    let running = home.start(&listen);
    // Before a node says that it starts, a signal ends it in another way.
    let started = || home.log().iter().filter(|line| line.starts_with("start version-1")).count() == 2;
    let runs = |report: &Value| report["pid"].is_u64() && report["committed_height"].is_u64() && started();
    let none = until("no plan any more", || report().filter(|report| runs(report) && report["plans"] == json!([])));
    assert_eq!((&none["plan"], &none["next_action"]), (&Value::Null, &json!("the node in genesis runs")), "{none}");
    running.signal(Signal::TERM);
    assert_eq!(running.wait(), Some(0));
}

#[test]
fn a_webhook_hears_of_a_switch_and_a_dead_one_holds_nothing_up() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}"), "block_ms": 20, "until": 30 }));
    home.put("upgrades/version-2", "--release 2");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let running = home.start(&[("SWINGVISOR_WEBHOOK", &url)]);
    let mut heard = Vec::new();
    while !heard.iter().any(|event| event == "switch-done") {
        heard.push(next_post(&listener)["event"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(heard, ["node-ended", "switch-begun", "switch-done"]);
    assert_eq!(running.wait(), Some(0), "{}", home.said());

    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}") }));
    home.put("upgrades/version-2", "--release 2");
    assert_eq!(home.supervise(&[("SWINGVISOR_WEBHOOK", "http://127.0.0.1:9/nobody")]).0, Some(0));
    home.check_upgraded();
}

#[test]
fn init_makes_the_layout_and_leaves_what_is_there() {
    let home = Home::new();
    fs::remove_dir_all(home.at("cosmovisor")).expect("removed");
    let file = home.at("release");
    write_node(&file, "--release 1");
    for said in ["installed", "is there and stays"] {
        let made = home.run(&["init", file.to_str().expect("text")], &[]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        assert!(String::from_utf8_lossy(&made.stdout).contains(said));
    }
    assert_eq!(home.current(), home.at("cosmovisor/genesis"));
    assert_eq!(fs::read(home.at("cosmovisor/current/bin/toyd")).expect("there"), fs::read(&file).expect("there"));
    assert_eq!(home.supervise(&[]).0, Some(0));
}

#[test]
fn binaries_are_added_one_by_one_or_together_and_not_over_others_unless_forced() {
    let home = Home::new();
    let (two, three) = (home.at("two"), home.at("three"));
    write_node(&two, "--release 2");
    write_node(&three, "--release 3");
    let (two, three) = (two.to_str().expect("text"), three.to_str().expect("text"));
    let code = |arguments: &[&str]| home.run(arguments, &[]).status.code();
    assert_eq!(code(&["add-upgrade", "Version-2", two]), Some(0));
    assert_eq!(code(&["add-upgrade", "version-2", two]), Some(1), "one is there, under the name in lower case");
    assert_eq!(code(&["add-upgrade", "version-2", two, "--force"]), Some(0));
    assert_eq!(code(&["add-upgrade", "..", two]), Some(1));
    assert_eq!(code(&["add-upgrade", "version-4", home.at("toy.log").to_str().expect("text")]), Some(1));
    let list = format!("version-2:{two}:10,version-3:{three}:20");
    assert_eq!(code(&["add-batch-upgrade", "--upgrade-list", &list]), Some(0));
    let file = home.at("list.csv");
    fs::write(&file, format!("version-3,{three},20\nversion-4,{three}\n")).expect("written");
    assert_eq!(code(&["add-batch-upgrade", "--upgrade-file", file.to_str().expect("text")]), Some(1));
    for (slot, there) in [("version-2", true), ("version-3", true), ("version-4", false)] {
        assert_eq!(home.at("cosmovisor/upgrades").join(slot).join("bin/toyd").exists(), there, "{slot}");
    }
}

#[test]
fn the_other_commands_answer() {
    let home = Home::new();
    let said = |arguments: &[&str]| String::from_utf8_lossy(&home.run(arguments, &[]).stdout).into_owned();
    let version: Value = serde_json::from_str(&said(&["version", "-o", "json"])).expect("JSON");
    assert_eq!(version["app_version"]["release"], "version-1");
    assert!(said(&["version"]).starts_with("swingvisor version: "));
    assert!(said(&["config"]).contains("toyd"));
    fs::write(home.at("data/upgrade-info.json"), "{\"name\":\"x\"}").expect("written");
    assert_eq!(said(&["show-upgrade-info"]).trim(), "{\"name\":\"x\"}");
    let wrong = home.run(&["config"], &[("DAEMON_HOME", "relative")]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("absolute"));
}
