//! The engine's status in state: running, or stopped with a reason.

use bytes::Bytes;
use swingset_abi::{wire::Wire, wire_struct};

use super::Controller;
use crate::{env::Environment, error::EngineError, keys};

/// Longest reason kept, in bytes.
const REASON_BYTES_MAX: usize = 200;

/// Why the engine stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineStatus {
    /// One of the host's fixed words, or the kernel's after `kernel panic: `.
    pub reason: String,
    /// The kernel's `crankNumber` before the crank that was undone.
    pub crank_number: u64,
}
wire_struct!(EngineStatus { reason, crank_number });

impl Controller {
    /// The status: none while the engine runs.
    ///
    /// # Errors
    /// Halt.
    pub fn get_status(&self, env: &dyn Environment) -> Result<Option<EngineStatus>, EngineError> {
        let Some(bytes) = env.get(&keys::host(keys::STATUS))? else {
            return Ok(None);
        };
        let status = EngineStatus::from_bytes(&bytes);
        status.map(Some).map_err(|_| EngineError::halt("the engine's status in state is damaged"))
    }

    /// An error when the engine is stopped.
    pub(super) fn check_running(&self, env: &dyn Environment) -> Result<(), EngineError> {
        match self.get_status(env)? {
            None => Ok(()),
            Some(status) => Err(EngineError::Stopped(status.reason)),
        }
    }

    /// Stops the engine, in state. What the crank did was undone before.
    pub(super) fn stop(&mut self, env: &mut dyn Environment, reason: &str) -> Result<EngineError, EngineError> {
        self.kernel = None;
        let reason = truncated(reason);
        let status = EngineStatus { reason: reason.clone(), crank_number: self.crank_number(env)? };
        env.set(&keys::host(keys::STATUS), Bytes::from(status.to_bytes()))?;
        tracing::error!(%reason, crank = status.crank_number, "the engine stopped: a kernel swap or an upgrade must repair it");
        Ok(EngineError::Stopped(reason))
    }

    pub(super) fn crank_number(&mut self, env: &dyn Environment) -> Result<u64, EngineError> {
        let value = self.desk.kv.get(env, keys::KERNEL_CRANK_NUMBER.as_bytes())?;
        let text = value.and_then(|bytes| std::str::from_utf8(bytes).ok());
        Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
    }
}

/// As much of a text as a reason may have.
pub(super) fn truncated(reason: &str) -> String {
    let mut end = reason.len().min(REASON_BYTES_MAX);
    while !reason.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    reason.get(..end).unwrap_or_default().to_owned()
}
