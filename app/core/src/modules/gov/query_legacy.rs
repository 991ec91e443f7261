//! Queries `cosmos.gov.v1beta1.Query` that clients of former times still ask. Source: x/gov `ConvertToLegacyProposal`.

use prost::Message;
use swing_proto::cosmos::gov::{
    v1::{Proposal, QueryProposalsRequest, TallyResult},
    v1beta1,
};

use super::{
    query::{internal, proposal, proposals},
    state as gov,
};
use crate::{math::Int, modules::QueryContext, query::QueryError};

/// Answers the method at a gRPC path.
///
/// # Errors
/// A path that is not answered here, a request that does not decode, a proposal that is not there.
pub fn query(context: &QueryContext<'_>, path: &str, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let state = context.state;
    match path {
        "/cosmos.gov.v1beta1.Query/Proposal" => {
            let request = v1beta1::QueryProposalRequest::decode(data)?;
            let proposal = legacy(proposal(state, request.proposal_id)?)?;
            Ok(v1beta1::QueryProposalResponse { proposal: Some(proposal) }.encode_to_vec())
        }
        "/cosmos.gov.v1beta1.Query/Proposals" => {
            // Both requests have the same fields under the same numbers.
            let found = proposals(state, &QueryProposalsRequest::decode(data)?)?;
            let proposals = found.proposals.into_iter().map(legacy).collect::<Result<_, _>>()?;
            Ok(v1beta1::QueryProposalsResponse { proposals, pagination: found.pagination }.encode_to_vec())
        }
        _ => Err(QueryError::unimplemented(path)),
    }
}

/// A proposal as it was shown before it could carry messages: its first message takes the content's place.
fn legacy(proposal: Proposal) -> Result<v1beta1::Proposal, QueryError> {
    let TallyResult { yes_count, abstain_count, no_count, no_with_veto_count } =
        proposal.final_tally_result.unwrap_or_else(gov::empty_tally);
    for count in [&yes_count, &abstain_count, &no_count, &no_with_veto_count] {
        Int::parse(count).map_err(internal)?;
    }
    Ok(v1beta1::Proposal {
        proposal_id: proposal.id,
        content: proposal.messages.into_iter().next(),
        status: proposal.status,
        final_tally_result: Some(v1beta1::TallyResult {
            yes: yes_count,
            abstain: abstain_count,
            no: no_count,
            no_with_veto: no_with_veto_count,
        }),
        submit_time: proposal.submit_time,
        deposit_end_time: proposal.deposit_end_time,
        total_deposit: proposal.total_deposit,
        voting_start_time: proposal.voting_start_time,
        voting_end_time: proposal.voting_end_time,
    })
}
