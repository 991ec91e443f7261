//! Running a program for an answer: with a time limit, a cap on what it prints, and its death tied to ours.

use std::{
    io::{self, Read},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group, set_parent_process_death_signal};

use crate::clock::Moment;

/// What a program may print; the rest is dropped.
const OUTPUT_BYTES_MAX: u64 = 4 << 20;
/// How often a running program is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long a program that was just written may stay busy: a process forked meanwhile holds it open until it execs.
const BUSY_TIME_MAX: Duration = Duration::from_secs(2);

/// Set when swingvisor was told to stop: whatever waits gives up.
#[derive(Clone, Debug, Default)]
pub struct Told(Arc<AtomicBool>);

impl Told {
    /// Nobody was told yet.
    #[must_use]
    pub fn new() -> Self {
        Told::default()
    }

    /// Tells it.
    pub fn tell(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was told.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What a program said.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output, capped.
    pub stdout: Vec<u8>,
    /// Its standard error, capped.
    pub stderr: Vec<u8>,
}

impl Output {
    /// The last words on standard error, for a message.
    #[must_use]
    pub fn last_words(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        text.trim().lines().next_back().unwrap_or_default().to_owned()
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It cannot be started, or not be waited for.
    #[error("{program} cannot be run: {source}")]
    System {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It took too long, and was ended.
    #[error("{program} had not answered after {} ms and was ended", limit.as_millis())]
    Slow {
        /// The program.
        program: String,
        /// The limit.
        limit: Duration,
    },
    /// Swingvisor was told to stop meanwhile.
    #[error("{program} was ended: told to stop")]
    Told {
        /// The program.
        program: String,
    },
}

/// Runs a program to its end.
///
/// # Errors
/// [`CommandError`]; the program and what it started have then been ended.
pub fn run(command: &mut Command, limit: Duration, told: &Told) -> Result<Output, CommandError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let system = |source: io::Error| CommandError::System { program: program.clone(), source };
    // A group of its own, so that what a shell started ends with it.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = spawn(command).map_err(system)?;
    let (stdout, stderr) = (child.stdout.take().map(read_stdout), child.stderr.take().map(read_stderr));
    let began = Moment::now();
    let ended = loop {
        if let Some(status) = child.try_wait().map_err(system)? {
            break Ok(status);
        }
        if told.is_told() {
            break Err(CommandError::Told { program: program.clone() });
        }
        if began.elapsed() >= limit {
            break Err(CommandError::Slow { program: program.clone(), limit });
        }
        std::thread::park_timeout(LOOK_EVERY);
    };
    // Something that the program left behind must not keep its pipes, and us, waiting.
    end_group(&mut child);
    let collect =
        |reader: Option<JoinHandle<Vec<u8>>>| reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
    let (stdout, stderr) = (collect(stdout), collect(stderr));
    Ok(Output { status: ended?, stdout, stderr })
}

fn end_group(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // Nobody left in it is what is wanted.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

fn read_stdout(pipe: ChildStdout) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || drain(pipe))
}

fn read_stderr(pipe: ChildStderr) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || drain(pipe))
}

/// Reads to the end, keeps the first part.
fn drain(mut pipe: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    // What cannot be read is as good as not said.
    let _ = pipe.by_ref().take(OUTPUT_BYTES_MAX).read_to_end(&mut kept);
    let _ = io::copy(&mut pipe, &mut io::sink());
    kept
}

/// Starts a program that the system ends together with the calling thread, in whatever way that ends.
///
/// # Errors
/// The system's.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    die_with_parent(command);
    let began = Moment::now();
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && began.elapsed() < BUSY_TIME_MAX => {
                std::thread::park_timeout(LOOK_EVERY);
            }
            result => return result,
        }
    }
}

#[cfg(target_os = "linux")]
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

/// Other systems have no such signal; there a killed swingvisor leaves its node running, and the lock of the node's home stands.
#[cfg(not(target_os = "linux"))]
fn die_with_parent(_command: &mut Command) {}

/// The exit code as a shell tells it: 128 and the number for a signal.
#[must_use]
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| signal.saturating_add(128)));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
