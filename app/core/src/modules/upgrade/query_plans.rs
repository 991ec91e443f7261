//! Queries `swing.upgrade.v1.Query`: numbered plans, the migration under way, and readiness.

use prost::Message;
use swing_proto::swing::upgrade::v1::{
    PlanRecord, QueryHistoryRequest, QueryHistoryResponse, QueryMigrationResponse, QueryParamsResponse,
    QueryPlanRequest, QueryPlanResponse, QueryPlansResponse, QueryReadinessRequest, QueryReadinessResponse,
};

use super::{keys, migration, params, plans, readiness};
use crate::{
    modules::QueryContext,
    query::{QueryError, page},
    state::StateRead,
};

/// Answers the method at a gRPC path.
///
/// # Errors
/// A path that is not of this service, a request that does not decode, a plan that is not there.
pub(super) fn query(context: &QueryContext<'_>, path: &str, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let state = context.state;
    match path {
        "/swing.upgrade.v1.Query/Params" => {
            Ok(QueryParamsResponse { params: Some(params::params(state)?) }.encode_to_vec())
        }
        "/swing.upgrade.v1.Query/Plans" => Ok(QueryPlansResponse { plans: plans::pending(state)? }.encode_to_vec()),
        "/swing.upgrade.v1.Query/Plan" => {
            let plan = existing(state, QueryPlanRequest::decode(data)?.id)?;
            Ok(QueryPlanResponse { plan: Some(plan) }.encode_to_vec())
        }
        "/swing.upgrade.v1.Query/History" => Ok(history(state, &QueryHistoryRequest::decode(data)?)?.encode_to_vec()),
        "/swing.upgrade.v1.Query/Migration" => Ok(QueryMigrationResponse {
            migration: migration::under_way(state)?,
            kernel_migrating: migration::kernel_under_way(state)?,
        }
        .encode_to_vec()),
        "/swing.upgrade.v1.Query/Readiness" => {
            Ok(readiness_of(state, &QueryReadinessRequest::decode(data)?)?.encode_to_vec())
        }
        _ => Err(QueryError::unimplemented(path)),
    }
}

fn existing(state: &dyn StateRead, id: u64) -> Result<PlanRecord, QueryError> {
    plans::record(state, id)?.ok_or_else(|| QueryError::not_found(format!("there is no plan {id}")))
}

fn history(state: &dyn StateRead, request: &QueryHistoryRequest) -> Result<QueryHistoryResponse, QueryError> {
    let (plans, pagination) =
        page(state, keys::RECORDS, request.pagination.as_ref(), |_, record| Ok(Some(PlanRecord::decode(record)?)))?;
    Ok(QueryHistoryResponse { plans, pagination: Some(pagination) })
}

fn readiness_of(state: &dyn StateRead, request: &QueryReadinessRequest) -> Result<QueryReadinessResponse, QueryError> {
    let record = match request.plan_id {
        0 => plans::nearest(state)?.ok_or_else(|| QueryError::not_found("no plan with a number is pending"))?,
        id => existing(state, id)?,
    };
    let tally = readiness::tally(state, &record)?;
    let decision = readiness::decision_height(&record).unwrap_or_default();
    Ok(QueryReadinessResponse {
        plan_id: record.id,
        plan_height: record.height,
        rehearsal_height: record.rehearsal_height,
        total_power: tally.total,
        attested_power: tally.attested,
        agreeing_power: tally.agreeing(),
        required_power: tally.required,
        decision_height: i64::try_from(decision).unwrap_or(i64::MAX),
        conflict: tally.conflict(),
        digests: tally.digests,
        missing: tally.missing,
        plan_name: record.name,
    })
}
