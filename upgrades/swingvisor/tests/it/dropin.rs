//! What scripts and units written for cosmovisor 1.5 count on: its variables, and the form of what its commands print.

use serde_json::{Value, json};

use crate::support::Home;

/// All variables that cosmovisor 1.5.0 reads (`args.go`), in its order: a value, the line that `config` prints then, and a value that it
/// does not take.
const VARIABLES: [(&str, &str, &str, Option<&str>); 16] = [
    ("DAEMON_HOME", "", "", Some("relative")),
    ("DAEMON_NAME", "toyd", "toyd", None),
    ("DAEMON_ALLOW_DOWNLOAD_BINARIES", "true", "true", Some("perhaps")),
    // Ours needs one always.
    ("DAEMON_DOWNLOAD_MUST_HAVE_CHECKSUM", "false", "true", Some("perhaps")),
    ("DAEMON_RESTART_AFTER_UPGRADE", "false", "false", Some("perhaps")),
    ("DAEMON_RESTART_DELAY", "90s", "1m30s", Some("-1s")),
    ("DAEMON_SHUTDOWN_GRACE", "5s", "5s", Some("0s")),
    ("DAEMON_POLL_INTERVAL", "300ms", "300ms", Some("often")),
    ("UNSAFE_SKIP_BACKUP", "true", "true", Some("perhaps")),
    ("DAEMON_DATA_BACKUP_DIR", "/backups", "/backups", Some("relative")),
    ("DAEMON_PREUPGRADE_MAX_RETRIES", "3", "3", Some("three")),
    ("COSMOVISOR_DISABLE_LOGS", "true", "true", Some("perhaps")),
    ("COSMOVISOR_COLOR_LOGS", "false", "false", Some("perhaps")),
    ("COSMOVISOR_TIMEFORMAT_LOGS", "rfc1123", "Mon, 02 Jan 2006 15:04:05 MST", Some("Kitchen")),
    ("COSMOVISOR_CUSTOM_PREUPGRADE", "check.sh", "check.sh", None),
    ("COSMOVISOR_DISABLE_RECASE", "true", "true", Some("perhaps")),
];

#[test]
fn all_sixteen_variables_of_cosmovisor_are_read_shown_and_refused_when_they_make_no_sense() {
    let home = Home::new();
    let folder = home.path().display().to_string();
    let value = |name: &str, value: &'static str| if name == "DAEMON_HOME" { folder.clone() } else { value.to_owned() };
    let set: Vec<(&str, String)> = VARIABLES.iter().map(|(name, given, ..)| (*name, value(name, given))).collect();
    let set: Vec<(&str, &str)> = set.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let output = home.run(&["config"], &set);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found: Vec<&str> = text.lines().take(17).collect();
    let mut expected = vec!["Configurable Values:".to_owned()];
    expected.extend(VARIABLES.iter().map(|(name, _, shown, _)| format!("  {name}: {}", value(name, shown))));
    assert_eq!(found, expected);
    assert!(text.contains(&format!("\n         Root Dir: {folder}/cosmovisor\n")), "{text}");
    for (name, _, _, wrong) in VARIABLES {
        let Some(wrong) = wrong else { continue };
        let refused = home.run(&["config"], &[(name, wrong)]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains(name), "{name}={wrong}: {said}");
    }
}

#[test]
fn the_log_has_the_colours_and_the_times_that_cosmovisors_variables_ask_for() {
    let home = Home::new();
    let said = |variables: &[(&str, &str)]| {
        let (code, said) = home.supervise(variables);
        assert_eq!(code, Some(0), "{said}");
        said
    };
    let first = |said: &str| said.lines().next().unwrap_or_default().to_owned();
    assert!(first(&said(&[])).starts_with("20"), "the whole time");
    let kitchen = first(&said(&[("COSMOVISOR_TIMEFORMAT_LOGS", "kitchen")]));
    let time = kitchen.split_whitespace().next().unwrap_or_default();
    assert!((time.ends_with("AM") || time.ends_with("PM")) && time.contains(':'), "{kitchen}");
    assert!(first(&said(&[("COSMOVISOR_TIMEFORMAT_LOGS", "")])).trim_start().starts_with("INFO"), "no time at all");
    assert!(!said(&[("COSMOVISOR_COLOR_LOGS", "false")]).contains('\u{1b}'));
    assert!(said(&[("COSMOVISOR_COLOR_LOGS", "true")]).contains('\u{1b}'), "though it is no terminal");
    assert_eq!(said(&[("COSMOVISOR_DISABLE_LOGS", "true")]), "");
}

#[test]
fn a_script_finds_the_version_where_cosmovisor_prints_it() {
    let home = Home::new();
    let version =
        |arguments: &[&str]| -> Value { serde_json::from_slice(&home.run(arguments, &[]).stdout).expect("JSON") };
    let both = version(&["version", "-o", "json"]);
    assert_eq!((&both["cosmovisor_version"], &both["app_version"]["release"]), (&json!("v1.5.0"), &json!("version-1")));
    let alone = version(&["version", "--output", "json", "--cosmovisor-only"]);
    assert_eq!((&alone["cosmovisor_version"], alone.get("app_version")), (&json!("v1.5.0"), None));
}
