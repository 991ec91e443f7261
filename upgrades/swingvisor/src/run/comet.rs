//! CometBFT as a child of swingvisor's.
//!
//! # Invariants
//! - It holds the lock on the home that it is started on: no second CometBFT runs there, whoever starts it.
//! - It ends with swingvisor, also when that is killed.

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::{
    fs::{FlockOperation, flock},
    io::{FdFlags, fcntl_setfd},
    process::{Pid, Signal, kill_process},
};

use crate::{
    clock::Moment,
    command::{self, Told},
};

/// The version line that the node speaks ABCI with.
const VERSION_LINE: &str = "0.38.";
/// How long the question for its version may take.
const VERSION_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a CometBFT of before may still hold the home.
const LOCK_TIME_MAX: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Finds CometBFT 0.38: the one that was named, else `$COMETBFT`, else the one on the search path.
///
/// # Errors
/// That there is none, or that it is of another version.
pub(super) fn find(named: Option<PathBuf>, told: &Told) -> io::Result<PathBuf> {
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join("cometbft")).find(|path| path.is_file())
    };
    let program = named.or_else(|| std::env::var_os("COMETBFT").map(PathBuf::from)).or_else(on_path);
    let program = program.ok_or_else(|| {
        let reason = "there is no cometbft 0.38: name it with --cometbft or COMETBFT, or put it on the PATH";
        io::Error::new(io::ErrorKind::NotFound, reason)
    })?;
    let output =
        command::run(Command::new(&program).arg("version"), VERSION_TIME_MAX, told).map_err(io::Error::other)?;
    let version = String::from_utf8_lossy(&output.stdout).trim().trim_start_matches('v').to_owned();
    if version.starts_with(VERSION_LINE) {
        return Ok(program);
    }
    Err(io::Error::other(format!("{} has version {version:?}, expected {VERSION_LINE}x", program.display())))
}

/// A running CometBFT.
#[derive(Debug)]
pub(super) struct Comet {
    child: Child,
    _lock: File,
}

impl Comet {
    /// Starts it on `home`, with `address` as its proxy_app. It ends with the calling thread.
    pub fn start(program: &Path, home: &Path, address: &str) -> io::Result<Self> {
        let lock = lock(home)?;
        let mut command = Command::new(program);
        command.args(["start", "--home"]).arg(home).args(["--proxy_app", address, "--abci", "socket"]);
        command.stdin(Stdio::null());
        fcntl_setfd(&lock, FdFlags::empty())?;
        let child = command::spawn(&mut command);
        fcntl_setfd(&lock, FdFlags::CLOEXEC)?;
        Ok(Comet { child: child?, _lock: lock })
    }

    /// Its process ID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Has it end, and waits: SIGTERM, `grace_ms` to write what it has, then SIGKILL.
    pub fn end(&mut self, grace_ms: u64) -> io::Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended this moment.
            let _ = kill_process(pid, Signal::TERM);
        }
        let asked = Moment::now();
        while asked.elapsed_ms() < grace_ms {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Comet {
    fn drop(&mut self) {
        // Whoever drops a running one has failed; it must not run unwatched.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lock that a node takes too when CometBFT is its child.
fn lock(home: &Path) -> io::Result<File> {
    let path = home.join("data").join("cometbft.lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
    let began = Moment::now();
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) if began.elapsed() < LOCK_TIME_MAX => {
                std::thread::park_timeout(LOOK_EVERY);
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(io::Error::other(format!(
                    "another CometBFT runs on {}: {} is locked",
                    home.display(),
                    path.display()
                )));
            }
            Err(error) => return Err(error.into()),
        }
    }
}
