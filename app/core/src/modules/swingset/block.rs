//! The chain side of a block: the engine's begin, the queue's drain under one budget, the engine's end. Source: SwingSet end-block.

use serde::Deserialize;
use swing_proto::swing::swingset::v1::InboundAction;

use super::{chunks, events, keys, queue, release, state as params, swap, view};
use crate::{
    error::Halt,
    modules::BlockContext,
    ports::engine::{Engine, EngineFailure, InboundMessage, RunReport},
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

/// Ends a block: what was left over, then the queued actions, all under the block's computron budget.
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
    for (number, kpid) in &drain.delivered {
        if let Some(standing) =
            view::promise(state, kpid).map_err(storage)?.filter(|standing| standing.state != "unresolved")
        {
            state.emit(events::action_settled(*number, kpid, &standing.state));
        }
    }
    if drain.total.cranks > 0 {
        let queued = queue::numbers(state).map_err(storage)?.length();
        state.emit(events::cranks(&drain.total, queued));
    }
    note_stop(state, drain.total.stopped.as_deref()).map_err(storage)?;
    drop(between("end a block", engine.end_block(state))?);
    release::free(state, engine).map_err(|failure| Halt::new(failure.to_string()))
}

struct Drain {
    budget: u64,
    total: RunReport,
    /// Numbers and promises of the actions that the kernel took.
    delivered: Vec<(u64, String)>,
}

impl Drain {
    fn run(&mut self, state: &mut State<'_>, engine: &mut dyn Engine) -> Result<(), Halt> {
        self.crank(state, engine)?;
        while self.total.idle && self.total.stopped.is_none() && self.left() > 0 {
            // The queue is looked at before it is changed: a stopped engine must leave its action there.
            let mark = state.mark();
            let Some(action) = queue::pop(state).map_err(storage)? else { break };
            if !self.deliver(state, engine, &action)? {
                state.rollback(mark);
                break;
            }
            self.crank(state, engine)?;
        }
        Ok(())
    }

    fn left(&self) -> u64 {
        self.budget.saturating_sub(self.total.computrons)
    }

    fn crank(&mut self, state: &mut State<'_>, engine: &mut dyn Engine) -> Result<(), Halt> {
        let report = match between("run cranks", engine.run(state, self.left()))? {
            Ok(report) => report,
            Err(reason) => RunReport { stopped: Some(reason), ..RunReport::default() },
        };
        self.total.cranks = self.total.cranks.saturating_add(report.cranks);
        self.total.computrons = self.total.computrons.saturating_add(report.computrons);
        self.total.idle = report.idle;
        self.total.stopped = report.stopped;
        Ok(())
    }

    /// Hands an action to the kernel; false when the engine is stopped and the action must stay queued.
    fn deliver(
        &mut self,
        state: &mut State<'_>,
        engine: &mut dyn Engine,
        action: &InboundAction,
    ) -> Result<bool, Halt> {
        let number = action.number;
        let kpid = match engine.deliver_inbound(state, &inbound(action)?) {
            Ok(kpid) => kpid.unwrap_or_default(),
            Err(EngineFailure::Rejected(refused)) => {
                state.emit(events::action_refused(number, &refused.log));
                return Ok(true);
            }
            Err(EngineFailure::Stopped(reason)) => {
                self.total.stopped = Some(reason);
                return Ok(false);
            }
            Err(EngineFailure::Halt(halt)) => return Err(halt),
        };
        queue::record_result(state, number, &kpid).map_err(storage)?;
        state.emit(events::action_delivered(number, &kpid));
        if !kpid.is_empty() {
            self.delivered.push((number, kpid));
        }
        Ok(true)
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

#[derive(Deserialize)]
struct Body {
    target: String,
    method: String,
    args: String,
}

fn inbound(action: &InboundAction) -> Result<InboundMessage, Halt> {
    let body: Body = serde_json::from_slice(&action.body)
        .map_err(|error| Halt::new(format!("action {} in the queue: {error}", action.number)))?;
    Ok(InboundMessage { vat_name: body.target, method: body.method, args_body: body.args })
}
