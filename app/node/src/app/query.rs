//! ABCI: Query, by the form of its path. Source: SDK baseapp `Query`.

use prost::Message;
use swing_core::{
    error::{Halt, Rejected},
    execute,
    query::{self as routed, QueryError, Status},
    sdk_error::SdkError,
};
use swing_proto::cosmos::{
    base::abci::v1beta1::{GasInfo, SimulationResponse},
    tx::v1beta1::{SimulateRequest, SimulateResponse},
};
use swing_store::View;
use tendermint_proto::v0_38::abci as pb;

use super::{convert, shared::Shared, store_query};

/// The one method of the service `cosmos.tx` that an application answers; the others need the engine's index.
const SIMULATE: &str = "/cosmos.tx.v1beta1.Service/Simulate";

/// Answers a query. What is wrong with the query is in the answer.
pub(super) fn answer(shared: &Shared, request: &pb::RequestQuery) -> Result<pb::ResponseQuery, Halt> {
    let answered = match request.path.split('/').collect::<Vec<_>>().as_slice() {
        ["", "app", "version"] => at_head(shared, shared.options.release.name().as_bytes().to_vec()),
        ["", "app", "simulate"] => requested_view(shared, 0)
            .and_then(|view| Ok(simulate(&view, &request.data)?))
            .and_then(|response| to_json(&response))
            .and_then(|value| at_head(shared, value)),
        ["", "store", rest @ ..] => store_query::answer(shared, rest, request),
        ["", "p2p", "filter", "addr" | "id", _] => Ok(pb::ResponseQuery::default()),
        ["", service, _] if service.contains('.') => routed_query(shared, request),
        _ => Err(SdkError::UnknownRequest.wrap(format!("unknown query path {}", request.path)).into()),
    };
    match answered {
        Ok(response) => Ok(response),
        Err(Refused::Halt(halt)) => Err(halt),
        Err(Refused::Query { codespace, code, log }) => Ok(pb::ResponseQuery {
            code,
            codespace: codespace.to_owned(),
            log,
            height: request.height,
            ..pb::ResponseQuery::default()
        }),
    }
}

/// Why a query has no value.
pub(super) enum Refused {
    /// The caller's fault, or there is no such thing.
    Query {
        /// The registered error's codespace.
        codespace: &'static str,
        /// Its code.
        code: u32,
        /// What was wrong.
        log: String,
    },
    /// This node's fault.
    Halt(Halt),
}

/// Why a service's method has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The caller's fault, or there is no such thing.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// This node's fault: it must stop.
    #[error(transparent)]
    Halt(#[from] Halt),
}

impl From<ServiceError> for Refused {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Query(error) => error.into(),
            ServiceError::Halt(halt) => Refused::Halt(halt),
        }
    }
}

impl From<Rejected> for Refused {
    fn from(rejected: Rejected) -> Self {
        Refused::Query { codespace: rejected.codespace, code: rejected.code, log: rejected.log }
    }
}

impl From<Halt> for Refused {
    fn from(halt: Halt) -> Self {
        Refused::Halt(halt)
    }
}

impl From<QueryError> for Refused {
    fn from(error: QueryError) -> Self {
        let (codespace, code) = error.abci_code();
        Refused::Query { codespace, code, log: error.message }
    }
}

/// A committed version: the newest for height 0.
pub(super) fn view(shared: &Shared, height: u64) -> Result<View, String> {
    let committed = shared.committed();
    if committed.height == 0 {
        return Err("swingd is not ready; please wait for first block: invalid height".to_owned());
    }
    if height == 0 || height == committed.height {
        return Ok(committed.view.clone());
    }
    // A version that is being committed is not there yet for anybody.
    let known = if height > committed.height { Err(format!("the newest is {}", committed.height)) } else { Ok(()) };
    known
        .and_then(|()| shared.store.at(height).map_err(|error| error.to_string()))
        .map_err(|why| format!("failed to load state at height {height}; {why} (latest height: {})", committed.height))
}

/// [`view`] for a request.
pub(super) fn requested_view(shared: &Shared, height: i64) -> Result<View, Refused> {
    let height = u64::try_from(height)
        .map_err(|_| SdkError::InvalidRequest.wrap(format!("cannot query with height {height}: 0 or more expected")))?;
    view(shared, height).map_err(|why| SdkError::InvalidRequest.wrap(why).into())
}

fn at_head(shared: &Shared, value: Vec<u8>) -> Result<pb::ResponseQuery, Refused> {
    let height = convert::to_height(shared.committed().height)?;
    Ok(pb::ResponseQuery { value: value.into(), height, ..pb::ResponseQuery::default() })
}

fn routed_query(shared: &Shared, request: &pb::RequestQuery) -> Result<pb::ResponseQuery, Refused> {
    let view = requested_view(shared, request.height)?;
    let value = service(&view, &request.path, &request.data)?;
    let height = convert::to_height(view.version())?;
    Ok(pb::ResponseQuery { value: value.into(), height, ..pb::ResponseQuery::default() })
}

/// A service's method on a committed version: the encoded request to the encoded response.
pub(super) fn service(view: &View, path: &str, data: &[u8]) -> Result<Vec<u8>, ServiceError> {
    if path == SIMULATE { simulate_service(view, data) } else { Ok(routed::query(view, path, data)?) }
}

fn simulate_service(view: &View, data: &[u8]) -> Result<Vec<u8>, ServiceError> {
    let request = SimulateRequest::decode(data).map_err(QueryError::from)?;
    #[allow(deprecated, reason = "clients older than the SDK's 0.43 send the transaction in this field")]
    let tx = match (request.tx_bytes.is_empty(), request.tx) {
        (false, _) => request.tx_bytes,
        (true, Some(tx)) => tx.encode_to_vec(),
        (true, None) => return Err(QueryError::invalid("empty txBytes is not allowed").into()),
    };
    let SimulationResponse { gas_info, result } = simulate(view, &tx)?;
    Ok(SimulateResponse { gas_info, result }.encode_to_vec())
}

fn simulate(view: &View, tx: &[u8]) -> Result<SimulationResponse, ServiceError> {
    let outcome = execute::simulate(view, tx)?;
    if outcome.code != 0 {
        // Source: SDK `Simulate`: the refusal with the gas that it took.
        let log = format!("{}: gas used {}", outcome.log, outcome.gas_used);
        return Err(QueryError::new(Status::InvalidArgument, log).into());
    }
    let gas_info = GasInfo { gas_wanted: outcome.gas_wanted, gas_used: outcome.gas_used };
    let result = convert::outcome(outcome)?;
    Ok(SimulationResponse { gas_info: Some(gas_info), result: Some(result) })
}

fn to_json(response: &SimulationResponse) -> Result<Vec<u8>, Refused> {
    let json =
        swing_proto::json::to_json(response).map_err(|error| Halt::new(format!("a simulation's JSON: {error}")))?;
    Ok(json.to_string().into_bytes())
}
