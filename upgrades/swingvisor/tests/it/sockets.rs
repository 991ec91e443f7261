//! Listening sockets that outlive nodes.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
};

use serde_json::json;
use swingvisor::sockets::{Sockets, Wanted};

use crate::support::{Home, SOON};

/// An address that was free this moment.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a free port")
}

/// What one connection brings, or why it brings nothing.
fn ask(address: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(SOON))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

const REQUEST: &[u8] = b"GET /cosmos/base/node/v1beta1/status HTTP/1.1\r\nhost: a\r\n\r\n";

#[test]
fn a_client_that_no_node_takes_is_told_to_try_again_in_its_own_protocol() {
    let address = free();
    let wanted = [Wanted { name: "api", address: address.to_string() }];
    let sockets = Sockets::open(&wanted, 50).expect("held");
    let answer = String::from_utf8(ask(address, REQUEST).expect("an answer")).expect("text");
    assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
    let body = answer.split("\r\n\r\n").nth(1).expect("a body");
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!((&body["code"], &body["details"]), (&json!(14), &json!([])));
    assert!(body["message"].as_str().is_some_and(|text| text.contains("upgrading")), "{body}");

    // Settings without entries, and the beginning of a call.
    let call = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(),
        &[0, 0, 0, 4, 0, 0, 0, 0, 0],
        &[0, 0, 1, 1, 4, 0, 0, 0, 1, 0x82],
    ];
    let answer = ask(address, &call.concat()).expect("an answer");
    let text = String::from_utf8_lossy(&answer);
    assert!(text.contains("grpc-status\u{2}14") && text.contains("upgrading"), "{text:?}");
    assert_eq!(sockets.answered(), 2);
}

#[test]
fn an_address_that_is_taken_is_left_to_the_node() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let wanted = [Wanted { name: "api", address: taken.local_addr().expect("an address").to_string() }];
    let sockets = Sockets::open(&wanted, 50).expect("no failure");
    assert_eq!(sockets.addresses(), []);
}

#[test]
fn a_client_that_keeps_asking_during_a_switch_is_never_refused_and_hears_both_nodes() {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(20, "{}"), "until": 200, "block_ms": 10 }));
    home.put("upgrades/version-2", "--release 2");
    let address = free();
    let client = std::thread::spawn(move || {
        let mut heard: Vec<String> = Vec::new();
        while heard.iter().filter(|answer| answer.ends_with("version-2")).count() < 5 {
            match ask(address, REQUEST) {
                Ok(answer) => heard.push(String::from_utf8(answer).expect("text")),
                // Before swingvisor has begun.
                Err(_) if heard.is_empty() => std::thread::yield_now(),
                Err(error) => panic!("after {} answers: {error}", heard.len()),
            }
        }
        heard
    });
    let arguments = ["run", "start", "--api.enable", "--api.address", &format!("tcp://{address}")];
    let made = home.run(&arguments, &[("SWINGVISOR_CLIENT_WAIT", "30s")]);
    let heard = client.join().expect("no panic");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for release in ["version-1", "version-2"] {
        assert!(heard.iter().any(|answer| answer.ends_with(release)), "{release} was never heard: {heard:?}");
    }
    let odd = heard.iter().find(|answer| !answer.starts_with("HTTP/1.1 200 OK"));
    assert_eq!(odd, None);
}
