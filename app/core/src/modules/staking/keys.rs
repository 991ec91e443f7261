//! State keys of staking.

use crate::{
    address::{ADDRESS_LEN, Address},
    block::Time,
    state::prefix_end,
    time::TIME_KEY_LEN,
};

/// The parameters: `cosmos.staking.v1beta1.Params`.
pub const PARAMS: &[u8] = b"staking/p";
/// The power of the last validator set in all: 8 bytes, big-endian.
pub const LAST_TOTAL_POWER: &[u8] = b"staking/n";
/// The number that the next unbonding operation gets: 8 bytes, big-endian.
pub const NEXT_UNBONDING_ID: &[u8] = b"staking/i";
/// All validators begin with this.
pub const VALIDATORS: &[u8] = b"staking/v/";
/// The power index begins with this.
pub const BY_POWER: &[u8] = b"staking/w/";
/// The powers of the last validator set begin with this.
pub const LAST_POWERS: &[u8] = b"staking/l/";
/// All delegations begin with this.
pub const DELEGATIONS: &[u8] = b"staking/d/";
/// All unbonding delegations begin with this.
pub const UNBONDINGS: &[u8] = b"staking/u/";
/// The queue of unbonding delegations begins with this.
pub const UNBONDING_QUEUE: &[u8] = b"staking/q/";
/// All redelegations begin with this.
pub const REDELEGATIONS: &[u8] = b"staking/r/";
/// The queue of redelegations begins with this.
pub const REDELEGATION_QUEUE: &[u8] = b"staking/t/";
/// The queue of unbonding validators begins with this.
pub const VALIDATOR_QUEUE: &[u8] = b"staking/z/";

fn of(prefix: &[u8], addresses: &[&Address]) -> Vec<u8> {
    let mut key = prefix.to_vec();
    for address in addresses {
        key.extend_from_slice(address.as_bytes());
    }
    key
}

/// A validator: `cosmos.staking.v1beta1.Validator`.
pub fn validator(operator: &Address) -> Vec<u8> {
    of(VALIDATORS, &[operator])
}

/// The operator of a consensus address: 20 bytes.
pub fn operator_by_consensus(consensus: &Address) -> Vec<u8> {
    of(b"staking/c/", &[consensus])
}

/// An entry of the power index, empty: the highest power first, then by operator.
pub fn by_power(power: u64, operator: &Address) -> Vec<u8> {
    [BY_POWER, &(!power).to_be_bytes(), operator.as_bytes()].concat()
}

/// The operator of an entry of the power index.
pub fn operator_of_power(key: &[u8]) -> Option<Address> {
    Address::from_slice(key.strip_prefix(BY_POWER)?.get(8..)?).ok()
}

/// A validator's power in the last validator set: 8 bytes, big-endian.
pub fn last_power(operator: &Address) -> Vec<u8> {
    of(LAST_POWERS, &[operator])
}

/// A delegation: its shares, scaled, as text.
pub fn delegation(delegator: &Address, operator: &Address) -> Vec<u8> {
    of(DELEGATIONS, &[delegator, operator])
}

/// All delegations of a delegator begin with this.
pub fn delegations_of(delegator: &Address) -> Vec<u8> {
    of(DELEGATIONS, &[delegator])
}

/// A delegation under its validator, empty.
pub fn delegator_of(operator: &Address, delegator: &Address) -> Vec<u8> {
    of(b"staking/x/", &[operator, delegator])
}

/// All delegations to a validator begin with this.
pub fn delegators_of(operator: &Address) -> Vec<u8> {
    of(b"staking/x/", &[operator])
}

/// An unbonding delegation: `cosmos.staking.v1beta1.UnbondingDelegation`.
pub fn unbonding(delegator: &Address, operator: &Address) -> Vec<u8> {
    of(UNBONDINGS, &[delegator, operator])
}

/// All unbonding delegations of a delegator begin with this.
pub fn unbondings_of(delegator: &Address) -> Vec<u8> {
    of(UNBONDINGS, &[delegator])
}

/// An entry of the queue of unbonding delegations, empty.
pub fn unbonding_at(time: Time, delegator: &Address, operator: &Address) -> Vec<u8> {
    of(&[UNBONDING_QUEUE, &time.to_key()].concat(), &[delegator, operator])
}

/// A redelegation: `cosmos.staking.v1beta1.Redelegation`.
pub fn redelegation(delegator: &Address, source: &Address, destination: &Address) -> Vec<u8> {
    of(REDELEGATIONS, &[delegator, source, destination])
}

/// All redelegations of a delegator begin with this.
pub fn redelegations_of(delegator: &Address) -> Vec<u8> {
    of(REDELEGATIONS, &[delegator])
}

/// A redelegation under its destination, empty.
pub fn redelegation_to(delegator: &Address, destination: &Address, source: &Address) -> Vec<u8> {
    of(b"staking/s/", &[delegator, destination, source])
}

/// All redelegations of a delegator to a destination begin with this.
pub fn redelegations_to(delegator: &Address, destination: &Address) -> Vec<u8> {
    of(b"staking/s/", &[delegator, destination])
}

/// An entry of the queue of redelegations, empty.
pub fn redelegation_at(time: Time, delegator: &Address, source: &Address, destination: &Address) -> Vec<u8> {
    of(&[REDELEGATION_QUEUE, &time.to_key()].concat(), &[delegator, source, destination])
}

/// An entry of the queue of unbonding validators, empty.
pub fn validator_at(time: Time, operator: &Address) -> Vec<u8> {
    of(&[VALIDATOR_QUEUE, &time.to_key()].concat(), &[operator])
}

/// The `N` addresses at a key's end, behind a prefix.
pub fn addresses<const N: usize>(prefix: &[u8], key: &[u8]) -> Option<[Address; N]> {
    let rest = key.strip_prefix(prefix)?;
    let mut addresses = [Address::new([0; ADDRESS_LEN]); N];
    let mut chunks = rest.chunks_exact(ADDRESS_LEN);
    for address in &mut addresses {
        *address = Address::from_slice(chunks.next()?).ok()?;
    }
    (chunks.next().is_none() && chunks.remainder().is_empty()).then_some(addresses)
}

/// The `N` addresses of an entry of a queue.
pub fn queued<const N: usize>(queue: &[u8], key: &[u8]) -> Option<[Address; N]> {
    addresses(&[], key.strip_prefix(queue)?.get(TIME_KEY_LEN..)?)
}

/// Where a queue's entries up to and including a time end.
pub fn queue_end(queue: &[u8], time: Time) -> Option<Vec<u8>> {
    prefix_end(&[queue, &time.to_key()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Address = Address::new([0x11; 20]);
    const TWO: Address = Address::new([0x22; 20]);

    #[test]
    fn keys_are_as_recorded() {
        let time = Time { seconds: 1, nanos: 2 };
        let text = |key: Vec<u8>| key.iter().map(|byte| char::from(*byte)).take(10).collect::<String>();
        assert_eq!(text(validator(&ONE)), "staking/v/");
        assert_eq!(
            hex::encode(by_power(5, &ONE)),
            format!("7374616b696e672f772f{}{}", "fffffffffffffffa", "11".repeat(20))
        );
        assert_eq!(
            hex::encode(delegation(&ONE, &TWO)),
            format!("7374616b696e672f642f{}{}", "11".repeat(20), "22".repeat(20))
        );
        assert_eq!(operator_of_power(&by_power(5, &ONE)), Some(ONE));
        assert_eq!(addresses(DELEGATIONS, &delegation(&ONE, &TWO)), Some([ONE, TWO]));
        assert_eq!(queued(UNBONDING_QUEUE, &unbonding_at(time, &ONE, &TWO)), Some([ONE, TWO]));
        assert_eq!(addresses::<1>(DELEGATIONS, &delegation(&ONE, &TWO)), None);
    }

    #[test]
    fn the_power_index_has_the_strongest_first_and_a_queue_ends_after_its_time() {
        assert!(by_power(7, &TWO) < by_power(5, &ONE));
        assert!(by_power(7, &ONE) < by_power(7, &TWO));
        let highest = Address::new([0xff; 20]);
        let (now, later) = (Time { seconds: 5, nanos: 0 }, Time { seconds: 5, nanos: 1 });
        let end = queue_end(UNBONDING_QUEUE, now).unwrap();
        assert!(unbonding_at(now, &highest, &highest) < end);
        assert!(unbonding_at(later, &Address::new([0; 20]), &ONE) > end);
    }
}
