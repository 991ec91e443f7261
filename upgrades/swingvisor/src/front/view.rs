//! What operators see of the front.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::{
    machine::Machine,
    message::Role,
    phase::{Parking, Phase, Swap},
};

/// The front, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct View {
    /// Where it stands.
    pub phase: &'static str,
    /// For how long CometBFT has been parked, milliseconds.
    pub parked_ms: Option<u64>,
    /// That is too long (`SWINGVISOR_PARKED_LIMIT`): peers and clients may leave it.
    pub late: bool,
    /// CometBFT's connections.
    pub connections: Vec<ConnectionView>,
    /// The last change of processes under a running CometBFT.
    pub last_swap: Option<Swap>,
}

/// A connection, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConnectionView {
    /// consensus, mempool, query or snapshot; unknown before its first request.
    pub role: &'static str,
    /// Whether its requests wait for a node.
    pub parked: bool,
    /// Requests that wait.
    pub waiting: usize,
    /// Their bytes.
    pub waiting_bytes: usize,
    /// Requests that a node has and has not answered.
    pub unanswered: usize,
}

impl Machine {
    /// What is seen of it now.
    #[must_use]
    pub fn view(&self) -> View {
        let parking = match &self.phase {
            Phase::Parked(parking) => Some(*parking),
            _ => None,
        };
        let parked_ms = parking.map(|Parking { since_ms, .. }| self.now_ms.saturating_sub(since_ms));
        let connections = self.lines.values().map(|line| ConnectionView {
            role: line.role().map_or("unknown", Role::name),
            parked: match &self.phase {
                Phase::Parked(_) => true,
                Phase::Draining(drain) => line.role() == Some(Role::Consensus) || drain.over_ms.is_some(),
                _ => false,
            },
            waiting: line.waiting(),
            waiting_bytes: line.waiting_bytes(),
            unanswered: line.unanswered(),
        });
        View {
            phase: self.phase.name(),
            parked_ms,
            late: parking.is_some_and(|parking| parking.late),
            connections: connections.collect(),
            last_swap: None,
        }
    }
}

/// The present view, for whoever asks.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<View>>);

impl Board {
    /// Changes it.
    pub fn change(&self, change: impl FnOnce(&mut View)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A copy.
    #[must_use]
    pub fn view(&self) -> View {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
