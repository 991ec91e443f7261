//! Requests that no client should send.

use serde_json::{Value, json};

use crate::support::solo::SoloHome;

#[test]
fn bad_bodies_are_answered_with_their_error_and_the_node_goes_on() {
    let home = SoloHome::new();
    home.set("rpc.max_body_bytes", "1000");
    let node = home.start(None).expect("it starts");
    let check = |body: &[u8], status: u16, code: i64| {
        let (got, text) = node.post(body);
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((got, &answer["error"]["code"]), (status, &json!(code)), "{text}");
    };
    check(b"{", 500, -32700);
    check(b"\xFF\xFE", 500, -32700);
    check(b"7", 500, -32700);
    check(b"[[]]", 500, -32700);
    check(br#"{"id":{},"method":"health"}"#, 500, -32700);
    check(br#"{"id":1.5,"method":"health"}"#, 500, -32700);
    check(br#"{"id":1,"method":7}"#, 500, -32700);
    check(br#"{"id":1}"#, 200, -32601);
    check(br#"{"id":1,"method":"health","params":7}"#, 200, -32602);
    check(br#"{"id":1,"method":"block","params":[1,2]}"#, 200, -32602);
    check(br#"{"id":1,"method":"block","params":{"height":"x"}}"#, 200, -32602);
    check(br#"{"id":1,"method":"block","params":{"height":99999999999999999999}}"#, 200, -32602);
    check(br#"{"id":1,"method":"block","params":{"height":{}}}"#, 200, -32602);
    check(br#"{"id":1,"method":"broadcast_tx_sync","params":{"tx":"?"}}"#, 200, -32602);
    check(br#"{"id":1,"method":"abci_query","params":{"path":"/count","data":"0x00"}}"#, 200, -32602);
    check(br#"{"id":1,"method":"abci_query","params":{"path":7}}"#, 200, -32602);
    check(br#"{"id":1,"method":"abci_query","params":{"path":"/count","prove":"yes"}}"#, 200, -32602);
    check(&[b' '; 1001], 400, -32600);
    check("[".repeat(900).as_bytes(), 500, -32700);
    let batch = format!("[{}]", [r#"{"id":1,"method":"health"}"#; 11].join(","));
    check(batch.as_bytes(), 500, -32600);
    assert_eq!(node.post(br#"{"method":"health"}"#), (200, String::new()), "a notification has no answer");
    assert_eq!(node.result("health"), json!({}));
}

#[test]
fn bad_queries_are_answered_with_their_error() {
    let home = SoloHome::new();
    let node = home.start(None).expect("it starts");
    node.wait_for(1);
    let check = |path: &str, code: i64, data: &str| {
        let error = node.error(path);
        let got = error["data"].as_str().expect("a text").to_owned();
        assert!(error["code"] == code && got.starts_with(data), "{path}: {error}");
    };
    check("block?height=-1", -32603, "height must be greater than 0, but got -1");
    check("block?height=0", -32603, "height must be greater than 0, but got 0");
    check(
        "block?height=9000000",
        -32603,
        "height 9000000 must be less than or equal to the current blockchain height ",
    );
    check("block?height=x", -32602, "error converting http params to arguments: height: expected an integer");
    check("block?height=99999999999999999999", -32602, "error converting http params to arguments: height");
    check("block?height=%", -32602, "error converting http params to arguments: invalid URL escape");
    check("block?height=%FF", -32602, "error converting http params to arguments: invalid URL escape");
    check(
        "abci_query?path=count",
        -32602,
        "error converting http params to arguments: path: expected a text in quotes",
    );
    check("abci_query?path=%22a%22&data=0xZZ", -32602, "error converting http params to arguments: data");
    check("broadcast_tx_sync?tx=0x0", -32602, "error converting http params to arguments: tx");
    check("tx?hash=0x00", -32603, "tx (00) not found");
    check("tx?hash=0x", -32603, "tx () not found");
    check("tx_search?query=%22%22", -32603, "cannot use an empty query");
    check("tx_search?query=%22tx.height%3D1%22&page=2", -32603, "page should be within [1, 1] range, given 2");
    check(
        "tx_search?query=%22tx.height%3D1%22&order_by=%22up%22",
        -32603,
        "expected order_by to be either `asc` or `desc` or empty",
    );
    check("validators?page=0", -32603, "page should be within [1, 1] range, given 0");
    check("genesis_chunked?chunk=1", -32603, "there are 0 chunks, 1 is invalid");
    check("blockchain?minHeight=9&maxHeight=1", -32603, "min height 9 can't be greater than max height 1");
    check("blockchain?minHeight=-1", -32603, "heights must be non-negative");
    let missing = node.result("block_by_hash?hash=0x00");
    assert_eq!(missing, json!({"block_id": {"hash": "", "parts": {"total": 0, "hash": ""}}, "block": null}));
    assert_eq!(node.get("../status").0, 404);
}

#[test]
fn a_target_with_quotes_is_taken_as_a_shell_sends_it() {
    use std::io::{Read, Write};
    let home = SoloHome::new();
    let node = home.start(None).expect("it starts");
    let mut stream = std::net::TcpStream::connect(node.address).expect("a connection");
    // In two pieces, as a network may bring it.
    stream.write_all(b"GET /abci_query?path=\"/co").expect("sent");
    stream.write_all(b"unt\" HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"value\":\"MA==\""), "{answer}");
}
