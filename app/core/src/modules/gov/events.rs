//! Events of governance, as x/gov has them.

use crate::event::Event;

/// A proposal was submitted; `messages` is its type URLs, each after a comma.
pub fn submitted(id: u64, proposer: &str, messages: &str) -> Event {
    Event::new("submit_proposal")
        .with("proposal_id", id.to_string())
        .with("proposal_proposer", proposer)
        .with("proposal_messages", messages)
}

/// The initial deposit began the voting period.
pub fn voting_began_at_submission(id: u64) -> Event {
    Event::new("submit_proposal").with("voting_period_start", id.to_string())
}

/// A deposit was made.
pub fn deposited(id: u64, depositor: &str, amount: &str) -> Event {
    Event::new("proposal_deposit")
        .with("depositor", depositor)
        .with("amount", amount)
        .with("proposal_id", id.to_string())
}

/// A deposit began the voting period.
pub fn voting_began_by_deposit(id: u64) -> Event {
    Event::new("proposal_deposit").with("voting_period_start", id.to_string())
}

/// Deposits could be neither given back nor burned.
pub fn deposits_stuck(id: u64, error: &str) -> Event {
    Event::new("proposal_deposit")
        .with("proposal_id", id.to_string())
        .with("proposal_deposit_error", "failed to refund or burn deposits")
        .with("error", error)
}

/// A vote was cast; `options` is JSON.
pub fn voted(id: u64, voter: &str, options: &str) -> Event {
    Event::new("proposal_vote").with("voter", voter).with("option", options).with("proposal_id", id.to_string())
}

/// The proposer took the proposal back.
pub fn cancelled(id: u64, proposer: &str) -> Event {
    Event::new("cancel_proposal").with("sender", proposer).with("proposal_id", id.to_string())
}

/// A deposit period ended without enough deposits.
pub fn dropped(id: u64) -> Event {
    Event::new("inactive_proposal").with("proposal_id", id.to_string()).with("proposal_result", "proposal_dropped")
}

/// A voting period ended.
pub fn tallied(id: u64, result: &str, log: &str) -> Event {
    Event::new("active_proposal")
        .with("proposal_id", id.to_string())
        .with("proposal_result", result)
        .with("proposal_log", log)
}
