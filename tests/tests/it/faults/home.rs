//! A home right before an upgrade, and the node on a copy of it: the real `swingd start`, driven block by block as an engine would.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, OnceLock},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use swing_files::faults::Fault;
use swing_node::{
    config::{Home, node_keys::NodeKey},
    killpoints::NoKillpoints,
    lifecycle::INFO_FILE,
};
use swing_store::{
    Store, StoreOptions,
    checkpoint::{Checkpoints, Label},
    snapshot::Snapshots,
};
use swing_tests::{
    chain::{Chain, finalize_request},
    engine::Engine,
    faulted::{FAULT, FAULTS, Point, announced_in, fault_argument},
    releases,
    script::{self, UPGRADE_HEIGHT},
};

/// The last block whose app hash is compared.
pub const LAST_HEIGHT: u64 = UPGRADE_HEIGHT + 2;
/// The height of a checkpoint from before, which is one too many once the upgrade's is made.
const OLDER_CHECKPOINT: u64 = UPGRADE_HEIGHT - 3;
/// The upgrade's checkpoint.
pub const CHECKPOINT: &str = "7-2";

pub const OLD: &str = env!("CARGO_BIN_EXE_swingd-test-version-1");
pub const NEW: &str = env!("CARGO_BIN_EXE_swingd-test-version-2");

/// How long anything may take on a loaded machine.
const SOON: Duration = Duration::from_secs(120);
const REST: Duration = Duration::from_millis(2);

/// Waits on a condition.
#[track_caller]
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    #[expect(clippy::disallowed_types, reason = "a test that waits for processes, not consensus")]
    let start = std::time::Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < SOON, "gave up waiting for {what}");
        std::thread::park_timeout(REST);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-Rp").args([from, to]).status().expect("cp runs");
    assert!(status.success(), "copying {} to {}", from.display(), to.display());
}

/// A folder with a stopped home in it.
pub struct Place {
    folder: tempfile::TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Run {
    pub status: ExitStatus,
    pub hashes: BTreeMap<u64, String>,
    pub points: Vec<Point>,
    pub output: String,
}

impl Run {
    /// Whether the fault killed it.
    pub fn was_killed(&self) -> bool {
        self.status.signal() == Some(Signal::KILL.as_raw())
    }
}

/// Two blocks before the plan's height: the next block is the last one of version-1.
pub fn before_the_upgrade() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let place = Place::configured();
        let home = place.home();
        execute_to(&home, OLDER_CHECKPOINT, &script::app_state());
        let label = Label {
            chain_id: script::CHAIN_ID.into(),
            app_version: 1,
            release: "version-1".into(),
            created_by_height: OLDER_CHECKPOINT + 1,
        };
        let store = Store::open(home.data_folder().join("application.db"), StoreOptions::default()).expect("it opens");
        let made = store.checkpoint(&place.checkpoints(), label).expect("a checkpoint");
        // Else it would be read wholly beside the blocks, and done with or not.
        place.checkpoints().note_verified(&made.id).expect("noted");
        drop(store);
        execute_to(&home, UPGRADE_HEIGHT - 2, &script::app_state());
        // What is compiled once is there for every copy.
        let learning = place.copy();
        learning.upgrade();
        let learnt = learning.home().data_folder().join("code-cache");
        copy_folder(&learnt, &place.folder.path().join("code-cache"));
        place
    })
}

/// The script's chain from another genesis, in this process and as version-1, with what was compiled for the one above.
pub fn executed_to(last: u64, app_state: &[u8]) -> Place {
    let place = Place::configured();
    place.share_code_of(before_the_upgrade());
    execute_to(&place.home(), last, app_state);
    place
}

/// In this process, as version-1.
fn execute_to(home: &Home, last: u64, app_state: &[u8]) {
    let release = releases::release("version-1").expect("a release");
    let chain = Chain::open_with(&home.data_folder(), release, Arc::new(NoKillpoints), app_state.to_vec());
    let mut chain = chain.expect("it opens");
    let committed = chain.height().expect("a height");
    for block in script::blocks().iter().filter(|block| (committed + 1..=last).contains(&block.height)) {
        chain.execute(block).expect("executed");
    }
}

impl Place {
    fn empty() -> Self {
        Place { folder: tempfile::Builder::new().prefix("sf").tempdir().expect("a temporary folder") }
    }

    pub fn home(&self) -> Home {
        Home::new(self.folder.path().join("home"))
    }

    /// A home with its configuration and a validator's key, and no chain yet.
    fn configured() -> Self {
        let place = Place::empty();
        let home = place.home();
        fs::create_dir_all(home.config_folder()).expect("made");
        fs::create_dir_all(home.data_folder()).expect("made");
        NodeKey::from_seed([7; 32]).save_validator_key(&home.priv_validator_key()).expect("written");
        fs::write(home.app_toml(), "[upgrade]\ncheckpoints = 1\n").expect("written");
        place
    }

    /// The same home in a folder of its own.
    pub fn copy(&self) -> Place {
        let copy = Place::empty();
        copy_folder(self.home().root(), copy.home().root());
        copy.share_code_of(self);
        copy
    }

    /// Links to what was compiled for another place, where that is kept.
    fn share_code_of(&self, other: &Place) {
        let cache = other.folder.path().join("code-cache");
        let linked = self.home().data_folder().join("code-cache");
        if cache.is_dir() {
            // A link already where this is a copy itself.
            let _ = fs::remove_dir_all(&linked).or_else(|_| fs::remove_file(&linked));
            std::os::unix::fs::symlink(&cache, &linked).expect("a link");
            // Copies of this one have the same.
            std::os::unix::fs::symlink(&cache, self.folder.path().join("code-cache")).expect("a link");
        }
    }

    fn command(&self, program: &str, fault: Option<(Fault, &Point)>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.arg(FAULTS).arg(self.folder.path());
        if let Some((fault, point)) = fault {
            command.arg(FAULT).arg(fault_argument(fault, point));
        }
        let output = File::create(self.folder.path().join("output")).expect("a file");
        command.args(arguments).arg("--home").arg(self.home().root());
        command.stdin(Stdio::null()).stdout(output.try_clone().expect("a second handle")).stderr(output);
        command
    }

    fn output(&self) -> String {
        let bytes = fs::read(self.folder.path().join("output")).expect("its output");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn ended(&self, status: ExitStatus, hashes: BTreeMap<u64, String>) -> Run {
        let output = self.output();
        Run { status, hashes, points: announced_in(&output), output }
    }

    /// Runs a command that ends by itself.
    pub fn run(&self, program: &str, fault: Option<(Fault, &Point)>, arguments: &[&str]) -> Run {
        let status = self.command(program, fault, arguments).status().expect("it starts");
        self.ended(status, BTreeMap::new())
    }

    /// Says what the engine's key has signed, as CometBFT's file does.
    pub fn sign(&self, height: u64) {
        let state = format!(r#"{{"height":"{height}","round":0,"step":3}}"#);
        fs::write(self.home().priv_validator_state(), state).expect("written");
    }

    /// Runs the node and gives it blocks of the script up to `last`, or until it ends. Once it has them, and `done` says so, it is
    /// stopped.
    pub fn start(
        &self,
        program: &str,
        fault: Option<(Fault, &Point)>,
        last: u64,
        done: impl Fn(&Place, &str) -> bool,
    ) -> Run {
        self.start_with(program, &[], fault, last, done)
    }

    /// As [`Place::start`], with more arguments.
    pub fn start_with(
        &self,
        program: &str,
        more: &[&str],
        fault: Option<(Fault, &Point)>,
        last: u64,
        done: impl Fn(&Place, &str) -> bool,
    ) -> Run {
        let socket = self.folder.path().join("abci.sock");
        let address = format!("unix://{}", socket.display());
        let arguments = [&["start", "--engine", "external", "--address", &address], more].concat();
        let mut child = self.command(program, fault, &arguments).spawn().expect("it starts");
        let mut hashes = BTreeMap::new();
        // Open until the node has ended: a lost engine would be another reason to end.
        let mut engine = connect(&mut child, &address);
        if let Some(engine) = &mut engine {
            // Where it is not there any more it closed the connection, and ends.
            if drive(engine, last, &mut hashes) {
                until("what is done beside the blocks", || {
                    let ended = child.try_wait().expect("its status").is_some();
                    (ended || done(self, &self.output())).then_some(())
                });
                // A child that was not waited for is still there to be told.
                let pid = Pid::from_child(&child);
                kill_process(pid, Signal::TERM).expect("it is told to stop");
            }
        }
        let status = child.wait().expect("it ends");
        drop(engine);
        self.ended(status, hashes)
    }

    /// An upgrade with nothing in its way.
    pub fn upgrade(&self) -> [Run; 2] {
        self.sign(UPGRADE_HEIGHT - 1);
        let old = self.start(OLD, None, LAST_HEIGHT, |_, _| true);
        assert_eq!(old.status.code(), Some(40), "{}", old.output);
        assert!(self.home().data_folder().join(INFO_FILE).exists(), "{}", old.output);
        self.sign(UPGRADE_HEIGHT);
        let new = self.start(NEW, None, LAST_HEIGHT, |place, _| place.is_tidy());
        assert_eq!(new.status.code(), Some(0), "{}", new.output);
        [old, new]
    }

    /// The home's snapshots.
    pub fn snapshots(&self) -> Snapshots {
        Snapshots::new(self.home().data_folder().join("snapshots"))
    }

    fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(self.home().data_folder().join("checkpoints"))
    }

    /// The upgrade's checkpoint is the only one, and was read wholly.
    pub fn is_tidy(&self) -> bool {
        let list: Vec<_> = self.checkpoints().list().into_iter().flatten().flatten().collect();
        matches!(list.as_slice(), [one] if one.height == UPGRADE_HEIGHT - 1 && self.checkpoints().is_verified(one))
    }

    /// What is in the place of a checkpoint is whole, and so is every file for others.
    #[track_caller]
    pub fn check_whole(&self, case: &str) {
        for found in self.checkpoints().list().expect("the folder") {
            let manifest = found.unwrap_or_else(|error| panic!("{case}: {error}"));
            self.checkpoints().view(&manifest.id).unwrap_or_else(|error| panic!("{case}: {error}"));
        }
        for file in [self.home().upgrade_info(), self.home().priv_validator_high_water()] {
            if let Ok(text) = fs::read(&file) {
                let whole = serde_json::from_slice::<serde_json::Value>(&text);
                whole.unwrap_or_else(|error| panic!("{case}: {}: {error}", file.display()));
            }
        }
    }

    /// The height of the committed version; none where there is no database.
    pub fn committed(&self) -> Option<u64> {
        let view = Store::peek(self.home().data_folder().join("application.db"), StoreOptions::default());
        view.expect("a whole database").map(|view| view.version())
    }

    pub fn lose_database(&self) {
        fs::remove_dir_all(self.home().data_folder().join("application.db")).expect("it is lost");
    }

    /// Nothing that was begun is left lying about.
    #[track_caller]
    pub fn check_no_leftovers(&self, case: &str) {
        for folder in [self.home().config_folder(), self.home().data_folder(), self.checkpoints().folder().to_owned()] {
            for entry in fs::read_dir(folder).expect("the folder") {
                let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
                assert!(!name.ends_with(".tmp") && !name.starts_with(".unfinished"), "{case}: {name} is left");
            }
        }
    }
}

fn connect(child: &mut Child, address: &str) -> Option<Engine> {
    let address = address.parse().expect("an address");
    until("the node to listen", || match Engine::connect(&address) {
        Ok(engine) => Some(Some(engine)),
        Err(_) => child.try_wait().expect("its status").map(|_| None),
    })
}

/// Whether the node has come to `last` and is still there.
fn drive(engine: &mut Engine, last: u64, hashes: &mut BTreeMap<u64, String>) -> bool {
    let Ok(info) = engine.info() else { return false };
    let committed = u64::try_from(info.last_block_height).expect("a height");
    hashes.insert(committed, hex::encode(&info.last_block_app_hash));
    for block in script::blocks().iter().filter(|block| (committed + 1..=last).contains(&block.height)) {
        let Ok(answer) = engine.finalize(finalize_request(block)) else { return false };
        if engine.commit().is_err() {
            return false;
        }
        hashes.insert(block.height, hex::encode(&answer.app_hash));
    }
    true
}
