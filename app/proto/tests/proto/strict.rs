//! Strict decoding.

use prost::Message;
use swing_proto::cosmos::bank::v1beta1::MsgSend;
use swing_proto::cosmos::base::v1beta1::Coin;
use swing_proto::cosmos::gov::v1::MsgSubmitProposal;
use swing_proto::cosmos::tx::v1beta1::{AuthInfo, Fee, TxBody, TxRaw};
use swing_proto::google::protobuf::Any;
use swing_proto::pack;
use swing_proto::strict::{NonCritical, StrictError, check_message, decode_tx};

use crate::vectors;

/// A length-delimited field, as bytes; numbers up to 2047 have tags of up to two bytes.
fn field(number: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, &mut bytes);
    prost::encoding::encode_varint(content.len() as u64, &mut bytes);
    bytes.extend_from_slice(content);
    bytes
}

fn send(amount: &str) -> Any {
    let amount = vec![Coin { denom: "uswing".to_string(), amount: amount.to_string() }];
    pack(&MsgSend { amount, ..Default::default() })
}

fn body(messages: Vec<Any>) -> Vec<u8> {
    TxBody { messages, ..Default::default() }.encode_to_vec()
}

fn auth_info() -> Vec<u8> {
    AuthInfo { fee: Some(Fee { gas_limit: 1, ..Default::default() }), ..Default::default() }.encode_to_vec()
}

fn tx(body_bytes: Vec<u8>, auth_info_bytes: Vec<u8>) -> Vec<u8> {
    TxRaw { body_bytes, auth_info_bytes, signatures: vec![vec![1]] }.encode_to_vec()
}

#[track_caller]
fn check_refused(bytes: &[u8], expected: &str) {
    assert_eq!(decode_tx(bytes).expect_err("refused").to_string(), expected);
}

#[test]
fn every_recorded_transaction_is_strictly_decoded() {
    for recorded in vectors::txs() {
        let tx = decode_tx(&recorded.bytes).expect(&recorded.name);
        assert_eq!(tx.raw.encode_to_vec(), recorded.bytes, "{}", recorded.name);
        assert_eq!(tx.body.encode_to_vec(), tx.raw.body_bytes, "{}", recorded.name);
        assert!(!tx.has_unknown_non_critical, "{}", recorded.name);
    }
}

#[test]
fn unknown_critical_fields_are_refused_wherever_they_stand() {
    let unknown = field(99, b"?");
    let with = |bytes: Vec<u8>| [bytes, unknown.clone()].concat();
    let reason = |type_name: &str| format!("{type_name} has no field 99 (wire type 2)");
    check_refused(&with(tx(body(vec![send("1")]), auth_info())), &format!("$: {}", reason("cosmos.tx.v1beta1.TxRaw")));
    check_refused(
        &tx(with(body(vec![send("1")])), auth_info()),
        &format!("$.body: {}", reason("cosmos.tx.v1beta1.TxBody")),
    );
    check_refused(
        &tx(body(vec![send("1")]), with(auth_info())),
        &format!("$.auth_info: {}", reason("cosmos.tx.v1beta1.AuthInfo")),
    );
    let mut message = send("1");
    message.value.extend_from_slice(&unknown);
    check_refused(
        &tx(body(vec![send("1"), message.clone()]), auth_info()),
        &format!("$.body.messages[1]: {}", reason("cosmos.bank.v1beta1.MsgSend")),
    );
    let nested = pack(&MsgSubmitProposal { messages: vec![message], ..Default::default() });
    check_refused(
        &tx(body(vec![nested]), auth_info()),
        &format!("$.body.messages[0].messages[0]: {}", reason("cosmos.bank.v1beta1.MsgSend")),
    );
    // The wrapper of an `Any` is a message like every other.
    let wrapped = field(1, &with(send("1").encode_to_vec()));
    check_refused(&tx(wrapped, auth_info()), &format!("$.body.messages[0]: {}", reason("google.protobuf.Any")));
}

#[test]
fn unknown_non_critical_fields_may_stand_only_in_the_body() {
    let unknown = field(1024, b"?");
    let with = |bytes: Vec<u8>| [bytes, unknown.clone()].concat();
    let decoded = decode_tx(&tx(with(body(vec![send("1")])), auth_info())).expect("allowed in the body");
    assert!(decoded.has_unknown_non_critical);
    let mut message = send("1");
    message.value.extend_from_slice(&unknown);
    let decoded = decode_tx(&tx(body(vec![message.clone()]), auth_info())).expect("allowed in a message of the body");
    assert!(decoded.has_unknown_non_critical);
    check_refused(
        &tx(body(vec![]), with(auth_info())),
        "$.auth_info: cosmos.tx.v1beta1.AuthInfo has no field 1024 (wire type 2)",
    );
    check_refused(&with(tx(body(vec![]), auth_info())), "$: cosmos.tx.v1beta1.TxRaw has no field 1024 (wire type 2)");
    let type_name = "cosmos.bank.v1beta1.MsgSend";
    assert_eq!(check_message(type_name, &message.value, NonCritical::Allow), Ok(true));
    assert!(check_message(type_name, &message.value, NonCritical::Reject).is_err());
    assert_eq!(check_message(type_name, &send("1").value, NonCritical::Reject), Ok(false));
}

#[test]
fn unknown_types_and_wrong_kinds_are_refused_by_name() {
    let unknown = Any { type_url: "/no.Such".to_string(), value: Vec::new() };
    check_refused(&tx(body(vec![unknown]), auth_info()), "$.body.messages[0]: unknown type URL \"/no.Such\"");
    check_refused(&tx(body(vec![Any::default()]), auth_info()), "$.body.messages[0]: unknown type URL \"\"");
    // The memo, field 2, as a varint.
    check_refused(&tx(vec![0x10, 0x01], auth_info()), "$.body.memo: wire type 0 does not fit the field");
    check_refused(
        &tx(body(vec![send("1.5")]), auth_info()),
        "$.body.messages[0].amount[0].amount: expected an integer of at most 256 bits as decimal text",
    );
    assert!(matches!(check_message("no.Such", &[], NonCritical::Reject), Err(StrictError::UnknownMessage { .. })));
}

#[test]
fn malformed_bytes_are_refused() {
    check_refused(&[0x0a, 0x05, 0x01], "$: a value ends before its length");
    check_refused(&[0x0a], "$: a value ends before its length");
    check_refused(&[0x02, 0x00], "$: a tag has no valid field number");
    check_refused(&[0x0b], "$: a tag has no valid wire type");
    check_refused(&[0xff; 11], "$: a varint is longer than 64 bits");
    check_refused(&tx(vec![0x0a, 0x7f], auth_info()), "$.body: a value ends before its length");
    // A memo that is no UTF-8 has known fields only, and still no decoding.
    let error = decode_tx(&tx(field(2, &[0xff]), auth_info())).expect_err("refused");
    assert!(matches!(error, StrictError::Decode { ref path, .. } if path == "$.body"), "{error}");
}

#[test]
fn the_outermost_message_has_one_encoding() {
    let reason = |text: &str| format!("$: not the canonical encoding: {text}");
    let (first, second, third) = (field(1, &body(vec![send("1")])), field(2, &auth_info()), field(3, b"s"));
    assert!(decode_tx(&[first.clone(), second.clone(), third.clone(), third.clone()].concat()).is_ok());
    check_refused(&[field(1, b""), second.clone()].concat(), &reason("an empty field is written"));
    check_refused(&[second.clone(), first.clone()].concat(), &reason("fields are not in order"));
    check_refused(&[first.clone(), first.clone()].concat(), &reason("a field stands twice"));
    check_refused(&[0x0a, 0x80, 0x00], &reason("a varint is not in its shortest form"));
    check_refused(&[0x8a, 0x00, 0x00], &reason("a varint is not in its shortest form"));
    check_refused(&[0x08, 0x00], &reason("a field is not length-delimited"));
}

#[test]
fn messages_within_messages_are_bounded() {
    let nest = |depth: usize| {
        let wrap = |inner| pack(&MsgSubmitProposal { messages: vec![inner], ..Default::default() });
        let message = (1..depth).fold(send("1"), |inner, _| wrap(inner));
        decode_tx(&tx(body(vec![message]), auth_info()))
    };
    assert!(nest(swing_proto::strict::ANY_DEPTH_MAX).is_ok());
    assert!(matches!(nest(swing_proto::strict::ANY_DEPTH_MAX + 1), Err(StrictError::TooDeep { depth_max: 10, .. })));
    // Signatures within signatures, which need no `Any`: AuthInfo.signer_infos.mode_info.multi.mode_infos…
    let mode_info = (0..200).fold(Vec::new(), |inner, _| field(2, &field(2, &inner)));
    let auth_info = field(1, &field(2, &mode_info));
    assert!(matches!(decode_tx(&tx(body(vec![]), auth_info)), Err(StrictError::TooDeep { depth_max: 100, .. })));
}

#[test]
fn whatever_is_accepted_has_one_encoding_and_nothing_panics() {
    let (mut accepted, mut refused) = (0, 0);
    for recorded in vectors::txs() {
        for position in 0..recorded.bytes.len() {
            for change in [0x01, 0x02, 0x08, 0x40, 0x80, 0xff] {
                let mut bytes = recorded.bytes.clone();
                bytes[position] ^= change;
                match decode_tx(&bytes) {
                    Ok(tx) => {
                        assert_eq!(tx.raw.encode_to_vec(), bytes, "{} at {position}", recorded.name);
                        accepted += 1;
                    }
                    Err(_) => refused += 1,
                }
            }
        }
    }
    // Changes within signatures and texts are not the decoder's business; changes of structure are.
    assert!(accepted > 1000 && refused > 1000, "{accepted} accepted, {refused} refused");
}

#[test]
fn a_transaction_that_is_cut_short_is_refused() {
    for recorded in vectors::txs() {
        let raw = TxRaw::decode(recorded.bytes.as_slice()).expect(&recorded.name);
        // A cut between two fields leaves a shorter transaction, not a torn one.
        let body_end = field(1, &raw.body_bytes).len();
        let auth_info_end = body_end + field(2, &raw.auth_info_bytes).len();
        for length in (1..recorded.bytes.len()).filter(|length| ![body_end, auth_info_end].contains(length)) {
            assert!(decode_tx(&recorded.bytes[..length]).is_err(), "{} cut to {length}", recorded.name);
        }
    }
}
