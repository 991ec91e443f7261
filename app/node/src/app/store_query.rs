//! `/store/<name>/key`: a value of state as it is, and with `prove` the proof of its presence or absence.
//!
//! State is one flat space of keys, so a store is a prefix: the key looked up is `<name>/` followed by the request's data. There
//! is one proof operation, since that tree's root is the app hash itself: type [`PROOF_TYPE`], key the full key, data an encoded
//! `ics23.CommitmentProof` for the spec that `swing_store::proof` documents. A proof at height h is verified against the app hash
//! in the header of h + 1.

use swing_core::{error::Halt, sdk_error::SdkError, state::StateRead};
use swing_store::StoreError;
use tendermint_proto::v0_38::{abci as pb, crypto};

use super::{
    convert,
    query::{Refused, requested_view},
    shared::Shared,
};

/// Type of the proof operation.
pub const PROOF_TYPE: &str = "ics23:jmt";

pub(super) fn answer(shared: &Shared, path: &[&str], request: &pb::RequestQuery) -> Result<pb::ResponseQuery, Refused> {
    let [name, "key"] = path else {
        let reason = format!("unknown query path {}: /store/<name>/key is served", request.path);
        return Err(SdkError::UnknownRequest.wrap(reason).into());
    };
    let key = [name.as_bytes(), b"/", request.data.as_ref()].concat();
    let view = requested_view(shared, request.height)?;
    let (value, proof_ops) = if request.prove {
        let (value, proof) = view.prove(&key).map_err(refused)?;
        let op = crypto::ProofOp { r#type: PROOF_TYPE.to_owned(), key, data: proof };
        (value, Some(crypto::ProofOps { ops: vec![op] }))
    } else {
        (view.get(&key).map_err(|error| Halt::new(error.to_string()))?, None)
    };
    Ok(pb::ResponseQuery {
        key: request.data.clone(),
        value: value.unwrap_or_default(),
        proof_ops,
        height: convert::to_height(view.version())?,
        ..pb::ResponseQuery::default()
    })
}

fn refused(error: StoreError) -> Refused {
    match error {
        StoreError::NotInTree | StoreError::EmptyKey | StoreError::EmptyTree { .. } => {
            SdkError::InvalidRequest.wrap(error).into()
        }
        other => Halt::new(other.to_string()).into(),
    }
}
