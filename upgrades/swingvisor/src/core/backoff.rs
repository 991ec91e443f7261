//! How long to rest before the next try.

use super::Policy;

/// The rest after the n-th failure in a row: doubled each time, up to the policy's longest.
pub fn rest_ms(policy: &Policy, failures: u32) -> u64 {
    let doublings = failures.saturating_sub(1).min(32);
    policy.backoff_min_ms.saturating_mul(1_u64 << doublings).min(policy.backoff_max_ms)
}
