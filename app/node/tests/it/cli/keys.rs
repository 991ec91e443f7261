//! `keys`.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::{ALICE, ALICE_WORDS, BOB, BOB_WORDS, Cli, text};

#[test]
fn recovered_keys_are_those_of_other_wallets_in_the_sdks_shape() {
    let cli = Cli::with_chain_and_keys();
    let pubkey =
        "{\"@type\":\"/cosmos.crypto.secp256k1.PubKey\",\"key\":\"Ak9OKtmcNNYLm6YoPJQxqEGK+GcyEpYfl6d7Y3f80Fti\"}";
    let alice = json!({"name": "alice", "type": "local", "address": ALICE, "pubkey": pubkey});
    assert_eq!(cli.json(&["keys", "show", "alice"]), alice);
    assert_eq!(cli.json(&["keys", "show", ALICE]), alice);
    assert_eq!(
        cli.ok(&["keys", "show", "alice"]),
        format!("- address: {ALICE}\n  name: alice\n  pubkey: '{pubkey}'\n  type: local\n")
    );
    assert_eq!(cli.ok(&["keys", "show", "bob", "-a"]), format!("{BOB}\n"));
    assert_eq!(cli.ok(&["keys", "show", "alice", "-p"]), format!("{pubkey}\n"));
    assert_eq!(
        cli.ok(&["keys", "show", "alice", "-a", "--bech", "val"]),
        "swingvaloper19rl4cm2hmr8afy4kldpxz3fka4jguq0amqzpde\n"
    );
    assert_eq!(cli.json(&["keys", "list"]).as_array().map(Vec::len), Some(2));
    assert_eq!(cli.ok(&["keys", "list", "-n"]), "alice\nbob\n");
}

#[test]
fn a_new_key_shows_its_mnemonic_once_and_can_be_made_from_it_again() {
    let cli = Cli::new();
    let made = cli.json(&["keys", "add", "new"]);
    let words = made["mnemonic"].as_str().expect("its mnemonic");
    assert_eq!(words.split(' ').count(), 24);
    assert!(!cli.read("keyring-test/new.json").contains(words));
    let mode = std::fs::metadata(cli.path("keyring-test/new.json")).expect("its file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let other = Cli::new();
    let again = other.run_with_input(&["keys", "add", "again", "--recover", "-o", "json"], words);
    let again: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!(again["address"], made["address"]);
    assert_eq!(again.get("mnemonic"), None);
}

#[test]
fn the_test_backend_warns_and_others_are_refused() {
    let cli = Cli::new();
    let output = cli.run(&["keys", "add", "new", "--keyring-backend", "test"]);
    assert!(text(&output.stderr).contains("keeps secrets in plain files"));
    for backend in ["os", "file", "memory"] {
        let error = cli.fails(1, &["keys", "list", "--keyring-backend", backend]);
        assert!(
            error.starts_with(&format!("keyring backend {backend:?} is not available: only \"test\" is")),
            "{error}"
        );
    }
}

#[test]
fn secrets_leave_only_on_request_and_come_in_again() {
    let cli = Cli::with_chain_and_keys();
    assert!(cli.fails(1, &["keys", "export", "alice"]).contains("--unarmored-hex and --unsafe"));
    assert_eq!(cli.fails(1, &["keys", "export", "alice", "--unarmored-hex", "--unsafe"]), "aborted");
    let hex = cli.ok(&["keys", "export", "alice", "--unarmored-hex", "--unsafe", "-y"]);
    let other = Cli::new();
    let output = other.run_with_input(&["keys", "import", "copy", "-o", "json"], &hex);
    let copy: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(copy["address"], ALICE);
    assert_eq!(other.fails(1, &["keys", "import", "bad", "abcd"]), "a secp256k1 secret key has 32 bytes, not 2");
}

#[test]
fn keys_are_deleted_after_a_question() {
    let cli = Cli::with_chain_and_keys();
    assert_eq!(cli.fails(1, &["keys", "delete", "alice"]), "key alice is kept: aborted");
    assert!(cli.fails(1, &["keys", "delete", "bob", "nobody", "-y"]).starts_with("nobody: key not found"));
    cli.ok(&["keys", "show", "bob"]);
    let output = cli.run_with_input(&["keys", "delete", "alice"], "y\n");
    assert!(output.status.success());
    assert!(cli.fails(1, &["keys", "show", "alice"]).starts_with("alice: key not found"));
}

#[test]
fn offline_keys_are_shown_but_do_not_sign() {
    let cli = Cli::with_chain_and_keys();
    cli.ok(&["keys", "delete", "bob", "-y"]);
    let key =
        "{\"@type\":\"/cosmos.crypto.secp256k1.PubKey\",\"key\":\"A1EMaeYmBD7aKTzNOuz0mlaKmqtiFz53VA/jhaRU5hUT\"}";
    let shown = cli.json(&["keys", "add", "cold", "--pubkey", key]);
    assert_eq!((&shown["address"], &shown["type"]), (&json!(BOB), &json!("offline")));
    let error = cli.fails(
        1,
        &[
            "tx",
            "bank",
            "send",
            "cold",
            ALICE,
            "1uswing",
            "--offline",
            "--account-number",
            "1",
            "--sequence",
            "0",
            "-y",
        ],
    );
    assert_eq!(error, "key \"cold\" is offline: only its public part is here");
}

#[test]
fn wrong_words_paths_and_names_are_refused_and_nothing_is_kept() {
    let cli = Cli::new();
    for (arguments, input, expected) in [
        (vec!["keys", "add", "x", "--recover"], "abandon abandon", "invalid mnemonic: "),
        (vec!["keys", "add", "x", "--recover"], "", "standard input ended"),
        (vec!["keys", "add", "x", "--recover", "--hd-path", "m/nowhere"], ALICE_WORDS, "invalid HD path"),
        (vec!["keys", "add", "../x", "--recover"], ALICE_WORDS, "key name \"../x\" is not allowed"),
        (vec!["keys", "add", "x", "--pubkey", "{}"], "", "--pubkey: expected"),
    ] {
        let output = cli.run_with_input(&arguments, input);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(&format!("Error: {expected}")), "{error}");
    }
    let output = cli.run_with_input(&["keys", "add", "dry", "--recover", "--dry-run", "-o", "json"], BOB_WORDS);
    assert!(text(&output.stdout).contains(BOB));
    assert_eq!(cli.json(&["keys", "list"]), json!([]));
}

#[test]
fn addresses_are_converted() {
    let cli = Cli::new();
    let parsed = cli.json(&["keys", "parse", ALICE]);
    assert_eq!(parsed["human"], "swing");
    let formats = cli.json(&["keys", "parse", parsed["bytes"].as_str().expect("hex")]);
    assert_eq!(formats["formats"][0], ALICE);
    assert_eq!(formats["formats"][1], "swingvaloper19rl4cm2hmr8afy4kldpxz3fka4jguq0amqzpde");
    assert!(cli.fails(1, &["keys", "parse", "alice"]).contains("neither hex nor bech32"));
    assert_eq!(cli.ok(&["keys", "mnemonic"]).split_whitespace().count(), 24);
}
