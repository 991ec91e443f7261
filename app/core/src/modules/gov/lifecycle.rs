//! What a block's end does to proposals whose period is over. Source: x/gov `EndBlocker`.

use swing_proto::cosmos::gov::v1::{Params, Proposal, ProposalStatus};

use super::{deposit, events, keys, state as gov, tally};
use crate::{
    error::{Failure, Halt},
    modules::{BlockContext, MsgContext},
    ports::engine::Engine,
    router,
    state::{State, StateError, StateRead},
};

/// How a voting period ended.
struct Verdict {
    result: &'static str,
    log: String,
}

/// Ends the deposit and voting periods that are over.
///
/// # Errors
/// Storage, a local fault of a message's execution, a broken invariant.
pub fn end_block(state: &mut State<'_>, block: &BlockContext, engine: &mut dyn Engine) -> Result<(), Halt> {
    end_periods(state, block, engine).map_err(|failure| match failure {
        Failure::Halt(halt) => halt,
        Failure::Rejected(refused) => Halt::new(format!("governance at the end of block {}: {refused}", block.height)),
    })
}

fn end_periods(state: &mut State<'_>, block: &BlockContext, engine: &mut dyn Engine) -> Result<(), Failure> {
    let params = gov::params(state)?;
    for id in due(state, keys::INACTIVE_QUEUE, block)? {
        let proposal = queued(state, id)?;
        gov::remove_proposal(state, &proposal)?;
        settle_deposits(state, id, params.burn_proposal_deposit_prevote)?;
        state.emit(events::dropped(id));
    }
    for id in due(state, keys::ACTIVE_QUEUE, block)? {
        end_voting(state, block, engine, id)?;
    }
    Ok(())
}

fn due(state: &dyn StateRead, queue: &[u8], block: &BlockContext) -> Result<Vec<u64>, StateError> {
    let end = keys::queue_end(queue, block.time);
    let entries = state.range(queue, end.as_deref());
    entries.map(|entry| keys::queued_id(&entry?.0).ok_or_else(|| gov::corrupt("a key of a queue"))).collect()
}

fn queued(state: &dyn StateRead, id: u64) -> Result<Proposal, StateError> {
    gov::proposal(state, id)?.ok_or_else(|| gov::corrupt(format!("proposal {id} is queued and not there")))
}

/// Gives deposits back or burns them. Where the gov account lacks them (governance may have sent them elsewhere) they stay
/// recorded and an event says so: that is no reason to stop a chain.
fn settle_deposits(state: &mut State<'_>, id: u64, burn: bool) -> Result<(), Failure> {
    let mark = state.mark();
    match if burn { deposit::burn(state, id) } else { deposit::refund(state, id) } {
        Err(Failure::Rejected(refused)) => {
            state.rollback(mark);
            state.emit(events::deposits_stuck(id, &refused.log));
            Ok(())
        }
        other => other,
    }
}

fn end_voting(state: &mut State<'_>, block: &BlockContext, engine: &mut dyn Engine, id: u64) -> Result<(), Failure> {
    let mut proposal = queued(state, id)?;
    let count = tally::count(state, &proposal)?;
    gov::remove_votes(state, id)?;
    // The deposits of an expedited proposal that fails stay: it goes on as a regular one.
    if count.passes || !proposal.expedited {
        settle_deposits(state, id, count.burns)?;
    }
    gov::dequeue(state, &proposal)?;
    let verdict = if count.passes {
        execute(state, block, engine, &mut proposal)?
    } else if proposal.expedited {
        // Messages may have changed the parameters since the block began.
        go_on_as_regular(state, &gov::params(state)?, &mut proposal)?
    } else {
        proposal.set_status(ProposalStatus::Rejected);
        "proposal did not get enough votes to pass".clone_into(&mut proposal.failed_reason);
        Verdict { result: "proposal_rejected", log: "rejected".to_owned() }
    };
    proposal.final_tally_result = Some(count.result);
    gov::set_proposal(state, &proposal)?;
    state.emit(events::tallied(id, verdict.result, &verdict.log));
    Ok(())
}

fn go_on_as_regular(state: &mut State<'_>, params: &Params, proposal: &mut Proposal) -> Result<Verdict, Failure> {
    proposal.expedited = false;
    let began = gov::time(proposal.voting_start_time)?;
    proposal.voting_end_time = Some(gov::later(began, params.voting_period)?);
    gov::enqueue(state, proposal)?;
    Ok(Verdict { result: "expedited_proposal_rejected", log: "expedited proposal converted to regular".to_owned() })
}

/// Runs all messages of a passed proposal, or none.
fn execute(
    state: &mut State<'_>,
    block: &BlockContext,
    engine: &mut dyn Engine,
    proposal: &mut Proposal,
) -> Result<Verdict, Failure> {
    let mark = state.mark();
    for (index, message) in proposal.messages.iter().enumerate() {
        let mut context = MsgContext { state: &mut *state, block, engine: &mut *engine };
        match router::handle(&mut context, message) {
            Ok(_) => {}
            Err(Failure::Halt(halt)) => return Err(halt.into()),
            Err(Failure::Rejected(refused)) => {
                state.rollback(mark);
                let url = &message.type_url;
                let log = format!("passed, but msg {index} ({url}) failed on execution: {refused}");
                proposal.set_status(ProposalStatus::Failed);
                proposal.failed_reason = refused.log;
                return Ok(Verdict { result: "proposal_failed", log });
            }
        }
    }
    proposal.set_status(ProposalStatus::Passed);
    Ok(Verdict { result: "proposal_passed", log: "passed".to_owned() })
}
