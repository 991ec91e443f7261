//! The chain side of a block: the engine's begin, the queues' drain under one budget, the engine's end. Source: SwingSet end-block.

use swing_proto::swing::swingset::v1::InboundAction;

use super::{
    actions, chunks, events, keys,
    queue::{self, Queue},
    release, state as params, swap, view,
};
use crate::{
    error::Halt,
    modules::BlockContext,
    ports::engine::{Engine, EngineFailure, RunBudget, RunReport},
    state::{State, StateError, StateRead},
};

fn storage(error: StateError) -> Halt {
    Halt::new(error.to_string())
}

/// An answer of the engine between transactions: a stop is an answer, a refusal is not.
fn between<T>(call: &str, answer: Result<T, EngineFailure>) -> Result<Result<T, String>, Halt> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(EngineFailure::Stopped(reason)) => Ok(Err(reason)),
        Err(EngineFailure::Halt(halt)) => Err(halt),
        Err(EngineFailure::Rejected(refused)) => Err(Halt::new(format!("the engine refused to {call}: {refused}"))),
    }
}

/// Whether there is a kernel: a chain may begin without one.
fn has_kernel(state: &State<'_>) -> Result<bool, Halt> {
    Ok(state.get(&keys::host("kernelBundleID")).map_err(storage)?.is_some())
}

/// Whether the kernel's schema is being migrated, a slice a block; no crank runs meanwhile.
fn is_migrating(state: &State<'_>) -> Result<bool, Halt> {
    Ok(state.get(&keys::host("migration")).map_err(storage)?.is_some())
}

/// Begins a block: a swap that is due is made, and the kernel is made anew.
///
/// # Errors
/// A fault of this node.
pub fn begin_block(state: &mut State<'_>, block: &BlockContext, engine: &mut dyn Engine) -> Result<(), Halt> {
    swap::perform_due(state, block, engine)?;
    if has_kernel(state)? {
        // A stop is told at the block's end, with whatever was stopped before.
        drop(between("begin a block", engine.begin_block(state, block.height, block.time))?);
    }
    Ok(())
}

/// Ends a block, all under the block's computron budget: what was left over, what governance decided, the timer, the queued actions, and
/// the deletion of what terminated vats left.
///
/// # Errors
/// A fault of this node.
pub fn end_block(state: &mut State<'_>, block: &BlockContext, engine: &mut dyn Engine) -> Result<(), Halt> {
    chunks::expire(state, block).map_err(storage)?;
    if !has_kernel(state)? {
        return Ok(());
    }
    let mut drain = Drain {
        budget: params::params(state).map_err(storage)?.computrons_per_block,
        total: RunReport::default(),
        delivered: Vec::new(),
    };
    let migrating = is_migrating(state)?;
    drain.run(state, engine)?;
    if migrating {
        state.emit(events::migration_progress(!is_migrating(state)?));
    }
    for delivered in &drain.delivered {
        tell_settled(state, delivered).map_err(storage)?;
    }
    if drain.total.cranks > 0 {
        let queued = queue::numbers(state, Queue::Actions).map_err(storage)?.length();
        state.emit(events::cranks(&drain.total, queued));
    }
    note_stop(state, drain.total.stopped.as_deref()).map_err(storage)?;
    drop(between("end a block", engine.end_block(state))?);
    release::free(state, engine).map_err(|failure| Halt::new(failure.to_string()))
}

/// An action that the kernel took and that has a result.
struct Delivered {
    queue: Queue,
    number: u64,
    kpid: String,
}

fn tell_settled(state: &mut State<'_>, delivered: &Delivered) -> Result<(), StateError> {
    let Delivered { queue, number, kpid } = delivered;
    let settled = view::promise(state, kpid)?.filter(|standing| standing.state != "unresolved");
    if let Some(standing) = settled {
        state.emit(match queue {
            Queue::Actions => events::action_settled(*number, kpid, &standing.state),
            Queue::HighPriority => {
                events::governed_settled(*number, kpid, &standing.state, events::shortened(&standing.body))
            }
        });
    }
    Ok(())
}

/// Computrons that a poll of the timer counts for, as a crank without a delivery does: a kernel for which something is always due would be
/// asked for ever otherwise.
const POLL_COMPUTRONS: u64 = 100;

struct Drain {
    budget: u64,
    total: RunReport,
    delivered: Vec<Delivered>,
}

impl Drain {
    /// Source: SwingSet end-block: what was left over, then high priority, timer, actions, cleanup.
    fn run(&mut self, state: &mut State<'_>, engine: &mut dyn Engine) -> Result<(), Halt> {
        self.crank(state, engine, false)?;
        self.drain(state, engine, Queue::HighPriority)?;
        while self.may_go_on() && self.poll_timer(state, engine)? {
            self.crank(state, engine, false)?;
        }
        self.drain(state, engine, Queue::Actions)?;
        if self.may_go_on() && view::has_cleanup(state).map_err(storage)? {
            self.crank(state, engine, true)?;
        }
        Ok(())
    }

    /// Nothing is left to do, and there is budget to do more.
    fn may_go_on(&self) -> bool {
        self.total.idle && self.total.stopped.is_none() && self.left() > 0
    }

    fn left(&self) -> u64 {
        self.budget.saturating_sub(self.total.spent)
    }

    fn drain(&mut self, state: &mut State<'_>, engine: &mut dyn Engine, queue: Queue) -> Result<(), Halt> {
        while self.may_go_on() {
            // The queue is looked at before it is changed: a stopped engine must leave its action there.
            let mark = state.mark();
            let Some(action) = queue::pop(state, queue).map_err(storage)? else { break };
            if !self.deliver(state, engine, queue, &action)? {
                state.rollback(mark);
                break;
            }
            self.crank(state, engine, false)?;
        }
        Ok(())
    }

    fn crank(&mut self, state: &mut State<'_>, engine: &mut dyn Engine, cleanup: bool) -> Result<(), Halt> {
        let budget = RunBudget { computrons: self.left(), cleanup };
        let report = match between("run cranks", engine.run(state, budget))? {
            Ok(report) => report,
            Err(reason) => RunReport { stopped: Some(reason), ..RunReport::default() },
        };
        self.total.cranks = self.total.cranks.saturating_add(report.cranks);
        self.total.computrons = self.total.computrons.saturating_add(report.computrons);
        self.total.spent = self.total.spent.saturating_add(report.spent);
        self.total.idle = report.idle;
        self.total.stopped = report.stopped;
        Ok(())
    }

    fn poll_timer(&mut self, state: &mut State<'_>, engine: &mut dyn Engine) -> Result<bool, Halt> {
        match between("poll the timer", engine.poll_timer(state))? {
            Ok(polled) => {
                self.total.spent = self.total.spent.saturating_add(if polled { POLL_COMPUTRONS } else { 0 });
                Ok(polled)
            }
            Err(reason) => {
                self.total.stopped = Some(reason);
                Ok(false)
            }
        }
    }

    /// Hands an action to the kernel; false when the engine is stopped and the action must stay queued.
    fn deliver(
        &mut self,
        state: &mut State<'_>,
        engine: &mut dyn Engine,
        queue: Queue,
        action: &InboundAction,
    ) -> Result<bool, Halt> {
        let number = action.number;
        let kpid = match engine.deliver_inbound(state, &actions::inbound(action)?) {
            Ok(kpid) => kpid.unwrap_or_default(),
            Err(EngineFailure::Rejected(refused)) => {
                state.emit(match queue {
                    Queue::Actions => events::action_refused(number, &refused.log),
                    Queue::HighPriority => events::governed_refused(number, &refused.log),
                });
                return Ok(true);
            }
            Err(EngineFailure::Stopped(reason)) => {
                self.total.stopped = Some(reason);
                return Ok(false);
            }
            Err(EngineFailure::Halt(halt)) => return Err(halt),
        };
        queue::record_result(state, queue, number, &kpid).map_err(storage)?;
        state.emit(match queue {
            Queue::Actions => events::action_delivered(number, &kpid),
            Queue::HighPriority => events::governed_delivered(number, &kpid),
        });
        self.forget_outlived(state, engine, queue, number)?;
        if !kpid.is_empty() {
            self.delivered.push(Delivered { queue, number, kpid });
        }
        Ok(true)
    }

    /// Gives up results that are kept no longer, so that the kernel frees their promises and nobody is charged with them.
    fn forget_outlived(
        &mut self,
        state: &mut State<'_>,
        engine: &mut dyn Engine,
        queue: Queue,
        number: u64,
    ) -> Result<(), Halt> {
        for (old, kpid) in queue::outlived(state, queue, number).map_err(storage)? {
            if !kpid.is_empty() {
                match engine.forget_result(state, &kpid) {
                    // A kernel that does not know the promise has nothing to free.
                    Ok(()) | Err(EngineFailure::Rejected(_)) => {}
                    Err(EngineFailure::Stopped(reason)) => {
                        self.total.stopped = Some(reason);
                        return Ok(());
                    }
                    Err(EngineFailure::Halt(halt)) => return Err(halt),
                }
            }
            queue::forget_result(state, queue, old).map_err(storage)?;
        }
        Ok(())
    }
}

/// Tells once that the engine stopped, and once that it runs again.
fn note_stop(state: &mut State<'_>, stopped: Option<&str>) -> Result<(), StateError> {
    let before = view::text(state, keys::STOPPED)?;
    match (before.as_deref(), stopped) {
        (None, Some(reason)) => {
            state.set(keys::STOPPED, reason.as_bytes().to_vec())?;
            state.emit(events::engine_stopped(reason));
        }
        (Some(_), None) => {
            state.delete(keys::STOPPED)?;
            state.emit(events::engine_running());
        }
        (Some(before), Some(reason)) if before != reason => state.set(keys::STOPPED, reason.as_bytes().to_vec())?,
        _ => {}
    }
    Ok(())
}
