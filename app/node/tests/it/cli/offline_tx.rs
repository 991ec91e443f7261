//! Transactions made offline, held against those that a Cosmos SDK chain recorded.

use serde_json::{Value, json};

use super::{ALICE, BOB, Cli};

const OPERATOR: &str = "swingvaloper19rl4cm2hmr8afy4kldpxz3fka4jguq0amqzpde";

fn recorded(name: &str) -> Value {
    let all: Vec<Value> = serde_json::from_str(include_str!("../../../../../tests/vectors/txs.json")).expect("JSON");
    all.into_iter().find(|vector| vector["name"] == name).unwrap_or_else(|| panic!("no vector {name}"))
}

/// Builds with `--generate-only`, signs offline, encodes: every byte must be the recorded one.
#[track_caller]
fn check(name: &str, command: &[&str], mode: &str) {
    let cli = Cli::with_chain_and_keys();
    let vector = recorded(name);
    let signer = vector["signer"].as_str().expect("a name");
    let fee = ["--from", signer, "--fees", "3000uswing", "--gas", "300000", "--generate-only"];
    let unsigned = cli.ok(&[&["tx"], command, fee.as_slice()].concat());
    let unsigned = cli.write("unsigned.json", &unsigned);
    let signed = cli.path("signed.json").display().to_string();
    let sequence =
        vector["rest_get_tx"]["tx"]["auth_info"]["signer_infos"][0]["sequence"].as_str().expect("a sequence");
    let number = if signer == "alice" { "0" } else { "1" };
    cli.ok(&[
        "tx",
        "sign",
        &unsigned,
        "--from",
        signer,
        "--offline",
        "--account-number",
        number,
        "--sequence",
        sequence,
        "--sign-mode",
        mode,
        "--output-document",
        &signed,
    ]);
    assert_eq!(cli.read_json("signed.json"), vector["rest_get_tx"]["tx"], "{name}");
    let encoded = cli.ok(&["tx", "encode", &signed]);
    assert_eq!(encoded.trim(), vector["tx_base64"].as_str().expect("base64"), "{name}");
    assert_eq!(cli.json(&["tx", "decode", encoded.trim()]), vector["rest_get_tx"]["tx"], "{name}");
}

#[test]
fn commands_make_the_recorded_transactions_byte_for_byte() {
    check("send", &["bank", "send", ALICE, BOB, "12345uswing", "--note", "hello"], "direct");
    check("send_amino", &["bank", "send", "bob", ALICE, "777uswing"], "amino-json");
    check(
        "submit",
        &[
            "upgrade",
            "software-upgrade",
            "version-2",
            "--upgrade-height",
            "76",
            "--upgrade-info",
            "{}",
            "--no-validate",
            "--title",
            "version-2",
            "--summary",
            "swap the kernel",
            "--deposit",
            "100uswing",
        ],
        "direct",
    );
    check("vote", &["gov", "vote", "1", "yes"], "direct");
    check("weighted", &["gov", "weighted-vote", "1", "yes=0.6,no=0.4"], "direct");
    check("badsend", &["bank", "send", "bob", ALICE, "99999999999999uswing"], "direct");
    check("delegate", &["staking", "delegate", OPERATOR, "1000uswing"], "direct");
}

/// The command makes this one message, unsigned.
#[track_caller]
fn check_message(command: &[&str], expected: Value) {
    let cli = Cli::with_chain_and_keys();
    let printed = cli.ok(&[&["tx"], command, &["--from", "alice", "--generate-only"]].concat());
    let tx: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(tx["body"]["messages"], json!([expected]));
    assert_eq!(tx["signatures"], json!([]));
}

fn coins(amount: &str) -> Value {
    json!([{"denom": "uswing", "amount": amount}])
}

#[test]
fn messages_of_every_command_have_their_fields() {
    check_message(
        &["bank", "multi-send", "alice", ALICE, BOB, "10uswing", "--split"],
        json!({
            "@type": "/cosmos.bank.v1beta1.MsgMultiSend",
            "inputs": [{"address": ALICE, "coins": coins("10")}],
            "outputs": [{"address": ALICE, "coins": coins("5")}, {"address": BOB, "coins": coins("5")}],
        }),
    );
    check_message(
        &["gov", "deposit", "3", "10uswing"],
        json!({"@type": "/cosmos.gov.v1.MsgDeposit", "proposal_id": "3", "depositor": ALICE, "amount": coins("10")}),
    );
    check_message(
        &["gov", "cancel-proposal", "3"],
        json!({"@type": "/cosmos.gov.v1.MsgCancelProposal", "proposal_id": "3", "proposer": ALICE}),
    );
    check_message(
        &["upgrade", "cancel-software-upgrade", "--title", "t", "--summary", "s"],
        json!({
            "@type": "/cosmos.gov.v1.MsgSubmitProposal",
            "messages": [{
                "@type": "/cosmos.upgrade.v1beta1.MsgCancelUpgrade",
                "authority": "swing10d07y265gmmuvt4z0w9aw880jnsr700j8fsn9t",
            }],
            "initial_deposit": [],
            "proposer": ALICE,
            "metadata": "",
            "title": "t",
            "summary": "s",
            "expedited": false,
        }),
    );
    check_message(
        &["staking", "unbond", OPERATOR, "5uswing"],
        json!({
            "@type": "/cosmos.staking.v1beta1.MsgUndelegate",
            "delegator_address": ALICE,
            "validator_address": OPERATOR,
            "amount": {"denom": "uswing", "amount": "5"},
        }),
    );
    check_message(
        &["swingset", "deliver", "counter", "add", "[5]"],
        json!({
            "@type": "/swing.swingset.v1.MsgDeliverInbound",
            "sender": ALICE,
            "target": "counter",
            "method": "add",
            "args": "I1s1XQ==",
        }),
    );
}

#[test]
fn messages_about_the_engine_are_proposed() {
    let proposed = |message: Value| {
        json!({
            "@type": "/cosmos.gov.v1.MsgSubmitProposal",
            "messages": [message],
            "initial_deposit": coins("10"),
            "proposer": ALICE,
            "metadata": "",
            "title": "t",
            "summary": "s",
            "expedited": true,
        })
    };
    let text = ["--title", "t", "--summary", "s", "--deposit", "10uswing", "--expedited"];
    let set = ["swingset", "set-kernel", "--kernel", "b1-0", "--supervisor", "b1-1", "--height", "12"];
    check_message(
        &[set.as_slice(), &text].concat(),
        proposed(json!({
            "@type": "/swing.swingset.v1.MsgSetKernelBundle",
            "authority": "swing10d07y265gmmuvt4z0w9aw880jnsr700j8fsn9t",
            "kernel_bundle_id": "b1-0",
            "lockdown_bundle_id": "",
            "supervisor_bundle_id": "b1-1",
            "height": "12",
        })),
    );
    check_message(
        &[["swingset", "cancel-set-kernel"].as_slice(), &text].concat(),
        proposed(json!({
            "@type": "/swing.swingset.v1.MsgCancelKernelBundle",
            "authority": "swing10d07y265gmmuvt4z0w9aw880jnsr700j8fsn9t",
        })),
    );
    let upgrade = ["swingset", "upgrade-vat", "mint", "b1-0", "--parameters", "{\"a\":5}", "--message", "a fix"];
    check_message(
        &[upgrade.as_slice(), &text].concat(),
        proposed(json!({
            "@type": "/swing.swingset.v1.MsgUpgradeVat",
            "authority": "swing10d07y265gmmuvt4z0w9aw880jnsr700j8fsn9t",
            "vat_name": "mint",
            "bundle_id": "b1-0",
            "parameters": "I3siYSI6NX0=",
            "upgrade_message": "a fix",
        })),
    );
    check_message(
        &[["swingset", "core-eval", "b1-0", "--device", "timer", "--vat", "mint"].as_slice(), &text].concat(),
        proposed(json!({
            "@type": "/swing.swingset.v1.MsgCoreEval",
            "authority": "swing10d07y265gmmuvt4z0w9aw880jnsr700j8fsn9t",
            "bundle_id": "b1-0",
            "json_permits": "{\"vats\":[\"mint\"],\"devices\":[\"timer\"]}",
        })),
    );
}

#[test]
fn a_proposal_and_a_validator_are_read_from_files() {
    let cli = Cli::with_chain_and_keys();
    let vote = json!({"@type": "/cosmos.upgrade.v1beta1.MsgCancelUpgrade", "authority": ALICE});
    let proposal = json!({"messages": [vote], "deposit": "10uswing", "title": "t", "summary": "s"});
    let file = cli.write("proposal.json", &proposal.to_string());
    let tx = cli.ok(&["tx", "gov", "submit-proposal", &file, "--from", "alice", "--generate-only"]);
    let tx: Value = serde_json::from_str(&tx).expect("JSON");
    assert_eq!(tx["body"]["messages"][0]["messages"], json!([vote]));
    let pubkey: Value = serde_json::from_str(&cli.ok(&["comet", "show-validator"])).expect("JSON");
    let file = cli.write("validator.json", &json!({"pubkey": pubkey, "amount": "5uswing", "moniker": "m"}).to_string());
    let tx = cli.ok(&["tx", "staking", "create-validator", &file, "--from", "alice", "--generate-only"]);
    let tx: Value = serde_json::from_str(&tx).expect("JSON");
    assert_eq!(tx["body"]["messages"][0]["commission"]["rate"], "0.100000000000000000");
    assert_eq!(tx["body"]["messages"][0]["validator_address"], OPERATOR);
    let file =
        cli.write("wrong.json", "{\"messages\":[{\"@type\":\"/no.such.Msg\"}],\"title\":\"t\",\"summary\":\"s\"}");
    let error = cli.fails(1, &["tx", "gov", "submit-proposal", &file, "--from", "alice", "--generate-only"]);
    assert!(error.contains("unknown type URL \"/no.such.Msg\""), "{error}");
}

#[test]
fn a_bundle_goes_plain_compressed_or_is_refused_where_chunks_cannot() {
    let cli = Cli::with_chain_and_keys();
    let small = cli.write("small.bundle", "{\"bundle\":true}");
    let message = |arguments: &[&str]| {
        let all = [&["tx", "swingset", "install-bundle"], arguments, &["--from", "alice", "--generate-only"]].concat();
        let tx: Value = serde_json::from_str(&cli.ok(&all)).expect("JSON");
        tx["body"]["messages"][0].clone()
    };
    let plain = message(&[&small]);
    assert_eq!((&plain["bundle"], &plain["submitter"]), (&json!("{\"bundle\":true}"), &json!(ALICE)));
    let packed = message(&[&small, "--compress"]);
    assert_eq!((&packed["bundle"], &packed["uncompressed_size"]), (&json!(""), &json!("15")));
    // Bytes that do not become smaller.
    let noise: String =
        (0..100_000u32).map(|i| char::from(33 + (i.wrapping_mul(2_654_435_761) >> 16) as u8 % 90)).collect();
    let large = cli.write("large.bundle", &noise);
    let error = cli.fails(
        1,
        &["tx", "swingset", "install-bundle", &large, "--chunk-size", "4096", "--from", "alice", "--generate-only"],
    );
    assert!(error.starts_with("this bundle needs 26 transactions"), "{error}");
    let empty = cli.write("empty.bundle", "");
    assert!(
        cli.fails(1, &["tx", "swingset", "install-bundle", &empty, "--from", "alice"]).ends_with("the file is empty")
    );
}

#[test]
fn wrong_input_is_named_before_anything_is_signed() {
    #[track_caller]
    fn check(code: i32, command: &[&str], expected: &str) {
        let cli = Cli::with_chain_and_keys();
        let error = cli.fails(code, &[&["tx"], command].concat());
        assert!(error.contains(expected), "{error}");
    }
    check(2, &["gov", "vote", "1", "yes"], "required flag(s) \"from\" not set");
    check(2, &["gov", "vote", "1", "maybe", "--from", "alice"], "'maybe' is not a valid vote option");
    check(2, &["gov", "vote", "one", "yes", "--from", "alice"], "invalid value 'one'");
    check(1, &["bank", "send", "alice", "swing1x", "1uswing"], "invalid address \"swing1x\"");
    check(1, &["bank", "send", "alice", BOB, "0uswing"], "it is nothing");
    check(1, &["bank", "send", "nobody", BOB, "1uswing"], "nobody: key not found");
    check(2, &["bank", "send", "alice", BOB, "1uswing", "--gas", "much"], "expected a number or \"auto\"");
    check(
        2,
        &["bank", "send", "alice", BOB, "1uswing", "--fees", "1uswing", "--gas-prices", "1uswing"],
        "cannot be used with",
    );
    check(
        2,
        &["bank", "send", "alice", BOB, "1uswing", "--offline"],
        "--offline needs --account-number and --sequence",
    );
    check(1, &["staking", "delegate", ALICE, "1uswing", "--from", "alice"], "invalid validator address");
    check(1, &["swingset", "deliver", "counter", "add", "5", "--from", "alice"], "must be a JSON list");
    let plan = [
        "upgrade",
        "software-upgrade",
        "v",
        "--upgrade-height",
        "5",
        "--title",
        "t",
        "--summary",
        "s",
        "--from",
        "alice",
    ];
    check(1, &plan, "invalid --upgrade-info: not JSON");
    let nothing = ["swingset", "set-kernel", "--title", "t", "--summary", "s", "--from", "alice"];
    check(2, &nothing, "<--kernel <ID>|--lockdown <ID>|--supervisor <ID>>");
    check(1, &["broadcast", "/nonexistent"], "cannot read /nonexistent");
}

#[test]
fn only_the_signer_of_a_transaction_signs_it() {
    let cli = Cli::with_chain_and_keys();
    let unsigned = cli.ok(&["tx", "bank", "send", "alice", BOB, "1uswing", "--generate-only"]);
    let file = cli.write("unsigned.json", &unsigned);
    let offline = ["--offline", "--account-number", "1", "--sequence", "0"];
    let error = cli.fails(1, &[&["tx", "sign", &file, "--from", "bob"], offline.as_slice()].concat());
    assert!(error.contains("is not the one signer of this transaction"), "{error}");
    assert!(cli.fails(1, &["tx", "broadcast", &file]).ends_with("the transaction is not signed"));
}
