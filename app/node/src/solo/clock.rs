//! The engine's clock and CometBFT's arithmetic of block time.
//!
//! # Invariants
//! - A vote is later than the block that it is for, so that block time only moves forward, whatever the machine's clock does.

use std::time::Duration;

use tendermint_proto::google::protobuf::Timestamp;

const NANOS_PER_SECOND: i32 = 1_000_000_000;
/// The least time from a block to its commit. Source: CometBFT's `BlockTimeIota`.
const BLOCK_TIME_IOTA_NANOS: i32 = 1_000_000;

/// The machine's clock.
#[allow(clippy::disallowed_types, reason = "the engine is the source of block time, at the edge")]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since.subsec_nanos()).unwrap_or_default(),
    }
}

/// The timestamp of the vote for a block of `block_time`: the clock's, and at least a millisecond after the block.
pub fn vote_time(block_time: Timestamp, now: Timestamp) -> Timestamp {
    let mut least = block_time;
    least.nanos = least.nanos.saturating_add(BLOCK_TIME_IOTA_NANOS);
    if least.nanos >= NANOS_PER_SECOND {
        least.nanos -= NANOS_PER_SECOND;
        least.seconds = least.seconds.saturating_add(1);
    }
    if (now.seconds, now.nanos) < (least.seconds, least.nanos) { least } else { now }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_are_later_than_their_block_whatever_the_clock_says() {
        #[track_caller]
        fn check(block: (i64, i32), now: (i64, i32), expected: (i64, i32)) {
            let stamp = |(seconds, nanos)| Timestamp { seconds, nanos };
            assert_eq!(vote_time(stamp(block), stamp(now)), stamp(expected));
        }
        check((10, 0), (12, 5), (12, 5));
        check((10, 0), (10, 0), (10, 1_000_000));
        check((10, 999_500_000), (3, 0), (11, 500_000));
    }
}
