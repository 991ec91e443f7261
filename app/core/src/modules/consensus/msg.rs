//! Messages of the consensus parameters.

use prost::Name;
use swing_proto::{
    cosmos::consensus::v1::MsgUpdateParams,
    tendermint::types::{ConsensusParams, VersionParams},
};

pub use crate::modules::message::signers;

/// Type names of the messages that [`super::handler::handle`] takes.
pub fn names() -> [String; 1] {
    [MsgUpdateParams::full_name()]
}

/// The parameters that a message asks for, with the app version that is in force.
pub fn params(message: &MsgUpdateParams, version: Option<VersionParams>) -> ConsensusParams {
    ConsensusParams {
        block: message.block,
        evidence: message.evidence,
        validator: message.validator.clone(),
        version,
        abci: message.abci,
    }
}
