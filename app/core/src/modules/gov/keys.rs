//! State keys of governance.

use crate::{
    address::{ADDRESS_LEN, Address},
    block::Time,
    state::prefix_end,
};

/// The parameters: `cosmos.gov.v1.Params`.
pub const PARAMS: &[u8] = b"gov/p";
/// The number that the next proposal gets: 8 bytes, big-endian.
pub const NEXT_ID: &[u8] = b"gov/n";
/// The constitution, as text; absent when empty.
pub const CONSTITUTION: &[u8] = b"gov/c";
/// All proposals begin with this.
pub const PROPOSALS: &[u8] = b"gov/i/";
/// All deposits begin with this.
pub const DEPOSITS: &[u8] = b"gov/d/";
/// All votes begin with this.
pub const VOTES: &[u8] = b"gov/v/";
/// The queue of proposals in their deposit period begins with this.
pub const INACTIVE_QUEUE: &[u8] = b"gov/q/";
/// The queue of proposals in their voting period begins with this.
pub const ACTIVE_QUEUE: &[u8] = b"gov/a/";

fn numbered(prefix: &[u8], id: u64) -> Vec<u8> {
    [prefix, &id.to_be_bytes()].concat()
}

/// A proposal: `cosmos.gov.v1.Proposal`.
pub fn proposal(id: u64) -> Vec<u8> {
    numbered(PROPOSALS, id)
}

/// All deposits on a proposal begin with this.
pub fn deposits(id: u64) -> Vec<u8> {
    numbered(DEPOSITS, id)
}

/// A deposit: `cosmos.gov.v1.Deposit`.
pub fn deposit(id: u64, depositor: &Address) -> Vec<u8> {
    [deposits(id).as_slice(), depositor.as_bytes()].concat()
}

/// All votes on a proposal begin with this.
pub fn votes(id: u64) -> Vec<u8> {
    numbered(VOTES, id)
}

/// A vote: `cosmos.gov.v1.Vote`.
pub fn vote(id: u64, voter: &Address) -> Vec<u8> {
    [votes(id).as_slice(), voter.as_bytes()].concat()
}

/// An entry of a queue, empty.
pub fn queued(queue: &[u8], time: Time, id: u64) -> Vec<u8> {
    [queue, &time.to_key(), &id.to_be_bytes()].concat()
}

/// The proposal of an entry of a queue.
pub fn queued_id(key: &[u8]) -> Option<u64> {
    key.last_chunk().copied().map(u64::from_be_bytes)
}

/// Where a queue's entries up to and including a time end.
pub fn queue_end(queue: &[u8], time: Time) -> Option<Vec<u8>> {
    prefix_end(&[queue, &time.to_key()].concat())
}

/// The account of a deposit or a vote.
pub fn account(key: &[u8]) -> Option<Address> {
    key.last_chunk::<ADDRESS_LEN>().copied().map(Address::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_as_recorded() {
        let address = Address::new([0x11; 20]);
        assert_eq!(hex::encode(proposal(258)), "676f762f692f0000000000000102");
        assert_eq!(hex::encode(deposit(1, &address)), format!("676f762f642f0000000000000001{}", "11".repeat(20)));
        assert_eq!(hex::encode(vote(1, &address)), format!("676f762f762f0000000000000001{}", "11".repeat(20)));
        let time = Time { seconds: 1, nanos: 2 };
        let key = queued(ACTIVE_QUEUE, time, 7);
        assert_eq!(hex::encode(&key), "676f762f612f8000000000000001000000020000000000000007");
        assert_eq!((queued_id(&key), account(&vote(1, &address))), (Some(7), Some(address)));
        assert!(key < queue_end(ACTIVE_QUEUE, time).unwrap());
        assert!(queued(ACTIVE_QUEUE, Time { seconds: 1, nanos: 3 }, 0) >= queue_end(ACTIVE_QUEUE, time).unwrap());
    }
}
