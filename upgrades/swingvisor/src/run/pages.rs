//! The report as the supervisor keeps it, for whoever asks.

use std::sync::{Arc, Mutex, PoisonError};

use crate::report::Report;

/// The present report.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<Report>>);

impl Board {
    /// Changes it.
    pub fn change(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A copy.
    #[must_use]
    pub fn report(&self) -> Report {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
