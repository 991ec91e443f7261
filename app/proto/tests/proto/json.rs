//! JSON as the SDK prints it.

use serde_json::{Value, json};
use swing_proto::cosmos::auth::v1beta1 as auth;
use swing_proto::cosmos::bank::v1beta1 as bank;
use swing_proto::cosmos::gov::v1 as gov;
use swing_proto::cosmos::staking::v1beta1 as staking;
use swing_proto::cosmos::tx::v1beta1::Tx;
use swing_proto::json::{self, JsonError};
use swing_proto::{Message, Name};

#[test]
fn empty_messages_print_every_field() {
    #[track_caller]
    fn check<M: Message + Name + Default>(expected: Value) {
        assert_eq!(json::to_json(&M::default()).expect("JSON").to_string(), expected.to_string());
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
    check::<Send>(json!({"from": ""}), "$.from: unknown field of cosmos.bank.v1beta1.MsgSend");
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
    check::<Tx>(json!({"signatures": ["?"]}), "$.signatures[0]: expected bytes in base64, found \"?\"");
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
    let message = swing_proto::agoric::swingset::MsgInstallBundle { submitter: vec![7; 20], ..Default::default() };
    let printed = json::to_json(&message).expect("JSON");
    let submitter = printed["submitter"].as_str().expect("a text");
    assert!(submitter.starts_with("swing1"), "{submitter}");
    let read: swing_proto::agoric::swingset::MsgInstallBundle = json::from_json(&printed).expect("read");
    assert_eq!(read, message);
    let foreign = json!({"submitter": "swingvaloper19rl4cm2hmr8afy4kldpxz3fka4jguq0amqzpde"});
    let error = json::from_json::<swing_proto::agoric::swingset::MsgInstallBundle>(&foreign).expect_err("refused");
    assert!(
        error.to_string().starts_with("$.submitter: expected a bech32 address with the prefix \"swing\""),
        "{error}"
    );
}

#[test]
fn nesting_and_length_are_bounded() {
    let mut message = swing_proto::pack(&bank::MsgSend::default());
    for _ in 0..200 {
        message = swing_proto::pack(&gov::MsgSubmitProposal { messages: vec![message], ..Default::default() });
    }
    assert!(matches!(json::any_to_json(&message), Err(JsonError::TooDeep { depth_max: json::DEPTH_MAX, .. })));
    let mut value = json!({"@type": "/cosmos.bank.v1beta1.MsgSend"});
    for _ in 0..200 {
        value = json!({"@type": "/cosmos.gov.v1.MsgSubmitProposal", "messages": [value]});
    }
    assert!(matches!(json::json_to_any(&value), Err(JsonError::TooDeep { .. })));
    assert!(matches!(json::parse(b"{}", 1), Err(JsonError::TooLarge { bytes: 2, bytes_max: 1 })));
    assert!(matches!(json::parse(b"{", 9), Err(JsonError::Syntax(_))));
}
