//! The report as the supervisor keeps it, for whoever asks.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{front, report::Report};

/// The present report.
#[derive(Clone, Debug, Default)]
pub struct Board {
    report: Arc<Mutex<Report>>,
    front: Option<front::Board>,
}

impl Board {
    /// An empty report, of a swingvisor with this front.
    #[must_use]
    pub fn new(front: Option<front::Board>) -> Self {
        Board { report: Arc::default(), front }
    }

    /// Changes it.
    pub fn change(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A copy.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner).clone();
        report.front = self.front.as_ref().map(front::Board::view);
        report
    }
}
