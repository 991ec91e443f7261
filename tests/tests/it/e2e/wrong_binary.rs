//! One validator of four has a wrong binary in the place of the plan's, one after the other: its swingvisor says what is wrong with each,
//! the chain goes through H without it, and with the operator's repair it is back, over the connections that its CometBFT has kept.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};
use swing_localnet::{
    binaries::NEWEST,
    genesis::Plan,
    network::Network,
    report::Narrator,
    scenario::{
        upgrade,
        visor::{self, Supervision},
        zero,
    },
    validator::{Engine, Validator},
    wait,
};

use super::network::{SOON, Stage, binaries, none_lost};

const VERSION_2: &str = "version-2";
/// The validator with the wrong binaries.
const FOURTH: usize = 3;
/// A binary that hangs is given up soon, and nothing is waited for long.
const PATIENCE: &[(&str, &str)] = &[("SWINGVISOR_START_TIMEOUT", "10s"), ("SWINGVISOR_BACKOFF_MAX", "1s")];

/// Puts a file into the slot of the plan's binary by hand, past the checks of `add-upgrade`.
fn put(validator: &Validator, content: &[u8]) {
    let folder = validator.swingd.home.join("cosmovisor/upgrades").join(VERSION_2).join("bin");
    fs::create_dir_all(&folder).expect("made");
    let made = folder.join("swingd.new");
    fs::write(&made, content).expect("written");
    fs::set_permissions(&made, fs::Permissions::from_mode(0o755)).expect("executable");
    fs::rename(&made, folder.join("swingd")).expect("in place");
}

/// The beginning of a program for another processor.
fn foreign() -> Vec<u8> {
    let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec();
    elf.extend([if cfg!(target_arch = "aarch64") { 62 } else { 183 }, 0]);
    elf
}

/// A program that is the newest release, but does this when it is started as a node.
fn starts_with(network: &Network, instead: &str) -> Vec<u8> {
    let program = network.binaries.path(NEWEST);
    format!("#!/bin/sh\n[ \"$1\" = start ] && {instead}\nexec '{}' \"$@\"\n", program.display()).into_bytes()
}

/// Waits until the fourth validator's swingvisor says so, in its status or in its log.
#[track_caller]
fn until_it_says(network: &Network, how: &Supervision, words: &str, is: impl Fn(&Value) -> bool) {
    let validator = &network.validators[FOURTH];
    let mut last = Value::Null;
    let said = wait::until_ok(words, SOON, || {
        last = how.status(validator)?;
        Ok((last.to_string().contains(words) && is(&last)).then_some(()))
    });
    said.unwrap_or_else(|error| panic!("{error:#}; it says {last}; see {}", validator.log().display()));
}

#[test]
fn a_wrong_binary_on_one_of_four_is_named_and_costs_the_chain_nothing_until_it_is_repaired() {
    let stage = Stage::new();
    let mut tell = Narrator::new(false);
    let program = binaries().path(NEWEST);
    // As an archive: a checksum of the binary itself would be held against the file that an operator puts there, too.
    let url = format!("file://{}?archive=tar.gz&checksum=sha256:{}", program.display(), "ab".repeat(32));
    let info = json!({ "binaries": { "any": url } }).to_string();
    let how = Supervision {
        download_info: Some(info.clone()),
        environment: PATIENCE,
        ..Supervision::front(&binaries().path("swingvisor"))
    };
    let plan = Plan::quick(4, Engine::CometChild);
    let mut network = visor::begin(plan, stage.folder(), binaries(), &how, &[], &mut tell).expect("a chain begins");
    let comets = zero::comets(&network, &how).expect("each swingvisor has its CometBFT");
    let load = visor::load_through(&network, &network.validators[..FOURTH]).expect("an account");
    for validator in &network.validators[..FOURTH] {
        how.add(validator, VERSION_2, &program, false).expect("three operators do it right");
    }
    let height = upgrade::schedule_with_info(&network, &info, &mut tell).expect("the plan is scheduled");

    let problem = |status: &Value| !status["plan"]["problem"].is_null() && status["plan"]["armed"].is_null();
    until_it_says(&network, &how, "not used", problem);
    put(&network.validators[FOURTH], &foreign());
    until_it_says(&network, &how, "the wrong platform's file", problem);
    put(&network.validators[FOURTH], b"#!/bin/sh\nexit 7\n");
    until_it_says(&network, &how, "exit status: 7", problem);

    let rpc = network.validators[0].rpc();
    wait::until_ok("three validators to pass H", SOON, || rpc.height().map(|at| (at > height + 1).then_some(())))
        .expect("the chain goes on without the fourth");
    let parked = |status: &Value| status["front"]["phase"] == "parked" && status["committed_height"] == height - 1;
    until_it_says(&network, &how, "it ended with exit status: 7", parked);
    put(&network.validators[FOURTH], &starts_with(&network, "exit 7"));
    until_it_says(&network, &how, "the node ended with exit code 7", parked);
    put(&network.validators[FOURTH], &starts_with(&network, "exec sleep 1000"));
    let fourth = network.validators[FOURTH].node().expect("it runs");
    fourth.wait_for_output("it had not opened its socket", SOON).expect("it is given up, and said");
    until_it_says(&network, &how, "it had not opened its socket", parked);

    how.add(&network.validators[FOURTH], VERSION_2, &program, true).expect("the right one is put there");
    let reached = rpc.height().expect("a height");
    network.wait_for_height(reached + 2, SOON).expect("all four go on");
    visor::upgraded_to(&mut network, VERSION_2, NEWEST).expect("every swingvisor has switched");
    for at in [height - 1, height, reached] {
        network.common_app_hash(at).expect("all four agree");
    }
    assert_eq!(zero::comets(&network, &how).expect("they run"), comets, "no CometBFT was started again");
    none_lost(&network, load);
    network.stop_all(SOON).expect("all stop");
}
