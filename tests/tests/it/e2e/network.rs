//! What the stories share: a folder that goes with the test, the binaries, and the machine.

use std::{
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use swing_localnet::{
    binaries::Binaries,
    load::{Load, Sent},
    network::Network,
    scenario::upgrade::{self, expect_refusal},
    validator::Validator,
};

/// How long a story waits for anything: far above what it takes on a loaded machine of two cores.
pub const SOON: Duration = Duration::from_secs(240);

/// What the machine has room for at a time, whatever the number of test threads: a network of validators, and one node beside it,
/// which waits for its blocks most of the time. Two networks at once would come near to deadlines on two cores.
const ROOM: u32 = 3;
const NETWORK: u32 = 2;
const NODE: u32 = 1;

static TAKEN: Mutex<u32> = Mutex::new(0);
static GIVEN_BACK: Condvar = Condvar::new();

/// A story's place.
pub struct Stage {
    folder: tempfile::TempDir,
    _turn: Turn,
}

/// A part of the machine, until it is dropped.
struct Turn(u32);

impl Turn {
    fn wait(wanted: u32) -> Self {
        // A story that failed leaves nothing behind that the next could trip over.
        let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |taken: &mut u32| *taken + wanted > ROOM;
        *GIVEN_BACK.wait_while(taken, full).unwrap_or_else(PoisonError::into_inner) += wanted;
        Turn(wanted)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        GIVEN_BACK.notify_all();
    }
}

impl Stage {
    /// A place for a network of validators: no other network runs meanwhile.
    pub fn new() -> Self {
        Stage::of(NETWORK)
    }

    /// A place for a story of one node.
    pub fn of_one_node() -> Self {
        Stage::of(NODE)
    }

    /// Waits for its turn and makes a new folder, short enough for a socket's path.
    fn of(size: u32) -> Self {
        let turn = Turn::wait(size);
        Stage { folder: tempfile::Builder::new().prefix("sw").tempdir().expect("a temporary folder"), _turn: turn }
    }

    /// The folder for the homes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The binaries under test.
pub fn binaries() -> Binaries {
    Binaries::find(Some(&program_folder())).expect("the node's binaries are built with the workspace's tests")
}

/// A node ends by itself before `height`, in the words of one that cannot handle its plan.
#[track_caller]
pub fn refuses(node: &mut Validator, height: u64) {
    let (code, output) = node.wait_for_exit(SOON).expect("it stops");
    expect_refusal(&node.name, &node.swingd, code, &output, height).expect("it refuses");
}

/// Ends the load: every message that the chain accepted was delivered, once.
#[track_caller]
pub fn none_lost(network: &Network, load: Load) -> Sent {
    let sent = load.finish(SOON).expect("every message is in a block");
    assert!(sent.accepted > 0, "no message was sent");
    upgrade::counted(network, sent.accepted).and_then(|counted| counted.check(&sent)).expect("none lost, none twice");
    sent
}

/// The folder that cargo puts the binaries into, two above this test's own.
fn program_folder() -> PathBuf {
    let mut folder = std::env::current_exe().expect("a running test has a path");
    folder.pop();
    folder.pop();
    folder
}
