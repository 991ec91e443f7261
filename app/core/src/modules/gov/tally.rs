//! Counting votes. Source: x/gov `Tally`.
//!
//! # Invariants
//! - A delegator's own vote counts instead of the validator's for what it delegates; nothing counts twice.
//! - The order of votes changes no result: sums of decimals of 18 places are exact.

use std::collections::BTreeMap;

use swing_proto::cosmos::gov::v1::{Proposal, TallyResult, VoteOption, WeightedVoteOption};

use super::{keys, state as gov};
use crate::{
    address::Address,
    error::Failure,
    math::{Dec, Int},
    modules::staking::{keys as staking_keys, state as staking},
    state::StateRead,
};

/// What a count says.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    /// It passes.
    pub passes: bool,
    /// Its deposits are burned.
    pub burns: bool,
    /// The counts.
    pub result: TallyResult,
}

/// A bonded validator as far as votes need it.
struct Bonded {
    tokens: Int,
    shares: Dec,
    /// Shares whose delegators voted themselves.
    deducted: Dec,
    vote: Vec<WeightedVoteOption>,
}

/// Power by option.
#[derive(Default)]
struct Powers {
    by_option: BTreeMap<i32, Dec>,
    total: Dec,
}

impl Powers {
    fn add(&mut self, power: Dec, options: &[WeightedVoteOption]) -> Result<(), Failure> {
        for WeightedVoteOption { option, weight } in options {
            let part = power.mul(gov::fraction(weight)?)?;
            let sum = self.by_option.entry(*option).or_default();
            *sum = sum.add(part)?;
        }
        self.total = self.total.add(power)?;
        Ok(())
    }

    fn of(&self, option: VoteOption) -> Dec {
        self.by_option.get(&i32::from(option)).copied().unwrap_or_default()
    }

    fn result(&self) -> Result<TallyResult, Failure> {
        let text = |option| Ok::<_, Failure>(self.of(option).truncate()?.to_string());
        Ok(TallyResult {
            yes_count: text(VoteOption::Yes)?,
            abstain_count: text(VoteOption::Abstain)?,
            no_count: text(VoteOption::No)?,
            no_with_veto_count: text(VoteOption::NoWithVeto)?,
        })
    }
}

/// Counts the votes on a proposal as they are now. Changes nothing.
///
/// # Errors
/// Storage.
pub fn count(state: &dyn StateRead, proposal: &Proposal) -> Result<Count, Failure> {
    let powers = powers(state, proposal.id)?;
    let decided = |passes, burns| Ok(Count { passes, burns, result: powers.result()? });
    let params = gov::params(state)?;
    let bonded = staking::pool_balance(state, true)?;
    if bonded.is_zero() {
        return decided(false, false);
    }
    if powers.total.quo(Dec::from_int(bonded)?)? < gov::fraction(&params.quorum)? {
        return decided(false, params.burn_vote_quorum);
    }
    let voting = powers.total.sub(powers.of(VoteOption::Abstain))?;
    if voting.is_zero() {
        return decided(false, false);
    }
    if powers.of(VoteOption::NoWithVeto).quo(powers.total)? > gov::fraction(&params.veto_threshold)? {
        return decided(false, params.burn_vote_veto);
    }
    let threshold = if proposal.expedited { &params.expedited_threshold } else { &params.threshold };
    decided(powers.of(VoteOption::Yes).quo(voting)? > gov::fraction(threshold)?, false)
}

fn powers(state: &dyn StateRead, id: u64) -> Result<Powers, Failure> {
    let mut validators: BTreeMap<Address, Bonded> = BTreeMap::new();
    // One without shares has no power; its last delegation was taken back in this block, or its genesis had none.
    for validator in staking::bonded_validators(state)?.into_iter().filter(|validator| !validator.shares.is_zero()) {
        let (tokens, shares) = (validator.tokens, validator.shares);
        validators.insert(validator.operator, Bonded { tokens, shares, deducted: Dec::ZERO, vote: Vec::new() });
    }
    let mut powers = Powers::default();
    for (voter, vote) in gov::votes(state, &keys::votes(id))? {
        if let Some(own) = validators.get_mut(&voter) {
            own.vote.clone_from(&vote.options);
        }
        for delegation in staking::delegations(state, &staking_keys::delegations_of(&voter))? {
            let Some(validator) = validators.get_mut(&delegation.operator) else {
                continue;
            };
            validator.deducted = validator.deducted.add(delegation.shares)?;
            powers.add(delegation.shares.mul_int(validator.tokens)?.quo(validator.shares)?, &vote.options)?;
        }
    }
    for validator in validators.values().filter(|validator| !validator.vote.is_empty()) {
        let left = validator.shares.sub(validator.deducted)?;
        powers.add(left.mul_int(validator.tokens)?.quo(validator.shares)?, &validator.vote)?;
    }
    Ok(powers)
}
