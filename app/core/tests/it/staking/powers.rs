//! The validator set, and delegating.

use super::*;

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
    assert_eq!((status(&memory, 2), status(&memory, 4)), (BondStatus::Unbonding, BondStatus::Bonded));
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
fn only_governance_changes_the_parameters_and_not_the_bond_denom() {
    let mut memory = chain(3);
    let params = staking::params(&memory).expect("genesis ran");
    let mut run = |authority: &str, change: &dyn Fn(&mut swing_proto::cosmos::staking::v1beta1::Params)| {
        let mut params = params.clone();
        change(&mut params);
        let request = MsgUpdateParams { authority: authority.to_owned(), params: Some(params) };
        message(&mut memory, &block(2), |context| handler::update_params(context, &request))
    };
    assert_eq!(refusal(run("swing1x", &|_| {})).code, 13);
    assert!(refusal(run(&gov(), &|params| params.bond_denom = "uother".to_owned())).log.contains("bond denom"));
    assert!(refusal(run(&gov(), &|params| params.max_validators = 0)).log.contains("max validators"));
    run(&gov(), &|params| params.max_validators = 1).expect("changed");
    for index in 1..=2 {
        create(&mut memory, index, u64::from(index) * POWER);
    }
    assert_eq!(end(&mut memory, 3).0, [(2, 2)]);
}
