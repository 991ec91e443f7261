//! Queries `swing.swingset.v1.Query`, `agoric.swingset.Query` and `agoric.vstorage.Query`. None enters a guest.

use prost::Message;
use swing_proto::{
    agoric::{
        swingset::QueryMailboxRequest,
        vstorage::{QueryChildrenRequest, QueryChildrenResponse, QueryDataRequest, QueryDataResponse},
    },
    swing::swingset::v1::{
        BundleMetadata, InboundAction, KernelInfo, PendingChunk, PendingInstallation, QueryActionQueueRequest,
        QueryActionQueueResponse, QueryBundleRequest, QueryBundleResponse, QueryBundlesRequest, QueryBundlesResponse,
        QueryDeliveryResultRequest, QueryDeliveryResultResponse, QueryKernelResponse, QueryParamsResponse,
        QueryPendingInstallationsResponse, QueryPendingSwapResponse, QueryPromiseRequest, QueryPromiseResponse,
        QuerySwapHistoryRequest, QuerySwapHistoryResponse, QueryVatRequest, QueryVatResponse, QueryVatsRequest,
        QueryVatsResponse, SwapRecord, VatInfo,
    },
};

use super::{
    bridge::storage,
    chunks, keys, mailbox,
    queue::{self, Queue},
    state as params, swap, view,
};
use crate::{
    address::Address,
    error::Failure,
    modules::QueryContext,
    query::{QueryError, page},
    state::{StateError, StateRead},
};

/// Queued actions that one answer shows.
const ACTIONS_MAX: u64 = 100;

/// Answers the method at a gRPC path.
///
/// # Errors
/// A path that is not of this module, a request that does not decode, an object that is not there; storage.
pub fn query(context: &QueryContext<'_>, path: &str, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let state = context.state;
    match path {
        "/agoric.swingset.Query/Mailbox" => {
            return Ok(mailbox::query(state, &QueryMailboxRequest::decode(data)?)?.encode_to_vec());
        }
        "/agoric.vstorage.Query/Data" => return Ok(published(state, &QueryDataRequest::decode(data)?)?.encode_to_vec()),
        "/agoric.vstorage.Query/Children" => {
            return Ok(children(state, &QueryChildrenRequest::decode(data)?)?.encode_to_vec());
        }
        _ => {}
    }
    let Some(method) = path.strip_prefix("/swing.swingset.v1.Query/") else {
        return Err(QueryError::unimplemented(path));
    };
    match method {
        "Params" => Ok(QueryParamsResponse { params: Some(params::params(state)?) }.encode_to_vec()),
        "Kernel" => Ok(QueryKernelResponse { kernel: Some(kernel(state)?) }.encode_to_vec()),
        "Bundle" => Ok(bundle(state, &QueryBundleRequest::decode(data)?)?.encode_to_vec()),
        "Bundles" => Ok(bundles(state, &QueryBundlesRequest::decode(data)?)?.encode_to_vec()),
        "Vat" => Ok(vat(state, &QueryVatRequest::decode(data)?)?.encode_to_vec()),
        "Vats" => Ok(vats(state, &QueryVatsRequest::decode(data)?)?.encode_to_vec()),
        "ActionQueue" => Ok(action_queue(state, &QueryActionQueueRequest::decode(data)?)?.encode_to_vec()),
        "DeliveryResult" => Ok(delivery_result(state, &QueryDeliveryResultRequest::decode(data)?)?.encode_to_vec()),
        "Promise" => Ok(promise(state, &QueryPromiseRequest::decode(data)?)?.encode_to_vec()),
        "PendingInstallations" => Ok(pending_installations(state)?.encode_to_vec()),
        "PendingSwap" => Ok(QueryPendingSwapResponse { swap: swap::pending(state)? }.encode_to_vec()),
        "SwapHistory" => Ok(swap_history(state, &QuerySwapHistoryRequest::decode(data)?)?.encode_to_vec()),
        _ => Err(QueryError::unimplemented(path)),
    }
}

fn published(state: &dyn StateRead, request: &QueryDataRequest) -> Result<QueryDataResponse, QueryError> {
    match storage::read(state, &request.path).map_err(failed)? {
        Some(value) => Ok(QueryDataResponse { value }),
        None => Err(QueryError::not_found(format!("nothing is published at {}", request.path))),
    }
}

fn children(state: &dyn StateRead, request: &QueryChildrenRequest) -> Result<QueryChildrenResponse, QueryError> {
    Ok(QueryChildrenResponse { children: storage::children(state, &request.path).map_err(failed)? })
}

fn failed(failure: Failure) -> QueryError {
    match failure {
        Failure::Rejected(refused) => refused.into(),
        Failure::Halt(halt) => StateError::Storage(halt.reason).into(),
    }
}

fn host_text(state: &dyn StateRead, name: &str) -> Result<String, StateError> {
    Ok(view::text(state, &keys::host(name))?.unwrap_or_default())
}

fn kernel(state: &dyn StateRead) -> Result<KernelInfo, QueryError> {
    let (status, reason) = view::engine_status(state)?;
    Ok(KernelInfo {
        kernel_bundle_id: host_text(state, "kernelBundleID")?,
        lockdown_bundle_id: host_text(state, "lockdownBundleID")?,
        supervisor_bundle_id: host_text(state, "supervisorBundleID")?,
        schema_version: view::number(state, "version")?,
        crank_number: view::number(state, "crankNumber")?,
        activity_hash: host_text(state, "activityhash")?,
        engine_status: status.into(),
        engine_reason: reason,
    })
}

/// What is known of a bundle: the record of its installation by transaction, or that it is in state at all.
fn metadata(state: &dyn StateRead, id: &str) -> Result<Option<BundleMetadata>, QueryError> {
    if state.get(&keys::host(&format!("bundle/{id}")))?.is_none() {
        return Ok(None);
    }
    let uses = view::text(state, &keys::host(&format!("uses/{id}")))?.and_then(|text| text.parse().ok()).unwrap_or(0);
    let released = state.get(&keys::host(&format!("released/{id}")))?.is_some();
    if let Some(bytes) = state.get(&keys::bundle(id))? {
        return Ok(Some(BundleMetadata { uses, released, ..BundleMetadata::decode(bytes)? }));
    }
    let size = state.get(format!("~swingset/bundle/{id}").as_bytes())?.map_or(0, |bytes| bytes.len() as u64);
    Ok(Some(BundleMetadata {
        bundle_id: id.to_owned(),
        sha512: id.strip_prefix("b1-").unwrap_or_default().to_owned(),
        size_bytes: size,
        uses,
        released,
        ..BundleMetadata::default()
    }))
}

fn bundle(state: &dyn StateRead, request: &QueryBundleRequest) -> Result<QueryBundleResponse, QueryError> {
    match metadata(state, &request.bundle_id)? {
        Some(bundle) => Ok(QueryBundleResponse { bundle: Some(bundle) }),
        None => Err(QueryError::not_found(format!("bundle {} is not installed", request.bundle_id))),
    }
}

fn bundles(state: &dyn StateRead, request: &QueryBundlesRequest) -> Result<QueryBundlesResponse, QueryError> {
    let (bundles, pagination) = page(state, &keys::host("bundle/"), request.pagination.as_ref(), |id, _| {
        metadata(state, &String::from_utf8_lossy(id))
    })?;
    Ok(QueryBundlesResponse { bundles, pagination: Some(pagination) })
}

fn vat_info(state: &dyn StateRead, name: &str, vat_id: &str) -> Result<VatInfo, StateError> {
    let source = state.get(&keys::kernel(&format!("{vat_id}.source")))?;
    let [bundle_id, supervisor_bundle_id, lockdown_bundle_id] =
        source.and_then(|bytes| view::leading_texts(&bytes)).unwrap_or_default();
    Ok(VatInfo {
        vat_id: vat_id.to_owned(),
        name: name.to_owned(),
        bundle_id,
        supervisor_bundle_id,
        lockdown_bundle_id,
        incarnation: view::number(state, &format!("{vat_id}.incarnation"))?,
        terminated: state.get(&keys::kernel(&format!("{vat_id}.options")))?.is_none(),
        deliveries: view::number(state, &format!("{vat_id}.deliveries"))?,
        memory_root: state.get(&keys::host(&format!("vat/{vat_id}")))?.map(hex::encode).unwrap_or_default(),
        ..VatInfo::default()
    })
}

fn vat(state: &dyn StateRead, request: &QueryVatRequest) -> Result<QueryVatResponse, QueryError> {
    let not_found = || QueryError::not_found(format!("no vat is called {:?}", request.name));
    for name in view::vat_names(state)? {
        let Some(vat_id) = view::vat_id(state, &name)? else { continue };
        if name == request.name || vat_id == request.name {
            return Ok(QueryVatResponse { vat: Some(vat_info(state, &name, &vat_id)?) });
        }
    }
    Err(not_found())
}

fn vats(state: &dyn StateRead, request: &QueryVatsRequest) -> Result<QueryVatsResponse, QueryError> {
    let (vats, pagination) = page(state, &keys::kernel("vat.name."), request.pagination.as_ref(), |name, vat_id| {
        Ok(Some(vat_info(state, &String::from_utf8_lossy(name), &String::from_utf8_lossy(vat_id))?))
    })?;
    Ok(QueryVatsResponse { vats, pagination: Some(pagination) })
}

fn action_queue(
    state: &dyn StateRead,
    request: &QueryActionQueueRequest,
) -> Result<QueryActionQueueResponse, QueryError> {
    let numbers = queue::numbers(state, Queue::Actions)?;
    let shown = request.limit.min(ACTIONS_MAX).min(numbers.length());
    let actions =
        (numbers.first..numbers.first.saturating_add(shown)).map(|number| queue::read(state, Queue::Actions, number));
    Ok(QueryActionQueueResponse {
        length: numbers.length(),
        max_length: params::params(state)?.inbound_queue_max,
        actions: actions.collect::<Result<Vec<InboundAction>, StateError>>()?,
    })
}

fn delivery_result(
    state: &dyn StateRead,
    request: &QueryDeliveryResultRequest,
) -> Result<QueryDeliveryResultResponse, QueryError> {
    let number = request.action_number;
    let numbers = queue::numbers(state, Queue::Actions)?;
    let mut response = QueryDeliveryResultResponse { action_number: number, ..QueryDeliveryResultResponse::default() };
    if (numbers.first..numbers.next).contains(&number) {
        "queued".clone_into(&mut response.state);
        return Ok(response);
    }
    let Some(kpid) = queue::result(state, Queue::Actions, number)? else {
        return Err(QueryError::not_found(format!("no result of action {number} is known")));
    };
    if let Some(standing) = view::promise(state, &kpid)? {
        response.state = standing.state;
        response.body = standing.body.into_bytes();
        response.slots = standing.slots;
    }
    response.kpid = kpid;
    Ok(response)
}

fn promise(state: &dyn StateRead, request: &QueryPromiseRequest) -> Result<QueryPromiseResponse, QueryError> {
    let Some(standing) = view::promise(state, &request.kpid)? else {
        return Err(QueryError::not_found(format!("no promise {} is known", request.kpid)));
    };
    Ok(QueryPromiseResponse {
        kpid: request.kpid.clone(),
        state: standing.state,
        body: standing.body.into_bytes(),
        slots: standing.slots,
    })
}

fn pending_installations(state: &dyn StateRead) -> Result<QueryPendingInstallationsResponse, QueryError> {
    let mut installations = Vec::new();
    for (id, pending) in chunks::all_pending(state)? {
        let submitter = Address::from_slice(&pending.submitter).map(|address| address.to_string());
        let shown = pending.chunks.iter().map(|chunk| PendingChunk {
            sha512: chunk.sha512.clone(),
            size_bytes: chunk.size_bytes,
            // The content stays in state: a list of installations is no way to read bundles.
            content: Vec::new(),
        });
        installations.push(PendingInstallation {
            chunked_artifact_id: id,
            submitter: submitter.unwrap_or_default(),
            chunks: shown.collect(),
            sha512: pending.sha512,
            size_bytes: pending.size_bytes,
            start_height: i64::try_from(pending.start_height).unwrap_or(i64::MAX),
        });
    }
    Ok(QueryPendingInstallationsResponse { installations })
}

fn swap_history(
    state: &dyn StateRead,
    request: &QuerySwapHistoryRequest,
) -> Result<QuerySwapHistoryResponse, QueryError> {
    let (swaps, pagination) =
        page(state, keys::SWAPS, request.pagination.as_ref(), |_, record| Ok(Some(SwapRecord::decode(record)?)))?;
    Ok(QuerySwapHistoryResponse { swaps, pagination: Some(pagination) })
}
