//! Waiting on a condition with a deadline.

use std::time::Duration;

use anyhow::{Result, bail};

/// How long a poll rests between two looks.
const REST: Duration = Duration::from_millis(50);

/// Looks at `condition` until it gives a value.
///
/// # Errors
/// The condition's own error, or one that names `what` and its last word when `limit` has passed.
pub fn until<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    // A clock is right here: this is a tool that waits for processes, not consensus.
    #[allow(clippy::disallowed_types)]
    let start = std::time::Instant::now();
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if start.elapsed() > limit {
            bail!("gave up after {} s waiting for {what}", limit.as_secs());
        }
        std::thread::park_timeout(REST);
    }
}

/// As [`until`], for a condition that may fail while a node is starting: an error counts as "not yet" and is told at the end.
///
/// # Errors
/// When `limit` has passed; with the last error, if there was one.
pub fn until_ok<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let mut last = None;
    let found = until(what, limit, || match condition() {
        Ok(value) => Ok(value),
        Err(error) => {
            last = Some(error);
            Ok(None)
        }
    });
    match (found, last) {
        (Err(gave_up), Some(error)) => Err(gave_up.context(format!("last answer: {error:#}"))),
        (found, _) => found,
    }
}
