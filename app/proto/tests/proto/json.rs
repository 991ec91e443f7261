//! JSON as the SDK prints it.

use serde_json::{Value, json};
use swing_proto::cosmos::auth::v1beta1 as auth;
use swing_proto::cosmos::bank::v1beta1 as bank;
use swing_proto::cosmos::base::abci::v1beta1::TxResponse;
use swing_proto::cosmos::gov::v1 as gov;
use swing_proto::cosmos::staking::v1beta1 as staking;
use swing_proto::cosmos::tx::v1beta1::{GetTxResponse, Tx};
use swing_proto::json::{self, JsonError};
use swing_proto::{Message, Name};

use crate::vectors;

/// The response types of the recorded REST paths, by prefix; the longest that fits counts.
const REST_TYPES: [(&str, &str); 20] = [
    (
        "/cosmos/upgrade/v1beta1/current_plan",
        "cosmos.upgrade.v1beta1.QueryCurrentPlanResponse",
    ),
    (
        "/cosmos/upgrade/v1beta1/module_versions",
        "cosmos.upgrade.v1beta1.QueryModuleVersionsResponse",
    ),
    (
        "/cosmos/upgrade/v1beta1/authority",
        "cosmos.upgrade.v1beta1.QueryAuthorityResponse",
    ),
    (
        "/cosmos/upgrade/v1beta1/applied_plan/",
        "cosmos.upgrade.v1beta1.QueryAppliedPlanResponse",
    ),
    ("/cosmos/gov/v1/proposals/1", "cosmos.gov.v1.QueryProposalResponse"),
    ("/cosmos/gov/v1/proposals/1/votes", "cosmos.gov.v1.QueryVotesResponse"),
    (
        "/cosmos/gov/v1/proposals/1/tally",
        "cosmos.gov.v1.QueryTallyResultResponse",
    ),
    ("/cosmos/gov/v1/params/", "cosmos.gov.v1.QueryParamsResponse"),
    (
        "/cosmos/gov/v1beta1/proposals/1",
        "cosmos.gov.v1beta1.QueryProposalResponse",
    ),
    (
        "/cosmos/auth/v1beta1/accounts/",
        "cosmos.auth.v1beta1.QueryAccountResponse",
    ),
    (
        "/cosmos/auth/v1beta1/account_info/",
        "cosmos.auth.v1beta1.QueryAccountInfoResponse",
    ),
    (
        "/cosmos/bank/v1beta1/balances/",
        "cosmos.bank.v1beta1.QueryAllBalancesResponse",
    ),
    (
        "/cosmos/bank/v1beta1/supply",
        "cosmos.bank.v1beta1.QueryTotalSupplyResponse",
    ),
    (
        "/cosmos/staking/v1beta1/validators",
        "cosmos.staking.v1beta1.QueryValidatorsResponse",
    ),
    (
        "/cosmos/staking/v1beta1/pool",
        "cosmos.staking.v1beta1.QueryPoolResponse",
    ),
    (
        "/cosmos/staking/v1beta1/delegations/",
        "cosmos.staking.v1beta1.QueryDelegatorDelegationsResponse",
    ),
    (
        "/cosmos/base/tendermint/v1beta1/node_info",
        "cosmos.base.tendermint.v1beta1.GetNodeInfoResponse",
    ),
    (
        "/cosmos/base/tendermint/v1beta1/syncing",
        "cosmos.base.tendermint.v1beta1.GetSyncingResponse",
    ),
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
    fitting
        .max_by_key(|(prefix, _)| prefix.len())
        .map(|(_, type_name)| *type_name)
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
    let Value::Array(entries) = vectors::load("rest.json") else {
        panic!("rest.json is a list")
    };
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

#[test]
fn empty_messages_print_every_field() {
    #[track_caller]
    fn check<M: Message + Name + Default>(expected: Value) {
        assert_eq!(
            json::to_json(&M::default()).expect("JSON").to_string(),
            expected.to_string()
        );
    }
    check::<bank::MsgSend>(json!({"from_address": "", "to_address": "", "amount": []}));
    check::<auth::BaseAccount>(json!({"address": "", "pub_key": null, "account_number": "0", "sequence": "0"}));
    check::<staking::MsgDelegate>(json!({
        "delegator_address": "", "validator_address": "", "amount": {"denom": "", "amount": "0"},
    }));
    check::<gov::QueryProposalResponse>(json!({"proposal": null}));
    check::<swing_proto::cosmos::upgrade::v1beta1::Plan>(json!({
        "name": "", "time": "0001-01-01T00:00:00Z", "height": "0", "info": "", "upgraded_client_state": null,
    }));
    check::<staking::MsgEditValidator>(json!({
        "description": {"moniker": "", "identity": "", "website": "", "security_contact": "", "details": ""},
        "validator_address": "", "commission_rate": null, "min_self_delegation": null,
    }));
    check::<swing_proto::cosmos::tx::v1beta1::ModeInfo>(json!({}));
}

#[test]
fn what_a_field_does_not_take_is_an_error_with_its_path() {
    #[track_caller]
    fn check<M: Message + Name + Default + std::fmt::Debug>(value: Value, expected: &str) {
        let error = json::from_json::<M>(&value).expect_err("refused");
        assert_eq!(error.to_string(), expected);
    }
    type Send = bank::MsgSend;
    check::<Send>(
        json!({"from": ""}),
        "$.from: unknown field of cosmos.bank.v1beta1.MsgSend",
    );
    check::<Send>(json!([]), "$: expected an object, found a list of 0");
    check::<Send>(json!({"from_address": 1}), "$.from_address: expected a text, found 1");
    check::<Send>(
        json!({"from_address": "a", "fromAddress": "b"}),
        "$.fromAddress: the field, or another one of its oneof, is already set",
    );
    check::<Send>(json!({"amount": {}}), "$.amount: expected a list, found an object of 0");
    check::<Send>(
        json!({"amount": [{"denom": "uswing", "amount": "1.5"}]}),
        "$.amount[0].amount: expected an integer of at most 256 bits as decimal text, found \"1.5\"",
    );
    check::<Tx>(
        json!({"body": {"messages": [{"@type": "/no.Such", "x": 1}]}}),
        "$.body.messages[0]: unknown type URL \"/no.Such\"",
    );
    check::<Tx>(
        json!({"body": {"messages": [{"x": 1}]}}),
        "$.body.messages[0]: expected an object with \"@type\", found an object of 1",
    );
    check::<Tx>(
        json!({"signatures": ["?"]}),
        "$.signatures[0]: expected bytes in base64, found \"?\"",
    );
    check::<Tx>(
        json!({"auth_info": {"signer_infos": [{"mode_info": {"single": {"mode": "SIGN_MODE_NEW"}}}]}}),
        "$.auth_info.signer_infos[0].mode_info.single.mode: expected the name of an enum value, found \"SIGN_MODE_NEW\"",
    );
    check::<Tx>(
        json!({"auth_info": {"signer_infos": [{"mode_info": {"single": {}, "multi": {}}}]}}),
        "$.auth_info.signer_infos[0].mode_info.multi: the field, or another one of its oneof, is already set",
    );
    check::<gov::MsgVote>(
        json!({"proposal_id": "-1"}),
        "$.proposal_id: expected an unsigned 64-bit integer, found \"-1\"",
    );
    check::<gov::MsgVote>(
        json!({"proposal_id": "18446744073709551616"}),
        "$.proposal_id: expected an unsigned 64-bit integer, found \"18446744073709551616\"",
    );
    check::<staking::Params>(
        json!({"unbonding_time": "1d"}),
        "$.unbonding_time: expected a duration such as \"6s\", \"1.5s\" or \"1h30m\", found \"1d\"",
    );
}

#[test]
fn null_reads_as_absent_and_numbers_read_as_integers() {
    let vote: gov::MsgVote =
        json::from_json(&json!({"proposal_id": 7, "voter": null, "option": 1, "metadata": null})).expect("a vote");
    assert_eq!((vote.proposal_id, vote.option()), (7, gov::VoteOption::Yes));
    let send: bank::MsgSend = json::from_json(&json!({"amount": null})).expect("a send");
    assert_eq!(send, bank::MsgSend::default());
    let camel: bank::MsgSend = json::from_json(&json!({"fromAddress": "a"})).expect("a send");
    assert_eq!(camel.from_address, "a");
}

#[test]
fn account_bytes_print_in_bech32() {
    let message = swing_proto::agoric::swingset::MsgInstallBundle {
        submitter: vec![7; 20],
        ..Default::default()
    };
    let printed = json::to_json(&message).expect("JSON");
    let submitter = printed["submitter"].as_str().expect("a text");
    assert!(submitter.starts_with("swing1"), "{submitter}");
    let read: swing_proto::agoric::swingset::MsgInstallBundle = json::from_json(&printed).expect("read");
    assert_eq!(read, message);
    let foreign = json!({"submitter": "swingvaloper19rl4cm2hmr8afy4kldpxz3fka4jguq0amqzpde"});
    let error = json::from_json::<swing_proto::agoric::swingset::MsgInstallBundle>(&foreign).expect_err("refused");
    assert!(
        error
            .to_string()
            .starts_with("$.submitter: expected a bech32 address with the prefix \"swing\""),
        "{error}"
    );
}

#[test]
fn nesting_and_length_are_bounded() {
    let mut message = swing_proto::pack(&bank::MsgSend::default());
    for _ in 0..200 {
        message = swing_proto::pack(&gov::MsgSubmitProposal {
            messages: vec![message],
            ..Default::default()
        });
    }
    assert!(matches!(
        json::any_to_json(&message),
        Err(JsonError::TooDeep {
            depth_max: json::DEPTH_MAX,
            ..
        })
    ));
    let mut value = json!({"@type": "/cosmos.bank.v1beta1.MsgSend"});
    for _ in 0..200 {
        value = json!({"@type": "/cosmos.gov.v1.MsgSubmitProposal", "messages": [value]});
    }
    assert!(matches!(json::json_to_any(&value), Err(JsonError::TooDeep { .. })));
    assert!(matches!(
        json::parse(b"{}", 1),
        Err(JsonError::TooLarge { bytes: 2, bytes_max: 1 })
    ));
    assert!(matches!(json::parse(b"{", 9), Err(JsonError::Syntax(_))));
}
