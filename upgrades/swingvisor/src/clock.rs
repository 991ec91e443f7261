//! The process's clock. It bounds patience and makes estimates; it decides nothing about a chain.

use std::time::Duration;

/// A moment of the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::disallowed_types)] // a supervisor waits for processes; nothing of consensus is here
pub struct Moment(std::time::Instant);

impl Moment {
    /// Now.
    #[must_use]
    #[allow(clippy::disallowed_types)]
    pub fn now() -> Self {
        Moment(std::time::Instant::now())
    }

    /// The time since.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// The same in milliseconds.
    #[must_use]
    pub fn elapsed_ms(self) -> u64 {
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The time since the beginning of 1970, by the system's clock: for lines of a log alone.
#[must_use]
#[allow(clippy::disallowed_types)]
pub fn since_the_epoch() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
}
