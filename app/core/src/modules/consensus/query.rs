//! Queries `cosmos.consensus.v1.Query`.

use prost::Message;
use swing_proto::cosmos::consensus::v1::QueryParamsResponse;

use super::state as consensus;
use crate::{modules::QueryContext, query::QueryError};

/// Answers the method at a gRPC path.
///
/// # Errors
/// A path that is not of this module; storage.
pub fn query(context: &QueryContext<'_>, path: &str, _data: &[u8]) -> Result<Vec<u8>, QueryError> {
    match path {
        "/cosmos.consensus.v1.Query/Params" => {
            let params = consensus::params(context.state)?;
            Ok(QueryParamsResponse { params: Some(params) }.encode_to_vec())
        }
        _ => Err(QueryError::unimplemented(path)),
    }
}
