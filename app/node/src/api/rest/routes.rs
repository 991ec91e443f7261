//! Which path is which method: the one table of REST. Source: the `google.api.http` options of the SDK's protobuf files.
//!
//! `/cosmos.auth.v1beta1.Query/AddressStringToBytes` has none, as behind the SDK's gateway: its path there,
//! `/cosmos/auth/v1beta1/bech32/{address_string}`, is that of `AddressBytesToString`, which comes first.

use super::pattern::{self, Parameters};

/// A path's verb, and where the request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// GET: the request is in the path and the query.
    Get,
    /// POST: the request is the body.
    Post,
}

/// A path and its method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// GET or POST.
    pub verb: Verb,
    /// The path, with the names of the request's fields in braces.
    pub path: &'static str,
    /// The gRPC path.
    pub method: &'static str,
}

const fn get(path: &'static str, method: &'static str) -> Route {
    Route { verb: Verb::Get, path, method }
}

const fn post(path: &'static str, method: &'static str) -> Route {
    Route { verb: Verb::Post, path, method }
}

/// All paths. Where two match, the first counts.
const ROUTES: &[Route] = &[
    get("/cosmos/auth/v1beta1/accounts", "/cosmos.auth.v1beta1.Query/Accounts"),
    get("/cosmos/auth/v1beta1/accounts/{address}", "/cosmos.auth.v1beta1.Query/Account"),
    get("/cosmos/auth/v1beta1/address_by_id/{id}", "/cosmos.auth.v1beta1.Query/AccountAddressByID"),
    get("/cosmos/auth/v1beta1/params", "/cosmos.auth.v1beta1.Query/Params"),
    get("/cosmos/auth/v1beta1/module_accounts", "/cosmos.auth.v1beta1.Query/ModuleAccounts"),
    get("/cosmos/auth/v1beta1/module_accounts/{name}", "/cosmos.auth.v1beta1.Query/ModuleAccountByName"),
    get("/cosmos/auth/v1beta1/bech32", "/cosmos.auth.v1beta1.Query/Bech32Prefix"),
    get("/cosmos/auth/v1beta1/bech32/{address_bytes}", "/cosmos.auth.v1beta1.Query/AddressBytesToString"),
    get("/cosmos/auth/v1beta1/account_info/{address}", "/cosmos.auth.v1beta1.Query/AccountInfo"),
    get("/cosmos/bank/v1beta1/balances/{address}/by_denom", "/cosmos.bank.v1beta1.Query/Balance"),
    get("/cosmos/bank/v1beta1/balances/{address}", "/cosmos.bank.v1beta1.Query/AllBalances"),
    get("/cosmos/bank/v1beta1/spendable_balances/{address}", "/cosmos.bank.v1beta1.Query/SpendableBalances"),
    get(
        "/cosmos/bank/v1beta1/spendable_balances/{address}/by_denom",
        "/cosmos.bank.v1beta1.Query/SpendableBalanceByDenom",
    ),
    get("/cosmos/bank/v1beta1/supply", "/cosmos.bank.v1beta1.Query/TotalSupply"),
    get("/cosmos/bank/v1beta1/supply/by_denom", "/cosmos.bank.v1beta1.Query/SupplyOf"),
    get("/cosmos/bank/v1beta1/params", "/cosmos.bank.v1beta1.Query/Params"),
    get("/cosmos/bank/v1beta1/denoms_metadata/{denom=**}", "/cosmos.bank.v1beta1.Query/DenomMetadata"),
    get(
        "/cosmos/bank/v1beta1/denoms_metadata_by_query_string",
        "/cosmos.bank.v1beta1.Query/DenomMetadataByQueryString",
    ),
    get("/cosmos/bank/v1beta1/denoms_metadata", "/cosmos.bank.v1beta1.Query/DenomsMetadata"),
    get("/cosmos/bank/v1beta1/denom_owners/{denom=**}", "/cosmos.bank.v1beta1.Query/DenomOwners"),
    get("/cosmos/bank/v1beta1/denom_owners_by_query", "/cosmos.bank.v1beta1.Query/DenomOwnersByQuery"),
    get("/cosmos/bank/v1beta1/send_enabled", "/cosmos.bank.v1beta1.Query/SendEnabled"),
    get("/cosmos/consensus/v1/params", "/cosmos.consensus.v1.Query/Params"),
    get("/cosmos/gov/v1/constitution", "/cosmos.gov.v1.Query/Constitution"),
    get("/cosmos/gov/v1/proposals/{proposal_id}", "/cosmos.gov.v1.Query/Proposal"),
    get("/cosmos/gov/v1/proposals", "/cosmos.gov.v1.Query/Proposals"),
    get("/cosmos/gov/v1/proposals/{proposal_id}/votes/{voter}", "/cosmos.gov.v1.Query/Vote"),
    get("/cosmos/gov/v1/proposals/{proposal_id}/votes", "/cosmos.gov.v1.Query/Votes"),
    get("/cosmos/gov/v1/params/{params_type}", "/cosmos.gov.v1.Query/Params"),
    get("/cosmos/gov/v1/proposals/{proposal_id}/deposits/{depositor}", "/cosmos.gov.v1.Query/Deposit"),
    get("/cosmos/gov/v1/proposals/{proposal_id}/deposits", "/cosmos.gov.v1.Query/Deposits"),
    get("/cosmos/gov/v1/proposals/{proposal_id}/tally", "/cosmos.gov.v1.Query/TallyResult"),
    get("/cosmos/gov/v1beta1/proposals/{proposal_id}", "/cosmos.gov.v1beta1.Query/Proposal"),
    get("/cosmos/gov/v1beta1/proposals", "/cosmos.gov.v1beta1.Query/Proposals"),
    get("/cosmos/gov/v1beta1/proposals/{proposal_id}/votes/{voter}", "/cosmos.gov.v1beta1.Query/Vote"),
    get("/cosmos/gov/v1beta1/proposals/{proposal_id}/votes", "/cosmos.gov.v1beta1.Query/Votes"),
    get("/cosmos/gov/v1beta1/params/{params_type}", "/cosmos.gov.v1beta1.Query/Params"),
    get("/cosmos/gov/v1beta1/proposals/{proposal_id}/deposits/{depositor}", "/cosmos.gov.v1beta1.Query/Deposit"),
    get("/cosmos/gov/v1beta1/proposals/{proposal_id}/deposits", "/cosmos.gov.v1beta1.Query/Deposits"),
    get("/cosmos/gov/v1beta1/proposals/{proposal_id}/tally", "/cosmos.gov.v1beta1.Query/TallyResult"),
    get("/cosmos/staking/v1beta1/validators", "/cosmos.staking.v1beta1.Query/Validators"),
    get("/cosmos/staking/v1beta1/validators/{validator_addr}", "/cosmos.staking.v1beta1.Query/Validator"),
    get(
        "/cosmos/staking/v1beta1/validators/{validator_addr}/delegations",
        "/cosmos.staking.v1beta1.Query/ValidatorDelegations",
    ),
    get(
        "/cosmos/staking/v1beta1/validators/{validator_addr}/unbonding_delegations",
        "/cosmos.staking.v1beta1.Query/ValidatorUnbondingDelegations",
    ),
    get(
        "/cosmos/staking/v1beta1/validators/{validator_addr}/delegations/{delegator_addr}",
        "/cosmos.staking.v1beta1.Query/Delegation",
    ),
    get(
        "/cosmos/staking/v1beta1/validators/{validator_addr}/delegations/{delegator_addr}/unbonding_delegation",
        "/cosmos.staking.v1beta1.Query/UnbondingDelegation",
    ),
    get("/cosmos/staking/v1beta1/delegations/{delegator_addr}", "/cosmos.staking.v1beta1.Query/DelegatorDelegations"),
    get(
        "/cosmos/staking/v1beta1/delegators/{delegator_addr}/unbonding_delegations",
        "/cosmos.staking.v1beta1.Query/DelegatorUnbondingDelegations",
    ),
    get(
        "/cosmos/staking/v1beta1/delegators/{delegator_addr}/redelegations",
        "/cosmos.staking.v1beta1.Query/Redelegations",
    ),
    get(
        "/cosmos/staking/v1beta1/delegators/{delegator_addr}/validators",
        "/cosmos.staking.v1beta1.Query/DelegatorValidators",
    ),
    get(
        "/cosmos/staking/v1beta1/delegators/{delegator_addr}/validators/{validator_addr}",
        "/cosmos.staking.v1beta1.Query/DelegatorValidator",
    ),
    get("/cosmos/staking/v1beta1/historical_info/{height}", "/cosmos.staking.v1beta1.Query/HistoricalInfo"),
    get("/cosmos/staking/v1beta1/pool", "/cosmos.staking.v1beta1.Query/Pool"),
    get("/cosmos/staking/v1beta1/params", "/cosmos.staking.v1beta1.Query/Params"),
    get("/cosmos/upgrade/v1beta1/current_plan", "/cosmos.upgrade.v1beta1.Query/CurrentPlan"),
    get("/cosmos/upgrade/v1beta1/applied_plan/{name}", "/cosmos.upgrade.v1beta1.Query/AppliedPlan"),
    get(
        "/cosmos/upgrade/v1beta1/upgraded_consensus_state/{last_height}",
        "/cosmos.upgrade.v1beta1.Query/UpgradedConsensusState",
    ),
    get("/cosmos/upgrade/v1beta1/module_versions", "/cosmos.upgrade.v1beta1.Query/ModuleVersions"),
    get("/cosmos/upgrade/v1beta1/authority", "/cosmos.upgrade.v1beta1.Query/Authority"),
    post("/cosmos/tx/v1beta1/simulate", "/cosmos.tx.v1beta1.Service/Simulate"),
    get("/cosmos/tx/v1beta1/txs/{hash}", "/cosmos.tx.v1beta1.Service/GetTx"),
    post("/cosmos/tx/v1beta1/txs", "/cosmos.tx.v1beta1.Service/BroadcastTx"),
    get("/cosmos/tx/v1beta1/txs", "/cosmos.tx.v1beta1.Service/GetTxsEvent"),
    get("/cosmos/tx/v1beta1/txs/block/{height}", "/cosmos.tx.v1beta1.Service/GetBlockWithTxs"),
    post("/cosmos/tx/v1beta1/decode", "/cosmos.tx.v1beta1.Service/TxDecode"),
    post("/cosmos/tx/v1beta1/encode", "/cosmos.tx.v1beta1.Service/TxEncode"),
    get("/cosmos/base/tendermint/v1beta1/node_info", "/cosmos.base.tendermint.v1beta1.Service/GetNodeInfo"),
    get("/cosmos/base/tendermint/v1beta1/syncing", "/cosmos.base.tendermint.v1beta1.Service/GetSyncing"),
    get("/cosmos/base/tendermint/v1beta1/blocks/latest", "/cosmos.base.tendermint.v1beta1.Service/GetLatestBlock"),
    get("/cosmos/base/tendermint/v1beta1/blocks/{height}", "/cosmos.base.tendermint.v1beta1.Service/GetBlockByHeight"),
    get(
        "/cosmos/base/tendermint/v1beta1/validatorsets/latest",
        "/cosmos.base.tendermint.v1beta1.Service/GetLatestValidatorSet",
    ),
    get(
        "/cosmos/base/tendermint/v1beta1/validatorsets/{height}",
        "/cosmos.base.tendermint.v1beta1.Service/GetValidatorSetByHeight",
    ),
    get("/cosmos/base/tendermint/v1beta1/abci_query", "/cosmos.base.tendermint.v1beta1.Service/ABCIQuery"),
    get("/cosmos/base/node/v1beta1/config", "/cosmos.base.node.v1beta1.Service/Config"),
    get("/cosmos/base/node/v1beta1/status", "/cosmos.base.node.v1beta1.Service/Status"),
    get("/swing/upgrade/v1/params", "/swing.upgrade.v1.Query/Params"),
    get("/swing/upgrade/v1/plans", "/swing.upgrade.v1.Query/Plans"),
    get("/swing/upgrade/v1/plans/{id}", "/swing.upgrade.v1.Query/Plan"),
    get("/swing/upgrade/v1/history", "/swing.upgrade.v1.Query/History"),
    get("/swing/upgrade/v1/migration", "/swing.upgrade.v1.Query/Migration"),
    get("/swing/upgrade/v1/readiness", "/swing.upgrade.v1.Query/Readiness"),
    get("/swing/upgrade/v1/readiness/{plan_id}", "/swing.upgrade.v1.Query/Readiness"),
    get("/agoric/swingset/mailbox/{peer}", "/agoric.swingset.Query/Mailbox"),
    get("/agoric/vstorage/data/{path=**}", "/agoric.vstorage.Query/Data"),
    get("/agoric/vstorage/children/{path=**}", "/agoric.vstorage.Query/Children"),
    get("/swing/swingset/v1/params", "/swing.swingset.v1.Query/Params"),
    get("/swing/swingset/v1/kernel", "/swing.swingset.v1.Query/Kernel"),
    get("/swing/swingset/v1/bundles", "/swing.swingset.v1.Query/Bundles"),
    get("/swing/swingset/v1/bundles/{bundle_id}", "/swing.swingset.v1.Query/Bundle"),
    get("/swing/swingset/v1/vats", "/swing.swingset.v1.Query/Vats"),
    get("/swing/swingset/v1/vats/{name}", "/swing.swingset.v1.Query/Vat"),
    get("/swing/swingset/v1/vats/{name}/output", "/swing.swingset.v1.Query/VatOutput"),
    get("/swing/swingset/v1/action_queue", "/swing.swingset.v1.Query/ActionQueue"),
    get("/swing/swingset/v1/delivery_results/{action_number}", "/swing.swingset.v1.Query/DeliveryResult"),
    get("/swing/swingset/v1/promises/{kpid}", "/swing.swingset.v1.Query/Promise"),
    get("/swing/swingset/v1/pending_installations", "/swing.swingset.v1.Query/PendingInstallations"),
    get("/swing/swingset/v1/pending_swap", "/swing.swingset.v1.Query/PendingSwap"),
    get("/swing/swingset/v1/swap_history", "/swing.swingset.v1.Query/SwapHistory"),
];

/// The route of a path, and the path's parameters.
pub(super) fn find(verb: Verb, path: &str) -> Option<(&'static Route, Parameters)> {
    let routes = ROUTES.iter().filter(|route| route.verb == verb);
    routes.filter_map(|route| Some((route, pattern::matched(route.path, path)?))).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_and_service_method_has_a_path_and_every_parameter_is_a_field_of_its_request() {
        const NOWHERE: &str = "/cosmos.auth.v1beta1.Query/AddressStringToBytes";
        for (method, descriptor) in swing_proto::methods() {
            if descriptor.parent_service().name() != "Msg" {
                let known = ROUTES.iter().any(|route| route.method == method);
                assert_eq!(known, method != NOWHERE, "{method}");
            }
        }
        for route in ROUTES {
            let request = swing_proto::method(route.method).expect("the method exists").input();
            for part in route.path.split('/').filter_map(|part| part.strip_prefix('{')) {
                let name = part.trim_end_matches('}').trim_end_matches("=**");
                assert!(request.get_field_by_name(name).is_some(), "{}: {name}", route.path);
            }
        }
    }

    #[test]
    fn fixed_words_come_before_parameters() {
        #[track_caller]
        fn check(path: &str, method: &str) {
            let (route, _) = find(Verb::Get, path).expect("a route");
            assert!(route.method.ends_with(method), "{path}: {}", route.method);
        }
        check("/cosmos/base/tendermint/v1beta1/blocks/latest", "/GetLatestBlock");
        check("/cosmos/base/tendermint/v1beta1/validatorsets/latest", "/GetLatestValidatorSet");
        check("/cosmos/tx/v1beta1/txs/block/5", "/GetBlockWithTxs");
        check("/cosmos/bank/v1beta1/denoms_metadata", "/DenomsMetadata");
        check("/cosmos/bank/v1beta1/denoms_metadata/ibc/27", "/DenomMetadata");
        assert!(find(Verb::Post, "/cosmos/bank/v1beta1/supply").is_none());
    }
}
