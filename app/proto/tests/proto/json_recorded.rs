//! Every recorded document, read and printed again.

use serde_json::{Value, json};
use swing_proto::cosmos::base::abci::v1beta1::TxResponse;
use swing_proto::cosmos::staking::v1beta1 as staking;
use swing_proto::cosmos::tx::v1beta1::{GetTxResponse, Tx};
use swing_proto::json;
use swing_proto::{Message, Name};

use crate::vectors;

/// The response types of the recorded REST paths, by prefix; the longest that fits counts.
const REST_TYPES: [(&str, &str); 20] = [
    ("/cosmos/upgrade/v1beta1/current_plan", "cosmos.upgrade.v1beta1.QueryCurrentPlanResponse"),
    ("/cosmos/upgrade/v1beta1/module_versions", "cosmos.upgrade.v1beta1.QueryModuleVersionsResponse"),
    ("/cosmos/upgrade/v1beta1/authority", "cosmos.upgrade.v1beta1.QueryAuthorityResponse"),
    ("/cosmos/upgrade/v1beta1/applied_plan/", "cosmos.upgrade.v1beta1.QueryAppliedPlanResponse"),
    ("/cosmos/gov/v1/proposals/1", "cosmos.gov.v1.QueryProposalResponse"),
    ("/cosmos/gov/v1/proposals/1/votes", "cosmos.gov.v1.QueryVotesResponse"),
    ("/cosmos/gov/v1/proposals/1/tally", "cosmos.gov.v1.QueryTallyResultResponse"),
    ("/cosmos/gov/v1/params/", "cosmos.gov.v1.QueryParamsResponse"),
    ("/cosmos/gov/v1beta1/proposals/1", "cosmos.gov.v1beta1.QueryProposalResponse"),
    ("/cosmos/auth/v1beta1/accounts/", "cosmos.auth.v1beta1.QueryAccountResponse"),
    ("/cosmos/auth/v1beta1/account_info/", "cosmos.auth.v1beta1.QueryAccountInfoResponse"),
    ("/cosmos/bank/v1beta1/balances/", "cosmos.bank.v1beta1.QueryAllBalancesResponse"),
    ("/cosmos/bank/v1beta1/supply", "cosmos.bank.v1beta1.QueryTotalSupplyResponse"),
    ("/cosmos/staking/v1beta1/validators", "cosmos.staking.v1beta1.QueryValidatorsResponse"),
    ("/cosmos/staking/v1beta1/pool", "cosmos.staking.v1beta1.QueryPoolResponse"),
    ("/cosmos/staking/v1beta1/delegations/", "cosmos.staking.v1beta1.QueryDelegatorDelegationsResponse"),
    ("/cosmos/base/tendermint/v1beta1/node_info", "cosmos.base.tendermint.v1beta1.GetNodeInfoResponse"),
    ("/cosmos/base/tendermint/v1beta1/syncing", "cosmos.base.tendermint.v1beta1.GetSyncingResponse"),
    ("/cosmos/base/node/v1beta1/", ""),
    ("/cosmos/consensus/v1/params", "cosmos.consensus.v1.QueryParamsResponse"),
];

fn rest_type(path: &str) -> Option<&'static str> {
    match path {
        "/cosmos/base/node/v1beta1/config" => return Some("cosmos.base.node.v1beta1.ConfigResponse"),
        "/cosmos/base/node/v1beta1/status" => return Some("cosmos.base.node.v1beta1.StatusResponse"),
        _ => {}
    }
    let fitting = REST_TYPES.iter().filter(|(prefix, _)| path.starts_with(prefix));
    fitting.max_by_key(|(prefix, _)| prefix.len()).map(|(_, type_name)| *type_name)
}

/// Reads and prints a value; the text of both is compared, so that the order of keys counts.
#[track_caller]
fn check_round_trip(type_name: &str, expected: &Value) {
    let wire = json::json_to_wire(type_name, expected).unwrap_or_else(|error| panic!("{type_name}: {error}"));
    let printed = json::wire_to_json(type_name, &wire).unwrap_or_else(|error| panic!("{type_name}: {error}"));
    assert_eq!(printed.to_string(), expected.to_string(), "{type_name}");
}

#[test]
fn every_recorded_transaction_prints_as_the_sdk_printed_it() {
    for tx in vectors::txs() {
        let printed = json::wire_to_json(&Tx::full_name(), &tx.bytes).expect(&tx.name);
        assert_eq!(printed.to_string(), tx.rest["tx"].to_string(), "{}", tx.name);
        let read: Tx = json::from_json(&tx.rest["tx"]).expect(&tx.name);
        assert_eq!(read.encode_to_vec(), tx.bytes, "{}", tx.name);
    }
}

#[test]
fn every_recorded_transaction_response_reads_back() {
    for tx in vectors::txs() {
        check_round_trip(&GetTxResponse::full_name(), &tx.rest);
        let response: TxResponse = json::from_json(&tx.rest["tx_response"]).expect(&tx.name);
        assert_eq!(response.txhash, tx.hash);
        assert!(!response.events.is_empty(), "{} has events", tx.name);
    }
}

#[test]
fn every_recorded_body_reads_back() {
    let Value::Array(entries) = vectors::load("rest.json") else { panic!("rest.json is a list") };
    let mut checked = 0;
    for mut entry in entries.into_iter().filter(|entry| entry["status"] == 200) {
        let path = vectors::text(&entry, "path");
        let type_name = rest_type(&path).unwrap_or_else(|| panic!("{path} has no type here"));
        let body = &mut entry["body"];
        if let Some(Value::Object(version)) = body.get_mut("application_version") {
            // The recording leaves out the long list of build dependencies, which stands before the last key.
            let sdk_version = version.remove("cosmos_sdk_version").expect("the last key");
            version.insert("build_deps".to_string(), json!([]));
            version.insert("cosmos_sdk_version".to_string(), sdk_version);
        }
        check_round_trip(type_name, body);
        checked += 1;
    }
    assert_eq!(checked, 21);
}

#[test]
fn the_sections_of_a_genesis_and_of_an_export_read_back() {
    for file in ["genesis.json", "export.json"] {
        let state = &vectors::load(file)["app_state"];
        for module in ["auth", "bank", "gov", "staking", "genutil"] {
            let version = if module == "gov" { "v1" } else { "v1beta1" };
            check_round_trip(&format!("cosmos.{module}.{version}.GenesisState"), &state[module]);
        }
    }
}

#[test]
fn a_genesis_transaction_is_a_transaction() {
    let gen_tx = &vectors::load("genesis.json")["app_state"]["genutil"]["gen_txs"][0];
    check_round_trip(&Tx::full_name(), gen_tx);
    let tx: Tx = json::from_json(gen_tx).expect("a transaction");
    let message = tx.body.expect("a body").messages.remove(0);
    let message: staking::MsgCreateValidator = swing_proto::unpack(&message).expect("MsgCreateValidator");
    assert_eq!(message.commission.expect("a commission").rate, "100000000000000000");
}
