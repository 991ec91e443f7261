//! Answers against those recorded from an SDK 0.53 node, after the same transactions: the same paths, statuses and shapes.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use prost::Message as _;
use serde_json::{Value, json};
use swing_node::{
    client::{
        sign::{SignMode, SignerData},
        tx::{Fee, TxPlan},
    },
    keyring::{HdPath, Mnemonic, hd},
};
use swing_proto::cosmos::{bank::v1beta1::MsgSend, base::v1beta1::Coin};

use crate::{
    cli::{ALICE, ALICE_WORDS, BOB},
    support::{api_node::ApiNode, shapes::difference},
};

const RECORDED: &str = include_str!("../../../../../tests/vectors/rest.json");

/// A transfer of one coin, signed by alice.
fn transfer(sequence: u64) -> String {
    let path = HdPath::bip44(hd::COIN_TYPE, 0, 0).expect("a path");
    let key = Mnemonic::parse(ALICE_WORDS).expect("a mnemonic").derive(&path).expect("a key");
    let coin = |amount: &str| vec![Coin { denom: "uswing".to_owned(), amount: amount.to_owned() }];
    let message = MsgSend { from_address: ALICE.to_owned(), to_address: BOB.to_owned(), amount: coin("1") };
    let plan = TxPlan::new(vec![swing_proto::pack(&message)], Fee { amount: coin("3000"), gas_limit: 300_000 });
    let signer = SignerData { chain_id: "vectors-1".to_owned(), account_number: 0, sequence };
    BASE64.encode(plan.sign(&signer, SignMode::Direct, &key).expect("signed").encode_to_vec())
}

/// Every transfer is a block, and one comes after it: until the vote is over.
fn run_until_the_vote_is_over(node: &ApiNode) {
    let open = |node: &ApiNode| {
        node.get("/cosmos/gov/v1/proposals/1").1["proposal"]["status"] == "PROPOSAL_STATUS_VOTING_PERIOD"
    };
    let account = node.get(&format!("/cosmos/auth/v1beta1/account_info/{ALICE}")).1;
    let sequence: u64 = account["info"]["sequence"].as_str().and_then(|text| text.parse().ok()).expect("a number");
    let sent = (sequence..sequence + 60).take_while(|_| open(node)).map(|sequence| node.send(&transfer(sequence)));
    assert!(sent.count() > 0 && !open(node), "the vote is over in time");
}

#[test]
fn every_recorded_path_has_its_status_and_its_shape_here() {
    let node = ApiNode::start("");
    for (recorded, got) in node.send_recorded() {
        let name = &recorded["name"];
        assert_eq!(difference("", &recorded["rest_get_tx"], &got), None, "{name}");
        assert_eq!(got["tx"], recorded["rest_get_tx"]["tx"], "{name}");
        for field in ["txhash", "code", "codespace", "data", "raw_log", "gas_wanted"] {
            assert_eq!(got["tx_response"][field], recorded["rest_get_tx"]["tx_response"][field], "{name}: {field}");
        }
    }
    run_until_the_vote_is_over(&node);
    let recorded: Vec<Value> = serde_json::from_str(RECORDED).expect("JSON");
    let differing = recorded.iter().filter_map(|entry| {
        let path = entry["path"].as_str().expect("a path");
        let (status, mut body) = node.get(path);
        if json!(status) != entry["status"] {
            return Some(format!("{path}: {status}: {body}"));
        }
        if path.ends_with("/node_info") {
            // Recorded without the long list of what it was built from.
            body["application_version"].as_object_mut().expect("an object").shift_remove("build_deps");
        }
        match status {
            200 => difference("", &entry["body"], &body).map(|difference| format!("{path}: {difference}")),
            _ => (body != entry["body"]).then(|| format!("{path}: {body}")),
        }
    });
    assert_eq!(differing.collect::<Vec<_>>(), [""; 0]);
    assert_eq!(recorded.len(), 24);
}

#[test]
fn what_the_recorded_transactions_did_is_what_was_recorded() {
    let node = ApiNode::start("");
    node.send_recorded();
    run_until_the_vote_is_over(&node);
    let plan = node.get("/cosmos/upgrade/v1beta1/current_plan").1;
    let recorded: Vec<Value> = serde_json::from_str(RECORDED).expect("JSON");
    let body = |path: &str| {
        let entry = recorded.iter().find(|entry| entry["path"] == path);
        &entry.expect("recorded")["body"]
    };
    assert_eq!(&plan, body("/cosmos/upgrade/v1beta1/current_plan"));
    for path in [
        "/cosmos/upgrade/v1beta1/authority",
        "/cosmos/upgrade/v1beta1/applied_plan/none",
        "/cosmos/staking/v1beta1/delegations/swing1avgyh77ycn997ja45q5q8ss8y9mr424ja3p9xe",
        "/cosmos/bank/v1beta1/balances/swing1avgyh77ycn997ja45q5q8ss8y9mr424ja3p9xe",
    ] {
        let mut got = node.get(path).1;
        if path.contains("balances") {
            // The transfers that made blocks since.
            got["balances"] = body(path)["balances"].clone();
        }
        assert_eq!(&got, body(path), "{path}");
    }
    let proposal = &body("/cosmos/gov/v1/proposals/1")["proposal"];
    let got = &node.get("/cosmos/gov/v1/proposals/1").1["proposal"];
    for field in ["id", "messages", "status", "title", "summary", "proposer", "metadata", "total_deposit"] {
        assert_eq!(got[field], proposal[field], "{field}");
    }
}
