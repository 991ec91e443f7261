//! REST beyond what was recorded: parameters, heights, blocks, transactions, and requests that no client should send.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use crate::{
    cli::{ALICE, BOB},
    support::api_node::{ApiNode, TXS},
};

/// The first recorded transaction.
fn first_tx() -> Value {
    serde_json::from_str::<Value>(TXS).expect("JSON")[0].clone()
}

#[test]
fn pages_and_parameters_are_those_of_the_request() {
    let node = ApiNode::start("");
    let accounts = "/cosmos/auth/v1beta1/accounts";
    let (status, page) = node.get(&format!("{accounts}?pagination.limit=1&pagination.count_total=true&unknown=1"));
    assert_eq!((status, page["accounts"].as_array().map(Vec::len)), (200, Some(1)), "{page}");
    assert_ne!(page["pagination"]["total"], "0");
    let next = page["pagination"]["next_key"].as_str().expect("there is more").to_owned();
    for key in
        [next.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"), next.replace('+', "-").replace('/', "_")]
    {
        let (status, second) = node.get(&format!("{accounts}?pagination.key={key}&pagination.limit=1"));
        assert_eq!(status, 200, "{second}");
        assert_ne!(second["accounts"], page["accounts"]);
    }
    let (_, reversed) = node.get(&format!("{accounts}?pagination.reverse=true&pagination.limit=1"));
    assert_ne!(reversed["accounts"], page["accounts"]);
    let balance = node.get(&format!("/cosmos/bank/v1beta1/balances/{BOB}/by_denom?denom=uswing")).1;
    assert_eq!(balance, json!({"balance": {"denom": "uswing", "amount": "1000000000000"}}));
    let bonded = node.get("/cosmos/staking/v1beta1/validators?status=BOND_STATUS_BONDED").1;
    assert_eq!(bonded["validators"].as_array().map(Vec::len), Some(1));
    let none = node.get("/cosmos/gov/v1/proposals?proposal_status=PROPOSAL_STATUS_PASSED").1;
    assert_eq!(none["proposals"], json!([]));
    for path in [
        "/swing/upgrade/v1/params",
        "/swing/upgrade/v1/plans",
        "/swing/upgrade/v1/history",
        "/swing/upgrade/v1/migration",
        "/swing/swingset/v1/params",
        "/swing/swingset/v1/kernel",
        "/swing/swingset/v1/bundles",
        "/swing/swingset/v1/vats",
        "/swing/swingset/v1/action_queue?limit=2",
        "/swing/swingset/v1/pending_installations",
        "/swing/swingset/v1/pending_swap",
        "/swing/swingset/v1/swap_history",
    ] {
        let (status, body) = node.get(path);
        assert_eq!(status, 200, "{path}: {body}");
    }
}

#[test]
fn a_height_asks_for_the_state_of_then_and_every_answer_tells_its_own() {
    let node = ApiNode::start("");
    let sent = node.send(first_tx()["tx_base64"].as_str().expect("text"));
    let height: u64 = sent["tx_response"]["height"].as_str().and_then(|text| text.parse().ok()).expect("a height");
    let path = format!("/cosmos/bank/v1beta1/balances/{BOB}/by_denom?denom=uswing");
    let at = |name: &str, height: u64| {
        let response = node.ask(&path, &[(name, &height.to_string())]);
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        assert_eq!(response.status(), 200, "{}", response.body());
        assert_eq!(header("x-cosmos-block-height"), Some(height.to_string()));
        assert_eq!(header("grpc-metadata-x-cosmos-block-height"), Some(height.to_string()));
        serde_json::from_str::<Value>(response.body()).expect("JSON")["balance"]["amount"].clone()
    };
    for name in ["x-cosmos-block-height", "Grpc-Metadata-X-Cosmos-Block-Height"] {
        assert_eq!(at(name, height - 1), "1000000000000");
        assert_eq!(at(name, height), "1000000012345");
    }
    for (height, part) in [("99999999", "latest height"), ("soon", "is not a height"), ("-1", "is not a height")] {
        let response = node.ask(&path, &[("x-cosmos-block-height", height)]);
        let body: Value = serde_json::from_str(response.body()).expect("JSON");
        assert_eq!((response.status().as_u16(), &body["code"]), (400, &json!(3)), "{body}");
        assert!(body["message"].as_str().is_some_and(|text| text.contains(part)), "{body}");
    }
}

#[test]
fn blocks_validators_and_the_node_are_told_of_as_the_engine_has_them() {
    let node = ApiNode::start("");
    let tx = first_tx();
    let sent = node.send(tx["tx_base64"].as_str().expect("text"));
    let height = sent["tx_response"]["height"].as_str().expect("a height");
    let block = node.get(&format!("/cosmos/base/tendermint/v1beta1/blocks/{height}")).1;
    assert_eq!(block["block"]["data"]["txs"], json!([tx["tx_base64"]]));
    assert_eq!(block["block"]["header"]["height"], json!(height));
    let proposer = block["sdk_block"]["header"]["proposer_address"].as_str().expect("text");
    assert!(proposer.starts_with("swingvalcons1"), "{proposer}");
    let latest = node.get("/cosmos/base/tendermint/v1beta1/blocks/latest").1;
    assert_eq!(latest["block"]["header"]["chain_id"], "vectors-1");
    let set = node.get(&format!("/cosmos/base/tendermint/v1beta1/validatorsets/{height}?pagination.limit=5")).1;
    assert_eq!((&set["block_height"], &set["pagination"]["total"]), (&json!(height), &json!("1")));
    assert_eq!(set["validators"][0]["address"], json!(proposer));
    let found = node.get(&format!("/cosmos/tx/v1beta1/txs/block/{height}")).1;
    assert_eq!((&found["txs"][0], &found["pagination"]["total"]), (&tx["rest_get_tx"]["tx"], &json!("1")));
    let (status, none) = node.get("/cosmos/base/tendermint/v1beta1/blocks/9999999");
    assert_eq!((status, &none["code"]), (400, &json!(3)), "{none}");
    let kernel = "/cosmos/base/tendermint/v1beta1/abci_query?path=%2Fstore%2Fchain%2Fkey&data=aWQ%3D&prove=true";
    let answer = node.get(kernel).1;
    assert_eq!((&answer["code"], &answer["value"]), (&json!(0), &json!(BASE64.encode("vectors-1"))));
    assert!(answer["proof_ops"]["ops"][0]["data"].is_string());
    let status = node.get("/cosmos/base/node/v1beta1/status").1;
    let head =
        node.get(&format!("/cosmos/base/tendermint/v1beta1/blocks/{}", status["height"].as_str().expect("text")));
    assert_eq!(status["app_hash"], head.1["block"]["header"]["app_hash"]);
}

#[test]
fn transactions_are_simulated_sent_searched_decoded_and_refused_by_their_codes() {
    let node = ApiNode::start("");
    let tx = first_tx();
    let bytes = tx["tx_base64"].as_str().expect("text");
    let body = json!({ "tx_bytes": bytes }).to_string();
    let (status, simulated) = node.post("/cosmos/tx/v1beta1/simulate", &body);
    assert_eq!((status, &simulated["gas_info"]["gas_wanted"]), (200, &json!("300000")), "{simulated}");
    let decoded = node.post("/cosmos/tx/v1beta1/decode", &body).1;
    assert_eq!(decoded["tx"], tx["rest_get_tx"]["tx"]);
    let encoded = node.post("/cosmos/tx/v1beta1/encode", &decoded.to_string()).1;
    assert_eq!(encoded["tx_bytes"], json!(bytes));

    let sent = node.send(bytes);
    let hash = tx["hash"].as_str().expect("text");
    for query in [
        "query=message.sender%3D%27swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd%27&order_by=ORDER_BY_DESC".to_owned(),
        format!("events=tx.hash%3D%27{hash}%27&page=1&limit=5"),
        format!("query=tx.height%3D{}", sent["tx_response"]["height"].as_str().expect("text")),
    ] {
        let (status, found) = node.get(&format!("/cosmos/tx/v1beta1/txs?{query}"));
        assert_eq!((status, &found["total"]), (200, &json!("1")), "{query}: {found}");
        assert_eq!((&found["txs"][0], &found["tx_responses"][0]), (&sent["tx"], &sent["tx_response"]), "{query}");
    }
    let again = json!({"tx_bytes": bytes, "mode": "BROADCAST_MODE_SYNC"}).to_string();
    let refused = node.post("/cosmos/tx/v1beta1/txs", &again).1;
    assert_eq!(refused["tx_response"]["codespace"], "sdk");
    assert!([json!(19), json!(32)].contains(&refused["tx_response"]["code"]), "{refused}");
    assert_eq!(refused["tx_response"]["txhash"], json!(hash));
}

/// The answer is this refusal.
#[track_caller]
fn check_refused((status, body): (u16, Value), expected: u16, code: i64, part: &str) {
    assert_eq!((status, &body["code"], &body["details"]), (expected, &json!(code), &json!([])), "{body}");
    assert!(body["message"].as_str().is_some_and(|text| text.contains(part)), "{part:?} is not in {body}");
}

#[test]
fn requests_that_make_no_sense_are_answered_with_their_error_and_the_node_goes_on() {
    let node = ApiNode::start("[api]\nrpc-max-body-bytes = 1000\n");
    let check = |path: &str, status: u16, code: i64, part: &str| check_refused(node.get(path), status, code, part);
    check("/", 501, 12, "Not Implemented");
    check("/cosmos/bank/v1beta1/balances/", 501, 12, "Not Implemented");
    check("/cosmos/bank/v1beta1/balances/%zz", 501, 12, "Not Implemented");
    check("/cosmos/bank/v1beta1/supply?pagination.limit=x", 400, 3, "$.pagination.limit: expected an unsigned");
    check("/cosmos/bank/v1beta1/supply?pagination.key=%zz", 400, 3, "escape");
    check("/cosmos/bank/v1beta1/supply?pagination.key=AA%3D%3D&pagination.offset=1", 400, 3, "either offset or key");
    check("/cosmos/gov/v1/proposals/x", 400, 3, "$.proposal_id: expected an unsigned 64-bit integer");
    check("/cosmos/gov/v1/proposals/99", 404, 5, "proposal 99 doesn't exist");
    check("/cosmos/bank/v1beta1/denom_owners/uswing", 501, 12, "unknown query path");
    check("/cosmos/auth/v1beta1/address_by_id/7", 400, 3, "account-id");
    check("/cosmos/tx/v1beta1/txs", 400, 3, "query cannot be empty");
    check("/cosmos/tx/v1beta1/txs?query=nonsense", 400, 3, "expected a comparison");
    check("/cosmos/tx/v1beta1/txs/xyz", 400, 3, "is not hex");
    check("/cosmos/tx/v1beta1/txs/00", 404, 5, "tx not found: 00");
    check("/cosmos/tx/v1beta1/txs/block/0", 400, 3, "must not be less than 1");
    check("/swing/upgrade/v1/plans/7", 404, 5, "there is no plan 7");
    check(&format!("/cosmos/auth/v1beta1/accounts/{}", "x".repeat(5000)), 400, 3, "");
    let post = |path: &str, body: &str, status: u16, part: &str| {
        check_refused(node.post(path, body), status, if status == 400 { 3 } else { 12 }, part);
    };
    post("/cosmos/tx/v1beta1/txs", "", 400, "not JSON");
    post("/cosmos/tx/v1beta1/txs", "{", 400, "not JSON");
    post("/cosmos/tx/v1beta1/txs", "[]", 400, "expected an object");
    post("/cosmos/tx/v1beta1/txs", r#"{"nothing":1}"#, 400, "unknown field");
    post("/cosmos/tx/v1beta1/txs", r#"{"tx_bytes":"AA=="}"#, 400, "unsupported return type");
    post("/cosmos/tx/v1beta1/txs", r#"{"mode":"BROADCAST_MODE_SYNC"}"#, 400, "invalid empty tx");
    post("/cosmos/tx/v1beta1/txs", &" ".repeat(1001), 400, "above 1000 bytes");
    post("/cosmos/tx/v1beta1/simulate", r#"{"tx_bytes":"AA=="}"#, 400, "");
    post("/cosmos/tx/v1beta1/simulate", "{}", 400, "empty txBytes is not allowed");
    post("/cosmos/tx/v1beta1/decode", r#"{"tx_bytes":"////"}"#, 400, "does not decode");
    post("/cosmos/tx/v1beta1/decode", &"[".repeat(900), 400, "");
    post("/cosmos/bank/v1beta1/supply", "{}", 501, "Not Implemented");
    assert_eq!(node.get(&format!("/cosmos/auth/v1beta1/accounts/{ALICE}")).0, 200);
}

#[test]
fn pages_of_other_origins_may_read_answers_only_where_the_operator_says_so() {
    for (settings, expected) in [("", None), ("[api]\nenabled-unsafe-cors = true\n", Some("*"))] {
        let node = ApiNode::start(settings);
        let response = node.ask("/cosmos/upgrade/v1beta1/authority", &[("origin", "https://example.org")]);
        let allowed = response.headers().get("access-control-allow-origin").and_then(|value| value.to_str().ok());
        assert_eq!((response.status().as_u16(), allowed), (200, expected));
    }
}

#[test]
fn what_was_accepted_before_the_end_is_answered_and_nothing_is_accepted_after_it() {
    use std::io::{Read as _, Write as _};
    let mut node = ApiNode::start("");
    let mut stream = std::net::TcpStream::connect(node.api).expect("a connection");
    stream.write_all(b"GET /cosmos/upgrade/v1beta1/authority HTTP/1.1\r\n").expect("sent");
    // Another request on another connection tells that the first one was accepted.
    assert_eq!(node.get("/cosmos/upgrade/v1beta1/authority").0, 200);
    let rest = std::thread::spawn(move || {
        stream.write_all(b"host: a\r\nconnection: close\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    });
    let address = node.api;
    node.stop_serving();
    let answer = rest.join().expect("no panic");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(std::net::TcpStream::connect(address).is_err());
}
