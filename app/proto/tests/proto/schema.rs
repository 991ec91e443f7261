//! What the descriptors and options promise.

use prost_reflect::Kind;
use swing_proto::cosmos::bank::v1beta1 as bank;
use swing_proto::cosmos::gov::v1 as gov;
use swing_proto::cosmos::tx::v1beta1::Tx;
use swing_proto::{AnyError, Message, Signer, SignerError};

use crate::vectors;

#[test]
fn every_transaction_message_names_a_signer_field_that_it_has() {
    let mut count = 0;
    for (path, method) in swing_proto::methods() {
        if method.parent_service().name() != "Msg" {
            continue;
        }
        let input = method.input();
        let type_url = format!("/{}", input.full_name());
        let field = swing_proto::signer_field(&type_url).unwrap_or_else(|| panic!("{path} has no signer"));
        assert!(input.get_field_by_name(field).is_some(), "{type_url} has no field {field}");
        assert_eq!(swing_proto::response_type_url(&type_url), Some(format!("/{}", method.output().full_name())));
        assert_eq!(method.output().full_name(), format!("{}Response", input.full_name()));
        count += 1;
    }
    assert_eq!(count, 43);
}

#[test]
fn no_message_has_a_map_a_float_or_an_extension_range() {
    for message in swing_proto::descriptor_pool().all_messages() {
        if message.package_name() == "google.protobuf" {
            continue;
        }
        for field in message.fields() {
            assert!(!field.is_map(), "{}", field.full_name());
            assert!(!matches!(field.kind(), Kind::Float | Kind::Double), "{}", field.full_name());
        }
        assert_eq!(message.extension_ranges().count(), 0, "{}", message.full_name());
    }
}

#[test]
fn the_signers_of_the_recorded_messages_are_who_signed_them() {
    const ALICE: &str = "swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd";
    const BOB: &str = "swing1avgyh77ycn997ja45q5q8ss8y9mr424ja3p9xe";
    for tx in vectors::txs() {
        let expected = if tx.signer == "alice" { ALICE } else { BOB };
        let body = Tx::decode(tx.bytes.as_slice()).expect(&tx.name).body.expect("a body");
        for message in &body.messages {
            assert_eq!(swing_proto::signers(message), Ok(vec![Signer::Address(expected.to_string())]), "{}", tx.name);
        }
    }
}

#[test]
fn signers_are_found_in_lists_and_bytes() {
    let input = |address: &str| bank::Input { address: address.to_string(), coins: Vec::new() };
    let multi = bank::MsgMultiSend { inputs: vec![input("a"), input("b")], outputs: Vec::new() };
    let expected = ["a", "b"].map(|address| Signer::Address(address.to_string()));
    assert_eq!(swing_proto::signers(&swing_proto::pack(&multi)), Ok(expected.to_vec()));
    let install = swing_proto::agoric::swingset::MsgInstallBundle { submitter: vec![7; 20], ..Default::default() };
    assert_eq!(swing_proto::signers(&swing_proto::pack(&install)), Ok(vec![Signer::Account(vec![7; 20])]));
}

#[test]
fn what_nobody_signs_has_no_signers() {
    let params = swing_proto::pack(&bank::Params::default());
    assert_eq!(swing_proto::signers(&params), Err(SignerError::NotSigned { type_url: params.type_url.clone() }));
    let mut unknown = params.clone();
    unknown.type_url = "/no.Such".to_string();
    assert_eq!(swing_proto::signers(&unknown), Err(SignerError::UnknownTypeUrl { type_url: unknown.type_url.clone() }));
    assert_eq!(swing_proto::signer_field("/cosmos.bank.v1beta1.MsgSend"), Some("from_address"));
    assert_eq!(swing_proto::signer_field("/cosmos.bank.v1beta1.Params"), None);
}

#[test]
fn an_any_unpacks_only_as_what_it_is() {
    let vote = gov::MsgVote { proposal_id: 7, ..Default::default() };
    let any = swing_proto::pack(&vote);
    assert_eq!(any.type_url, "/cosmos.gov.v1.MsgVote");
    assert_eq!(swing_proto::unpack::<gov::MsgVote>(&any), Ok(vote));
    assert!(matches!(swing_proto::unpack::<gov::MsgDeposit>(&any), Err(AnyError::WrongType { .. })));
    let torn = swing_proto::google::protobuf::Any { type_url: any.type_url, value: vec![8] };
    assert!(matches!(swing_proto::unpack::<gov::MsgVote>(&torn), Err(AnyError::Decode { .. })));
    for type_url in ["cosmos.gov.v1.MsgVote", "type.googleapis.com/cosmos.gov.v1.MsgVote", "/", "", "/a/b"] {
        assert_eq!(swing_proto::type_name_of_url(type_url), None, "{type_url:?}");
    }
}

#[test]
fn grpc_paths_lead_to_methods() {
    let method = swing_proto::method("/cosmos.bank.v1beta1.Query/Balance").expect("the method");
    assert_eq!(method.input().full_name(), "cosmos.bank.v1beta1.QueryBalanceRequest");
    for path in ["/cosmos.bank.v1beta1.Query/Nope", "/no.Such/Balance", "Balance", ""] {
        assert!(swing_proto::method(path).is_none(), "{path:?}");
    }
}
