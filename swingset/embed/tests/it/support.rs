//! What the tests build on: one engine for all, the program as a child process, and states to compare.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, OnceLock},
};

use swingset_embed::{Compaction, FileEnvironment, Machine, Outcome};
use swingset_host::{EngineRuntime, engine::CodeCache};
use tempfile::TempDir;

/// A folder for one test.
pub struct Place {
    folder: TempDir,
}

/// Compiled code, in the build's own folder for tests.
fn code_cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("embed-code")
}

/// One engine for all tests; the children share its compiled code.
pub fn runtime() -> Arc<EngineRuntime> {
    static RUNTIME: OnceLock<Arc<EngineRuntime>> = OnceLock::new();
    let make = || EngineRuntime::with_cache(Some(CodeCache::open(code_cache()).unwrap())).unwrap();
    RUNTIME.get_or_init(make).clone()
}

/// The entries of a state.
pub type State = Vec<(Vec<u8>, Vec<u8>)>;

pub fn entries(env: &FileEnvironment) -> State {
    env.entries().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

impl Place {
    pub fn new() -> Place {
        Place { folder: TempDir::new().unwrap() }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with these arguments, on a file of this folder.
    pub fn command(&self, file: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swingset-embed"));
        command.arg("--code-cache").arg(code_cache()).arg(self.file(file)).args(arguments).stdin(Stdio::null());
        command
    }

    /// What the program says; it must end well.
    #[track_caller]
    pub fn program(&self, file: &str, arguments: &[&str]) -> String {
        let output = self.command(file, arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn open(&self, file: &str) -> Machine {
        Machine::open(&self.file(file), Compaction::default(), runtime()).unwrap()
    }

    /// A state with these IDs queued for the counter.
    pub fn with_queue(&self, file: &str, ids: std::ops::Range<u32>) -> Machine {
        let mut machine = Machine::initialize(&self.file(file), Compaction::default(), runtime()).unwrap();
        queue(&mut machine, ids);
        machine
    }
}

pub fn queue(machine: &mut Machine, ids: std::ops::Range<u32>) {
    for id in ids {
        machine.send("counter", "add", &format!("[{id}]")).unwrap();
    }
}

pub fn run(machine: &mut Machine) {
    machine.run(1, &mut |_| {}).unwrap();
}

/// What the counter says of the IDs that reached it.
pub fn reading(machine: &mut Machine) -> String {
    machine.send("counter", "read", "[]").unwrap();
    run(machine);
    match machine.show().unwrap().last {
        Some((_, Some(Outcome::Fulfilled(data)))) => data.body,
        other => panic!("{other:?}"),
    }
}
