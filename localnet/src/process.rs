//! A child process with its output in a file, ended by its id when dropped.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait;

/// A running, or ended, child.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    /// Where this run's output begins in the log, which earlier runs share.
    log_start: u64,
}

impl Process {
    /// Starts `command` with both outputs appended to `log`.
    ///
    /// # Errors
    /// When the log cannot be opened or the program cannot be started.
    pub fn spawn(name: impl Into<String>, command: &mut Command, log: &Path) -> Result<Self> {
        let name = name.into();
        let file =
            OpenOptions::new().create(true).append(true).open(log).with_context(|| format!("log {}", log.display()))?;
        let log_start = file.metadata()?.len();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("starting {name}: {command:?}"))?;
        Ok(Process { name, child, log: log.to_owned(), log_start })
    }

    /// Its process ID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its status, if it has ended.
    ///
    /// # Errors
    /// When the status cannot be asked for.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("status of {}", self.name))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it still runs at the deadline; the end of its output is told.
    pub fn wait_for_end(&mut self, limit: Duration) -> Result<ExitStatus> {
        let what = format!("{} to end", self.name);
        let ended = wait::until(&what, limit, || Ok(self.child.try_wait()?));
        ended.with_context(|| format!("its last output:\n{}", self.output_tail(20)))
    }

    /// Waits until its output of this run contains `text`.
    ///
    /// # Errors
    /// At the deadline, or when it ends without having said it.
    pub fn wait_for_output(&mut self, text: &str, limit: Duration) -> Result<()> {
        let what = format!("{} to print `{text}`", self.name);
        let seen = wait::until(&what, limit, || {
            let over = self.child.try_wait()?;
            if self.output()?.contains(text) {
                return Ok(Some(()));
            }
            over.map_or(Ok(None), |status| {
                Err(anyhow::anyhow!("{} ended ({status}) without printing `{text}`", self.name))
            })
        });
        seen.with_context(|| format!("its last output:\n{}", self.output_tail(20)))
    }

    /// What it has printed in this run.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn output(&self) -> Result<String> {
        let mut file = File::open(&self.log)?;
        file.seek(SeekFrom::Start(self.log_start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The last `lines` lines of its output.
    pub fn output_tail(&self, lines: usize) -> String {
        let output = self.output().unwrap_or_default();
        let all: Vec<&str> = output.lines().collect();
        all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// When it has ended and its ID is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("a process ID out of range")?;
        kill_process(pid, signal).with_context(|| format!("signal to {}", self.name))
    }

    /// Ends it at once, as a power cut would.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        if self.ended()?.is_none() {
            self.child.kill()?;
        }
        Ok(self.child.wait()?)
    }

    /// Asks it to stop and waits. What it had started and left behind is asked to stop too: cosmovisor may end without its node.
    ///
    /// # Errors
    /// When one does not stop in time.
    pub fn stop(&mut self, limit: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        let started = children_of(self.child.id());
        self.signal(Signal::TERM)?;
        let ended = self.wait_for_end(limit)?;
        for child in started.iter().filter(|child| child.runs()) {
            // It may end by itself in this moment.
            let _ = kill_process(child.id, Signal::TERM);
            wait::until(
                &format!("what {} left behind to end", self.name),
                limit,
                || Ok((!child.runs()).then_some(())),
            )?;
        }
        Ok(ended)
    }
}

/// Somebody's child, told from a later process of the same ID by when it was started.
struct Started {
    id: Pid,
    started: String,
}

impl Started {
    fn runs(&self) -> bool {
        started_at(self.id).is_some_and(|started| started == self.started)
    }
}

/// The children of a process, as far as the system tells of them (Linux).
fn children_of(id: u32) -> Vec<Started> {
    let threads = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let ids = lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let ids = ids.filter_map(|id| id.parse().ok().and_then(Pid::from_raw));
    ids.filter_map(|id| started_at(id).map(|started| Started { id, started })).collect()
}

/// When a process that runs was started, in the system's ticks.
fn started_at(id: Pid) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero())).ok()?;
    // The name before the last bracket may hold anything. What has ended and was not waited for is `Z`.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    (state != "Z").then(|| fields.nth(18).map(str::to_owned)).flatten()
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing better can be done here with a failure: the child is gone, or not ours to end.
        let _ = self.stop(Duration::from_secs(10));
        let _ = self.kill();
    }
}
