//! `cosmos.tx.v1beta1.Service`: transactions in blocks, and on their way there. Source: the SDK's `x/auth/tx`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use swing_proto::{
    Message,
    cosmos::{
        base::{abci::v1beta1::TxResponse, query::v1beta1::PageResponse},
        tx::v1beta1::{
            BroadcastMode, BroadcastTxRequest, BroadcastTxResponse, GetBlockWithTxsRequest, GetBlockWithTxsResponse,
            GetTxRequest, GetTxResponse, GetTxsEventRequest, GetTxsEventResponse, OrderBy, Tx, TxDecodeRequest,
            TxDecodeResponse, TxEncodeRequest, TxEncodeResponse,
        },
    },
    google::protobuf::Any,
};

use super::{
    Services, blocks, comet, message,
    page::{self, Page},
    unimplemented,
};
use crate::{
    api::{Code, Failure},
    client::{ClientError, response, tx::broadcast},
};

/// The service's name.
pub(super) const SERVICE: &str = "cosmos.tx.v1beta1.Service";
/// The one method that the application answers.
pub(super) const SIMULATE: &str = "Simulate";

/// Answers a method.
pub(super) fn call(services: &Services, method: &str, request: &[u8]) -> Result<Vec<u8>, Failure> {
    Ok(match method {
        "GetTx" => get_tx(services, &GetTxRequest::decode(request)?)?.encode_to_vec(),
        "GetTxsEvent" => search(services, &GetTxsEventRequest::decode(request)?)?.encode_to_vec(),
        "BroadcastTx" => broadcast_tx(services, &BroadcastTxRequest::decode(request)?)?.encode_to_vec(),
        "GetBlockWithTxs" => block_with_txs(services, &GetBlockWithTxsRequest::decode(request)?)?.encode_to_vec(),
        "TxDecode" => {
            let tx_bytes = TxDecodeRequest::decode(request)?.tx_bytes;
            if tx_bytes.is_empty() {
                return Err(Failure::invalid("invalid empty tx bytes"));
            }
            TxDecodeResponse { tx: Some(Tx::decode(tx_bytes.as_slice())?) }.encode_to_vec()
        }
        "TxEncode" => {
            let tx = TxEncodeRequest::decode(request)?.tx;
            let tx = tx.ok_or_else(|| Failure::invalid("invalid empty tx"))?;
            TxEncodeResponse { tx_bytes: tx.encode_to_vec() }.encode_to_vec()
        }
        _ => return Err(unimplemented(SERVICE, method)),
    })
}

fn get_tx(services: &Services, request: &GetTxRequest) -> Result<GetTxResponse, Failure> {
    if request.hash.is_empty() {
        return Err(Failure::invalid("tx hash cannot be empty"));
    }
    let included = services.engine.tx(&request.hash)?;
    let included = included.ok_or_else(|| Failure::new(Code::NotFound, format!("tx not found: {}", request.hash)))?;
    let (tx, tx_response) = Times::default().shown(services, &included)?;
    Ok(GetTxResponse { tx: Some(tx), tx_response: Some(tx_response) })
}

/// Blocks' times by height, each asked for once.
#[derive(Default)]
struct Times(BTreeMap<String, String>);

impl Times {
    /// To the second, as in the SDK.
    fn of(&mut self, services: &Services, height: &str) -> Result<String, Failure> {
        if let Some(time) = self.0.get(height) {
            return Ok(time.clone());
        }
        let answer = services.engine.call("header", json!({"height": height}))?;
        let time = answer["header"]["time"].as_str().unwrap_or_default();
        let time = time.split_once('.').map_or_else(|| time.to_owned(), |(seconds, _)| format!("{seconds}Z"));
        self.0.insert(height.to_owned(), time.clone());
        Ok(time)
    }

    /// A transaction in a block, as CometBFT's `tx` tells it.
    fn shown(&mut self, services: &Services, included: &Value) -> Result<(Tx, TxResponse), Failure> {
        let height = included["height"].as_str().unwrap_or_default();
        let time = self.of(services, height)?;
        let bytes = response::tx_bytes(included)?;
        // The parts of a TxRaw have the numbers of those of a Tx.
        let tx = Tx::decode(bytes.as_slice())?;
        let mut shown: TxResponse = message(&response::of_included(included, &time, Value::Null)?)?;
        shown.tx = Some(Any { type_url: swing_proto::type_url::<Tx>(), value: bytes });
        Ok((tx, shown))
    }
}

#[allow(deprecated, reason = "clients older than the SDK's 0.50 send the conditions one by one")]
fn search(services: &Services, request: &GetTxsEventRequest) -> Result<GetTxsEventResponse, Failure> {
    let query = if request.query.is_empty() { request.events.join(" AND ") } else { request.query.clone() };
    if query.is_empty() {
        return Err(Failure::invalid("query cannot be empty"));
    }
    let order = match request.order_by() {
        OrderBy::Unspecified | OrderBy::Asc => "asc",
        OrderBy::Desc => "desc",
    };
    let found = services.engine.call(
        "tx_search",
        json!({
            "query": query,
            "prove": false,
            "page": request.page.max(1).to_string(),
            "per_page": page::limit(request.limit).to_string(),
            "order_by": order,
        }),
    );
    // What is wrong with a search is in the caller's query or page.
    let found = found.map_err(|error| match error {
        ClientError::Rpc { message, .. } => Failure::invalid(message),
        other => other.into(),
    })?;
    let mut times = Times::default();
    let shown = found["txs"].as_array().into_iter().flatten().map(|included| times.shown(services, included));
    let (txs, tx_responses) = shown.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let total = found["total_count"].as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
    Ok(GetTxsEventResponse { txs, tx_responses, pagination: None, total })
}

fn broadcast_tx(services: &Services, request: &BroadcastTxRequest) -> Result<BroadcastTxResponse, Failure> {
    let waits_for_check = match request.mode() {
        BroadcastMode::Sync => true,
        BroadcastMode::Async => false,
        other => {
            let name = other.as_str_name();
            return Err(Failure::invalid(format!("unsupported return type {name}; supported types: sync, async")));
        }
    };
    if request.tx_bytes.is_empty() {
        return Err(Failure::invalid("invalid empty tx"));
    }
    let sent = broadcast(&services.engine, &request.tx_bytes, waits_for_check)?;
    Ok(BroadcastTxResponse { tx_response: Some(message(&response::of_broadcast(&sent))?) })
}

fn block_with_txs(services: &Services, request: &GetBlockWithTxsRequest) -> Result<GetBlockWithTxsResponse, Failure> {
    let page = Page::of(request.pagination.as_ref())?;
    let answer = services.engine.block(Some(comet::existing(services, request.height)?))?;
    let block: swing_proto::tendermint::types::Block = message(&blocks::block(&answer["block"])?)?;
    let all = block.data.as_ref().map(|data| data.txs.as_slice()).unwrap_or_default();
    let txs = page.of_list(all).iter().map(|tx| Tx::decode(tx.as_slice()));
    Ok(GetBlockWithTxsResponse {
        txs: txs.collect::<Result<_, _>>().map_err(|error| Failure::internal(format!("a transaction: {error}")))?,
        block_id: Some(message(&blocks::block_id(&answer["block_id"])?)?),
        pagination: Some(PageResponse {
            total: u64::try_from(all.len()).unwrap_or(u64::MAX),
            ..PageResponse::default()
        }),
        block: Some(block),
    })
}
