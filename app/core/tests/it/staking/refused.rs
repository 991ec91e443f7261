//! What is refused, with the SDK's codes and words.

use super::*;

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
    check_create_refused(|m| m.validator_address = account(1).to_operator(), "staking", 4, "operator address");
    check_create_refused(|m| m.pubkey = new_validator(1, 1).pubkey, "staking", 5, "pubkey");
    check_create_refused(|m| m.pubkey = None, "staking", 39, "empty validator public key");
    check_create_refused(|m| m.pubkey = Some(swing_proto::pack(&CoinProto::default())), "staking", 6, "ed25519");
    check_create_refused(|m| m.pubkey = Some(swing_proto::pack(&PubKey { key: vec![1; 31] })), "sdk", 8, "32 bytes");
    check_create_refused(|m| m.validator_address = account(2).to_string(), "sdk", 7, "expected swingvaloper");
    check_create_refused(|m| m.commission = None, "sdk", 18, "empty commission");
    check_create_refused(|m| m.commission = commission(10, 101, 1), "staking", 10, "100%");
    check_create_refused(|m| m.commission = commission(30, 20, 1), "staking", 11, "max rate");
    check_create_refused(|m| m.commission = commission(10, 20, 21), "staking", 14, "change rate");
    check_create_refused(|m| m.description = None, "sdk", 18, "empty description");
    let long = Description { moniker: "x".repeat(71), ..Description::default() };
    check_create_refused(|m| m.description = Some(long), "sdk", 18, "invalid moniker length; got: 71, max: 70");
    check_create_refused(|m| m.min_self_delegation = "0".to_owned(), "sdk", 18, "positive integer");
    check_create_refused(|m| m.min_self_delegation = "10000001".to_owned(), "staking", 16, "self delegation");
    check_create_refused(|m| m.value = uswing(0), "sdk", 18, "invalid delegation amount");
    check_create_refused(|m| m.value = uswing(2_000 * POWER), "sdk", 5, "insufficient funds");
    let atom = CoinProto { denom: "uatom".to_owned(), amount: "5".to_owned() };
    check_create_refused(|m| m.value = Some(atom), "sdk", 18, "got uatom, expected uswing");
}

#[test]
fn delegations_that_cannot_be_are_refused_with_the_sdks_codes() {
    let mut memory = chain(3);
    create(&mut memory, 1, 50 * POWER);
    let mut check = |request: &MsgDelegate, expected: Rejected| {
        let refused = refusal(message(&mut memory, &block(2), |context| handler::delegate(context, request)));
        assert_eq!(refused, expected);
    };
    let staking = |code, log: &str| Rejected { codespace: "staking", code, log: log.to_owned() };
    check(&delegation(2, 7, 5), staking(3, "validator does not exist"));
    check(&delegation(2, 1, 0), Rejected::sdk(18, "invalid delegation amount: invalid request"));
    let smaller = "failed to delegate; 1000000000uswing is smaller than 1000000001uswing: insufficient funds";
    check(&delegation(2, 1, 1_000 * POWER + 1), Rejected::sdk(5, smaller));

    let mut check = |request: &MsgUndelegate, expected: Rejected| {
        let refused = refusal(message(&mut memory, &block(2), |context| handler::undelegate(context, request)));
        assert_eq!(refused, expected);
    };
    check(&undelegation(2, 1, 5), staking(19, "no delegation for (address, validator) tuple"));
    check(&undelegation(1, 1, 50 * POWER + 1), Rejected::sdk(18, "invalid shares amount: invalid request"));
    for height in 2..9 {
        undelegate(&mut memory, height, 1, 1, 1);
    }
    let refused =
        refusal(message(&mut memory, &block(9), |context| handler::undelegate(context, &undelegation(1, 1, 1))));
    assert_eq!(refused.code, 27);
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
        commission_rate: percent
            .map_or_else(String::new, |percent| Dec::with_places(percent, 2).expect("two places").to_scaled_string()),
        min_self_delegation: least.to_owned(),
    };
    let mut run = |height, request: &MsgEditValidator| {
        message(&mut memory, &block(height), |context| handler::edit_validator(context, request))
    };
    let day = 86_400;
    assert_eq!(refusal(run(day, &edit(Some(11), ""))).code, 12);
    assert_eq!(refusal(run(day + 1, &edit(Some(12), ""))).code, 15);
    assert_eq!(refusal(run(day + 1, &edit(Some(21), ""))).code, 11);
    assert_eq!(refusal(run(5, &edit(None, "1"))).code, 17);
    assert_eq!(refusal(run(5, &edit(None, "50000001"))).code, 16);
    run(day + 1, &edit(Some(11), "2")).expect("edited");
    let validator = staking::validator(&memory, &account(1)).expect("memory").expect("a validator");
    assert_eq!(validator.description.moniker, "new");
    assert_eq!(validator.rates.rate.to_string(), "0.110000000000000000");
    assert_eq!(validator.min_self_delegation, Int::from(2_u64));
}
