//! The node's process.

use std::{
    ffi::OsString,
    io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{clock::Moment, command, sockets::Sockets};

/// How often an ending node is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Tells a node that its standard input is a socket of its supervisor's.
const CONTROL_VARIABLE: &str = "SWINGD_SUPERVISOR";
/// Tells it to wait there for the word to go.
const STANDBY_VARIABLE: &str = "SWINGD_STANDBY";

/// cosmovisor's: a node that finds it waits to be ended by a supervisor that polls, which this one is not.
const COSMOVISOR_VARIABLE: &str = "DAEMON_NAME";

/// How a node is started.
#[derive(Debug)]
pub enum Start {
    /// With no socket of ours.
    Alone,
    /// Over this it tells us of its last commit.
    Connected(UnixStream),
    /// Over this it waits for our word first.
    StandBy(UnixStream),
}

/// A running node. It dies with the thread that started it.
#[derive(Debug)]
pub struct Node {
    child: Child,
    started: Moment,
}

impl Node {
    /// Starts it, with our outputs, environment and listening sockets.
    ///
    /// # Errors
    /// The system's.
    pub fn start(binary: &Path, arguments: &[OsString], sockets: &Sockets, how: Start) -> io::Result<Self> {
        let mut command = Command::new(binary);
        command.args(arguments).stdin(Stdio::null()).env_remove(CONTROL_VARIABLE).env_remove(STANDBY_VARIABLE);
        command.env_remove(COSMOVISOR_VARIABLE);
        if matches!(how, Start::StandBy(_)) {
            command.env(STANDBY_VARIABLE, "1");
        }
        if let Start::Connected(control) | Start::StandBy(control) = how {
            command.stdin(OwnedFd::from(control)).env(CONTROL_VARIABLE, "stdin");
        }
        sockets.pass(&mut command)?;
        Ok(Node { child: command::spawn(&mut command)?, started: Moment::now() })
    }

    /// Its process ID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// It has stood by, and runs from now on.
    pub fn begin(&mut self) {
        self.started = Moment::now();
    }

    /// For how long it has run, milliseconds.
    pub fn age_ms(&self) -> u64 {
        self.started.elapsed_ms()
    }

    /// Its exit code, if it has ended.
    ///
    /// # Errors
    /// The system's.
    pub fn ended(&mut self) -> io::Result<Option<u8>> {
        Ok(self.child.try_wait()?.map(command::exit_code))
    }

    /// Passes a signal on. One that has ended needs none.
    pub fn signal(&self, number: i32) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let (Some(pid), Some(signal)) = (pid, Signal::from_named_raw(number)) {
            // It may have ended this moment.
            let _ = kill_process(pid, signal);
        }
    }

    /// Has it end: the signal, `grace_ms` to end by itself, then SIGKILL. Gives its exit code.
    ///
    /// # Errors
    /// The system's.
    pub fn end(&mut self, signal: i32, grace_ms: u64) -> io::Result<u8> {
        self.signal(signal);
        let asked = Moment::now();
        while asked.elapsed_ms() < grace_ms {
            if let Some(code) = self.ended()? {
                return Ok(code);
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
        tracing::warn!(grace_ms, "the node did not end in its time and is killed");
        self.child.kill()?;
        Ok(command::exit_code(self.child.wait()?))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Whoever drops a running node has failed; it must not run unwatched.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
