//! What is read from others: names, durations, addresses, plans' infos, answers.

use std::{ffi::OsString, path::PathBuf};

use swingvisor::{
    config::{Config, Mode, duration_ms},
    core::{Journal, NameError, Pending, Plan, Status, StatusError, folder_of_plan},
    fetch::{Checksum, Entry, FetchError, Location, Source, entry},
    program,
    run::runs_a_node,
};

const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn plans_have_the_folders_that_cosmovisor_gives_them_and_none_leads_out() {
    for (name, keep_case, folder) in [
        ("version-2", false, "version-2"),
        ("V2.1 (Hotfix)", false, "v2.1%20%28hotfix%29"),
        ("V2", true, "V2"),
        ("../../etc", false, "..%2F..%2Fetc"),
        ("a:b@c&d=e+f$g~h_i", false, "a:b@c&d=e+f$g~h_i"),
        ("é", false, "%C3%A9"),
    ] {
        assert_eq!(folder_of_plan(name, keep_case).as_deref(), Ok(folder), "{name}");
    }
    for name in ["", ".", ".."] {
        assert_eq!(folder_of_plan(name, false), Err(NameError::Reserved { name: name.to_owned() }));
    }
    assert_eq!(folder_of_plan(&"/".repeat(67), false), Err(NameError::TooLong { bytes: 201 }));
}

#[test]
fn durations_are_gos() {
    for (text, expected) in [
        ("300ms", Some(300)),
        ("10s", Some(10_000)),
        ("1h30m", Some(5_400_000)),
        ("1ns", Some(1)),
        ("0s", None),
        ("", None),
        ("10", None),
        ("-1s", None),
        ("1d", None),
        ("99999999999999999999h", None),
    ] {
        assert_eq!(duration_ms(text), expected, "{text}");
    }
}

fn config(variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let base = [("DAEMON_HOME", "/home/of"), ("DAEMON_NAME", "swingd")];
    let all = base.iter().chain(variables).map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Config::from_variables(all).map_err(|error| error.faults)
}

#[test]
fn the_environment_is_cosmovisors_and_every_fault_in_it_is_named() {
    let default = config(&[]).expect("home and name are enough");
    assert!(default.policy.backup && default.policy.restart_after_upgrade && !default.policy.download);
    assert_eq!(default.layout.backups(), default.layout.home());
    let set = config(&[
        ("UNSAFE_SKIP_BACKUP", "true"),
        ("DAEMON_ALLOW_DOWNLOAD_BINARIES", "TRUE"),
        ("DAEMON_RESTART_AFTER_UPGRADE", "false"),
        ("DAEMON_SHUTDOWN_GRACE", "5s"),
        ("DAEMON_PREUPGRADE_MAX_RETRIES", "3"),
        ("DAEMON_DATA_BACKUP_DIR", "/backups"),
        ("SWINGVISOR_LISTEN", "127.0.0.1:26690"),
        ("SWINGVISOR_MODE", "front"),
        ("SWINGVISOR_START_TIMEOUT", "90s"),
        ("SWINGVISOR_PARKED_LIMIT", "10s"),
        ("SWINGVISOR_STANDBY", "off"),
        ("SWINGVISOR_HOLD_SOCKETS", "off"),
        ("SWINGVISOR_CLIENT_WAIT", "2s"),
    ])
    .expect("all good");
    assert!(default.standby && !set.standby);
    assert_eq!((default.parked_limit_ms, set.parked_limit_ms), (30_000, 10_000));
    assert_eq!((default.mode, set.mode, set.start_timeout_ms), (Mode::Restart, Mode::Front, 90_000));
    assert_eq!((default.hold_sockets, default.client_wait_ms), (true, 5_000));
    assert_eq!((set.hold_sockets, set.client_wait_ms), (false, 2_000));
    assert!(!set.policy.backup && !set.policy.restart_after_upgrade && set.policy.download);
    assert_eq!((set.shutdown_grace_ms, set.pre_upgrade_retries_max), (5_000, 3));
    assert_eq!(set.layout.backups(), PathBuf::from("/backups"));
    let faults = config(&[
        ("DAEMON_HOME", "relative"),
        ("DAEMON_NAME", "../swingd"),
        ("UNSAFE_SKIP_BACKUP", "maybe"),
        ("DAEMON_POLL_INTERVAL", "often"),
        ("SWINGVISOR_LISTEN", "0.0.0.0:26690"),
        ("SWINGVISOR_MODE", "fast"),
    ])
    .expect_err("six faults");
    assert_eq!(faults.len(), 6, "{faults:?}");
    for (fault, word) in
        faults.iter().zip(["absolute", "file name", "maybe", "often", "loopback", "neither restart nor front"])
    {
        assert!(fault.contains(word), "{fault}");
    }
}

#[test]
fn an_address_has_a_checksum_that_is_taken_and_a_scheme_that_is_taken() {
    let source = |url: String| Source::parse(&url);
    let https = source(format!("https://host/swingd?a=b&checksum=sha256:{}&archive=tar.gz", DIGEST.to_uppercase()));
    let https = https.expect("a good address");
    assert_eq!(https.location, Location::Https("https://host/swingd?a=b".to_owned()));
    assert_eq!(https.checksum, Checksum::Sha256(DIGEST.to_owned()));
    let file = source(format!("file:///a%20b/swingd?checksum=sha256%3A{DIGEST}")).expect("a good address");
    assert_eq!(file.location, Location::File(PathBuf::from("/a b/swingd")));
    for (url, word) in [
        ("https://host/swingd".to_owned(), "nothing is used without"),
        (format!("https://host/swingd?checksum=md5:{DIGEST}"), "md5"),
        ("https://host/swingd?checksum=sha256:abcd".to_owned(), "not a sha256"),
        ("https://host/swingd?checksum=sha256:zz".to_owned(), "not hex"),
        ("https://host/swingd?checksum=file:https://host/sums".to_owned(), "hex"),
        (format!("https://host/s?checksum=sha256:{DIGEST}&checksum=sha256:{DIGEST}"), "two checksums"),
        (format!("http://host/swingd?checksum=sha256:{DIGEST}"), "http://"),
        (format!("git::https://host/swingd?checksum=sha256:{DIGEST}"), "not taken"),
        (format!("file://relative?checksum=sha256:{DIGEST}"), "absolute"),
        (format!("swingd?checksum=sha256:{DIGEST}"), "no address"),
    ] {
        let error = source(url.clone()).expect_err(&url).to_string();
        assert!(error.contains(word), "{error:?} does not say {word:?}");
    }
}

#[test]
fn only_this_platforms_entry_is_looked_at() {
    let url = |host: &str| format!("https://{host}/swingd?checksum=sha256:{DIGEST}");
    let info = |entries: &[(&str, String)]| {
        let binaries: serde_json::Map<String, serde_json::Value> =
            entries.iter().map(|(platform, url)| ((*platform).to_owned(), url.clone().into())).collect();
        serde_json::json!({ "binaries": binaries }).to_string()
    };
    let host = |found: Result<Entry, FetchError>| match found.expect("an entry") {
        Entry::Binary(Source { location: Location::Https(url), .. }) => url,
        other => panic!("{other:?}"),
    };
    let both = info(&[("linux/amd64", url("own")), ("linux/arm64", "nonsense".to_owned()), ("any", url("any"))]);
    assert_eq!(host(entry(&both, "linux/amd64")), "https://own/swingd");
    assert_eq!(host(entry(&both, "darwin/arm64")), "https://any/swingd");
    let foreign = info(&[("linux/arm64", url("other")), ("windows/amd64", url("other"))]);
    let error = entry(&foreign, "linux/amd64").expect_err("no entry").to_string();
    assert!(error.contains("linux/amd64") && error.contains("linux/arm64, windows/amd64"), "{error}");
    for (info, word) in [("", "empty"), ("{}", "no `binaries`"), ("an upgrade", "no JSON"), ("[1]", "no `binaries`")] {
        let error = entry(info, "linux/amd64").expect_err(info).to_string();
        assert!(error.contains(word), "{error}");
    }
    assert!(matches!(entry(&url("list"), "linux/amd64"), Ok(Entry::Elsewhere(_))));
}

#[test]
fn another_machines_program_is_named() {
    let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\0\0".to_vec();
    for (machine, name) in [(183_u16, "arm64"), (62, "amd64"), (243, "riscv64"), (999, "999")] {
        elf[18..20].copy_from_slice(&machine.to_le_bytes());
        let own = program::platform().ends_with(name);
        match program::check(&elf) {
            Ok(()) => assert!(own, "{name} passes on {}", program::platform()),
            Err(error) => assert!(!own && error.to_string().contains(name), "{error}"),
        }
    }
    assert!(program::check(b"#!/bin/sh\n").is_ok());
    for nothing in [&b"<html>"[..], b"", b"\x7fELF"] {
        assert!(program::check(nothing).is_err());
    }
}

fn plan(name: &str, height: u64) -> Plan {
    Plan { name: name.to_owned(), height, info: "{}".to_owned() }
}

#[test]
fn an_answer_that_leaves_something_open_is_none() {
    let whole = r#"{"sync_info":{"latest_app_hash":"AA"},"application":{"release":"version-1","committed_height":"9",
        "plan":{"name":"version-2","height":"10","info":"{}"},"stop":{"exit_code":40,"lines":["no"]}}}"#;
    let status = Status::parse(whole.as_bytes()).expect("a whole answer");
    assert_eq!((status.committed_height, status.next_height()), (9, 10));
    assert_eq!(status.stop.map(|stop| stop.exit_code), Some(40));
    assert_eq!(
        status.plans,
        [Pending { id: None, plan: plan("version-2", 10), readiness: None }],
        "a binary that lists none has the one"
    );
    let second = whole.replace(
        r#""stop""#,
        r#""plans":[{"id":"4","name":"version-2","height":"10","info":"{}"},{"id":"7","name":"version-3","height":"90"}],"stop""#,
    );
    let listed = Status::parse(second.as_bytes()).expect("a whole answer").plans;
    let ids: Vec<_> = listed.iter().map(|pending| (pending.id, pending.plan.height)).collect();
    assert_eq!(ids, [(Some(4), 10), (Some(7), 90)]);
    for wrong in [second.replace(r#""id":"4""#, r#""id":"four""#), whole.replace(r#""stop""#, r#""plans":7,"stop""#)] {
        assert!(matches!(Status::parse(wrong.as_bytes()), Err(StatusError::Field { .. })), "{wrong}");
    }
    for (cut, by) in [
        (r#""release":"version-1","#, ""),
        (r#""committed_height":"9","#, ""),
        (r#""committed_height":"9""#, r#""committed_height":"nine""#),
        (r#""height":"10""#, r#""height":null"#),
        (r#""exit_code":40"#, r#""exit_code":4000"#),
        (r#","stop":{"exit_code":40,"lines":["no"]}"#, ""),
        (r#""plan":{"name":"version-2","height":"10","info":"{}"},"#, ""),
    ] {
        let text = whole.replacen(cut, by, 1);
        assert_ne!(text, whole, "{cut} is in the answer");
        assert!(matches!(Status::parse(text.as_bytes()), Err(StatusError::Field { .. })), "{text}");
    }
    for nothing in ["", "Error: no such command", "[]", "{}"] {
        assert!(Status::parse(nothing.as_bytes()).is_err(), "{nothing}");
    }
}

#[test]
fn a_journal_is_read_back_as_it_was_and_a_later_form_is_not_read() {
    let journal = Journal::default();
    assert_eq!(Journal::decode(&journal.encode()), Ok(journal.clone()));
    let later = String::from_utf8(journal.encode()).expect("text").replace("\"format\": 1", "\"format\": 2");
    assert!(Journal::decode(later.as_bytes()).is_err());
    assert!(Journal::decode(&journal.encode()[..20]).is_err());
}

#[test]
fn only_start_is_supervised() {
    let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
    for line in ["start", "start --engine solo", "--home /x start", "--home=/x start"] {
        assert!(runs_a_node(&words(line)), "{line}");
    }
    for line in ["version", "status --home start", "query start", "--help"] {
        assert!(!runs_a_node(&words(line)), "{line}");
    }
}
