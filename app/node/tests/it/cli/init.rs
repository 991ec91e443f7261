//! `init`, `comet` and `config`: a home that CometBFT accepts.

use std::{os::unix::fs::PermissionsExt, process::Command};

use serde_json::json;
use swing_node::comet::CometBinary;

use super::{Cli, text};

#[test]
fn a_new_home_has_the_sdks_files_with_secrets_for_the_owner_only() {
    let cli = Cli::new();
    cli.ok(&["init", "my node", "--chain-id", "test-1"]);
    for (file, secret) in [
        ("config/config.toml", false),
        ("config/app.toml", false),
        ("config/client.toml", false),
        ("config/genesis.json", false),
        ("config/node_key.json", true),
        ("config/priv_validator_key.json", true),
        ("data/priv_validator_state.json", true),
    ] {
        let mode =
            std::fs::metadata(cli.path(file)).unwrap_or_else(|error| panic!("{file}: {error}")).permissions().mode();
        assert_eq!(mode & 0o777, if secret { 0o600 } else { 0o644 }, "{file}");
    }
    let genesis = cli.read_json("config/genesis.json");
    assert_eq!(genesis["chain_id"], "test-1");
    assert_eq!(genesis["initial_height"], "1");
    assert_eq!(genesis["app_state"]["staking"]["params"]["bond_denom"], "uswing");
    assert_eq!(cli.ok(&["config", "get", "client", "chain-id"]), "test-1\n");
    assert_eq!(cli.ok(&["config", "get", "config", "moniker"]), "my node\n");
}

#[test]
fn cometbft_takes_the_home_and_derives_the_same_identities() {
    let comet = CometBinary::find(None, std::env::var_os("COMETBFT"), std::env::var_os("PATH"))
        .expect("CometBFT 0.38 is on the search path or in COMETBFT");
    let cli = Cli::new();
    cli.ok(&["init", "v", "--chain-id", "test-1"]);
    let ask = |command: &str| {
        let output = Command::new(comet.path()).args([command, "--home"]).arg(cli.path("")).output().expect("it runs");
        assert!(output.status.success(), "cometbft {command}: {}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    };
    assert_eq!(ask("show-node-id"), cli.ok(&["comet", "show-node-id"]).trim());
    let theirs: serde_json::Value = serde_json::from_str(&ask("show-validator")).expect("JSON");
    let ours: serde_json::Value = serde_json::from_str(&cli.ok(&["tendermint", "show-validator"])).expect("JSON");
    assert_eq!(ours, json!({"@type": "/cosmos.crypto.ed25519.PubKey", "key": theirs["value"]}));
    assert!(cli.ok(&["comet", "show-address"]).starts_with("swingvalcons1"));
}

#[test]
fn a_second_init_is_refused_and_overwriting_keeps_keys_and_signing_state() {
    let cli = Cli::new();
    cli.ok(&["init", "v", "--chain-id", "test-1"]);
    let id = cli.ok(&["comet", "show-node-id"]);
    let state = cli.write("data/priv_validator_state.json", "{\"height\":\"9\",\"round\":0,\"step\":3}");
    let error = cli.fails(1, &["init", "v", "--chain-id", "test-2"]);
    assert!(error.starts_with("genesis.json file already exists: "), "{error}");
    cli.ok(&["init", "v", "--chain-id", "test-2", "-o"]);
    assert_eq!(cli.read_json("config/genesis.json")["chain_id"], "test-2");
    assert_eq!(cli.ok(&["comet", "show-node-id"]), id);
    assert_eq!(std::fs::read_to_string(state).expect("it is there"), "{\"height\":\"9\",\"round\":0,\"step\":3}");
}

#[test]
fn the_denomination_goes_into_every_section() {
    let cli = Cli::new();
    cli.ok(&["init", "v", "--chain-id", "test-1", "--default-denom", "uother"]);
    let genesis = cli.read("config/genesis.json");
    assert!(genesis.contains("\"uother\"") && !genesis.contains("\"uswing\""));
    assert!(cli.fails(2, &["init", "v", "-o", "--default-denom", "1x"]).contains("is not a denomination"));
    assert!(cli.fails(2, &["init", "v", "-o", "--chain-id", "a b"]).contains("white space"));
}

#[test]
fn the_home_is_named_by_flag_before_environment() {
    let (cli, other) = (Cli::new(), Cli::new());
    let run = |with_flag: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swingd"));
        command.args(["config", "home"]).env("SWINGD_HOME", other.path(""));
        if with_flag {
            command.arg("--home").arg(cli.path(""));
        }
        text(&command.output().expect("it runs").stdout)
    };
    assert_eq!(run(true).trim(), cli.path("").display().to_string());
    assert_eq!(run(false).trim(), other.path("").display().to_string());
}

#[test]
fn settings_are_changed_in_place_and_checked() {
    let cli = Cli::new();
    cli.ok(&["init", "v", "--chain-id", "test-1"]);
    cli.ok(&["config", "set", "client", "output", "json"]);
    assert_eq!(cli.ok(&["config", "get", "client", "output"]), "json\n");
    cli.ok(&["config", "set", "config", "p2p.laddr", "tcp://127.0.0.1:1"]);
    assert!(cli.read("config/config.toml").contains("# Private and loopback addresses are refused"));
    assert!(cli.fails(1, &["config", "set", "client", "colour", "red"]).contains("unknown setting \"colour\""));
    assert!(cli.fails(1, &["config", "set", "config", "p2p.nothing", "x"]).contains("no setting \"p2p.nothing\""));
    assert!(cli.fails(1, &["config", "set", "config", "p2p.pex", "perhaps"]).starts_with("p2p.pex: "));
}
