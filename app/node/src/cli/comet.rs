//! `comet`: identities that CometBFT derives from this home's key files.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use clap::Subcommand;
use serde_json::json;

use super::{Context, Failure, output, version::COMETBFT_VERSION};
use crate::config::node_keys::NodeKey;

/// Commands of `comet`.
#[derive(Debug, Subcommand)]
pub enum CometCommand {
    /// Show the ID that peers know this node by
    ShowNodeId,
    /// Show the validator's consensus public key
    ShowValidator,
    /// Show the validator's consensus address
    ShowAddress,
    /// Show the versions of CometBFT's protocols that this node speaks
    Version,
}

/// Runs one.
pub fn run(context: &Context, command: &CometCommand) -> Result<(), Failure> {
    let validator = || NodeKey::load(&context.home.priv_validator_key());
    match command {
        CometCommand::ShowNodeId => output::line(&NodeKey::load(&context.home.node_key())?.id()),
        CometCommand::ShowValidator => {
            let key = BASE64.encode(validator()?.public_key());
            output::line(&json!({"@type": "/cosmos.crypto.ed25519.PubKey", "key": key}).to_string())
        }
        CometCommand::ShowAddress => output::line(&validator()?.address().to_consensus()),
        CometCommand::Version => output::value(
            output::Format::Text,
            &json!({"abci": "2.0.0", "block_protocol": 11, "cometbft": COMETBFT_VERSION, "p2p": 8}),
        ),
    }
}
