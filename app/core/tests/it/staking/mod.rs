//! Staking, each part in its file; here a chain with ten funded accounts, and its invariants.

mod export;
mod leaving;
mod powers;
mod refused;
mod seeded;

use crate::support::{Memory, NoEngine, TestRelease, block, commit, gov, line, message, refusal, write};
use prost::Message;
use serde_json::{Value, json};
use swing_core::{
    address::{Address, module_address},
    block::ValidatorUpdate,
    error::Rejected,
    event::Event,
    math::{Dec, Int},
    modules::{
        BlockContext, GenesisContext, QueryContext,
        bank::keeper as bank,
        staking::{genesis, handler, keys, query, state as staking, unbonding, validator_set},
    },
    state::State,
};
use swing_proto::cosmos::{
    base::v1beta1::Coin as CoinProto,
    crypto::ed25519::PubKey,
    staking::v1beta1::{
        BondStatus, CommissionRates, Description, MsgBeginRedelegate, MsgCreateValidator, MsgDelegate,
        MsgEditValidator, MsgUndelegate, MsgUpdateParams, QueryDelegationRequest, QueryDelegatorDelegationsRequest,
        QueryValidatorsRequest,
    },
};

/// One unit of power.
const POWER: u64 = 1_000_000;

fn account(index: u8) -> Address {
    Address::new([index; 20])
}

fn uswing(amount: u64) -> Option<CoinProto> {
    Some(CoinProto { denom: "uswing".to_owned(), amount: amount.to_string() })
}

/// A chain with ten funded accounts, unbonding in 100 seconds, with at most `max` validators.
fn chain(max: u32) -> Memory {
    let mut memory = Memory::new();
    for index in 1..=10 {
        fund(&mut memory, &account(index), 1_000 * POWER);
    }
    let mut section = genesis::default();
    section["params"]["unbonding_time"] = json!("100s");
    section["params"]["max_validators"] = json!(max);
    assert_eq!(init(&mut memory, &section), Ok(Vec::new()));
    memory
}

fn fund(memory: &mut Memory, to: &Address, amount: u64) {
    let amount = Int::from(amount).to_be_bytes_trimmed();
    write(memory, |state| state.set(swing_core::modules::bank::keys::balance(to, "uswing"), amount)).expect("memory");
}

fn init(memory: &mut Memory, section: &Value) -> Result<Vec<ValidatorUpdate>, String> {
    let (mut engine, release, block) = (NoEngine, TestRelease::default(), block(0));
    let mut state = State::new(memory);
    let mut context = GenesisContext { state: &mut state, block: &block, engine: &mut engine, release: &release };
    let updates = genesis::init(&mut context, section).map_err(|error| error.to_string())?;
    let changes = state.into_changes();
    commit(memory, changes);
    Ok(updates)
}

fn new_validator(index: u8, amount: u64) -> MsgCreateValidator {
    let rate = |percent| Dec::with_places(percent, 2).expect("two places").to_scaled_string();
    MsgCreateValidator {
        description: Some(Description { moniker: format!("v{index}"), ..Description::default() }),
        commission: Some(CommissionRates { rate: rate(10), max_rate: rate(20), max_change_rate: rate(1) }),
        min_self_delegation: "1".to_owned(),
        validator_address: account(index).to_operator(),
        pubkey: Some(swing_proto::pack(&PubKey { key: vec![index; 32] })),
        value: uswing(amount),
        ..MsgCreateValidator::default()
    }
}

#[track_caller]
fn create(memory: &mut Memory, index: u8, amount: u64) -> Vec<Event> {
    let (request, block) = (new_validator(index, amount), block(1));
    message(memory, &block, |context| handler::create_validator(context.state, context.block, &request))
        .expect("made")
        .1
}

fn delegation(delegator: u8, operator: u8, amount: u64) -> MsgDelegate {
    MsgDelegate {
        delegator_address: account(delegator).to_string(),
        validator_address: account(operator).to_operator(),
        amount: uswing(amount),
    }
}

#[track_caller]
fn delegate(memory: &mut Memory, delegator: u8, operator: u8, amount: u64) -> Vec<Event> {
    let request = delegation(delegator, operator, amount);
    message(memory, &block(2), |context| handler::delegate(context, &request)).expect("delegated").1
}

fn undelegation(delegator: u8, operator: u8, amount: u64) -> MsgUndelegate {
    let MsgDelegate { delegator_address, validator_address, amount } = delegation(delegator, operator, amount);
    MsgUndelegate { delegator_address, validator_address, amount }
}

#[track_caller]
fn undelegate(memory: &mut Memory, height: u64, delegator: u8, operator: u8, amount: u64) -> Vec<Event> {
    let request = undelegation(delegator, operator, amount);
    message(memory, &block(height), |context| handler::undelegate(context, &request)).expect("begun").1
}

/// A block's end; its updates as (index of the validator, power), and its events.
#[track_caller]
fn end(memory: &mut Memory, height: u64) -> (Vec<(u8, u64)>, Vec<String>) {
    let (updates, events) =
        message(memory, &block(height), |context| validator_set::end_block(context.state, context.block)).expect("end");
    check_invariants(memory);
    let updates = updates.into_iter().map(|update| (update.public_key[0], update.power)).collect();
    (updates, events.iter().map(line).collect())
}

fn tokens(memory: &Memory, index: u8) -> u64 {
    let validator = staking::validator(memory, &account(index)).expect("memory").expect("a validator");
    validator.tokens.to_u64().expect("small")
}

fn status(memory: &Memory, index: u8) -> BondStatus {
    staking::validator(memory, &account(index)).expect("memory").expect("a validator").status
}

fn balance(memory: &Memory, address: &Address) -> u64 {
    bank::balance(memory, address, "uswing").expect("memory").to_u64().expect("small")
}

/// Pools hold what validators and unbondings say; shares are the delegations' sums; the index has each validator once.
#[track_caller]
fn check_invariants(memory: &Memory) {
    let validators = staking::validators(memory).expect("memory");
    let sum = |bonded: bool| -> u64 {
        let of = validators.iter().filter(|validator| validator.is_bonded() == bonded);
        of.map(|validator| validator.tokens.to_u64().expect("small")).sum()
    };
    let unbondings = unbonding::unbondings(memory, keys::UNBONDINGS).expect("memory");
    let entries = unbondings.iter().flat_map(|unbonding| &unbonding.entries);
    let owed: u64 = entries.map(|entry| entry.balance.parse::<u64>().expect("a number")).sum();
    assert_eq!(balance(memory, &module_address("bonded_tokens_pool")), sum(true));
    assert_eq!(balance(memory, &module_address("not_bonded_tokens_pool")), sum(false) + owed);
    let delegations = staking::delegations(memory, keys::DELEGATIONS).expect("memory");
    for validator in &validators {
        let own = delegations.iter().filter(|delegation| delegation.operator == validator.operator);
        let shares = own.fold(Dec::ZERO, |sum, delegation| sum.add(delegation.shares).expect("small"));
        assert_eq!(shares, validator.shares);
    }
    let mut index = staking::by_power(memory).expect("memory");
    index.sort();
    let free: Vec<Address> =
        validators.iter().filter(|validator| !validator.jailed).map(|validator| validator.operator).collect();
    assert_eq!(index, free);
}

fn redelegation(delegator: u8, from: u8, to: u8, amount: u64) -> MsgBeginRedelegate {
    MsgBeginRedelegate {
        delegator_address: account(delegator).to_string(),
        validator_src_address: account(from).to_operator(),
        validator_dst_address: account(to).to_operator(),
        amount: uswing(amount),
    }
}
