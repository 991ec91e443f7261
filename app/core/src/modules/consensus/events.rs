//! Events of the consensus parameters.

use crate::event::Event;

/// Governance changed the parameters. Source: SDK `update_consensus_params`.
pub fn params_updated(authority: &str, parameters: &str) -> Event {
    Event::new("update_consensus_params").with("authority", authority).with("parameters", parameters)
}
