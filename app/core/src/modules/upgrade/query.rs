//! Queries `cosmos.upgrade.v1beta1.Query`, and our own ([`super::query_plans`]). Source: x/upgrade gRPC query server.

use prost::Message;
use swing_proto::cosmos::upgrade::v1beta1::{
    ModuleVersion, QueryAppliedPlanRequest, QueryAppliedPlanResponse, QueryAuthorityResponse, QueryCurrentPlanResponse,
    QueryModuleVersionsRequest, QueryModuleVersionsResponse,
};

use super::{query_plans, state as upgrades};
use crate::{
    modules::{QueryContext, authority},
    query::QueryError,
    state::StateRead,
};

/// Answers the method at a gRPC path.
///
/// # Errors
/// A path that is not of this module, a request that does not decode, a module that is not there.
pub fn query(context: &QueryContext<'_>, path: &str, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let state = context.state;
    match path {
        "/cosmos.upgrade.v1beta1.Query/CurrentPlan" => Ok(current_plan(state)?.encode_to_vec()),
        "/cosmos.upgrade.v1beta1.Query/AppliedPlan" => {
            Ok(applied_plan(state, &QueryAppliedPlanRequest::decode(data)?)?.encode_to_vec())
        }
        "/cosmos.upgrade.v1beta1.Query/ModuleVersions" => {
            Ok(module_versions(state, &QueryModuleVersionsRequest::decode(data)?)?.encode_to_vec())
        }
        "/cosmos.upgrade.v1beta1.Query/Authority" => {
            Ok(QueryAuthorityResponse { address: authority::authority().to_string() }.encode_to_vec())
        }
        _ => query_plans::query(context, path, data),
    }
}

fn current_plan(state: &dyn StateRead) -> Result<QueryCurrentPlanResponse, QueryError> {
    Ok(QueryCurrentPlanResponse { plan: upgrades::plan(state)?.as_ref().map(upgrades::to_proto) })
}

/// The height of an applied plan; 0 when there is none of that name.
fn applied_plan(
    state: &dyn StateRead,
    request: &QueryAppliedPlanRequest,
) -> Result<QueryAppliedPlanResponse, QueryError> {
    let height = upgrades::applied_height(state, &request.name)?.unwrap_or_default();
    Ok(QueryAppliedPlanResponse { height: i64::try_from(height).unwrap_or(i64::MAX) })
}

fn module_versions(
    state: &dyn StateRead,
    request: &QueryModuleVersionsRequest,
) -> Result<QueryModuleVersionsResponse, QueryError> {
    let wanted = request.module_name.as_str();
    let module_versions: Vec<ModuleVersion> = upgrades::versions(state)?
        .into_iter()
        .filter(|(name, _)| wanted.is_empty() || name == wanted)
        .map(|(name, version)| ModuleVersion { name, version })
        .collect();
    if !wanted.is_empty() && module_versions.is_empty() {
        let reason = format!("x/upgrade: QueryModuleVersions module {wanted} not found");
        return Err(QueryError::not_found(format!("{reason}: not found")));
    }
    Ok(QueryModuleVersionsResponse { module_versions })
}
