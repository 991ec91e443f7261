//! Queries by gRPC path.

use super::QueryError;
use crate::{
    chain,
    modules::{QueryContext, auth, bank, consensus, gov, staking, swingset, upgrade},
    state::StateRead,
};

type Answer = fn(&QueryContext<'_>, &str, &[u8]) -> Result<Vec<u8>, QueryError>;

/// What answers the paths that begin with a service's name.
const SERVICES: [(&str, Answer); 11] = [
    ("/agoric.swingset.Query/", swingset::query::query),
    ("/agoric.vstorage.Query/", swingset::query::query),
    ("/cosmos.auth.v1beta1.Query/", auth::query::query),
    ("/cosmos.bank.v1beta1.Query/", bank::query::query),
    ("/cosmos.consensus.v1.Query/", consensus::query::query),
    ("/cosmos.gov.v1.Query/", gov::query::query),
    ("/cosmos.gov.v1beta1.Query/", gov::query::query),
    ("/cosmos.staking.v1beta1.Query/", staking::query::query),
    ("/cosmos.upgrade.v1beta1.Query/", upgrade::query::query),
    ("/swing.swingset.v1.Query/", swingset::query::query),
    ("/swing.upgrade.v1.Query/", upgrade::query::query),
];

/// Answers a gRPC method on one committed version: the encoded request to the encoded response. ABCI: Query.
///
/// # Errors
/// A path that no module answers; the module's error.
pub fn query(state: &dyn StateRead, path: &str, data: &[u8]) -> Result<Vec<u8>, QueryError> {
    let Some((_, answer)) = SERVICES.iter().find(|(service, _)| path.starts_with(service)) else {
        return Err(QueryError::unimplemented(path));
    };
    let block = chain::last_block(state)?;
    answer(&QueryContext { state, block: &block }, path, data)
}
