//! The invariants under a seeded run.

use super::*;

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
    assert!(done > 100 && refused > 20, "{done} done, {refused} refused: the run must do both");
    let supply: u64 = (1..=10).map(|index| balance(&memory, &account(index))).sum::<u64>()
        + balance(&memory, &module_address("bonded_tokens_pool"))
        + balance(&memory, &module_address("not_bonded_tokens_pool"));
    assert_eq!(supply, 10_000 * POWER);
}
