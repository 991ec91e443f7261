//! Exit codes, help and errors.

use super::{Cli, text};

#[test]
fn wrong_usage_has_code_2_and_one_error_line() {
    let cli = Cli::new();
    for (arguments, expected) in [
        (vec!["nonsense"], "unrecognized subcommand 'nonsense'"),
        (vec!["init"], "required arguments were not provided"),
        (vec!["keys", "show"], "required arguments were not provided: <"),
        (vec!["query", "bank", "balances", "x", "--limit", "many"], "invalid value 'many'"),
        (vec!["version", "-o", "xml"], "invalid value 'xml'"),
    ] {
        let error = cli.fails(2, &arguments);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn help_and_version_are_answers() {
    let cli = Cli::new();
    let help = cli.ok(&["--help"]);
    for command in ["init", "keys", "genesis", "tx", "query", "comet", "config", "export", "version"] {
        assert!(help.contains(&format!("  {command} ")), "{command}");
    }
    assert_eq!(cli.ok(&["version"]).trim(), env!("CARGO_PKG_VERSION"));
    let long = cli.json(&["version", "--long"]);
    assert_eq!((long["server_name"].as_str(), long["cometbft_version"].as_str()), (Some("swingd"), Some("0.38.26")));
}

#[test]
fn a_node_that_is_not_there_is_named() {
    let cli = Cli::new();
    let error = cli.fails(1, &["query", "bank", "total", "--node", "tcp://127.0.0.1:1"]);
    assert!(error.starts_with("cannot reach the node at http://127.0.0.1:1: "), "{error}");
    assert!(cli.fails(1, &["q", "bank", "total", "--node", "https://x"]).contains("scheme https is not supported"));
}

#[test]
fn a_node_without_state_has_nothing_to_export() {
    let cli = Cli::new();
    cli.ok(&["init", "v", "--chain-id", "test-1"]);
    assert!(cli.fails(1, &["export"]).ends_with("this node has no state yet"));
}

#[test]
fn a_reader_that_stops_early_is_no_failure() {
    let cli = Cli::new();
    let shell = format!("{} --help | head -n 1", env!("CARGO_BIN_EXE_swingd"));
    let output = std::process::Command::new("sh").args(["-c", &shell]).output().expect("a shell");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output.stderr));
    drop(cli);
}
