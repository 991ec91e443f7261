//! `cosmos.base.node.v1beta1.Service`: the node's own settings and state. Source: the SDK's `client/grpc/node`.

use serde_json::json;
use swing_core::chain;
use swing_proto::{
    Message,
    cosmos::base::node::v1beta1::{ConfigResponse, StatusResponse},
    google::protobuf::Timestamp,
};

use super::{Services, blocks, message, unimplemented};
use crate::api::Failure;

/// The service's name.
pub(super) const SERVICE: &str = "cosmos.base.node.v1beta1.Service";

/// The settings that a node tells of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSettings {
    /// `minimum-gas-prices`.
    pub minimum_gas_prices: String,
    /// Versions of state kept; 0 keeps all.
    pub pruning_keep_recent: u64,
    /// Blocks between removals.
    pub pruning_interval: u64,
}

/// Answers a method.
pub(super) fn call(services: &Services, method: &str) -> Result<Vec<u8>, Failure> {
    match method {
        "Config" => Ok(config(&services.settings).encode_to_vec()),
        "Status" => Ok(status(services)?.encode_to_vec()),
        _ => Err(unimplemented(SERVICE, method)),
    }
}

fn config(settings: &NodeSettings) -> ConfigResponse {
    ConfigResponse {
        minimum_gas_price: settings.minimum_gas_prices.clone(),
        pruning_keep_recent: settings.pruning_keep_recent.to_string(),
        pruning_interval: settings.pruning_interval.to_string(),
        halt_height: 0,
    }
}

/// Hashes are those of the committed block's header, which the engine has.
fn status(services: &Services) -> Result<StatusResponse, Failure> {
    let committed = services.read.committed();
    let last = chain::last_block(committed.state()).map_err(Failure::internal)?;
    let answer = services.engine.call("header", json!({"height": committed.height.to_string()}))?;
    let header: swing_proto::tendermint::types::Header = message(&blocks::header(&answer["header"])?)?;
    Ok(StatusResponse {
        earliest_store_height: services.read.oldest(),
        height: committed.height,
        timestamp: Some(Timestamp { seconds: last.time.seconds, nanos: i32::try_from(last.time.nanos).unwrap_or(0) }),
        app_hash: header.app_hash,
        validator_hash: header.next_validators_hash,
    })
}
