//! What the stories share: a folder that goes with the test, the binaries, and one network at a time.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use swing_localnet::binaries::Binaries;

/// How long a story waits for anything: far above what it takes on a loaded machine of two cores.
pub const SOON: Duration = Duration::from_secs(240);

/// Networks are heavy: stories run one after the other, whatever the number of test threads.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A story's place.
pub struct Stage {
    folder: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    /// Waits for its turn and makes a new folder, short enough for a socket's path.
    pub fn new() -> Self {
        // A story that failed leaves nothing behind that the next could trip over.
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
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

/// The folder that cargo puts the binaries into, two above this test's own.
fn program_folder() -> PathBuf {
    let mut folder = std::env::current_exe().expect("a running test has a path");
    folder.pop();
    folder.pop();
    folder
}
