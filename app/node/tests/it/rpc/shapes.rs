//! The answers against bodies recorded from CometBFT: the same fields, of the same types, in every answer.

use serde_json::{Value, json};

use crate::support::{shapes::difference, solo::SoloHome};

const RECORDED: &str = include_str!("../../../../../tests/vectors/rpc.json");

#[track_caller]
fn check(recorded: &Value, got: &Value, lacking: &[&str]) {
    let mut recorded = recorded.clone();
    for path in lacking {
        let (parent, name) = path.rsplit_once('/').expect("a pointer");
        recorded.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").shift_remove(name);
    }
    assert_eq!(difference("", &recorded, got), None);
}

#[test]
fn every_recorded_body_has_its_shape_here() {
    let home = SoloHome::new();
    let node = home.start(None).expect("it starts");
    node.wait_for(2);
    let bodies: Vec<Value> = serde_json::from_str(RECORDED).expect("JSON");
    let body = |path: &str| serde_json::from_str::<Value>(&node.get(path).1).expect("JSON");
    let mut checked = 0;
    for recorded in &bodies {
        let request = recorded["request"].as_str().expect("a request");
        let (mine, lacking): (&str, &[&str]) = match request {
            "nope" => {
                assert_eq!(node.get("nope"), (404, recorded["body"].as_str().expect("a text").to_owned()));
                checked += 1;
                continue;
            }
            // Recorded of a node that had lost them; this one has them.
            "consensus_params" => {
                assert_eq!(node.error("consensus_params?height=999")["code"], recorded["body"]["error"]["code"]);
                checked += 1;
                continue;
            }
            "block?height=5" => ("block?height=2", &[]),
            "commit?height=5" => ("commit?height=2", &[]),
            // The recorded application sends all parameters with every block, this one a version in block 2.
            "block_results?height=18" => ("block_results?height=1", &["/result/consensus_param_updates"]),
            "abci_query?path=%22/cosmos.upgrade.v1beta1.Query/CurrentPlan%22" => ("abci_query?path=%22/count%22", &[]),
            "broadcast_tx_sync?tx=0x00" => ("broadcast_tx_sync?tx=0x626164", &[]),
            other => (other, &[]),
        };
        let mut got = body(mine);
        if mine.starts_with("block_results") {
            assert_eq!(got["result"]["consensus_param_updates"], Value::Null);
            got["result"].as_object_mut().expect("an object").shift_remove("consensus_param_updates");
        }
        if mine == "abci_info" {
            // The recorded application's version was 0, which is left out.
            assert_eq!(got["result"]["response"].get("app_version"), None);
        }
        check(&recorded["body"], &got, lacking);
        checked += 1;
    }
    assert_eq!(checked, 13);
}

#[test]
fn parameter_updates_leave_out_what_is_not_set() {
    let home = SoloHome::new();
    let node = home.start(None).expect("it starts");
    node.wait_for(2);
    assert_eq!(node.result("block_results?height=2")["consensus_param_updates"], json!({"version": {"app": "9"}}));
}

#[test]
fn a_transaction_is_found_by_hash_height_and_event_with_its_result_and_proof() {
    let home = SoloHome::new();
    let node = home.start(None).expect("it starts");
    let sent = node.result("broadcast_tx_commit?tx=\"one\"");
    let recorded: Vec<Value> =
        serde_json::from_str(include_str!("../../../../../tests/vectors/txs.json")).expect("JSON");
    let mut result = sent["tx_result"].clone();
    // Recorded without the field that is always empty.
    result.as_object_mut().expect("an object").shift_remove("info");
    check(&recorded[0]["result"], &result, &[]);
    let (hash, height) = (sent["hash"].as_str().expect("a hash"), sent["height"].as_str().expect("a height"));
    let tx = node.result(&format!("tx?hash=0x{hash}&prove=true"));
    assert_eq!((&tx["tx"], &tx["height"], &tx["index"]), (&json!("b25l"), &json!(height), &json!(0)));
    let data_hash = node.result(&format!("header?height={height}"))["header"]["data_hash"].clone();
    assert_eq!(tx["proof"]["root_hash"], data_hash);
    for query in [format!("tx.height={height}"), format!("tx.hash='{hash}'"), "counted.kind='count'".to_owned()] {
        let query = query.replace('=', "%3D").replace('\'', "%27");
        let found = node.result(&format!("tx_search?query=%22{query}%22&prove=true"));
        assert_eq!((&found["total_count"], &found["txs"][0]), (&json!("1"), &tx), "{query}");
    }
    let none = node.result("tx_search?query=%22counted.kind%3D%27other%27%22");
    assert_eq!(none, json!({"txs": [], "total_count": "0"}));
}

#[test]
fn the_same_call_by_get_by_name_and_by_position_has_the_same_result() {
    let home = SoloHome::new();
    let node = home.start(None).expect("it starts");
    node.wait_for(2);
    let by_get = node.result("block?height=1");
    assert_eq!(node.result("block?height=%221%22"), by_get);
    let hash = by_get["block_id"]["hash"].as_str().expect("a hash");
    assert_eq!(node.result(&format!("block_by_hash?hash=0x{hash}")), by_get);
    for params in [json!({"height": "1"}), json!({"height": 1}), json!(["1"])] {
        let call = json!({"jsonrpc": "2.0", "id": "x", "method": "block", "params": params});
        let answer: Value = serde_json::from_str(&node.post(call.to_string().as_bytes()).1).expect("JSON");
        assert_eq!((&answer["id"], &answer["result"]), (&json!("x"), &by_get));
    }
    let bytes = hex::decode(hash).expect("hex");
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    for (method, hash) in [("block_by_hash", base64.as_str()), ("header_by_hash", hash)] {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"hash": hash}});
        let answer: Value = serde_json::from_str(&node.post(call.to_string().as_bytes()).1).expect("JSON");
        let found = answer["result"].pointer("/block/header").unwrap_or(&answer["result"]["header"]);
        assert_eq!(found, &by_get["block"]["header"], "{method}");
    }
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "health"},
        {"jsonrpc": "2.0", "method": "health"},
        {"jsonrpc": "2.0", "id": 2, "method": "nope"},
    ]);
    let answers: Value = serde_json::from_str(&node.post(batch.to_string().as_bytes()).1).expect("JSON");
    assert_eq!(
        answers,
        json!([
            {"jsonrpc": "2.0", "id": 1, "result": {}},
            {"jsonrpc": "2.0", "id": 2, "error": {"code": -32601, "message": "Method not found"}},
        ])
    );
}
