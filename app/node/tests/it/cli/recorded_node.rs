//! Queries and broadcasts against the answers that a Cosmos SDK node gave.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use serde_json::{Value, json};

use super::{ALICE, Cli};

const RPC: &str = include_str!("../../../../../tests/vectors/rpc.json");
const TXS: &str = include_str!("../../../../../tests/vectors/txs.json");
const REST: &str = include_str!("../../../../../tests/vectors/rest.json");

/// The recorded RPC answers behind a real socket. It ends with the test's process.
fn recorded_node() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer_all(stream));
        }
    });
    format!("tcp://{address}")
}

fn answer_all(stream: TcpStream) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let answer = answer(&serde_json::from_slice(&body).ok()?).to_string();
        write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()).ok()?;
    }
}

fn answer(request: &Value) -> Value {
    let recorded: Vec<Value> = serde_json::from_str(RPC).expect("JSON");
    let body = |prefix: &str| {
        let found =
            recorded.iter().find(|entry| entry["request"].as_str().is_some_and(|text| text.starts_with(prefix)));
        found.map(|entry| entry["body"].clone()).unwrap_or_else(|| panic!("no answer to {prefix}"))
    };
    let params = &request["params"];
    match request["method"].as_str().expect("a method") {
        "abci_query" if params["path"] == "/cosmos.upgrade.v1beta1.Query/CurrentPlan" => body("abci_query"),
        "abci_query" => json!({"result": {"response": {
            "code": 22, "codespace": "sdk", "log": "account not found: key not found", "value": null, "height": "33",
        }}}),
        "tx" => {
            let hash = params["hash"].as_str().expect("base64");
            let txs: Vec<Value> = serde_json::from_str(TXS).expect("JSON");
            let hash = hex::encode_upper(
                base64::Engine::decode(&base64::engine::general_purpose::STANDARD, hash).expect("base64"),
            );
            match txs.iter().find(|tx| tx["hash"] == hash.as_str()) {
                Some(tx) => json!({"result": {
                    "hash": tx["hash"], "height": tx["height"], "tx": tx["tx_base64"], "tx_result": tx["result"],
                }}),
                None => body("tx?hash"),
            }
        }
        "broadcast_tx_sync" => body("broadcast_tx_sync"),
        "block" => {
            let mut block = body("block?height=5");
            block["result"]["block"]["header"]["time"] = json!("2026-11-23T11:34:27.123456789Z");
            block
        }
        "block_results" => body("block_results"),
        other => body(other),
    }
}

#[test]
fn a_plan_is_shown_as_rest_shows_it() {
    let cli = Cli::new();
    let rest: Vec<Value> = serde_json::from_str(REST).expect("JSON");
    let recorded = rest.iter().find(|entry| entry["path"] == "/cosmos/upgrade/v1beta1/current_plan").expect("recorded");
    let node = recorded_node();
    assert_eq!(cli.json(&["query", "upgrade", "plan", "--node", &node]), recorded["body"]);
    let text = cli.ok(&["q", "upgrade", "plan", "--node", &node]);
    assert!(text.starts_with("plan:\n  height: \"76\"\n  info: '{}'\n  name: version-2\n"), "{text}");
}

#[test]
fn a_transaction_is_shown_as_the_sdk_shows_it() {
    let cli = Cli::new();
    let node = recorded_node();
    let txs: Vec<Value> = serde_json::from_str(TXS).expect("JSON");
    for recorded in &txs {
        let hash = recorded["hash"].as_str().expect("a hash");
        let mut expected = recorded["rest_get_tx"]["tx_response"].clone();
        expected["timestamp"] = json!("2026-11-23T11:34:27Z");
        assert_eq!(cli.json(&["query", "tx", hash, "--node", &node]), expected, "{}", recorded["name"]);
        assert_eq!(cli.json(&["query", "wait-tx", hash, "--node", &node]), expected, "{}", recorded["name"]);
    }
    let unknown = "0".repeat(64);
    assert_eq!(cli.fails(1, &["query", "tx", &unknown, "--node", &node]), format!("tx ({unknown}) not found"));
    let error = cli.fails(1, &["query", "wait-tx", &unknown, "--node", &node, "--timeout", "1ms"]);
    assert!(error.contains("did not happen within 0 s"), "{error}");
    assert!(cli.fails(1, &["query", "tx", "xyz", "--node", &node]).contains("is not hex"));
}

#[test]
fn blocks_are_shown_as_cometbft_tells_them() {
    let cli = Cli::new();
    let node = recorded_node();
    assert_eq!(cli.json(&["query", "block", "5", "--node", &node])["block"]["header"]["height"], "5");
    assert_eq!(cli.json(&["query", "block-results", "18", "--node", &node])["height"], "18");
}

#[test]
fn a_refused_query_is_an_error_with_its_code() {
    let cli = Cli::with_chain_and_keys();
    let node = recorded_node();
    let expected =
        "query /cosmos.auth.v1beta1.Query/Account failed: account not found: key not found (codespace sdk, code 22)";
    assert_eq!(cli.fails(1, &["query", "auth", "account", ALICE, "--node", &node]), expected);
    assert_eq!(cli.fails(1, &["tx", "gov", "vote", "1", "yes", "--from", "alice", "--node", &node, "-y"]), expected);
}

#[test]
fn a_refused_broadcast_is_an_answer_with_its_code() {
    let cli = Cli::with_chain_and_keys();
    let node = recorded_node();
    let command = [
        "tx",
        "gov",
        "vote",
        "1",
        "yes",
        "--from",
        "alice",
        "--node",
        &node,
        "--account-number",
        "0",
        "--sequence",
        "0",
    ];
    let answer = cli.json(&[command.as_slice(), &["-y"]].concat());
    assert_eq!((answer["code"].as_u64(), answer["codespace"].as_str()), (Some(2), Some("sdk")));
    assert_eq!(answer["txhash"], "6E340B9CFFB37A989CA544E6BB780A2C78901D3FB33738768511A30617AFA01D");
    assert!(answer["raw_log"].as_str().is_some_and(|log| log.contains("tx parse error")));
    assert_eq!(cli.fails(1, &command), "canceled transaction");
}
