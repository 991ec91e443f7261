//! `swingd start` is killed at every named point around the upgrade, on a real home, and goes on with whichever binary is right.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use prost::Message as _;
use serde_json::json;
use swing_localnet::{
    binaries::{Binaries, NEWEST, VERSION_1},
    rpc::{Rpc, number},
    scenario::upgrade::{UPGRADE_NEEDED, expect_refusal, result_of},
    validator::Validator,
    wait,
};
use swing_node::{killpoints::Killpoint, lifecycle::INFO_FILE};
use swing_proto::swing::swingset::v1::QueryActionQueueResponse;
use swing_tests::{
    killable::KILL_AT,
    points::{WAITING, announced_in},
    script,
    solo_home::{MESSAGES, SOON, SoloHome, UPGRADE_HEIGHT},
};

use super::network::{Stage, binaries};

pub(super) const OLD: &str = "swingd-test-version-1";
pub(super) const NEW: &str = "swingd-test-version-2";
/// The last block whose app hash is compared.
const LAST_HEIGHT: u64 = UPGRADE_HEIGHT + 4;

/// What a chain came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chain {
    hashes: BTreeMap<u64, String>,
    /// Messages in the queue after H−1 and H.
    waiting: [u64; 2],
    /// Messages that the contract counted, and how many of them differ.
    counted: [u64; 2],
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Killed,
    Exited(Option<i32>),
    CameFar,
}

/// A home in the hands of one binary after the other.
pub(super) struct Story {
    pub(super) node: Validator,
    binaries: Binaries,
    points: BTreeSet<(Killpoint, u64)>,
}

impl Story {
    pub(super) fn new(origin: &SoloHome, home: &Path, binaries: Binaries) -> Self {
        let node = origin.copy(home).expect("the home is copied");
        Story { node, binaries, points: BTreeSet::new() }
    }

    /// Runs a binary until it is killed at `wait_at`, ends by itself, or has come past the last height.
    pub(super) fn run(&mut self, program: &str, wait_at: Option<&str>) -> End {
        let extra: Vec<&str> = wait_at.into_iter().flat_map(|point| [KILL_AT, point]).collect();
        self.node.start(&self.binaries, program, &extra).expect("it starts");
        let rpc = self.node.rpc();
        let node = self.node.node().expect("just started");
        let end = wait::until("a run's end", SOON, || {
            if node.output()?.contains(WAITING) {
                node.kill()?;
                return Ok(Some(End::Killed));
            }
            if let Some(status) = node.ended()? {
                return Ok(Some(End::Exited(status.code())));
            }
            Ok(rpc.height().is_ok_and(|at| at > LAST_HEIGHT).then_some(End::CameFar))
        });
        let end = end.unwrap_or_else(|error| panic!("{program} {wait_at:?}: {error:#}\n{}", node.output_tail(30)));
        self.points.extend(announced_in(&node.output().expect("its log")));
        end
    }

    /// Version-1 refuses, in the same words however often it is started.
    pub(super) fn refuses(&mut self) {
        assert_eq!(self.run(OLD, None), End::Exited(Some(UPGRADE_NEEDED)));
        let output = self.node.node().expect("it ran").output().expect("its log");
        expect_refusal("solo", &self.node.swingd, UPGRADE_NEEDED, &output, UPGRADE_HEIGHT).expect("it says why");
    }

    /// The file for supervisors is the whole one or not there.
    fn check_info_file(&self, must_be_there: bool) {
        let path = self.node.swingd.home.join("data").join(INFO_FILE);
        let expected =
            format!(r#"{{"name":"version-2","time":"0001-01-01T00:00:00Z","height":{UPGRADE_HEIGHT},"info":"{{}}"}}"#);
        match std::fs::read_to_string(&path) {
            Ok(text) => assert_eq!(text, expected),
            Err(error) => assert!(!must_be_there, "{}: {error}", path.display()),
        }
    }

    /// What the running version-2 has made of the chain; it is asked to stop then, and does.
    pub(super) fn finish(&mut self, from: u64) -> Chain {
        let rpc = self.node.rpc();
        let hash = |height| rpc.app_hash_after(height).expect("the block after it is there");
        let hashes = (from..=LAST_HEIGHT).map(|height| (height, hash(height))).collect();
        let waiting = [UPGRADE_HEIGHT - 1, UPGRADE_HEIGHT].map(|height| queue_length(&rpc, height));
        let counted = counted(&self.node);
        let status = self.node.node().expect("it runs").stop(SOON).expect("it stops");
        assert_eq!(status.code(), Some(0), "SIGTERM is a clean stop");
        Chain { hashes, waiting, counted }
    }

    /// Version-1 to its stop and its refusals, then version-2; killed at `wait_at` wherever that is reached.
    pub(super) fn play(&mut self, from: u64, wait_at: Option<&str>) -> Played {
        let mut kills = 0;
        if self.run(OLD, wait_at) == End::Killed {
            kills += 1;
            self.check_info_file(false);
            self.refuses();
        }
        self.check_info_file(true);
        self.refuses();
        match self.run(NEW, wait_at) {
            End::Killed => {
                kills += 1;
                assert_eq!(self.run(NEW, None), End::CameFar, "killed at {wait_at:?}, version-2 goes on");
            }
            end => assert_eq!(end, End::CameFar, "version-2 goes on"),
        }
        Played { kills, chain: self.finish(from) }
    }
}

pub(super) struct Played {
    kills: usize,
    pub(super) chain: Chain,
}

/// Messages that the contract counted on a running node, and how many of them differ. The answer comes after all that is queued.
pub fn counted(node: &Validator) -> [u64; 2] {
    let reading = json!({ "tx": BASE64.encode(script::reading_tx()) });
    let sent = node.rpc().call("broadcast_tx_commit", reading).expect("it is taken");
    let value = result_of(&node.swingd, &node.rpc_url(), &json!({ "txhash": sent["hash"] })).expect("an answer");
    ["count", "distinct"].map(|field| number(&value[field]).expect("a number"))
}

/// Messages in the chain's own queue after this block.
fn queue_length(rpc: &Rpc, height: u64) -> u64 {
    let path = "/swing.swingset.v1.Query/ActionQueue";
    let answer = rpc.call("abci_query", json!({ "path": path, "height": height.to_string() })).expect("an answer");
    let value = answer["response"]["value"].as_str().expect("a value");
    let bytes = BASE64.decode(value).expect("base64");
    QueryActionQueueResponse::decode(bytes.as_slice()).expect("a response").length
}

#[test]
fn swingd_killed_at_every_point_around_the_upgrade_comes_to_the_same_hashes_and_loses_no_message() {
    let stage = Stage::new();
    let binaries = binaries();
    let origin = SoloHome::make(stage.folder(), &binaries).expect("a chain begins");

    let mut undisturbed = Story::new(&origin, &stage.folder().join("undisturbed"), binaries.clone());
    let expected = undisturbed.play(origin.height, None).chain;
    assert!(expected.waiting.iter().all(|length| *length > 0), "messages wait across the height: {expected:?}");
    assert_eq!(expected.counted, [MESSAGES; 2], "each is delivered once");
    origin.learn_from(&undisturbed.node).expect("compiled code is kept");

    let mut reached = BTreeSet::new();
    for (point, height) in undisturbed.points {
        if ![UPGRADE_HEIGHT - 1, UPGRADE_HEIGHT].contains(&height) {
            continue;
        }
        let wait_at = format!("{}@{height}", point.name());
        let mut story = Story::new(&origin, &stage.folder().join(&wait_at), binaries.clone());
        let played = story.play(origin.height, Some(&wait_at));
        assert_eq!(played.kills, 1, "{wait_at} is reached once by the release that passes there");
        assert_eq!(played.chain, expected, "killed at {wait_at}");
        reached.insert(point);
    }
    assert_eq!(reached, Killpoint::ALL.into_iter().collect(), "a listed point was never reached");
}

#[test]
fn released_binaries_know_no_killpoints() {
    for program in [NEWEST, VERSION_1] {
        let output = Command::new(binaries().path(program)).args(["start", KILL_AT, "after_commit@3"]).output();
        let output = output.expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{program} must not take {KILL_AT}: {output:?}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("point "), "{program} announces nothing");
    }
}
