//! Events of staking, as x/staking has them.

use super::redelegation::Move;
use crate::{
    address::Address,
    block::Time,
    event::Event,
    math::{Coin, Coins, Dec, Int},
};

/// A validator was made.
pub fn create_validator(validator: &str, amount: &Coin) -> Event {
    Event::new("create_validator").with("validator", validator).with("amount", amount.to_string())
}

/// A validator was changed.
pub fn edit_validator(commission: &str, min_self_delegation: Int) -> Event {
    Event::new("edit_validator")
        .with("commission_rate", commission)
        .with("min_self_delegation", min_self_delegation.to_string())
}

/// Tokens were delegated.
pub fn delegate(validator: &str, delegator: &str, amount: &Coin, new_shares: Dec) -> Event {
    Event::new("delegate")
        .with("validator", validator)
        .with("delegator", delegator)
        .with("amount", amount.to_string())
        .with("new_shares", new_shares.to_string())
}

/// A delegation began to unbond.
pub fn unbond(validator: &str, delegator: &str, amount: &Coin, completion: Time) -> Event {
    Event::new("unbond")
        .with("validator", validator)
        .with("delegator", delegator)
        .with("amount", amount.to_string())
        .with("completion_time", completion.to_rfc3339())
}

/// A delegation was moved.
pub fn redelegate(source: &str, destination: &str, delegator: &str, amount: &Coin, completion: Time) -> Event {
    Event::new("redelegate")
        .with("source_validator", source)
        .with("destination_validator", destination)
        .with("delegator", delegator)
        .with("amount", amount.to_string())
        .with("completion_time", completion.to_rfc3339())
}

/// Unbonded tokens were given back.
pub fn complete_unbonding(amount: &Coins, operator: &Address, delegator: &Address) -> Event {
    Event::new("complete_unbonding")
        .with("amount", amount.to_string())
        .with("validator", operator.to_operator())
        .with("delegator", delegator.to_string())
}

/// A moved delegation may move on.
pub fn complete_redelegation(amount: &Coins, moved: Move<'_>) -> Event {
    Event::new("complete_redelegation")
        .with("amount", amount.to_string())
        .with("delegator", moved.delegator.to_string())
        .with("source_validator", moved.source.to_operator())
        .with("destination_validator", moved.destination.to_operator())
}
