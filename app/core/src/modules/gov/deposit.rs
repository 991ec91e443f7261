//! Deposits: taken, given back, burned, charged. Source: x/gov keeper/deposit.

use prost::Message;
use swing_proto::cosmos::gov::v1::{Deposit, Params, Proposal, ProposalStatus};

use super::{error::GovError, events, keys, state as gov};
use crate::{
    address::Address,
    error::{Failure, Rejected},
    math::{Coin, Coins, Dec, MathError},
    modules::{BlockContext, auth::keeper::GOV, bank::keeper as bank},
    state::{State, StateError},
};

/// What a proposal needs to be voted on.
///
/// # Errors
/// Storage.
pub fn minimum(params: &Params, expedited: bool) -> Result<Coins, StateError> {
    gov::coins(if expedited { &params.expedited_min_deposit } else { &params.min_deposit })
}

/// Checks a proposal's initial deposit.
///
/// # Errors
/// gov 16.
pub fn check_initial(params: &Params, expedited: bool, deposit: &Coins) -> Result<(), Failure> {
    let ratio = gov::fraction(&params.min_initial_deposit_ratio)?;
    if ratio.is_zero() {
        return Ok(());
    }
    let needed = scale(&minimum(params, expedited)?, |amount| amount.mul(ratio)?.round())?;
    if deposit.covers(&needed) {
        return Ok(());
    }
    Err(GovError::MinDepositTooSmall.wrap(format!("was ({deposit}), need ({needed})")).into())
}

fn scale(coins: &Coins, share: impl Fn(Dec) -> Result<crate::math::Int, MathError>) -> Result<Coins, MathError> {
    let mut scaled = Coins::EMPTY;
    for coin in coins {
        scaled.add_coin(&Coin { denom: coin.denom.clone(), amount: share(Dec::from_int(coin.amount)?)? })?;
    }
    Ok(scaled)
}

/// Checks that only denoms of the minimum deposit are given.
///
/// # Errors
/// gov 23.
pub fn check_denoms(params: &Params, deposit: &Coins) -> Result<(), Rejected> {
    let known: Vec<&str> = params.min_deposit.iter().map(|coin| coin.denom.as_str()).collect();
    if deposit.iter().all(|coin| known.contains(&coin.denom.as_str())) {
        return Ok(());
    }
    let reason = format!("deposited {deposit}, but gov accepts only the following denom(s): [{}]", known.join(" "));
    Err(GovError::InvalidDepositDenom.wrap(reason))
}

/// At least one denom must reach its share of the minimum.
fn check_ratio(params: &Params, minimum: &Coins, deposit: &Coins) -> Result<(), Failure> {
    let ratio = gov::fraction(&params.min_deposit_ratio)?;
    if ratio.is_zero() {
        return Ok(());
    }
    let mut thresholds = Vec::new();
    for coin in minimum {
        let amount = Dec::from_int(coin.amount)?.mul(ratio)?.truncate()?;
        let given = deposit.amount_of(&coin.denom);
        if !given.is_zero() && given >= amount {
            return Ok(());
        }
        thresholds.push(Coin { denom: coin.denom.clone(), amount }.to_string());
    }
    let reason = format!("received {deposit} but need at least one of the following: {}", thresholds.join(","));
    Err(GovError::MinDepositTooSmall.wrap(reason).into())
}

/// Adds a deposit; says whether it began the voting period. Source: SDK `AddDeposit`.
///
/// # Errors
/// gov 2, 3, 16, 23; SDK 5; storage, out of gas.
pub fn add(
    state: &mut State<'_>,
    block: &BlockContext,
    id: u64,
    depositor: &Address,
    coins: &Coins,
) -> Result<bool, Failure> {
    let mut proposal = gov::proposal(state, id)?.ok_or_else(|| GovError::UnknownProposal.wrap(id))?;
    if !matches!(proposal.status(), ProposalStatus::DepositPeriod | ProposalStatus::VotingPeriod) {
        return Err(GovError::InactiveProposal.wrap(id).into());
    }
    let params = gov::params(state)?;
    check_denoms(&params, coins)?;
    let minimum = minimum(&params, proposal.expedited)?;
    check_ratio(&params, &minimum, coins)?;
    bank::send_from_account_to_module(state, depositor, GOV, coins)?;
    let total = gov::coins(&proposal.total_deposit)?.add(coins)?;
    proposal.total_deposit = total.to_proto();
    gov::set_proposal(state, &proposal)?;
    let begins = proposal.status() == ProposalStatus::DepositPeriod && total.covers(&minimum);
    if begins {
        begin_voting(state, block, &params, &mut proposal)?;
    }
    let before = gov::deposit(state, id, depositor)?.map_or(Ok(Coins::EMPTY), |deposit| gov::coins(&deposit.amount))?;
    let deposit = Deposit { proposal_id: id, depositor: depositor.to_string(), amount: before.add(coins)?.to_proto() };
    state.emit(events::deposited(id, &deposit.depositor, &coins.to_string()));
    state.set(keys::deposit(id, depositor), deposit.encode_to_vec())?;
    Ok(begins)
}

fn begin_voting(
    state: &mut State<'_>,
    block: &BlockContext,
    params: &Params,
    proposal: &mut Proposal,
) -> Result<(), Failure> {
    gov::dequeue(state, proposal)?;
    let period = if proposal.expedited { params.expedited_voting_period } else { params.voting_period };
    proposal.voting_start_time = Some(block.time.to_proto());
    proposal.voting_end_time = Some(gov::later(block.time, period)?);
    proposal.set_status(ProposalStatus::VotingPeriod);
    gov::set_proposal(state, proposal)?;
    gov::enqueue(state, proposal)?;
    Ok(())
}

/// Gives all deposits on a proposal back.
///
/// # Errors
/// A gov account that lacks them; storage.
pub fn refund(state: &mut State<'_>, id: u64) -> Result<(), Failure> {
    for (depositor, deposit) in gov::deposits(state, &keys::deposits(id))? {
        let coins = gov::coins(&deposit.amount)?;
        bank::send_from_module_to_account(state, GOV, &depositor, &coins)?;
        state.delete(keys::deposit(id, &depositor))?;
    }
    Ok(())
}

/// Burns all deposits on a proposal.
///
/// # Errors
/// A gov account that lacks them; storage.
pub fn burn(state: &mut State<'_>, id: u64) -> Result<(), Failure> {
    let mut total = Coins::EMPTY;
    for (depositor, deposit) in gov::deposits(state, &keys::deposits(id))? {
        total = total.add(&gov::coins(&deposit.amount)?)?;
        state.delete(keys::deposit(id, &depositor))?;
    }
    bank::burn_coins(state, GOV, &total)
}

/// Takes the charge for a cancelled proposal from its deposits, burns it or sends it on, and gives the rest back. Source: SDK
/// `ChargeDeposit`.
///
/// # Errors
/// A gov account that lacks them; a destination that may not receive; storage, out of gas.
pub fn charge(state: &mut State<'_>, params: &Params, id: u64) -> Result<(), Failure> {
    let ratio = gov::fraction(&params.proposal_cancel_ratio)?;
    let mut charged = Coins::EMPTY;
    for (depositor, deposit) in gov::deposits(state, &keys::deposits(id))? {
        let coins = gov::coins(&deposit.amount)?;
        let charge = scale(&coins, |amount| amount.mul(ratio)?.truncate())?;
        let rest = coins.sub(&charge)?;
        if !rest.is_empty() {
            bank::send_from_module_to_account(state, GOV, &depositor, &rest)?;
        }
        charged = charged.add(&charge)?;
        state.delete(keys::deposit(id, &depositor))?;
    }
    if charged.is_empty() {
        return Ok(());
    }
    if params.proposal_cancel_dest.is_empty() {
        return bank::burn_coins(state, GOV, &charged);
    }
    let to = Address::parse(&params.proposal_cancel_dest).map_err(gov::corrupt)?;
    bank::send_from_module_to_account(state, GOV, &to, &charged)
}
