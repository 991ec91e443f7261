//! Staking: shares and tokens, the validator set, unbonding, moves, genesis and export, and the invariants under a seeded run.

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

use crate::support::{Memory, NoEngine, TestRelease, block, commit, gov, line, message, refusal, write};

/// One unit of power.
const POWER: u64 = 1_000_000;

fn account(index: u8) -> Address {
    Address::new([index; 20])
}

fn uswing(amount: u64) -> Option<CoinProto> {
    Some(CoinProto {
        denom: "uswing".to_owned(),
        amount: amount.to_string(),
    })
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
    write(memory, |state| {
        state.set(swing_core::modules::bank::keys::balance(to, "uswing"), amount)
    })
    .expect("memory");
}

fn init(memory: &mut Memory, section: &Value) -> Result<Vec<ValidatorUpdate>, String> {
    let (mut engine, release, block) = (NoEngine, TestRelease::default(), block(0));
    let mut state = State::new(memory);
    let mut context = GenesisContext {
        state: &mut state,
        block: &block,
        engine: &mut engine,
        release: &release,
    };
    let updates = genesis::init(&mut context, section).map_err(|error| error.to_string())?;
    let changes = state.into_changes();
    commit(memory, changes);
    Ok(updates)
}

fn new_validator(index: u8, amount: u64) -> MsgCreateValidator {
    let rate = |percent| Dec::with_places(percent, 2).expect("two places").to_scaled_string();
    MsgCreateValidator {
        description: Some(Description {
            moniker: format!("v{index}"),
            ..Description::default()
        }),
        commission: Some(CommissionRates {
            rate: rate(10),
            max_rate: rate(20),
            max_change_rate: rate(1),
        }),
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
    message(memory, &block, |context| {
        handler::create_validator(context.state, context.block, &request)
    })
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
    message(memory, &block(2), |context| handler::delegate(context, &request))
        .expect("delegated")
        .1
}

fn undelegation(delegator: u8, operator: u8, amount: u64) -> MsgUndelegate {
    let MsgDelegate {
        delegator_address,
        validator_address,
        amount,
    } = delegation(delegator, operator, amount);
    MsgUndelegate {
        delegator_address,
        validator_address,
        amount,
    }
}

#[track_caller]
fn undelegate(memory: &mut Memory, height: u64, delegator: u8, operator: u8, amount: u64) -> Vec<Event> {
    let request = undelegation(delegator, operator, amount);
    message(memory, &block(height), |context| handler::undelegate(context, &request))
        .expect("begun")
        .1
}

/// A block's end; its updates as (index of the validator, power), and its events.
#[track_caller]
fn end(memory: &mut Memory, height: u64) -> (Vec<(u8, u64)>, Vec<String>) {
    let (updates, events) = message(memory, &block(height), |context| {
        validator_set::end_block(context.state, context.block)
    })
    .expect("end");
    check_invariants(memory);
    let updates = updates
        .into_iter()
        .map(|update| (update.public_key[0], update.power))
        .collect();
    (updates, events.iter().map(line).collect())
}

fn tokens(memory: &Memory, index: u8) -> u64 {
    let validator = staking::validator(memory, &account(index))
        .expect("memory")
        .expect("a validator");
    validator.tokens.to_u64().expect("small")
}

fn status(memory: &Memory, index: u8) -> BondStatus {
    staking::validator(memory, &account(index))
        .expect("memory")
        .expect("a validator")
        .status
}

fn balance(memory: &Memory, address: &Address) -> u64 {
    bank::balance(memory, address, "uswing")
        .expect("memory")
        .to_u64()
        .expect("small")
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
    let owed: u64 = entries
        .map(|entry| entry.balance.parse::<u64>().expect("a number"))
        .sum();
    assert_eq!(balance(memory, &module_address("bonded_tokens_pool")), sum(true));
    assert_eq!(
        balance(memory, &module_address("not_bonded_tokens_pool")),
        sum(false) + owed
    );
    let delegations = staking::delegations(memory, keys::DELEGATIONS).expect("memory");
    for validator in &validators {
        let own = delegations
            .iter()
            .filter(|delegation| delegation.operator == validator.operator);
        let shares = own.fold(Dec::ZERO, |sum, delegation| sum.add(delegation.shares).expect("small"));
        assert_eq!(shares, validator.shares);
    }
    let mut index = staking::by_power(memory).expect("memory");
    index.sort();
    let free: Vec<Address> = validators
        .iter()
        .filter(|validator| !validator.jailed)
        .map(|validator| validator.operator)
        .collect();
    assert_eq!(index, free);
}

#[test]
fn a_validator_is_bonded_at_the_blocks_end_with_power_by_tokens() {
    let mut memory = chain(3);
    let events = create(&mut memory, 1, 50 * POWER + 999_999);
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["coin_spent", "coin_received", "create_validator"]);
    assert_eq!(status(&memory, 1), BondStatus::Unbonded);
    assert_eq!(end(&mut memory, 1).0, [(1, 50)]);
    assert_eq!(status(&memory, 1), BondStatus::Bonded);
    assert_eq!(end(&mut memory, 2), (Vec::new(), Vec::new()));
    assert_eq!(validator_set::last_total_power(&memory), Ok(50));
}

#[test]
fn delegating_gives_the_recorded_event_and_shares() {
    let mut memory = chain(3);
    create(&mut memory, 1, 50 * POWER);
    end(&mut memory, 1);
    let events: Vec<String> = delegate(&mut memory, 2, 1, 1_000).iter().map(line).collect();
    let pool = module_address("bonded_tokens_pool");
    let (alice, operator) = (account(2), account(1).to_operator());
    assert_eq!(
        events,
        [
            format!("coin_spent spender={alice} amount=1000uswing"),
            format!("coin_received receiver={pool} amount=1000uswing"),
            format!(
                "delegate validator={operator} delegator={alice} amount=1000uswing new_shares=1000.000000000000000000"
            ),
        ]
    );
    assert_eq!(end(&mut memory, 2).0, []);
    delegate(&mut memory, 2, 1, 2 * POWER);
    assert_eq!(end(&mut memory, 3).0, [(1, 52)]);
}

#[test]
fn the_set_has_the_strongest_and_ties_go_by_operator() {
    let mut memory = chain(2);
    for (index, power) in [(3, 10), (1, 10), (2, 10), (4, 7)] {
        create(&mut memory, index, power * POWER);
    }
    assert_eq!(end(&mut memory, 1).0, [(1, 10), (2, 10)]);
    delegate(&mut memory, 9, 4, 20 * POWER);
    // The one that leaves comes after those that are in.
    assert_eq!(end(&mut memory, 2).0, [(4, 27), (2, 0)]);
    assert_eq!(
        (status(&memory, 2), status(&memory, 4)),
        (BondStatus::Unbonding, BondStatus::Bonded)
    );
    // It comes back before it is unbonded in full, and stays when its old time comes.
    delegate(&mut memory, 9, 2, POWER);
    assert_eq!(end(&mut memory, 3).0, [(2, 11), (1, 0)]);
    end(&mut memory, 103);
    assert_eq!(status(&memory, 2), BondStatus::Bonded);
    assert_eq!(status(&memory, 1), BondStatus::Unbonded);
}

#[test]
fn less_than_one_power_never_enters_the_set() {
    let mut memory = chain(5);
    create(&mut memory, 1, POWER - 1);
    assert_eq!(end(&mut memory, 1).0, []);
    assert_eq!(status(&memory, 1), BondStatus::Unbonded);
}

#[test]
fn what_is_taken_back_arrives_after_the_unbonding_time() {
    let mut memory = chain(3);
    create(&mut memory, 1, 50 * POWER);
    delegate(&mut memory, 2, 1, 5 * POWER);
    end(&mut memory, 2);
    let before = balance(&memory, &account(2));
    let events = undelegate(&mut memory, 10, 2, 1, 3 * POWER);
    let unbond = line(events.last().expect("an event"));
    assert_eq!(
        unbond,
        format!(
            "unbond validator={} delegator={} amount=3000000uswing completion_time=2023-11-14T22:15:10Z",
            account(1).to_operator(),
            account(2)
        )
    );
    assert_eq!(end(&mut memory, 10).0, [(1, 52)]);
    // The same again in a later block is a second entry.
    undelegate(&mut memory, 11, 2, 1, POWER);
    assert_eq!(end(&mut memory, 109).1, Vec::<String>::new());
    assert_eq!(balance(&memory, &account(2)), before);
    let (_, events) = end(&mut memory, 110);
    assert_eq!(
        events.last().expect("an event"),
        &format!(
            "complete_unbonding amount=3000000uswing validator={} delegator={}",
            account(1).to_operator(),
            account(2)
        )
    );
    assert_eq!(balance(&memory, &account(2)), before + 3 * POWER);
    end(&mut memory, 111);
    assert_eq!(balance(&memory, &account(2)), before + 4 * POWER);
    assert!(
        unbonding::unbondings(&memory, keys::UNBONDINGS)
            .expect("memory")
            .is_empty()
    );
}

#[test]
fn a_validator_that_falls_below_its_own_minimum_leaves_the_set_and_goes_when_empty() {
    let mut memory = chain(3);
    create(&mut memory, 1, 50 * POWER);
    create(&mut memory, 2, 40 * POWER);
    end(&mut memory, 1);
    undelegate(&mut memory, 2, 1, 1, 50 * POWER);
    assert_eq!(end(&mut memory, 2).0, [(1, 0)]);
    assert_eq!(status(&memory, 1), BondStatus::Unbonding);
    end(&mut memory, 102);
    assert_eq!(staking::validator(&memory, &account(1)), Ok(None));
    // Its operator and key are free again.
    create(&mut memory, 1, 50 * POWER);
    assert_eq!(end(&mut memory, 103).0, [(1, 50)]);
}

#[track_caller]
fn check_create_refused(change: impl FnOnce(&mut MsgCreateValidator), codespace: &str, code: u32, words: &str) {
    let mut memory = chain(3);
    create(&mut memory, 1, 50 * POWER);
    let before = memory.clone();
    let mut request = new_validator(2, 10 * POWER);
    change(&mut request);
    let refused = refusal(message(&mut memory, &block(2), |context| {
        handler::create_validator(context.state, context.block, &request)
    }));
    assert_eq!((refused.codespace, refused.code), (codespace, code), "{}", refused.log);
    assert!(refused.log.contains(words), "{}", refused.log);
    assert_eq!(memory, before);
}

#[test]
fn validators_that_cannot_be_are_refused_with_the_sdks_codes() {
    let scaled = |percent| Dec::with_places(percent, 2).expect("two places").to_scaled_string();
    let commission = |rate, max_rate, max_change_rate| {
        Some(CommissionRates {
            rate: scaled(rate),
            max_rate: scaled(max_rate),
            max_change_rate: scaled(max_change_rate),
        })
    };
    check_create_refused(
        |m| m.validator_address = account(1).to_operator(),
        "staking",
        4,
        "operator address",
    );
    check_create_refused(|m| m.pubkey = new_validator(1, 1).pubkey, "staking", 5, "pubkey");
    check_create_refused(|m| m.pubkey = None, "staking", 39, "empty validator public key");
    check_create_refused(
        |m| m.pubkey = Some(swing_proto::pack(&CoinProto::default())),
        "staking",
        6,
        "ed25519",
    );
    check_create_refused(
        |m| m.pubkey = Some(swing_proto::pack(&PubKey { key: vec![1; 31] })),
        "sdk",
        8,
        "32 bytes",
    );
    check_create_refused(
        |m| m.validator_address = account(2).to_string(),
        "sdk",
        7,
        "expected swingvaloper",
    );
    check_create_refused(|m| m.commission = None, "sdk", 18, "empty commission");
    check_create_refused(|m| m.commission = commission(10, 101, 1), "staking", 10, "100%");
    check_create_refused(|m| m.commission = commission(30, 20, 1), "staking", 11, "max rate");
    check_create_refused(|m| m.commission = commission(10, 20, 21), "staking", 14, "change rate");
    check_create_refused(|m| m.description = None, "sdk", 18, "empty description");
    let long = Description {
        moniker: "x".repeat(71),
        ..Description::default()
    };
    check_create_refused(
        |m| m.description = Some(long),
        "sdk",
        18,
        "invalid moniker length; got: 71, max: 70",
    );
    check_create_refused(
        |m| m.min_self_delegation = "0".to_owned(),
        "sdk",
        18,
        "positive integer",
    );
    check_create_refused(
        |m| m.min_self_delegation = "10000001".to_owned(),
        "staking",
        16,
        "self delegation",
    );
    check_create_refused(|m| m.value = uswing(0), "sdk", 18, "invalid delegation amount");
    check_create_refused(|m| m.value = uswing(2_000 * POWER), "sdk", 5, "insufficient funds");
    let atom = CoinProto {
        denom: "uatom".to_owned(),
        amount: "5".to_owned(),
    };
    check_create_refused(|m| m.value = Some(atom), "sdk", 18, "got uatom, expected uswing");
}

#[test]
fn delegations_that_cannot_be_are_refused_with_the_sdks_codes() {
    let mut memory = chain(3);
    create(&mut memory, 1, 50 * POWER);
    let mut check = |request: &MsgDelegate, expected: Rejected| {
        let refused = refusal(message(&mut memory, &block(2), |context| {
            handler::delegate(context, request)
        }));
        assert_eq!(refused, expected);
    };
    let staking = |code, log: &str| Rejected {
        codespace: "staking",
        code,
        log: log.to_owned(),
    };
    check(&delegation(2, 7, 5), staking(3, "validator does not exist"));
    check(
        &delegation(2, 1, 0),
        Rejected::sdk(18, "invalid delegation amount: invalid request"),
    );
    let smaller = "failed to delegate; 1000000000uswing is smaller than 1000000001uswing: insufficient funds";
    check(&delegation(2, 1, 1_000 * POWER + 1), Rejected::sdk(5, smaller));

    let mut check = |request: &MsgUndelegate, expected: Rejected| {
        let refused = refusal(message(&mut memory, &block(2), |context| {
            handler::undelegate(context, request)
        }));
        assert_eq!(refused, expected);
    };
    check(
        &undelegation(2, 1, 5),
        staking(19, "no delegation for (address, validator) tuple"),
    );
    check(
        &undelegation(1, 1, 50 * POWER + 1),
        Rejected::sdk(18, "invalid shares amount: invalid request"),
    );
    for height in 2..9 {
        undelegate(&mut memory, height, 1, 1, 1);
    }
    let refused = refusal(message(&mut memory, &block(9), |context| {
        handler::undelegate(context, &undelegation(1, 1, 1))
    }));
    assert_eq!(refused.code, 27);
}

fn redelegation(delegator: u8, from: u8, to: u8, amount: u64) -> MsgBeginRedelegate {
    MsgBeginRedelegate {
        delegator_address: account(delegator).to_string(),
        validator_src_address: account(from).to_operator(),
        validator_dst_address: account(to).to_operator(),
        amount: uswing(amount),
    }
}

#[test]
fn a_move_takes_effect_at_once_and_holds_the_next_one_back() {
    let mut memory = chain(2);
    for index in 1..=3 {
        create(&mut memory, index, u64::from(4 - index) * 10 * POWER);
    }
    delegate(&mut memory, 9, 1, 5 * POWER);
    end(&mut memory, 1);
    let begin = |memory: &mut Memory, height, request: &MsgBeginRedelegate| {
        message(memory, &block(height), |context| {
            handler::begin_redelegate(context, request)
        })
    };
    // Bonded to not bonded: the tokens change pools.
    begin(&mut memory, 2, &redelegation(9, 1, 3, 4 * POWER)).expect("moved");
    check_invariants(&memory);
    assert_eq!((tokens(&memory, 1), tokens(&memory, 3)), (31 * POWER, 14 * POWER));
    let code = |result| refusal(result).code;
    assert_eq!(code(begin(&mut memory, 3, &redelegation(9, 3, 2, POWER))), 32);
    assert_eq!(code(begin(&mut memory, 3, &redelegation(9, 1, 1, POWER))), 29);
    assert_eq!(code(begin(&mut memory, 3, &redelegation(9, 1, 8, POWER))), 31);
    let (_, events) = end(&mut memory, 102);
    assert!(
        events
            .iter()
            .any(|event| event.starts_with("complete_redelegation amount=4000000uswing")),
        "{events:?}"
    );
    begin(&mut memory, 103, &redelegation(9, 3, 2, POWER)).expect("moved on");
    check_invariants(&memory);
}

#[test]
fn edits_keep_to_the_commission_rules() {
    let mut memory = chain(3);
    create(&mut memory, 1, 50 * POWER);
    let edit = |percent: Option<u64>, least: &str| MsgEditValidator {
        description: Some(Description {
            moniker: "new".to_owned(),
            identity: "[do-not-modify]".to_owned(),
            ..Description::default()
        }),
        validator_address: account(1).to_operator(),
        commission_rate: percent.map_or_else(String::new, |percent| {
            Dec::with_places(percent, 2).expect("two places").to_scaled_string()
        }),
        min_self_delegation: least.to_owned(),
    };
    let mut run = |height, request: &MsgEditValidator| {
        message(&mut memory, &block(height), |context| {
            handler::edit_validator(context, request)
        })
    };
    let day = 86_400;
    assert_eq!(refusal(run(day, &edit(Some(11), ""))).code, 12);
    assert_eq!(refusal(run(day + 1, &edit(Some(12), ""))).code, 15);
    assert_eq!(refusal(run(day + 1, &edit(Some(21), ""))).code, 11);
    assert_eq!(refusal(run(5, &edit(None, "1"))).code, 17);
    assert_eq!(refusal(run(5, &edit(None, "50000001"))).code, 16);
    run(day + 1, &edit(Some(11), "2")).expect("edited");
    let validator = staking::validator(&memory, &account(1))
        .expect("memory")
        .expect("a validator");
    assert_eq!(validator.description.moniker, "new");
    assert_eq!(validator.rates.rate.to_string(), "0.110000000000000000");
    assert_eq!(validator.min_self_delegation, Int::from(2_u64));
}

#[test]
fn only_governance_changes_the_parameters_and_not_the_bond_denom() {
    let mut memory = chain(3);
    let params = staking::params(&memory).expect("genesis ran");
    let mut run = |authority: &str, change: &dyn Fn(&mut swing_proto::cosmos::staking::v1beta1::Params)| {
        let mut params = params.clone();
        change(&mut params);
        let request = MsgUpdateParams {
            authority: authority.to_owned(),
            params: Some(params),
        };
        message(&mut memory, &block(2), |context| {
            handler::update_params(context, &request)
        })
    };
    assert_eq!(refusal(run("swing1x", &|_| {})).code, 13);
    assert!(
        refusal(run(&gov(), &|params| params.bond_denom = "uother".to_owned()))
            .log
            .contains("bond denom")
    );
    assert!(
        refusal(run(&gov(), &|params| params.max_validators = 0))
            .log
            .contains("max validators")
    );
    run(&gov(), &|params| params.max_validators = 1).expect("changed");
    for index in 1..=2 {
        create(&mut memory, index, u64::from(index) * POWER);
    }
    assert_eq!(end(&mut memory, 3).0, [(2, 2)]);
}

#[test]
fn an_export_is_a_genesis_that_goes_on_in_the_same_way() {
    let mut memory = chain(2);
    for index in 1..=3 {
        create(&mut memory, index, u64::from(index) * 10 * POWER);
    }
    delegate(&mut memory, 9, 3, 7 * POWER);
    end(&mut memory, 1);
    undelegate(&mut memory, 2, 9, 3, POWER);
    delegate(&mut memory, 9, 1, 50 * POWER);
    end(&mut memory, 2);
    let move_on = redelegation(9, 3, 1, POWER);
    message(&mut memory, &block(3), |context| {
        handler::begin_redelegate(context, &move_on)
    })
    .expect("moved");
    end(&mut memory, 3);

    let section = genesis::export(&memory).expect("memory");
    let mut copy: Memory = memory
        .iter()
        .filter(|(key, _)| key.starts_with(b"bank/"))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let updates = init(&mut copy, &section).expect("its own export");
    assert_eq!(updates.len(), 2);
    assert_eq!(genesis::export(&copy), Ok(section));
    check_invariants(&copy);
    for height in [4, 50, 102, 103, 200] {
        assert_eq!(end(&mut copy, height), end(&mut memory, height), "height {height}");
    }
    let staking = |memory: &Memory| {
        memory
            .iter()
            .filter(|(key, _)| key.starts_with(b"staking/"))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect::<Memory>()
    };
    assert_eq!(staking(&copy), staking(&memory));
}

#[test]
fn the_recorded_export_is_taken_and_given_back() {
    let document: Value = serde_json::from_str(include_str!("../../../../tests/vectors/export.json")).expect("JSON");
    let section = &document["app_state"]["staking"];
    let mut memory = Memory::new();
    fund(&mut memory, &module_address("bonded_tokens_pool"), 50_001_000);
    let updates = init(&mut memory, section).expect("an SDK export");
    assert_eq!(updates.iter().map(|update| update.power).collect::<Vec<_>>(), [50]);
    assert_eq!(genesis::export(&memory).expect("memory"), *section);
    check_invariants(&memory);
}

/// Answers a query as REST's body has it.
#[track_caller]
fn ask(memory: &Memory, method: &str, request: &impl Message) -> Result<Value, String> {
    let (block, method_path) = (block(33), format!("/cosmos.staking.v1beta1.Query/{method}"));
    let context = QueryContext {
        state: memory,
        block: &block,
    };
    let bytes = query::query(&context, &method_path, &request.encode_to_vec()).map_err(|error| error.message)?;
    let response = format!("cosmos.staking.v1beta1.Query{method}Response");
    Ok(swing_proto::json::wire_to_json(&response, &bytes).expect("its own encoding"))
}

fn recorded(path: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../../../../tests/vectors/rest.json")).expect("JSON");
    let found = all
        .as_array()
        .and_then(|all| all.iter().find(|one| one["path"] == path))
        .expect("recorded");
    found["body"].clone()
}

#[test]
fn queries_answer_as_recorded() {
    let document: Value = serde_json::from_str(include_str!("../../../../tests/vectors/export.json")).expect("JSON");
    let mut memory = Memory::new();
    fund(&mut memory, &module_address("bonded_tokens_pool"), 50_001_000);
    init(&mut memory, &document["app_state"]["staking"]).expect("an SDK export");
    let (bob, operator) = (
        "swing1avgyh77ycn997ja45q5q8ss8y9mr424ja3p9xe",
        "swingvaloper19rl4cm2hmr8afy4kldpxz3fka4jguq0amqzpde",
    );

    let validators = QueryValidatorsRequest::default();
    assert_eq!(
        ask(&memory, "Validators", &validators),
        Ok(recorded("/cosmos/staking/v1beta1/validators"))
    );
    assert_eq!(ask(&memory, "Pool", &()), Ok(recorded("/cosmos/staking/v1beta1/pool")));
    let delegations = QueryDelegatorDelegationsRequest {
        delegator_addr: bob.to_owned(),
        pagination: None,
    };
    let expected = recorded(&format!("/cosmos/staking/v1beta1/delegations/{bob}"));
    assert_eq!(ask(&memory, "DelegatorDelegations", &delegations), Ok(expected.clone()));
    let one = QueryDelegationRequest {
        delegator_addr: bob.to_owned(),
        validator_addr: operator.to_owned(),
    };
    let answer = ask(&memory, "Delegation", &one).expect("there is one");
    assert_eq!(answer["delegation_response"], expected["delegation_responses"][0]);

    let unbonding = QueryValidatorsRequest {
        status: "BOND_STATUS_UNBONDING".to_owned(),
        pagination: None,
    };
    assert_eq!(
        ask(&memory, "Validators", &unbonding).expect("an answer")["validators"],
        json!([])
    );
    let unknown = QueryValidatorsRequest {
        status: "BONDED".to_owned(),
        pagination: None,
    };
    assert_eq!(
        ask(&memory, "Validators", &unknown),
        Err("invalid validator status BONDED".to_owned())
    );
    let none = QueryDelegationRequest {
        delegator_addr: account(9).to_string(),
        validator_addr: operator.to_owned(),
    };
    assert!(
        ask(&memory, "Delegation", &none)
            .expect_err("there is none")
            .starts_with("delegation with delegator swing1")
    );
    assert_eq!(
        ask(&memory, "HistoricalInfo", &()),
        Err("unknown query path /cosmos.staking.v1beta1.Query/HistoricalInfo".to_owned())
    );
}

#[track_caller]
fn check_genesis_refused(change: impl FnOnce(&mut Value), expected: &str) {
    let mut document: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/export.json")).expect("JSON");
    let section = &mut document["app_state"]["staking"];
    change(section);
    let mut memory = Memory::new();
    fund(&mut memory, &module_address("bonded_tokens_pool"), 50_001_000);
    let error = init(&mut memory, section).expect_err("refused");
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_genesis_that_cannot_be_is_refused_with_its_path() {
    check_genesis_refused(|section| section["extra"] = json!(1), "app_state.staking: ");
    check_genesis_refused(
        |section| section["params"]["max_validators"] = json!(0),
        "app_state.staking.params",
    );
    check_genesis_refused(
        |section| section["validators"][0]["tokens"] = json!("50001001"),
        "app_state.bank.balances",
    );
    check_genesis_refused(
        |section| section["delegations"][1]["shares"] = json!("999.0"),
        "app_state.staking.validators",
    );
    check_genesis_refused(
        |section| section["validators"] = json!([]),
        "app_state.staking.delegations: there is no validator",
    );
    check_genesis_refused(
        |section| section["validators"][0]["operator_address"] = json!("swing1x"),
        "app_state.staking.validators[0]",
    );
}

#[test]
fn the_invariants_hold_through_a_seeded_run() {
    let mut seed: u64 = 0x5eed;
    let mut next = |below: u64| {
        // xorshift64: the same run everywhere.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let mut memory = chain(3);
    let (mut done, mut refused) = (0_u32, 0_u32);
    for height in 1..400 {
        let (delegator, one, other) = (next(10) as u8 + 1, next(5) as u8 + 1, next(5) as u8 + 1);
        let amount = next(30 * POWER) + 1;
        let block: BlockContext = block(height);
        let succeeded = match next(5) {
            0 => message(&mut memory, &block, |context| {
                handler::create_validator(context.state, context.block, &new_validator(one, amount)).map(|_| ())
            }),
            1 => message(&mut memory, &block, |context| {
                handler::begin_redelegate(context, &redelegation(delegator, one, other, amount)).map(|_| ())
            }),
            2 => message(&mut memory, &block, |context| {
                handler::undelegate(context, &undelegation(delegator, one, amount)).map(|_| ())
            }),
            _ => message(&mut memory, &block, |context| {
                handler::delegate(context, &delegation(delegator, one, amount)).map(|_| ())
            }),
        }
        .is_ok();
        if succeeded {
            done += 1
        } else {
            refused += 1
        }
        end(&mut memory, height);
    }
    assert!(
        done > 100 && refused > 20,
        "{done} done, {refused} refused: the run must do both"
    );
    let supply: u64 = (1..=10).map(|index| balance(&memory, &account(index))).sum::<u64>()
        + balance(&memory, &module_address("bonded_tokens_pool"))
        + balance(&memory, &module_address("not_bonded_tokens_pool"));
    assert_eq!(supply, 10_000 * POWER);
}
