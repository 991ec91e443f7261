//! The front between a CometBFT that this test plays and toy nodes, real processes, that die at chosen moments.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::net::UnixStream,
};

use rustix::process::Signal;
use serde_json::json;
use swingvisor::front::frame::{Frame, Splitter};
use tendermint_proto::v0_38::abci::response;

use super::messages::{check, commit, finalize, flush, info, prepare, query, read_response};
use crate::support::{Home, Running, SOON, free_address, page, posted, until};

/// One connection of CometBFT's.
struct Line {
    stream: UnixStream,
    frames: Splitter,
}

impl Line {
    fn send(&mut self, frames: &[Frame]) {
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes().to_vec()).collect();
        self.stream.write_all(&bytes).expect("the front reads");
    }

    /// The next reply; none when the connection was closed.
    fn reply(&mut self) -> Option<response::Value> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(frame) = self.frames.next_frame().expect("good frames") {
                return Some(read_response(&frame));
            }
            let read = self.stream.read(&mut buffer).unwrap_or(0);
            if read == 0 {
                return None;
            }
            self.frames.push(&buffer[..read]);
        }
    }

    #[track_caller]
    fn call(&mut self, frame: Frame) -> response::Value {
        self.send(&[frame, flush()]);
        let reply = self.reply().expect("a reply");
        assert!(matches!(self.reply(), Some(response::Value::Flush(_))));
        reply
    }
}

/// CometBFT, as far as these tests need it.
pub struct Comet {
    query: Line,
    mempool: Line,
    consensus: Line,
}

impl Comet {
    /// Connects and asks for the height; gives it too.
    pub fn connect(home: &Home) -> (Self, i64) {
        let line = || {
            let stream = until("the front", || UnixStream::connect(home.at("front.sock")).ok());
            stream.set_read_timeout(Some(SOON)).expect("a time limit");
            Line { stream, frames: Splitter::new(1 << 20) }
        };
        let mut comet = Comet { query: line(), mempool: line(), consensus: line() };
        let response::Value::Info(told) = comet.query.call(info()) else { panic!("an Info reply") };
        (comet, told.last_block_height)
    }

    fn commit_block(&mut self, height: i64) -> Option<()> {
        self.consensus.send(&[finalize(height), flush()]);
        self.consensus.reply()?;
        self.consensus.reply()?;
        self.consensus.send(&[commit(), flush()]);
        self.consensus.reply().filter(|reply| matches!(reply, response::Value::Commit(_)))?;
        self.consensus.reply().map(drop)
    }

    /// Blocks up to this height.
    #[track_caller]
    pub fn commit_to(&mut self, from: i64, to: i64) {
        for height in from + 1..=to {
            self.commit_block(height).unwrap_or_else(|| panic!("block {height} is committed"));
        }
    }

    /// All connections were closed by the front.
    fn check_dropped(mut self) {
        for line in [&mut self.query, &mut self.mempool, &mut self.consensus] {
            while line.reply().is_some() {}
        }
    }
}

/// A home at height 3 with the plan for 8, under a swingvisor with a front.
fn begin(old: &str, new: &str) -> (Home, Running) {
    begin_with(old, new, &[])
}

/// The same with more in the environment.
pub fn begin_with(old: &str, new: &str, more: &[(&str, &str)]) -> (Home, Running) {
    let home = Home::new();
    home.set_state(&json!({ "plan": Home::plan(8, "{}"), "until": null }));
    home.put("genesis", &format!("--release 1 {old}"));
    home.put("upgrades/version-2", &format!("--release 2 {new}"));
    let abci = format!("unix://{}", home.at("front.sock").display());
    let mut variables =
        vec![("SWINGVISOR_MODE", "front"), ("SWINGVISOR_ABCI", abci.as_str()), ("SWINGVISOR_START_TIMEOUT", "500ms")];
    variables.extend(more);
    let running = home.start_with(&["run", "start", "--engine", "external"], &variables);
    (home, running)
}

/// Commits block 8 and 9 on the new node, over the same connections, and ends.
#[track_caller]
pub fn finish(home: &Home, running: Running, mut comet: Comet) {
    let response::Value::PrepareProposal(_) = comet.consensus.call(prepare(8)) else { panic!("a proposal") };
    comet.commit_to(7, 9);
    let response::Value::Query(reply) = comet.query.call(query("/")) else { panic!("a Query reply") };
    assert_eq!(reply.log, "version-2");
    assert!(home.log().contains(&"apply version-2 at 8".to_owned()), "{:#?}", home.log());
    running.signal(Signal::TERM);
    assert_eq!(running.wait(), Some(0), "{}", home.said());
}

#[test]
fn the_next_binary_takes_over_the_connections_and_answers_what_was_parked() {
    let (home, running) = begin("", "");
    let (mut comet, height) = Comet::connect(&home);
    assert_eq!(height, 3);
    comet.commit_to(3, 6);
    comet.mempool.send(&[flush()]);
    assert!(comet.mempool.reply().is_some());
    comet.commit_block(7).expect("the last commit of version-1 is answered");
    // The recheck is version-1's, what comes afterwards is version-2's.
    comet.mempool.send(&[check(b"old", true), flush(), check(b"new", false), flush()]);
    let versions: Vec<String> = (0..4)
        .filter_map(|_| match comet.mempool.reply() {
            Some(response::Value::CheckTx(reply)) => Some(reply.info),
            _ => None,
        })
        .collect();
    assert_eq!(versions, ["version-1", "version-2"]);
    finish(&home, running, comet);
    let served = home.log().iter().filter(|line| line.starts_with("serve")).count();
    assert_eq!(served, 2, "{:#?}", home.log());
}

#[test]
fn an_old_node_that_dies_before_its_last_reply_costs_the_connections_and_after_it_nothing() {
    let (home, running) = begin("--dies before-last-reply", "");
    let (mut comet, _) = Comet::connect(&home);
    comet.commit_to(3, 6);
    assert_eq!(comet.commit_block(7), None, "nobody says that block 7 is committed");
    comet.check_dropped();
    // CometBFT begins anew, with a handshake.
    let (comet, height) = Comet::connect(&home);
    assert_eq!(height, 7);
    finish(&home, running, comet);

    let (home, running) = begin("--dies after-last-commit", "");
    let (mut comet, _) = Comet::connect(&home);
    comet.commit_to(3, 7);
    finish(&home, running, comet);
}

#[test]
fn a_new_node_that_crashes_hangs_or_has_another_state_leaves_cometbft_parked_until_it_is_repaired() {
    for (dies, said) in [
        ("at-start", "exit code 7"),
        ("never-answers", "had not answered Info"),
        ("wrong-hash", "CometBFT was told height 7"),
    ] {
        let pages = free_address();
        let (home, running) = begin_with("", &format!("--dies {dies}"), &[("SWINGVISOR_LISTEN", &pages)]);
        let (mut comet, _) = Comet::connect(&home);
        comet.commit_to(3, 7);
        comet.consensus.send(&[prepare(8), flush()]);
        until(said, || home.said().contains(said).then_some(()));
        let output = home.run(&["status", "-o", "json"], &[("SWINGVISOR_LISTEN", &pages)]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!((&status["mode"], &status["front"]["phase"]), (&json!("front"), &json!("parked")), "{status}");
        let lines = status["front"]["connections"].as_array().expect("a list");
        let consensus = lines.iter().find(|line| line["role"] == "consensus").expect("the connection");
        assert_eq!((&consensus["parked"], &consensus["waiting"]), (&json!(true), &json!(2)), "{status}");
        assert_eq!(home.state()["committed_height"], 7, "{dies}");
        home.put("upgrades/version-2", "--release 2");
        assert!(matches!(comet.consensus.reply(), Some(response::Value::PrepareProposal(_))), "{dies}");
        assert!(matches!(comet.consensus.reply(), Some(response::Value::Flush(_))), "{dies}");
        finish(&home, running, comet);
    }
}

#[test]
fn a_swap_that_takes_too_long_is_reported_while_it_lasts_and_over_the_same_connections_it_still_ends() {
    // Even while swingvisor itself is held up: here by the rest that an operator asked for.
    for (new, more) in [("--dies at-start", ("DAEMON_SHUTDOWN_GRACE", "1s")), ("", ("DAEMON_RESTART_DELAY", "2s"))] {
        let (pages, listener) = (free_address(), TcpListener::bind("127.0.0.1:0").expect("a port"));
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let variables = [
            ("SWINGVISOR_LISTEN", pages.as_str()),
            ("SWINGVISOR_WEBHOOK", &url),
            ("SWINGVISOR_PARKED_LIMIT", "400ms"),
            more,
        ];
        let (home, running) = begin_with("", new, &variables);
        let (mut comet, _) = Comet::connect(&home);
        comet.commit_to(3, 7);
        comet.consensus.send(&[prepare(8), flush()]);
        let told = posted(&listener, "parked-for-long");
        assert!(told["parked_ms"].as_u64().is_some_and(|ms| (400..2_000).contains(&ms)), "{told}");
        until("the log", || home.said().contains("CometBFT has been parked for long").then_some(()));
        let page = page(&pages, "/metrics");
        assert!(page.contains("swingvisor_front_late 1") || !new.contains("dies"), "{page}");
        home.put("upgrades/version-2", "--release 2");
        assert!(matches!(comet.consensus.reply(), Some(response::Value::PrepareProposal(_))));
        assert!(matches!(comet.consensus.reply(), Some(response::Value::Flush(_))));
        finish(&home, running, comet);
        let said = home.said();
        assert_eq!(said.matches("CometBFT has been parked for long").count(), 1, "{said}");
    }
    // A quick one is no news.
    let (home, running) = begin_with("", "", &[("SWINGVISOR_PARKED_LIMIT", "60s")]);
    let (mut comet, _) = Comet::connect(&home);
    comet.commit_to(3, 7);
    comet.consensus.send(&[prepare(8), flush()]);
    assert!(comet.consensus.reply().is_some() && comet.consensus.reply().is_some());
    finish(&home, running, comet);
    assert!(!home.said().contains("parked for long"), "{}", home.said());
}

#[test]
fn a_node_that_does_not_announce_its_last_commit_is_followed_by_a_handshake() {
    let (home, running) = begin("--dies unannounced", "");
    let (mut comet, _) = Comet::connect(&home);
    comet.commit_to(3, 7);
    comet.consensus.send(&[prepare(8), flush()]);
    comet.check_dropped();
    let (comet, height) = Comet::connect(&home);
    assert_eq!(height, 7);
    finish(&home, running, comet);
}

#[test]
fn a_new_node_that_dies_in_its_first_block_is_started_again_and_asked_again() {
    let (home, running) = begin("", "--dies once-in-its-first-block");
    let (mut comet, _) = Comet::connect(&home);
    comet.commit_to(3, 7);
    finish(&home, running, comet);
    let served = home.log().iter().filter(|line| line.starts_with("serve version-2")).count();
    assert_eq!(served, 2, "{:#?}", home.log());
}

#[test]
fn more_transactions_than_are_kept_are_put_off_in_order_and_no_socket_is_left_unread() {
    let (home, running) = begin("", "--dies at-start");
    let (mut comet, _) = Comet::connect(&home);
    comet.commit_to(3, 7);
    let sent: u32 = 6_000;
    let frames: Vec<Frame> = (0..sent).map(|number| check(&number.to_be_bytes(), false)).collect();
    comet.mempool.send(&frames);
    let mut codes = Vec::new();
    let mut reply = |comet: &mut Comet| {
        let Some(response::Value::CheckTx(reply)) = comet.mempool.reply() else { panic!("a CheckTx reply") };
        codes.push(reply.code);
    };
    for _ in 0..1_000 {
        reply(&mut comet);
    }
    home.put("upgrades/version-2", "--release 2");
    for _ in 1_000..sent {
        reply(&mut comet);
    }
    let put_off = codes.iter().take_while(|code| **code == 20).count();
    assert!(put_off >= 1_000 && codes[put_off..].iter().all(|code| *code == 0), "{put_off} of {} put off", codes.len());
    finish(&home, running, comet);
}
