//! `genesis`: from accounts to a document that a chain starts from.

use serde_json::{Value, json};

use super::{ALICE, BOB, Cli};

fn with_accounts() -> Cli {
    let cli = Cli::with_chain_and_keys();
    cli.ok(&["genesis", "add-account", "alice", "3000000uswing"]);
    cli.ok(&["genesis", "add-genesis-account", BOB, "2000000uswing,7uother"]);
    cli
}

fn with_validator() -> Cli {
    let cli = with_accounts();
    cli.ok(&["genesis", "gentx", "alice", "2500000uswing", "--chain-id", "vectors-1", "--ip", "192.0.2.2"]);
    cli
}

#[test]
fn accounts_balances_and_supply_fit() {
    let cli = with_accounts();
    let state = cli.read_json("config/genesis.json")["app_state"].take();
    let account = |address: &str, number: &str| json!({"@type": "/cosmos.auth.v1beta1.BaseAccount", "address": address, "pub_key": null, "account_number": number, "sequence": "0"});
    assert_eq!(state["auth"]["accounts"], json!([account(ALICE, "0"), account(BOB, "1")]));
    assert_eq!(
        state["bank"]["supply"],
        json!([{"denom": "uother", "amount": "7"}, {"denom": "uswing", "amount": "5000000"}])
    );
    assert!(cli.fails(1, &["genesis", "add-account", ALICE, "1uswing"]).contains("existing address"));
    cli.ok(&["genesis", "add-account", ALICE, "1uswing", "--append"]);
    assert_eq!(cli.read_json("config/genesis.json")["app_state"]["bank"]["supply"][1]["amount"], "5000001");
    assert!(cli.fails(1, &["genesis", "add-account", "nobody", "1uswing"]).starts_with("nobody: key not found"));
    assert!(cli.fails(1, &["genesis", "add-account", ALICE, "lots"]).contains("lots"));
}

#[test]
fn a_genesis_transaction_has_the_recorded_shape() {
    let cli = with_validator();
    let id = cli.ok(&["comet", "show-node-id"]).trim().to_owned();
    let mut tx = cli.read_json(&format!("config/gentx/gentx-{id}.json"));
    let recorded: Value =
        serde_json::from_str(include_str!("../../../../../tests/vectors/genesis.json")).expect("JSON");
    let mut recorded = recorded["app_state"]["genutil"]["gen_txs"][0].clone();
    assert_eq!(tx["body"]["memo"], format!("{id}@192.0.2.2:26656"));
    assert_eq!(tx["body"]["messages"][0]["value"], json!({"denom": "uswing", "amount": "2500000"}));
    // What is this validator's own.
    for tx in [&mut tx, &mut recorded] {
        tx["signatures"] = json!([]);
        tx["body"]["memo"] = json!("");
        tx["body"]["messages"][0]["pubkey"]["key"] = json!("");
        tx["body"]["messages"][0]["value"] = json!(null);
    }
    assert_eq!(tx, recorded);
}

#[test]
fn a_collected_genesis_is_valid_and_names_the_peers() {
    let cli = with_validator();
    let other = Cli::new();
    other.ok(&["init", "other", "--chain-id", "vectors-1"]);
    std::fs::copy(cli.path("config/genesis.json"), other.path("config/genesis.json")).expect("it can be copied");
    let document = cli.path("config/gentx/other.json").display().to_string();
    let keyring = cli.path("").display().to_string();
    other.ok(&[
        "genesis",
        "gentx",
        "bob",
        "1500000uswing",
        "--ip",
        "192.0.2.3",
        "--keyring-dir",
        &keyring,
        "--output-document",
        &document,
    ]);
    cli.ok(&["genesis", "collect-gentxs"]);
    let genesis = cli.read_json("config/genesis.json");
    assert_eq!(genesis["app_state"]["genutil"]["gen_txs"].as_array().map(Vec::len), Some(2));
    let peer = format!("{}@192.0.2.3:26656\n", other.ok(&["comet", "show-node-id"]).trim());
    assert_eq!(cli.ok(&["config", "get", "config", "p2p.persistent_peers"]), peer);
    let printed = cli.ok(&["genesis", "validate"]);
    assert!(printed.starts_with("File at ") && printed.ends_with(" is a valid genesis file\n"), "{printed}");
}

#[test]
fn a_genesis_transaction_that_does_not_fit_is_refused() {
    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        let cli = with_accounts();
        let error = cli.fails(1, &[&["genesis", "gentx"], arguments].concat());
        assert!(error.contains(expected), "{error}");
        assert!(!cli.path("config/gentx").exists(), "nothing is written");
    }
    check(&["nobody", "1uswing"], "nobody: key not found");
    check(&["alice", "3000001uswing"], "has 3000000uswing in the genesis file and cannot bond 3000001uswing");
    check(&["alice", "0uswing"], "bonds more than zero");
    check(&["alice", "1uswing", "--chain-id", "x"], "--chain-id is x, the genesis file's is vectors-1");
    check(&["alice", "1uswing", "--commission-rate", "much"], "--commission-rate: ");
}

#[test]
fn collecting_refuses_what_was_changed_and_leaves_the_genesis_as_it_was() {
    #[track_caller]
    fn check(change: impl FnOnce(&mut Value), expected: &str) {
        let cli = with_validator();
        let file = format!("config/gentx/gentx-{}.json", cli.ok(&["comet", "show-node-id"]).trim());
        let mut tx = cli.read_json(&file);
        change(&mut tx);
        cli.write(&file, &tx.to_string());
        let before = cli.read("config/genesis.json");
        let error = cli.fails(1, &["genesis", "collect-gentxs"]);
        assert!(error.contains(expected), "{error}");
        assert_eq!(cli.read("config/genesis.json"), before);
    }
    check(|tx| tx["body"]["messages"][0]["value"]["amount"] = json!("5"), "the signature is not over this transaction");
    check(|tx| tx["body"]["messages"] = json!([]), "expected one message, found 0");
    check(|tx| tx["body"]["message"] = json!([]), "unknown field");
    check(|tx| *tx = json!("text"), "expected");
    let cli = with_accounts();
    std::fs::create_dir_all(cli.path("config/gentx")).expect("a folder");
    assert!(cli.fails(1, &["genesis", "collect-gentxs"]).contains("there must be at least one genesis tx"));
}

#[test]
fn validation_names_what_is_wrong() {
    #[track_caller]
    fn check(change: impl FnOnce(&mut Value), expected: &str) {
        let cli = with_validator();
        cli.ok(&["genesis", "collect-gentxs"]);
        cli.ok(&["genesis", "validate"]);
        cli.edit_genesis(change);
        let error = cli.fails(1, &["genesis", "validate"]);
        assert!(error.contains("genesis.json: ") && error.contains(expected), "{error}");
    }
    check(|doc| doc["app_state"]["mint"] = json!({}), "mint");
    check(|doc| doc["chain_id"] = json!("other-1"), "the signature is not over this transaction");
    check(
        |doc| doc["app_state"]["bank"]["params"]["colour"] = json!(1),
        "app_state.bank: $.params.colour: unknown field",
    );
    check(|doc| doc["app_state"]["bank"]["supply"][0]["amount"] = json!("8"), "app_state.bank.supply is 8uother");
    check(
        |doc| doc["app_state"]["auth"]["accounts"][1]["account_number"] = json!("0"),
        "account number 0 is another account's",
    );
    check(|doc| doc["app_state"]["bank"]["balances"][0]["address"] = json!("swing1x"), "app_state.bank.balances[0]: ");
    check(
        |doc| doc["consensus_params"]["block"]["max_bytes"] = json!("many"),
        "consensus_params.block.max_bytes: expected a number",
    );
    check(|doc| doc["genesis_time"] = json!("yesterday"), "genesis_time: \"yesterday\" is not RFC 3339");
    check(|doc| doc["app_state"]["staking"]["params"]["bond_denom"] = json!("uother"), "genutil.gen_txs[0]");
}

#[test]
fn vats_are_added_once() {
    let cli = with_accounts();
    cli.ok(&["genesis", "add-vat", "bank-of-two", "mint", "--parameters", "{\"limit\":5}", "--critical"]);
    let vats = cli.read_json("config/genesis.json")["app_state"]["swingset"]["vats"].take();
    assert_eq!(vats[0]["name"], "bank-of-two");
    assert_eq!(vats[0]["critical"], true);
    assert_eq!(cli.fails(1, &["genesis", "add-vat", "bank-of-two", "mint"]), "vat \"bank-of-two\" is there already");
    assert!(
        cli.fails(1, &["genesis", "add-vat", "x", "mint", "--parameters", "{"]).starts_with("--parameters: not JSON")
    );
}
