//! `cosmos.base.tendermint.v1beta1.Service`: what the engine tells of blocks, validators and itself. Source: the SDK's
//! `client/grpc/cmtservice`.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use swing_proto::{
    Message,
    cosmos::base::tendermint::v1beta1::{
        AbciQueryRequest, AbciQueryResponse, GetBlockByHeightRequest, GetBlockByHeightResponse, GetLatestBlockResponse,
        GetLatestValidatorSetRequest, GetLatestValidatorSetResponse, GetNodeInfoResponse, GetSyncingResponse,
        GetValidatorSetByHeightRequest, GetValidatorSetByHeightResponse, ProofOp, ProofOps,
    },
};
use tendermint_proto::v0_38::abci::RequestQuery;

use super::{Services, blocks, message, page::Page, unimplemented};
use crate::{abci::ReadApplication, api::Failure};

/// The service's name.
pub(super) const SERVICE: &str = "cosmos.base.tendermint.v1beta1.Service";

/// The SDK release whose interfaces these are. Clients look at it to know what they can ask for.
const SDK_VERSION: &str = "v0.53.6";

/// Answers a method.
pub(super) fn call(services: &Services, method: &str, request: &[u8]) -> Result<Vec<u8>, Failure> {
    Ok(match method {
        "GetNodeInfo" => node_info(services)?.encode_to_vec(),
        "GetSyncing" => {
            let status = services.engine.status()?;
            GetSyncingResponse { syncing: status["sync_info"]["catching_up"] == true }.encode_to_vec()
        }
        "GetLatestBlock" => message::<GetLatestBlockResponse>(&shown(&services.engine.block(None)?)?)?.encode_to_vec(),
        "GetBlockByHeight" => {
            let height = GetBlockByHeightRequest::decode(request)?.height;
            let block = services.engine.block(Some(existing(services, height)?))?;
            message::<GetBlockByHeightResponse>(&shown(&block)?)?.encode_to_vec()
        }
        "GetLatestValidatorSet" => {
            let request = GetLatestValidatorSetRequest::decode(request)?;
            let page = Page::of(request.pagination.as_ref())?;
            message::<GetLatestValidatorSetResponse>(&validators(services, None, page)?)?.encode_to_vec()
        }
        "GetValidatorSetByHeight" => {
            let request = GetValidatorSetByHeightRequest::decode(request)?;
            let page = Page::of(request.pagination.as_ref())?;
            let height = existing(services, request.height)?;
            message::<GetValidatorSetByHeightResponse>(&validators(services, Some(height), page)?)?.encode_to_vec()
        }
        "ABCIQuery" => abci_query(services, AbciQueryRequest::decode(request)?)?.encode_to_vec(),
        _ => return Err(unimplemented(SERVICE, method)),
    })
}

/// A height of which there is a block.
pub(super) fn existing(services: &Services, height: i64) -> Result<u64, Failure> {
    let latest = services.engine.latest_height()?;
    u64::try_from(height).ok().filter(|height| (1..=latest).contains(height)).ok_or_else(|| {
        Failure::invalid(format!(
            "requested height {height} but height must not be less than 1 or greater than the current height {latest}"
        ))
    })
}

fn node_info(services: &Services) -> Result<GetNodeInfoResponse, Failure> {
    let status = services.engine.status()?;
    let info = &status["node_info"];
    let channels = info["channels"].as_str().and_then(|text| hex::decode(text).ok());
    message(&json!({
        "default_node_info": {
            "protocol_version": info["protocol_version"],
            "default_node_id": info["id"],
            "listen_addr": info["listen_addr"],
            "network": info["network"],
            "version": info["version"],
            "channels": BASE64.encode(channels.ok_or_else(|| blocks::unexpected("channels are not hex"))?),
            "moniker": info["moniker"],
            "other": {"tx_index": info["other"]["tx_index"], "rpc_address": info["other"]["rpc_address"]},
        },
        "application_version": {
            "name": "swing",
            "app_name": "swingd",
            "version": format!("{} ({})", env!("CARGO_PKG_VERSION"), services.read.release()),
            "cosmos_sdk_version": SDK_VERSION,
        },
    }))
}

/// A block in both forms.
fn shown(answer: &Value) -> Result<Value, Failure> {
    Ok(json!({
        "block_id": blocks::block_id(&answer["block_id"])?,
        "block": blocks::block(&answer["block"])?,
        "sdk_block": blocks::sdk_block(&answer["block"])?,
    }))
}

fn validators(services: &Services, height: Option<u64>, page: Page) -> Result<Value, Failure> {
    let mut params = json!({"page": page.number().to_string(), "per_page": page.limit.to_string()});
    if let Some(height) = height {
        params["height"] = json!(height.to_string());
    }
    let set = services.engine.call("validators", params)?;
    let validator = |validator: &Value| {
        Ok(json!({
            "address": blocks::consensus_address(&validator["address"])?,
            "pub_key": {"@type": "/cosmos.crypto.ed25519.PubKey", "key": validator["pub_key"]["value"]},
            "voting_power": validator["voting_power"],
            "proposer_priority": validator["proposer_priority"],
        }))
    };
    let validators = set["validators"].as_array().into_iter().flatten().map(validator);
    Ok(json!({
        "block_height": set["block_height"],
        "validators": validators.collect::<Result<Vec<_>, Failure>>()?,
        "pagination": {"total": set["total"]},
    }))
}

/// Any path of ABCI: Query, a proof included.
fn abci_query(services: &Services, request: AbciQueryRequest) -> Result<AbciQueryResponse, Failure> {
    let AbciQueryRequest { data, path, height, prove } = request;
    let asked = RequestQuery { data: data.into(), path, height, prove };
    let answer = services.read.query(asked).map_err(|reason| services.fault(reason))?;
    let ops = answer.proof_ops.map(|proof| {
        let ops = proof.ops.into_iter().map(|op| ProofOp { r#type: op.r#type, key: op.key, data: op.data });
        ProofOps { ops: ops.collect() }
    });
    Ok(AbciQueryResponse {
        code: answer.code,
        log: answer.log,
        info: answer.info,
        index: answer.index,
        key: answer.key.to_vec(),
        value: answer.value.to_vec(),
        proof_ops: ops,
        height: answer.height,
        codespace: answer.codespace,
    })
}
