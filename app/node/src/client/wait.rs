//! Waiting with a deadline.

use std::time::Duration;
#[allow(clippy::disallowed_types, reason = "a client's deadline; nothing here is consensus")]
use std::time::Instant;

use serde_json::Value;

use super::{ClientError, RpcClient};

/// Between two looks. A block takes longer, and a look costs the node little.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Looks until `look` gives something or the time is up. A failure of `look` ends the wait.
///
/// # Errors
/// The deadline passed, or `look` failed.
#[allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a client's deadline; nothing here is consensus"
)]
pub fn until<T>(
    what: &str,
    timeout: Duration,
    mut look: impl FnMut() -> Result<Option<T>, ClientError>,
) -> Result<T, ClientError> {
    let begin = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if begin.elapsed() >= timeout {
            return Err(ClientError::Timeout { what: what.to_owned(), seconds: timeout.as_secs() });
        }
        std::thread::park_timeout(LOOK_INTERVAL);
    }
}

/// Waits until the transaction is in a block; gives CometBFT's `tx` answer, whatever its code.
///
/// # Errors
/// The deadline passed, or the node stopped answering.
pub fn tx(client: &RpcClient, hash: &str, timeout: Duration) -> Result<Value, ClientError> {
    until(&format!("inclusion of transaction {hash} in a block"), timeout, || client.tx(hash))
}

/// Waits until this height is committed.
///
/// # Errors
/// The deadline passed, or the node stopped answering.
pub fn height(client: &RpcClient, height: u64, timeout: Duration) -> Result<u64, ClientError> {
    until(&format!("height {height}"), timeout, || Ok(Some(client.latest_height()?).filter(|latest| *latest >= height)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_at_success_failure_or_deadline() {
        let mut looks = 0;
        let found = until("it", Duration::from_secs(60), || {
            looks += 1;
            Ok((looks == 2).then_some(looks))
        });
        assert_eq!(found.expect("found at the second look"), 2);
        let failed = until::<()>("it", Duration::from_secs(60), || Err(ClientError::Input("broken".to_owned())));
        assert_eq!(failed.expect_err("it failed").to_string(), "broken");
        let late = until::<()>("it", Duration::ZERO, || Ok(None));
        assert_eq!(late.expect_err("it never happened").to_string(), "it did not happen within 0 s");
    }
}
