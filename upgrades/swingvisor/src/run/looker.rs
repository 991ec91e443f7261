//! Looking at committed state while the node runs, and making ready for its plan.

use std::{
    ffi::OsString,
    io,
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use super::Event;
use crate::{
    clock::Moment,
    command::Told,
    config::Config,
    core::{Answer, EXIT_TOO_EARLY, Facts, Plan, Running, Slot, WatchAction, folder_of_plan, watch},
    fetch::{Installer, Planned, Transfer},
    files::Files,
    home,
    probe::{Identity, Prober, Signature, signature},
};

/// A binary that was found fit is asked once more when so few blocks are left.
const ASK_AGAIN_BLOCKS: u64 = 10;
/// Heights that the estimate of the block time spans.
const SAMPLES_MAX: usize = 120;

/// What a look found.
#[derive(Clone, Debug)]
pub struct Look {
    /// The running binary's answer.
    pub answer: Answer,
    /// Slots with a binary.
    pub installed: std::collections::BTreeSet<Slot>,
    /// Who the running binary is.
    pub own: Option<Identity>,
    /// The plan's binary, asked and found fit.
    pub armed: Option<(Slot, Identity)>,
    /// Why the plan's binary is not ready.
    pub problem: Option<String>,
    /// Milliseconds a block, over the last looks.
    pub block_ms: Option<u64>,
    /// The node must be ended, and why.
    pub end: Option<String>,
}

/// Whether the binary in a plan's slot could take over for it, before it is due: it is the one that the plan names, a program for this
/// machine, says who it is, and reads the home. That it would not run now, being for the plan alone, is no fault.
///
/// # Errors
/// Why it could not.
pub fn arm(prober: &Prober, planned: &Planned, plan: &Plan, slot: &Slot, binary: &Path) -> Result<Identity, String> {
    planned.hold(plan, slot)?;
    let identity = prober.identify(binary)?;
    match prober.status(binary)?.stop {
        Some(stop) if stop.exit_code != EXIT_TOO_EARLY => {
            Err(format!("it would stop with exit code {}: {}", stop.exit_code, stop.lines.join("; ")))
        }
        _ => Ok(identity),
    }
}

/// The thread that looks. It ends when dropped.
#[derive(Debug)]
pub struct Looker {
    told: Told,
    wake: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Looker {
    /// Starts looking at the node in `slot`, started with `arguments`.
    ///
    /// # Errors
    /// The system's.
    pub fn start(
        config: &Config,
        files: &Arc<dyn Files>,
        planned: Arc<Planned>,
        facts: &Facts,
        slot: &Slot,
        arguments: &[OsString],
        events: Sender<Event>,
    ) -> io::Result<Self> {
        let told = Told::new();
        let (wake, woken) = channel();
        let eye = Eye {
            prober: super::prober(config, arguments, &told),
            transfer: super::transfer(config, &told),
            config: config.clone(),
            files: Arc::clone(files),
            planned,
            facts: Facts { current: Some(slot.clone()), fetch_failed: None, ..facts.clone() },
            slot: slot.clone(),
            stop_since: None,
            armed: None,
            asked_again: None,
            problem: None,
            said: None,
            fetch_failed_at: None,
            own: None,
            heights: Vec::new(),
        };
        let thread = std::thread::Builder::new().name("looker".to_owned()).spawn(move || eye.watch(&woken, &events))?;
        Ok(Looker { told, wake: Some(wake), thread: Some(thread) })
    }
}

impl Looker {
    /// Has it end, and does not wait: what it asks now is interrupted.
    pub fn dismiss(&mut self) {
        self.told.tell();
        self.wake = None;
    }
}

impl Drop for Looker {
    fn drop(&mut self) {
        self.dismiss();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that looks at committed state panicked");
        }
    }
}

/// A binary that was found fit, for this plan.
#[derive(Clone)]
struct Armed {
    plan: Plan,
    slot: Slot,
    signature: Signature,
    identity: Identity,
}

struct Eye {
    config: Config,
    files: Arc<dyn Files>,
    planned: Arc<Planned>,
    prober: Prober,
    transfer: Transfer,
    facts: Facts,
    slot: Slot,
    stop_since: Option<Moment>,
    armed: Option<Armed>,
    /// The plan height before which the binary was asked once more.
    asked_again: Option<u64>,
    problem: Option<String>,
    /// The problem that was told last.
    said: Option<String>,
    fetch_failed_at: Option<Moment>,
    own: Option<Identity>,
    heights: Vec<(Moment, u64)>,
}

impl Eye {
    fn watch(mut self, woken: &Receiver<()>, events: &Sender<Event>) {
        let rest = Duration::from_millis(self.config.poll_interval_ms);
        // The first look waits too: a node that just starts has better things to do.
        while woken.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
            let look = self.look();
            if events.send(Event::Look(Box::new(look))).is_err() {
                return;
            }
        }
    }

    fn look(&mut self) -> Look {
        let binary = self.config.layout.binary(&self.slot);
        let answer = self.prober.status(&binary);
        if self.own.is_none() {
            self.own = self.prober.identify(&binary).ok();
        }
        self.facts.installed = home::installed(self.files.as_ref(), &self.config.layout).unwrap_or_default();
        self.note(&answer);
        let end = self.make_ready(&answer);
        let problem = self.problem.clone().or(self.facts.fetch_failed.clone());
        Look {
            answer,
            installed: self.facts.installed.clone(),
            own: self.own.clone(),
            armed: self.armed.as_ref().map(|armed| (armed.slot.clone(), armed.identity.clone())),
            problem,
            block_ms: self.block_ms(),
            end,
        }
    }

    fn note(&mut self, answer: &Answer) {
        let Ok(status) = answer else { return };
        if status.stop.is_none() {
            self.stop_since = None;
        } else if self.stop_since.is_none() {
            self.stop_since = Some(Moment::now());
        }
        if self.heights.last().is_none_or(|(_, height)| *height < status.committed_height) {
            self.heights.push((Moment::now(), status.committed_height));
            let surplus = self.heights.len().saturating_sub(SAMPLES_MAX);
            self.heights.drain(..surplus);
        }
    }

    fn block_ms(&self) -> Option<u64> {
        let ((first, from), (last, to)) = (self.heights.first()?, self.heights.last()?);
        let span_ms = first.elapsed_ms().saturating_sub(last.elapsed_ms());
        span_ms.checked_div(to.saturating_sub(*from))
    }

    /// Fetches and asks the plan's binary; says whether the node must be ended.
    fn make_ready(&mut self, answer: &Answer) -> Option<String> {
        let plan = answer.as_ref().ok().and_then(|status| status.plan.as_ref());
        if let Some(armed) = &self.armed
            && (signature(&self.config.layout.binary(&armed.slot)).ok() != Some(armed.signature)
                || plan.is_some_and(|plan| *plan != armed.plan))
        {
            self.armed = None;
        }
        self.problem = None;
        self.ask_again_before_the_height(answer);
        let again = self.fetch_failed_at.is_some_and(|at| at.elapsed_ms() >= self.config.policy.backoff_max_ms);
        if again {
            (self.facts.fetch_failed, self.fetch_failed_at) = (None, None);
        }
        let running = Running {
            answer: answer.clone(),
            stop_due_ms: self.stop_since.map(Moment::elapsed_ms),
            armed: self.armed.iter().map(|armed| armed.slot.clone()).collect(),
        };
        match watch(&running, &self.facts) {
            WatchAction::Wait => {
                self.look_at_an_early_one(answer);
                None
            }
            WatchAction::End { reason } => Some(reason),
            WatchAction::Arm(plan, slot) => {
                self.arm(&plan, &slot);
                None
            }
            WatchAction::Fetch(plan, slot) => {
                let (files, layout) = (self.files.as_ref(), &self.config.layout);
                let installer = Installer { files, layout, prober: &self.prober, transfer: &self.transfer };
                match installer.fetch(&plan, &slot) {
                    Ok(identity) => {
                        tracing::info!(plan = plan.name, sha256 = identity.sha256, "the plan's binary is downloaded");
                        self.arm(&plan, &slot);
                    }
                    Err(error) => {
                        tracing::error!(plan = plan.name, %error, "the plan's binary could not be downloaded");
                        self.facts.fetch_failed = Some(error.to_string());
                        self.fetch_failed_at = Some(Moment::now());
                    }
                }
                None
            }
        }
    }

    /// What was fit when the plan was new may not be any more: a library that is gone, a home that changed.
    fn ask_again_before_the_height(&mut self, answer: &Answer) {
        let Ok(status) = answer else { return };
        let near = status.plan.as_ref().map(|plan| plan.height).filter(|height| {
            height.saturating_sub(status.committed_height) <= ASK_AGAIN_BLOCKS && self.asked_again != Some(*height)
        });
        if let (Some(height), Some(Armed { plan, slot, .. })) = (near, self.armed.take_if(|_| near.is_some())) {
            self.asked_again = Some(height);
            self.planned.forget(&slot);
            self.arm(&plan, &slot);
        }
    }

    /// The plan's binary may be the one that runs.
    fn look_at_an_early_one(&mut self, answer: &Answer) {
        let plan = answer.as_ref().ok().and_then(|status| status.plan.as_ref());
        let folder = plan.and_then(|plan| folder_of_plan(&plan.name, self.facts.policy.keep_case).ok());
        if let (Some(plan), Some(folder)) = (plan, folder)
            && self.slot == Slot::Upgrade(folder)
        {
            self.problem = self.planned.hold(plan, &self.slot).err();
        }
    }

    fn arm(&mut self, plan: &Plan, slot: &Slot) {
        let binary = self.config.layout.binary(slot);
        let Ok(now) = signature(&binary) else { return };
        match arm(&self.prober, &self.planned, plan, slot, &binary) {
            Ok(identity) => {
                tracing::info!(%slot, release = identity.release, sha256 = identity.sha256, "the plan's binary is ready");
                self.said = None;
                let limit = Duration::from_millis(self.config.pre_upgrade_timeout_ms);
                match self.prober.precompile(&binary, limit) {
                    Ok(said) => tracing::info!(%slot, said, "precompiled"),
                    Err(reason) => tracing::debug!(%slot, reason, "not precompiled"),
                }
                self.armed = Some(Armed { plan: plan.clone(), slot: slot.clone(), signature: now, identity });
            }
            Err(problem) => {
                // It is asked again at the next look; what is known is not said again.
                if self.said.as_ref() != Some(&problem) {
                    tracing::error!(%slot, problem, "the plan's binary is not fit");
                }
                self.said = Some(problem.clone());
                self.problem = Some(problem);
            }
        }
    }
}
