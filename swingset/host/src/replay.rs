//! Doing a vat's recorded deliveries once more, with no kernel: under the supervisor that it had, or under another one, to see whether
//! and where it would ask for something else. Source: SwingSet's `replay-transcript` tool.
//!
//! # Invariants
//! - Nothing is written. The vat's state comes from the incarnation's first delivery, or from the pages of a state that is held.

use std::{fmt, sync::Arc};

use swingset_abi::{
    vat::{DeliveryOutcome, DeliveryVerdict, VatDelivery, VatSyscall},
    wire::{Blob, Wire},
};

use crate::{
    admission::ModuleRole,
    bundle::{Bundle, BundleKind, LockdownPolicy, bundle_id},
    engine::{EngineRuntime, PreparedModule},
    env::Environment,
    error::Halt,
    installed, pages,
    schedule::SCHEDULE,
    transcript::TranscriptEntry,
    worker::{Event, Order, VatLimits, VatParts, Worker},
};

/// Why a transcript cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The span does not say all.
    #[error(
        "the transcript has a gap before block {height}: the delivery before was in block {previous}, and is not in the span"
    )]
    Gap {
        /// The block after the gap.
        height: u64,
        /// The block of the delivery that is missing.
        previous: u64,
    },
    /// A memory of one supervisor means nothing to another.
    #[error(
        "another supervisor can only begin with an incarnation: the span must begin with the delivery startVat of block {height} or before"
    )]
    MidIncarnation {
        /// The first block of the span.
        height: u64,
    },
    /// The state before the span is not held.
    #[error(
        "the span begins within an incarnation, and the state of block {height} before it is not held: begin with startVat, or take a \
         checkpoint or a home that keeps more versions (pruning)"
    )]
    NoState {
        /// The block whose state is needed.
        height: u64,
    },
    /// A bundle cannot be used.
    #[error("{0}")]
    Bundle(String),
    /// This node's fault.
    #[error(transparent)]
    Halt(#[from] Halt),
}

/// Where a replay left the recorded path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The block.
    pub height: u64,
    /// The kernel's count of cranks at the delivery.
    pub crank_number: u64,
    /// The delivery, in words.
    pub delivery: String,
    /// The number of the syscall in the delivery, from 0; none when the delivery's end differs.
    pub syscall: Option<usize>,
    /// What was recorded.
    pub expected: String,
    /// What came now.
    pub found: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "block {}, crank {}, {}: ", self.height, self.crank_number, self.delivery)?;
        match self.syscall {
            Some(number) => write!(f, "syscall {number}")?,
            None => write!(f, "the end")?,
        }
        write!(f, ": recorded {}, now {}", self.expected, self.found)
    }
}

/// What was done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Deliveries done.
    pub deliveries: u64,
    /// Syscalls compared.
    pub syscalls: u64,
    /// Computrons that were recorded for them.
    pub computrons_recorded: u64,
    /// Computrons that they took now.
    pub computrons: u64,
    /// Where it left the recorded path, if it did: the replay ends there.
    pub divergence: Option<Divergence>,
}

/// A vat that is replayed.
pub struct VatReplay<'a> {
    runtime: Arc<EngineRuntime>,
    /// A state that has the vat's bundles.
    bundles: &'a dyn Environment,
    /// The state before the span, where it is held.
    before: Option<&'a dyn Environment>,
    supervisor: Option<(String, Arc<PreparedModule>)>,
    worker: Option<Worker>,
    /// Block of the last delivery done.
    last: Option<u64>,
    /// The supervisor is the recorded one: costs and memory must be the same too.
    same: bool,
    report: ReplayReport,
}

impl fmt::Debug for VatReplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VatReplay").field("last", &self.last).field("report", &self.report).finish_non_exhaustive()
    }
}

/// How the vat goes on after a syscall.
enum Next {
    Answer(Order),
    /// It went no further then, or goes another way now.
    Ends,
}

impl<'a> VatReplay<'a> {
    /// A replay with the bundles of `bundles`, and under another supervisor if its bundle's bytes are given. `before` is the state after
    /// the block before the span's first, where it is held: a span that begins within an incarnation needs it.
    ///
    /// # Errors
    /// A supervisor that is none, or that is not admitted.
    pub fn new(
        runtime: Arc<EngineRuntime>,
        bundles: &'a dyn Environment,
        before: Option<&'a dyn Environment>,
        supervisor: Option<&[u8]>,
    ) -> Result<Self, ReplayError> {
        let supervisor = supervisor.map(|bytes| chosen(&runtime, bytes)).transpose()?;
        let report = ReplayReport::default();
        Ok(VatReplay { runtime, bundles, before, supervisor, worker: None, last: None, same: true, report })
    }

    /// What was done so far.
    pub fn report(&self) -> &ReplayReport {
        &self.report
    }

    /// Whether the last delivery was done under the supervisor that was recorded for it: costs and memory must be the same then.
    pub fn same_supervisor(&self) -> bool {
        self.same
    }

    /// Does the next delivery of the span, one of block `height`. After a divergence nothing more is done.
    ///
    /// # Errors
    /// What keeps it from being replayed.
    pub fn deliver(&mut self, height: u64, entry: &TranscriptEntry) -> Result<(), ReplayError> {
        if self.report.divergence.is_some() {
            return Ok(());
        }
        match (entry.previous_height, self.last) {
            (None, _) => self.begin(entry, None)?,
            (Some(previous), Some(last)) if previous == last => {}
            (Some(previous), Some(_)) => return Err(ReplayError::Gap { height, previous }),
            (Some(_), None) if self.differs_from(entry) => return Err(ReplayError::MidIncarnation { height }),
            (Some(previous), None) => {
                let held = self.before.ok_or(ReplayError::NoState { height: height.saturating_sub(1) })?;
                self.begin(entry, Some((held, previous)))?;
            }
        }
        self.last = Some(height);
        self.same = !self.differs_from(entry);
        self.repeat(height, entry)
    }

    /// The root over the vat's memory and globals now; none where it has no instance.
    ///
    /// # Errors
    /// This node's fault.
    pub fn root(&mut self) -> Result<Option<[u8; 32]>, ReplayError> {
        let Some(worker) = &mut self.worker else { return Ok(None) };
        match worker.order(Order::Capture)? {
            Event::Captured(capture) => Ok(Some(capture.root)),
            _ => Err(Halt::new("a vat's worker answered something else than its pages").into()),
        }
    }

    fn differs_from(&self, entry: &TranscriptEntry) -> bool {
        self.supervisor.as_ref().is_some_and(|(id, _)| !entry.raw && *id != entry.source.supervisor_bundle_id)
    }

    /// Makes the instance: of the incarnation's start, or as a held state has it, whose last delivery must be that of block `previous`.
    fn begin(&mut self, entry: &TranscriptEntry, held: Option<(&dyn Environment, u64)>) -> Result<(), ReplayError> {
        let policy = self.policy(&entry.source.lockdown_bundle_id)?;
        let vat = self.module(&entry.source.bundle_id, ModuleRole::Vat, policy.floats)?;
        let supervisor = match &self.supervisor {
            _ if entry.raw => None,
            Some((_, chosen)) => Some(chosen.clone()),
            None => Some(self.module(&entry.source.supervisor_bundle_id, ModuleRole::Supervisor, false)?),
        };
        let restore = match held {
            None => None,
            Some((state, previous)) => {
                let stored = pages::load(state, &entry.vat)?;
                let (leaf, restore) =
                    stored.ok_or_else(|| Halt::new(format!("no pages of vat {} are held", entry.vat)))?;
                if leaf.height != previous {
                    return Err(ReplayError::Gap { height: leaf.height, previous });
                }
                Some(restore)
            }
        };
        let parts = VatParts { runtime: self.runtime.clone(), vat, supervisor, limits: VatLimits::of(&policy) };
        let (worker, event) = Worker::start(parts, restore)?;
        match event {
            Event::Ready { .. } => self.worker = Some(worker),
            Event::Unusable(word) => return Err(ReplayError::Bundle(format!("the vat cannot be made: {word}"))),
            _ => return Err(Halt::new("a vat's worker began with something else than being ready").into()),
        }
        Ok(())
    }

    fn policy(&self, id: &str) -> Result<LockdownPolicy, ReplayError> {
        let bundle =
            installed::read(self.bundles, id)?.filter(|bundle| bundle.manifest.kind == BundleKind::Lockdown {});
        let bundle = bundle.ok_or_else(|| ReplayError::Bundle(format!("lockdown {id} is not installed here")))?;
        LockdownPolicy::parse(bundle.content())
            .map_err(|error| ReplayError::Bundle(format!("lockdown {id}: {}", error.problem)))
    }

    fn module(&self, id: &str, role: ModuleRole, floats: bool) -> Result<Arc<PreparedModule>, ReplayError> {
        let module = installed::module(self.bundles, &self.runtime, id, role, floats)?;
        module.ok_or_else(|| ReplayError::Bundle(format!("bundle {id} is not installed here as a {role:?}")))
    }

    fn repeat(&mut self, height: u64, entry: &TranscriptEntry) -> Result<(), ReplayError> {
        // Under another supervisor the recorded limit says nothing: it is given the most that there is.
        let (fuel, used) = if self.same { (entry.fuel, entry.used) } else { (SCHEDULE.fuel(u64::MAX), 0) };
        let mut order = Order::Deliver { delivery: Arc::from(entry.delivery.0.as_slice()), fuel, used };
        let mut made = 0;
        loop {
            let worker = self.worker.as_mut().ok_or_else(|| Halt::new("a replayed vat has no instance"))?;
            match worker.order(order)? {
                Event::Syscall(step) => match self.compare_syscall(height, entry, made, &step) {
                    Next::Answer(reply) => order = reply,
                    Next::Ends => {
                        self.worker = None;
                        return Ok(());
                    }
                },
                Event::Done { outcome, .. } => {
                    self.compare_end(height, entry, made, &outcome);
                    if outcome.verdict != (DeliveryVerdict::Ok {}) {
                        self.worker = None;
                    }
                    return Ok(());
                }
                _ => return Err(Halt::new("a vat's worker answered something else than a delivery's step").into()),
            }
            made = made.saturating_add(1);
        }
    }

    fn compare_syscall(&mut self, height: u64, entry: &TranscriptEntry, number: usize, step: &[u8]) -> Next {
        // A step is a tag, and the syscall.
        let found = Blob(step.get(1..).unwrap_or_default().to_vec());
        let expected = match entry.syscalls.get(number) {
            Some(recorded) if recorded.syscall == found => {
                self.report.syscalls = self.report.syscalls.saturating_add(1);
                let reply = recorded.reply.as_ref();
                return reply.map_or(Next::Ends, |reply| Next::Answer(Order::Reply(Arc::from(reply.0.as_slice()))));
            }
            Some(recorded) => word::<VatSyscall>(&recorded.syscall),
            None => format!("no further syscall: the delivery ended with {:?}", entry.outcome.verdict),
        };
        self.diverge(height, entry, Some(number), expected, word::<VatSyscall>(&found));
        Next::Ends
    }

    fn compare_end(&mut self, height: u64, entry: &TranscriptEntry, made: usize, outcome: &DeliveryOutcome) {
        let report = &mut self.report;
        report.deliveries = report.deliveries.saturating_add(1);
        report.computrons = report.computrons.saturating_add(outcome.computrons);
        report.computrons_recorded = report.computrons_recorded.saturating_add(entry.outcome.computrons);
        if let Some(recorded) = entry.syscalls.get(made) {
            let (expected, found) = (word::<VatSyscall>(&recorded.syscall), format!("the end: {:?}", outcome.verdict));
            self.diverge(height, entry, Some(made), expected, found);
        } else if outcome.verdict != entry.outcome.verdict || (self.same && *outcome != entry.outcome) {
            let text = |outcome: &DeliveryOutcome| format!("{:?}, {} computrons", outcome.verdict, outcome.computrons);
            self.diverge(height, entry, None, text(&entry.outcome), text(outcome));
        }
    }

    fn diverge(
        &mut self,
        height: u64,
        entry: &TranscriptEntry,
        syscall: Option<usize>,
        expected: String,
        found: String,
    ) {
        let (crank_number, delivery) = (entry.crank_number, word::<VatDelivery>(&entry.delivery));
        self.report.divergence = Some(Divergence { height, crank_number, delivery, syscall, expected, found });
    }
}

/// A chosen supervisor: its ID and its module.
fn chosen(runtime: &EngineRuntime, bytes: &[u8]) -> Result<(String, Arc<PreparedModule>), ReplayError> {
    let bundle = Bundle::decode(bytes).map_err(|error| ReplayError::Bundle(error.to_string()))?;
    if bundle.manifest.kind != (BundleKind::Supervisor {}) {
        let kind = bundle.manifest.kind.name();
        return Err(ReplayError::Bundle(format!("a supervisor bundle is needed, this is a {kind} bundle")));
    }
    let id = bundle_id(bytes);
    let module = runtime.prepare(&id, ModuleRole::Supervisor, false, bundle.content());
    Ok((id.clone(), module.map_err(|halt| ReplayError::Bundle(halt.0))?))
}

/// Longest text of a value in a report.
const WORD_BYTES_MAX: usize = 2_000;

/// A recorded value in words.
fn word<T: Wire + fmt::Debug>(bytes: &Blob) -> String {
    let text = match T::from_bytes(&bytes.0) {
        Ok(value) => format!("{value:?}"),
        Err(_) => format!("{} bytes that are malformed", bytes.0.len()),
    };
    match text.char_indices().nth(WORD_BYTES_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
