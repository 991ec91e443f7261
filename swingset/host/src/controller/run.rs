//! Running cranks, under a policy.

use swingset_abi::kernel::{Command, CrankKind, CrankReport, Reply};

use super::{Controller, Result, crank::unexpected, install::noted};
use crate::{env::Environment, error::EngineError, keys, watch::CrankEnds};

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyVerdict {
    /// Another crank may run.
    GoOn,
    /// Enough for now.
    Enough,
}

/// Decides after each crank whether another may run (SwingSet `RunPolicy`).
pub trait RunPolicy {
    /// A vat was created.
    fn vat_created(&mut self) -> PolicyVerdict;
    /// A delivery ended well.
    fn crank_complete(&mut self, computrons: u64) -> PolicyVerdict;
    /// A delivery failed; its computrons count as well.
    fn crank_failed(&mut self, computrons: u64) -> PolicyVerdict;
    /// Nothing was delivered: routing, a splat, a message that the kernel itself answers.
    fn empty_crank(&mut self) -> PolicyVerdict;
    /// How many entries of terminated vats the next crank may delete; 0: that work waits (SwingSet `allowCleanup`).
    fn allow_cleanup(&mut self) -> u64 {
        CLEANUP_ENTRIES
    }
    /// A crank deleted so many entries of a terminated vat (SwingSet `didCleanup`), or gave back so many references without a delivery.
    fn did_cleanup(&mut self, _entries: u64) -> PolicyVerdict {
        self.empty_crank()
    }
}

/// Entries of terminated vats that one crank may delete when the policy does not say otherwise.
const CLEANUP_ENTRIES: u64 = 100;

/// Goes on until nothing is left.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunForever;

impl RunPolicy for RunForever {
    fn vat_created(&mut self) -> PolicyVerdict {
        PolicyVerdict::GoOn
    }
    fn crank_complete(&mut self, _computrons: u64) -> PolicyVerdict {
        PolicyVerdict::GoOn
    }
    fn crank_failed(&mut self, _computrons: u64) -> PolicyVerdict {
        PolicyVerdict::GoOn
    }
    fn empty_crank(&mut self) -> PolicyVerdict {
        PolicyVerdict::GoOn
    }
}

/// Goes on until a budget is used up. The last crank may go beyond it, by its own limit at most.
#[derive(Clone, Copy, Debug)]
pub struct ComputronBudget {
    left: u64,
    empty_crank: u64,
    vat_creation: u64,
    cleanup_entries: u64,
}

/// Computrons that a crank without a delivery counts for: it does the kernel's work all the same.
const EMPTY_CRANK: u64 = 100;
/// Computrons that a deleted entry of a terminated vat counts for.
const CLEANED_ENTRY: u64 = 20;
/// Computrons that a new vat counts for.
const VAT_CREATION: u64 = 300_000;

impl ComputronBudget {
    /// A budget of this many computrons.
    pub fn new(computrons: u64) -> Self {
        ComputronBudget {
            left: computrons,
            empty_crank: EMPTY_CRANK,
            vat_creation: VAT_CREATION,
            cleanup_entries: CLEANUP_ENTRIES,
        }
    }

    /// The same, and the state of terminated vats waits.
    #[must_use]
    pub fn without_cleanup(self) -> Self {
        ComputronBudget { cleanup_entries: 0, ..self }
    }

    /// What is left of it.
    pub fn left(&self) -> u64 {
        self.left
    }

    fn spend(&mut self, computrons: u64) -> PolicyVerdict {
        self.left = self.left.saturating_sub(computrons);
        if self.left == 0 { PolicyVerdict::Enough } else { PolicyVerdict::GoOn }
    }
}

impl RunPolicy for ComputronBudget {
    fn vat_created(&mut self) -> PolicyVerdict {
        self.spend(self.vat_creation)
    }
    fn crank_complete(&mut self, computrons: u64) -> PolicyVerdict {
        self.spend(computrons.max(1))
    }
    fn crank_failed(&mut self, computrons: u64) -> PolicyVerdict {
        self.spend(computrons.max(1))
    }
    fn empty_crank(&mut self) -> PolicyVerdict {
        self.spend(self.empty_crank)
    }
    fn allow_cleanup(&mut self) -> u64 {
        self.cleanup_entries
    }
    fn did_cleanup(&mut self, entries: u64) -> PolicyVerdict {
        self.spend(self.empty_crank.saturating_add(entries.saturating_mul(CLEANED_ENTRY)))
    }
}

/// Enough after so many cranks, whatever they were.
#[derive(Clone, Copy, Debug)]
pub struct CrankBudget(u64);

impl CrankBudget {
    /// A budget of this many cranks; of none, one is run all the same.
    pub fn new(cranks: u64) -> Self {
        CrankBudget(cranks)
    }

    fn spend(&mut self) -> PolicyVerdict {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 { PolicyVerdict::Enough } else { PolicyVerdict::GoOn }
    }
}

impl RunPolicy for CrankBudget {
    fn vat_created(&mut self) -> PolicyVerdict {
        PolicyVerdict::GoOn
    }
    fn crank_complete(&mut self, _computrons: u64) -> PolicyVerdict {
        self.spend()
    }
    fn crank_failed(&mut self, _computrons: u64) -> PolicyVerdict {
        self.spend()
    }
    fn empty_crank(&mut self) -> PolicyVerdict {
        self.spend()
    }
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunSummary {
    /// Cranks done.
    pub cranks: u64,
    /// Deliveries among them.
    pub deliveries: u64,
    /// Computrons charged, failed cranks included.
    pub computrons: u64,
    /// Nothing is left to do.
    pub idle: bool,
    /// The engine is stopped, for this reason.
    pub stopped: Option<String>,
}

impl Controller {
    /// Runs cranks while the policy says so and something is left. A stopped engine runs none, which is no error.
    ///
    /// # Errors
    /// `NotInitialized`; Halt.
    pub fn run(&mut self, env: &mut dyn Environment, policy: &mut dyn RunPolicy) -> Result<RunSummary> {
        let mut summary = RunSummary::default();
        let result = self.run_cranks(env, policy, &mut summary);
        match self.settle_after(env, result) {
            Ok(()) => {}
            Err(EngineError::Stopped(reason)) => summary.stopped = Some(reason),
            Err(error) => return Err(error),
        }
        Ok(summary)
    }

    /// One crank; none when nothing is left, and while a migration is under way, of which it does a slice.
    ///
    /// # Errors
    /// `NotInitialized`; Stopped; Halt.
    pub fn step(&mut self, env: &mut dyn Environment) -> Result<Option<CrankReport>> {
        self.check_running(env)?;
        let limit = self.default_policy(env)?.crank_computrons_default;
        let result = match self.migrate_slice(env) {
            Ok(true) => Ok(None),
            Ok(false) => {
                self.tell_installed(env)?;
                self.crank(env, limit, CLEANUP_ENTRIES)
                    .map(|report| Some(report).filter(|report| report.kind != CrankKind::Idle {}))
            }
            Err(error) => Err(error),
        };
        self.settle_after(env, result)
    }

    fn run_cranks(
        &mut self,
        env: &mut dyn Environment,
        policy: &mut dyn RunPolicy,
        summary: &mut RunSummary,
    ) -> Result<()> {
        self.check_running(env)?;
        // While a migration is under way only cranks wait: a run does one slice of it and no more.
        if self.migrate_slice(env)? {
            return Ok(());
        }
        self.tell_installed(env)?;
        let limit = self.default_policy(env)?.crank_computrons_default;
        loop {
            let report = self.crank(env, limit, policy.allow_cleanup())?;
            if report.kind == (CrankKind::Idle {}) {
                summary.idle = true;
                return Ok(());
            }
            summary.cranks = summary.cranks.saturating_add(1);
            summary.computrons = summary.computrons.saturating_add(report.computrons);
            if report.kind == (CrankKind::Delivery {}) {
                summary.deliveries = summary.deliveries.saturating_add(1);
            }
            if ask(policy, &report) == PolicyVerdict::Enough {
                return Ok(());
            }
        }
    }

    /// Tells the kernel of bundles that someone waits for and that were installed since the last crank.
    fn tell_installed(&mut self, env: &mut dyn Environment) -> Result<()> {
        let ids = noted(env)?;
        if ids.is_empty() {
            return Ok(());
        }
        match self.command(env, &Command::BundlesInstalled { ids })? {
            Reply::Done {} => Ok(env.delete(&keys::host(keys::INSTALLED))?),
            other => Err(unexpected(&other)),
        }
    }

    fn crank(&mut self, env: &mut dyn Environment, crank_limit_default: u64, cleanup_max: u64) -> Result<CrankReport> {
        self.desk.vats.watchers.crank_begins();
        let unchanged = self.desk.kv.unchanged();
        let result =
            match self.command(env, &Command::Step { crank_limit_default, cleanup_max, now: self.now, unchanged }) {
                Ok(Reply::Crank { report }) => Ok(report),
                Ok(other) => Err(unexpected(&other)),
                Err(error) => Err(error),
            };
        if !matches!(result, Err(EngineError::Halt(_))) {
            self.tell_crank_ends(env, result.as_ref().ok())?;
        }
        result
    }

    fn tell_crank_ends(&mut self, env: &dyn Environment, report: Option<&CrankReport>) -> Result<()> {
        if !self.desk.vats.watchers.any() {
            return Ok(());
        }
        let crank_number = self.crank_number(env)?;
        let hash = self.desk.kv.get(env, keys::ACTIVITY_HASH.as_bytes())?.unwrap_or_default();
        let activity_hash = String::from_utf8_lossy(hash).into_owned();
        let ended = CrankEnds { report, crank_number, activity_hash: &activity_hash };
        self.desk.vats.watchers.crank_ends(&ended);
        Ok(())
    }
}

fn ask(policy: &mut dyn RunPolicy, report: &CrankReport) -> PolicyVerdict {
    let mut verdict = PolicyVerdict::GoOn;
    for _ in 0..report.vats_created {
        if policy.vat_created() == PolicyVerdict::Enough {
            // The figure is the kernel's word, and may be any.
            verdict = PolicyVerdict::Enough;
            break;
        }
    }
    let crank = match report.kind {
        CrankKind::Delivery {} if report.aborted || report.terminated.is_some() => {
            policy.crank_failed(report.computrons)
        }
        CrankKind::Delivery {} => policy.crank_complete(report.computrons),
        CrankKind::Cleanup {} => policy.did_cleanup(report.cleaned),
        // No vat paid for what it deleted.
        _ if report.cleaned > 0 => policy.did_cleanup(report.cleaned),
        _ => policy.empty_crank(),
    };
    if verdict == PolicyVerdict::Enough { verdict } else { crank }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crank_without_a_delivery_deletes_is_paid_from_the_budget() {
        let report = |cleaned| CrankReport {
            kind: CrankKind::Empty {},
            vat_id: None,
            computrons: 0,
            aborted: false,
            terminated: None,
            panic: None,
            vats_created: 0,
            cleaned,
        };
        let mut budget = ComputronBudget::new(1_000_000);
        ask(&mut budget, &report(0));
        assert_eq!(budget.left(), 1_000_000 - EMPTY_CRANK);
        ask(&mut budget, &report(10_000));
        assert_eq!(budget.left(), 1_000_000 - 2 * EMPTY_CRANK - 10_000 * CLEANED_ENTRY);
    }
}
