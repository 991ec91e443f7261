//! Taking back, moving, leaving.

use super::*;

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
    assert!(unbonding::unbondings(&memory, keys::UNBONDINGS).expect("memory").is_empty());
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

#[test]
fn a_move_takes_effect_at_once_and_holds_the_next_one_back() {
    let mut memory = chain(2);
    for index in 1..=3 {
        create(&mut memory, index, u64::from(4 - index) * 10 * POWER);
    }
    delegate(&mut memory, 9, 1, 5 * POWER);
    end(&mut memory, 1);
    let begin = |memory: &mut Memory, height, request: &MsgBeginRedelegate| {
        message(memory, &block(height), |context| handler::begin_redelegate(context, request))
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
    assert!(events.iter().any(|event| event.starts_with("complete_redelegation amount=4000000uswing")), "{events:?}");
    begin(&mut memory, 103, &redelegation(9, 3, 2, POWER)).expect("moved on");
    check_invariants(&memory);
}
