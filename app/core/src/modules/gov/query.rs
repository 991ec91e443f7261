//! Queries `cosmos.gov.v1.Query`. Source: x/gov gRPC query server.

use prost::Message;
use swing_proto::cosmos::gov::v1::{
    Deposit, DepositParams, Proposal, ProposalStatus, QueryConstitutionResponse, QueryDepositRequest,
    QueryDepositResponse, QueryDepositsRequest, QueryDepositsResponse, QueryParamsRequest, QueryParamsResponse,
    QueryProposalRequest, QueryProposalResponse, QueryProposalsRequest, QueryProposalsResponse,
    QueryTallyResultRequest, QueryTallyResultResponse, QueryVoteRequest, QueryVoteResponse, QueryVotesRequest,
    QueryVotesResponse, TallyParams, TallyResult, Vote, VotingParams,
};

use super::{genesis, keys, query_legacy, state as gov, tally};
use crate::{
    address::Address,
    error::Failure,
    modules::QueryContext,
    query::{QueryError, Status, page},
    state::StateRead,
};

/// Answers the method at a gRPC path, of `cosmos.gov.v1` or of `cosmos.gov.v1beta1`.
///
/// # Errors
/// A path that is not answered here, a request that does not decode, an object that is not there.
pub fn query(context: &QueryContext<'_>, path: &str, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let state = context.state;
    let Some(method) = path.strip_prefix("/cosmos.gov.v1.Query/") else {
        return query_legacy::query(context, path, data);
    };
    Ok(match method {
        "Constitution" => QueryConstitutionResponse { constitution: genesis::constitution(state)? }.encode_to_vec(),
        "Proposal" => {
            let request = QueryProposalRequest::decode(data)?;
            QueryProposalResponse { proposal: Some(proposal(state, request.proposal_id)?) }.encode_to_vec()
        }
        "Proposals" => proposals(state, &QueryProposalsRequest::decode(data)?)?.encode_to_vec(),
        "Vote" => vote(state, &QueryVoteRequest::decode(data)?)?.encode_to_vec(),
        "Votes" => votes(state, &QueryVotesRequest::decode(data)?)?.encode_to_vec(),
        "Params" => params(state, &QueryParamsRequest::decode(data)?)?.encode_to_vec(),
        "Deposit" => deposit(state, &QueryDepositRequest::decode(data)?)?.encode_to_vec(),
        "Deposits" => deposits(state, &QueryDepositsRequest::decode(data)?)?.encode_to_vec(),
        "TallyResult" => {
            let request = QueryTallyResultRequest::decode(data)?;
            QueryTallyResultResponse { tally: Some(tally_result(state, request.proposal_id)?) }.encode_to_vec()
        }
        _ => return Err(QueryError::unimplemented(path)),
    })
}

pub(super) fn internal(error: impl std::fmt::Display) -> QueryError {
    QueryError::new(Status::Internal, error.to_string())
}

fn check_id(id: u64) -> Result<(), QueryError> {
    if id == 0 { Err(QueryError::invalid("proposal id can not be 0")) } else { Ok(()) }
}

fn address(role: &str, text: &str) -> Result<Address, QueryError> {
    if text.is_empty() {
        return Err(QueryError::invalid(format!("empty {role} address")));
    }
    Address::parse(text).map_err(|error| QueryError::invalid(error.to_string()))
}

/// A proposal that must be there.
pub(super) fn proposal(state: &dyn StateRead, id: u64) -> Result<Proposal, QueryError> {
    check_id(id)?;
    gov::proposal(state, id)?.ok_or_else(|| QueryError::not_found(format!("proposal {id} doesn't exist")))
}

/// Proposals by number, of one status, voter or depositor when the request names them.
pub(super) fn proposals(
    state: &dyn StateRead,
    request: &QueryProposalsRequest,
) -> Result<QueryProposalsResponse, QueryError> {
    let optional = |role, text: &str| {
        if text.is_empty() { Ok(None) } else { address(role, text).map(Some) }
    };
    let voter = optional("voter", &request.voter)?;
    let depositor = optional("depositor", &request.depositor)?;
    let wanted = ProposalStatus::try_from(request.proposal_status).ok();
    let (proposals, pagination) = page(state, keys::PROPOSALS, request.pagination.as_ref(), |_, value| {
        let proposal = Proposal::decode(value).map_err(internal)?;
        let of_status = request.proposal_status == 0 || wanted == Some(proposal.status());
        let of_voter = match &voter {
            Some(voter) => gov::vote(state, proposal.id, voter)?.is_some(),
            None => true,
        };
        let of_depositor = match &depositor {
            Some(depositor) => gov::deposit(state, proposal.id, depositor)?.is_some(),
            None => true,
        };
        Ok((of_status && of_voter && of_depositor).then_some(proposal))
    })?;
    Ok(QueryProposalsResponse { proposals, pagination: Some(pagination) })
}

fn vote(state: &dyn StateRead, request: &QueryVoteRequest) -> Result<QueryVoteResponse, QueryError> {
    check_id(request.proposal_id)?;
    let voter = address("voter", &request.voter)?;
    let vote = gov::vote(state, request.proposal_id, &voter)?.ok_or_else(|| {
        let QueryVoteRequest { proposal_id, voter } = request;
        QueryError::invalid(format!("voter: {voter} not found for proposal: {proposal_id}"))
    })?;
    Ok(QueryVoteResponse { vote: Some(vote) })
}

fn votes(state: &dyn StateRead, request: &QueryVotesRequest) -> Result<QueryVotesResponse, QueryError> {
    check_id(request.proposal_id)?;
    let prefix = keys::votes(request.proposal_id);
    let read = |_: &[u8], value: &[u8]| Vote::decode(value).map(Some).map_err(internal);
    let (votes, pagination) = page(state, &prefix, request.pagination.as_ref(), read)?;
    Ok(QueryVotesResponse { votes, pagination: Some(pagination) })
}

/// The parameters; a group of former times too when the request names it.
fn params(state: &dyn StateRead, request: &QueryParamsRequest) -> Result<QueryParamsResponse, QueryError> {
    let params = gov::params(state)?;
    let mut response = QueryParamsResponse::default();
    match request.params_type.as_str() {
        "" => {}
        "voting" => response.voting_params = Some(VotingParams { voting_period: params.voting_period }),
        "deposit" => {
            response.deposit_params = Some(DepositParams {
                min_deposit: params.min_deposit.clone(),
                max_deposit_period: params.max_deposit_period,
            });
        }
        "tallying" => {
            response.tally_params = Some(TallyParams {
                quorum: params.quorum.clone(),
                threshold: params.threshold.clone(),
                veto_threshold: params.veto_threshold.clone(),
            });
        }
        other => return Err(QueryError::invalid(format!("unknown params type: {other}"))),
    }
    response.params = Some(params);
    Ok(response)
}

fn deposit(state: &dyn StateRead, request: &QueryDepositRequest) -> Result<QueryDepositResponse, QueryError> {
    check_id(request.proposal_id)?;
    let depositor = address("depositor", &request.depositor)?;
    let deposit = gov::deposit(state, request.proposal_id, &depositor)?.ok_or_else(|| {
        let QueryDepositRequest { proposal_id, depositor } = request;
        QueryError::invalid(format!("depositer: {depositor} not found for proposal: {proposal_id}"))
    })?;
    Ok(QueryDepositResponse { deposit: Some(deposit) })
}

fn deposits(state: &dyn StateRead, request: &QueryDepositsRequest) -> Result<QueryDepositsResponse, QueryError> {
    check_id(request.proposal_id)?;
    let prefix = keys::deposits(request.proposal_id);
    let read = |_: &[u8], value: &[u8]| Deposit::decode(value).map(Some).map_err(internal);
    let (deposits, pagination) = page(state, &prefix, request.pagination.as_ref(), read)?;
    Ok(QueryDepositsResponse { deposits, pagination: Some(pagination) })
}

/// The final count, or the present one while votes are cast.
fn tally_result(state: &dyn StateRead, id: u64) -> Result<TallyResult, QueryError> {
    let proposal = proposal(state, id)?;
    match proposal.status() {
        ProposalStatus::VotingPeriod => match tally::count(state, &proposal) {
            Ok(count) => Ok(count.result),
            Err(Failure::Rejected(refused)) => Err(internal(refused)),
            Err(Failure::Halt(halt)) => Err(internal(halt)),
        },
        _ => Ok(proposal.final_tally_result.unwrap_or_else(gov::empty_tally)),
    }
}
