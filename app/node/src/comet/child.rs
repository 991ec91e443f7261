//! The CometBFT child process.

use std::{
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};

use super::{CometBinary, CometError, HomeLock};
use crate::{config::Home, listening};

/// A running CometBFT on a home.
#[derive(Debug)]
pub struct CometChild {
    child: Child,
    _lock: HomeLock,
}

impl CometChild {
    /// Starts CometBFT on `home`, with `abci` (`unix://…` or `tcp://…`) as its proxy_app whatever its config.toml says. The
    /// calling thread must live as long as the child may: the system ends the child with the thread that started it.
    ///
    /// # Errors
    /// [`CometError::HomeInUse`], or the system's refusal.
    pub fn start(binary: &CometBinary, home: &Home, abci: &str) -> Result<Self, CometError> {
        let lock = HomeLock::take(home)?;
        let mut command = Command::new(binary.path());
        command
            .args(["start", "--home"])
            .arg(home.root())
            .args(["--proxy_app", abci, "--abci", "socket"])
            .stdin(Stdio::null());
        for variable in listening::VARIABLES {
            command.env_remove(variable);
        }
        die_with_parent(&mut command);
        lock.inherit()?;
        let started = command.spawn().map_err(CometError::system(format!("starting {}", binary.path().display())));
        lock.keep()?;
        Ok(CometChild { child: started?, _lock: lock })
    }

    /// Its process ID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its status, if it has ended.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, CometError> {
        self.child.try_wait().map_err(CometError::system("asking for CometBFT's status"))
    }

    /// Asks it to stop (SIGTERM); [`CometChild::wait`] tells when it has.
    ///
    /// # Errors
    /// When the system refuses; none when it has ended already.
    pub fn ask_to_stop(&mut self) -> Result<(), CometError> {
        if self.ended()?.is_some() {
            return Ok(());
        }
        let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) else {
            return Ok(());
        };
        kill_process(pid, Signal::TERM).map_err(|error| CometError::system("stopping CometBFT")(error.into()))
    }

    /// Ends it: asks it to stop, gives it `grace` to write what it has, then ends it hard.
    ///
    /// # Errors
    /// When the system cannot say what became of it.
    pub fn end(mut self, grace: Duration) -> Result<ExitStatus, CometError> {
        self.ask_to_stop()?;
        let deadline = Deadline::after(grace);
        while !deadline.passed() {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        self.child.kill().map_err(CometError::system("ending CometBFT"))?;
        self.wait()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn wait(&mut self) -> Result<ExitStatus, CometError> {
        self.child.wait().map_err(CometError::system("waiting for CometBFT"))
    }
}

impl Drop for CometChild {
    fn drop(&mut self) {
        // A node that ends must not leave a CometBFT behind; nothing better can be done with a failure here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A point in this process's time. It bounds the patience with a child and decides nothing else.
#[allow(clippy::disallowed_types)]
struct Deadline(std::time::Instant, Duration);

#[allow(clippy::disallowed_types)]
impl Deadline {
    fn after(grace: Duration) -> Self {
        Deadline(std::time::Instant::now(), grace)
    }
    fn passed(&self) -> bool {
        self.0.elapsed() >= self.1
    }
}

/// Has the system end the child when this process ends in whatever way.
#[allow(unsafe_code)]
fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    // SAFETY: between fork and exec only async-signal-safe calls are allowed; these are two bare system calls, and the error
    // that is made from an errno allocates nothing.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // The parent may have ended before the line above took effect.
            if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
        });
    }
}
