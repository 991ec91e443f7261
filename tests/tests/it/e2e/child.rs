//! `swingd start --engine cometbft`: node and CometBFT live and die together.

use std::{fs::DirEntry, path::PathBuf, process::Output};

use rustix::process::Signal;
use swing_localnet::{
    binaries::NEWEST,
    genesis::Plan,
    network::Network,
    validator::{Engine, Validator},
    wait,
};
use swing_node::{
    comet::{CometError, HomeLock},
    config,
    lifecycle::ExitCode,
};

use super::network::{SOON, Stage, binaries};

struct Home {
    network: Network,
    height: u64,
}

impl Home {
    fn validator(&mut self) -> &mut Validator {
        &mut self.network.validators[0]
    }

    /// Starts the node and waits until it has made blocks beyond those of the run before.
    fn start(&mut self) {
        self.network.start_all(NEWEST).expect("it starts");
        self.height += 2;
        self.network.wait_for_height(self.height, SOON).expect("blocks are made");
        self.height = self.validator().rpc().height().expect("it answers");
    }

    /// The node's exit code after a signal to it.
    fn ends_on(&mut self, signal: Signal) -> Option<i32> {
        let node = self.validator().node().expect("it was started");
        node.signal(signal).expect("it runs");
        node.wait_for_end(SOON).expect("it ends").code()
    }

    /// Nothing holds the home any more: a CometBFT holds its lock until it has ended.
    fn lock(&mut self) -> Result<HomeLock, CometError> {
        HomeLock::take(&config::Home::new(&self.validator().swingd.home))
    }

    /// A second node on this home.
    fn second(&mut self) -> Output {
        self.validator().swingd.command(&["start", "--engine", "cometbft"]).output().expect("it runs")
    }

    /// What lies in the data folder and could not be copied by a supervisor that backs it up.
    fn uncopyable(&mut self) -> Vec<PathBuf> {
        let data = self.validator().swingd.home.join("data");
        let entries = std::fs::read_dir(data).expect("a data folder").map(|entry| entry.expect("an entry"));
        let kind = |entry: &DirEntry| entry.file_type().expect("its type");
        entries.filter(|entry| !kind(entry).is_file() && !kind(entry).is_dir()).map(|entry| entry.path()).collect()
    }

    /// The process ID of the node's CometBFT, as the node tells it.
    fn comet_id(&mut self) -> i32 {
        let output = self.validator().node().expect("it runs").output().expect("its log");
        let told = output.lines().find_map(|line| line.split_once("CometBFT started pid=")).expect("it is told");
        told.1.trim().parse().expect("a process ID")
    }
}

#[track_caller]
fn check_refused(output: &Output, code: ExitCode, words: &str) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(i32::from(code.code())), "{text}");
    assert!(text.contains(words), "{text}");
}

#[test]
fn cometbft_lives_and_dies_with_its_node_and_two_on_one_home_are_impossible() {
    let stage = Stage::of_one_node();
    let plan = Plan::quick(1, Engine::CometChild);
    let network = Network::create(plan, stage.folder(), binaries(), NEWEST).expect("a home");
    let mut home = Home { network, height: 0 };

    home.start();
    assert!(matches!(home.lock(), Err(CometError::HomeInUse { .. })), "the child's lock is held");
    check_refused(&home.second(), ExitCode::Failed, "application.db");
    assert_eq!(home.ends_on(Signal::TERM), Some(0), "SIGTERM is a clean stop");
    drop(home.lock().expect("CometBFT has stopped with it"));

    home.start();
    assert_eq!(home.ends_on(Signal::INT), Some(0), "SIGINT is a clean stop");
    drop(home.lock().expect("CometBFT has stopped with it"));

    home.start();
    assert_eq!(home.ends_on(Signal::KILL), None);
    assert_eq!(home.uncopyable(), Vec::<PathBuf>::new(), "cosmovisor copies the data folder of a killed node");
    let lock = wait::until("CometBFT to die with its node", SOON, || Ok(home.lock().ok()));
    let lock = lock.expect("it dies even when the node is killed");
    // As if it had not died yet.
    check_refused(&home.second(), ExitCode::Failed, "another node or CometBFT runs on");
    drop(lock);

    home.start();
    let comet = rustix::process::Pid::from_raw(home.comet_id()).expect("a process ID");
    rustix::process::kill_process(comet, Signal::KILL).expect("it runs");
    let node = home.validator().node().expect("it was started");
    let code = node.wait_for_end(SOON).expect("it ends").code();
    assert_eq!(code, Some(i32::from(ExitCode::ConsensusLost.code())), "{}", node.output_tail(10));
    home.start();
}
