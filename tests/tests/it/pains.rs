//! What operators suffered from elsewhere, by the number of its report: each has a test that is named after it. Here are the list, the
//! rule that no number of it goes without a test, and the tests that have no better place.

use std::{
    collections::BTreeSet,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
};

use prost::Message as _;
use swing_core::ports::upgrade::Release;
use swing_node::{
    abci::ReadApplication as _,
    app::{AppOptions, ReadApp},
    checkpoint::CheckpointPolicy,
    killpoints::{Killpoint, Killpoints, NoKillpoints},
};
use swing_proto::cosmos::upgrade::v1beta1::{
    QueryAppliedPlanRequest, QueryAppliedPlanResponse, QueryCurrentPlanRequest, QueryCurrentPlanResponse,
};
use swing_store::{Pruning, StoreOptions};
use swing_tests::{
    chain::Chain,
    releases,
    script::{self, UPGRADE_HEIGHT},
};
use tendermint_proto::v0_38::abci::RequestQuery;

/// Where it was reported, the numbers, and what it was about.
const PAINS: &[(&str, &[u32], &str)] = &[
    ("cosmos_sdk", &[20489, 16003, 14625, 13933, 10188], "migrated state differs between nodes"),
    ("cosmos_sdk", &[22731, 25861, 20464, 26091], "the supervisor did not act, or looped"),
    ("cosmos_sdk", &[15120], "a new module's genesis wipes what is under its name"),
    ("cosmos_sdk", &[13315], "hours of silent migration"),
    ("gaia", &[3286], "hours of silent migration"),
    ("cosmos_sdk", &[20745, 8113], "the node hangs in place of ending"),
    ("cosmos_sdk", &[10428, 9874, 11952], "a torn or stale trigger file"),
    ("akash", &[638], "a handler is dropped from a later binary"),
    (
        "cosmos_sdk",
        &[16476, 23947],
        "a handler is dropped from a later binary; a restored snapshot starts the wrong one",
    ),
    ("cosmos_sdk", &[12684], "installed early, it stops"),
    ("gaia", &[1118], "installed early, it stops"),
    ("osmosis", &[1284], "a wrong binary is found out at the height"),
    ("akash", &[1107], "a wrong binary is found out at the height"),
    ("cosmos_sdk", &[10533, 16963], "a backup is slow, partial or overwritten"),
    ("cosmos_sdk", &[20472], "there is no way back"),
    ("tendermint", &[9174], "whoever goes back fears to sign twice"),
    ("cosmos_sdk", &[1079, 2116, 19755], "nobody knows who is ready"),
    ("cosmos_sdk", &[9616], "a handler fails half-way"),
    ("cosmos_sdk", &[22167, 19227], "a swap before its time"),
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Names of all tests of the repository.
fn tests() -> BTreeSet<String> {
    let output =
        Command::new("git").args(["ls-files", "-z", "*.rs"]).current_dir(root()).output().expect("git is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut names = BTreeSet::new();
    for file in String::from_utf8_lossy(&output.stdout).split('\0').filter(|file| !file.is_empty()) {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
        for found in text.split("#[test]").skip(1) {
            let name = found.trim_start().strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            names.extend(name.map(str::to_owned));
        }
    }
    names
}

/// Whether a test's name says this number of this place: `…_place_1_and_2`, `…_place_1_2`.
fn names_number(test: &str, place: &str, number: u32) -> bool {
    test.match_indices(place).any(|(at, _)| {
        let behind = test.get(at + place.len()..).unwrap_or_default().split('_').filter(|word| !word.is_empty());
        let mut numbers = behind.take_while(|word| *word == "and" || word.parse::<u32>().is_ok());
        numbers.any(|word| word == number.to_string())
    })
}

#[test]
fn every_pain_has_a_test_that_is_named_after_it() {
    let tests = tests();
    assert!(tests.len() > 500, "the repository's tests are found");
    let mut missing = Vec::new();
    for (place, numbers, pain) in PAINS {
        for number in *numbers {
            if !tests.iter().any(|test| names_number(test, place, *number)) {
                missing.push(format!("{place} {number}: {pain}"));
            }
        }
    }
    assert!(missing.is_empty(), "no test is named after these: {missing:#?}");
    assert!(names_number("it_stops_cosmos_sdk_1_and_22_akash_3", "cosmos_sdk", 22));
    assert!(!names_number("it_stops_cosmos_sdk_1_and_22_akash_3", "cosmos_sdk", 3));
    assert!(!names_number("it_stops_cosmos_sdk_122", "cosmos_sdk", 22));
}

fn release(name: &str) -> &'static dyn Release {
    releases::release(name).expect("a release of this name")
}

/// The script on a node that ends and starts again before these heights, and dies within these; gives the app hashes.
fn play(options: impl Fn(&Path, u64) -> AppOptions, restarts: &[u64], crashes: &[u64]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path();
    let first = options(data, 1);
    let mut chain = Chain::open(data, first.release, Arc::new(NoKillpoints)).expect("it opens");
    let mut hashes = Vec::new();
    for block in script::blocks() {
        if restarts.contains(&block.height) {
            drop(chain);
            chain = Chain::open_as_it_is(options(data, block.height)).expect("it opens again");
        }
        if crashes.contains(&block.height) {
            chain.finalize(&block).expect("executed, and lost with the process");
            drop(chain);
            chain = Chain::open_as_it_is(options(data, block.height)).expect("it opens again");
        }
        hashes.push(hex::encode(chain.execute(&block).expect("executed").answer.app_hash));
    }
    hashes
}

fn of_height(data: &Path, height: u64) -> AppOptions {
    let name = if height < UPGRADE_HEIGHT { "version-1" } else { "version-2" };
    AppOptions::new(data, release(name))
}

/// Who was restarted, who keeps how much history, who died in the upgrade's block, and who had the new binary from the start: all of
/// them come to one state.
#[test]
fn migrated_state_is_one_on_all_nodes_whatever_they_went_through_cosmos_sdk_10188_and_13933_and_14625_and_16003() {
    let plain = play(of_height, &[UPGRADE_HEIGHT], &[]);
    assert_eq!(plain.len() as u64, script::LAST_HEIGHT);
    let often: Vec<u64> = (2..=script::LAST_HEIGHT).collect();
    assert_eq!(play(of_height, &often, &[]), plain, "restarted before every block");
    assert_eq!(play(of_height, &[UPGRADE_HEIGHT], &[UPGRADE_HEIGHT]), plain, "died in the upgrade's block");
    let pruned = |data: &Path, height: u64| AppOptions {
        store: StoreOptions::with_pruning(Pruning::Everything),
        checkpoints: CheckpointPolicy { keep: 0, ..CheckpointPolicy::new(data) },
        ..of_height(data, height)
    };
    assert_eq!(play(pruned, &[3, UPGRADE_HEIGHT], &[]), plain, "keeps as little as can be, and no checkpoint");
    let early = |data: &Path, _: u64| AppOptions::new(data, release("version-2"));
    assert_eq!(play(early, &[], &[]), plain, "had the new binary from the start");
}

/// Asks a query while the upgrade's handler runs, from where a client would be.
#[derive(Default)]
struct Asking {
    read: Mutex<Option<ReadApp>>,
    heard: Mutex<Vec<(Option<String>, i64)>>,
}

impl Asking {
    fn ask(&self) {
        let Some(read) = self.read.lock().expect("no panic holds it").clone() else { return };
        let ask = |path: &str, data: Vec<u8>| {
            let request = RequestQuery { path: path.into(), data: data.into(), ..RequestQuery::default() };
            read.query(request).expect("no fault").value
        };
        let plan = ask("/cosmos.upgrade.v1beta1.Query/CurrentPlan", QueryCurrentPlanRequest {}.encode_to_vec());
        let plan = QueryCurrentPlanResponse::decode(plan).expect("a response").plan.map(|plan| plan.name);
        let request = QueryAppliedPlanRequest { name: "version-2".into() };
        let applied = ask("/cosmos.upgrade.v1beta1.Query/AppliedPlan", request.encode_to_vec());
        let height = QueryAppliedPlanResponse::decode(applied).expect("a response").height;
        self.heard.lock().expect("no panic holds it").push((plan, height));
    }
}

impl Killpoints for Asking {
    fn reach(&self, point: Killpoint, _height: u64) {
        if matches!(point, Killpoint::InsideHandler | Killpoint::AfterUpgrade) {
            self.ask();
        }
    }
}

/// However long the handler takes, whoever asks meanwhile hears of the block before it.
#[test]
fn queries_are_answered_from_the_block_before_while_the_handler_runs_cosmos_sdk_13315() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let asking = Arc::new(Asking::default());
    let killpoints: Arc<dyn Killpoints> = Arc::clone(&asking) as _;
    let mut chain = Chain::open(folder.path(), release("version-2"), killpoints).expect("it opens");
    *asking.read.lock().expect("no panic holds it") = Some(chain.app().read());
    for block in script::blocks().iter().filter(|block| block.height <= UPGRADE_HEIGHT) {
        chain.execute(block).expect("executed");
    }
    asking.ask();
    let height = i64::try_from(UPGRADE_HEIGHT).expect("a small height");
    let before = (Some("version-2".to_owned()), 0);
    assert_eq!(*asking.heard.lock().expect("no panic holds it"), [before.clone(), before, (None, height)]);
    // Who asks and who is asked hold each other.
    asking.read.lock().expect("no panic holds it").take();
}
