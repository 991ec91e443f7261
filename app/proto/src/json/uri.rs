//! Messages from the parameters of a URI. Source: grpc-gateway's `PopulateQueryParameters`.

use prost::Message;
use prost_reflect::{DynamicMessage, Kind, ReflectMessage, Value as ProtoValue};
use serde_json::Value;

use super::{JsonError, check_depth, decode, known};
use crate::path::Path;
use crate::schema::{FieldSchema, MessageSchema, schema_of};

/// The encoded message of the named type whose fields a URI gives as text, by name: `pagination.limit` is a field of a field, a
/// repeated field comes once for each element. Bytes are base64 of either alphabet. Names that are no field are passed over, as
/// everywhere behind the SDK's gateway.
///
/// # Errors
/// An unknown type name, a text that its field does not take, or a field that is there twice and not repeated.
pub fn uri_to_wire<'a>(
    type_name: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<u8>, JsonError> {
    let schema = known(type_name)?;
    let mut message = DynamicMessage::new(schema.descriptor.clone());
    for (name, text) in parameters {
        set(schema, &mut message, name, text, &Path::ROOT)?;
    }
    Ok(message.encode_to_vec())
}

fn set(
    schema: &MessageSchema,
    message: &mut DynamicMessage,
    name: &str,
    text: &str,
    path: &Path<'_>,
) -> Result<(), JsonError> {
    check_depth(path)?;
    let (head, rest) = name.split_once('.').map_or((name, None), |(head, rest)| (head, Some(rest)));
    let Some(field) = schema.fields.iter().find(|field| field.name == head || field.descriptor.json_name() == head)
    else {
        return Ok(());
    };
    let path = path.field(head);
    let Some(rest) = rest else { return set_field(field, message, text, &path) };
    if field.repeated || !matches!(field.descriptor.kind(), Kind::Message(_)) {
        return Ok(());
    }
    match message.get_field_mut(&field.descriptor).as_message_mut() {
        Some(inner) => set(schema_of(&inner.descriptor()), inner, rest, text, &path),
        None => Ok(()),
    }
}

fn set_field(field: &FieldSchema, message: &mut DynamicMessage, text: &str, path: &Path<'_>) -> Result<(), JsonError> {
    let value = decode::single(field, &as_json(&field.descriptor.kind(), text), path)?;
    if field.repeated {
        if let ProtoValue::List(elements) = message.get_field_mut(&field.descriptor) {
            elements.push(value);
        }
    } else if message.has_field(&field.descriptor) {
        return Err(JsonError::Duplicate { path: path.to_string() });
    } else {
        message.set_field(&field.descriptor, value);
    }
    Ok(())
}

/// The text as a document would have it in a field of this kind.
fn as_json(kind: &Kind, text: &str) -> Value {
    match kind {
        Kind::Bool => match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Value::Bool(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Value::Bool(false),
            other => Value::String(other.to_string()),
        },
        Kind::Enum(_) => text.parse::<i32>().map_or_else(|_| Value::String(text.to_string()), Value::from),
        Kind::Bytes => Value::String(standard_base64(text)),
        _ => Value::String(text.to_string()),
    }
}

/// Base64 in the standard alphabet and padded, of either alphabet, padded or not, and with plus signs that were read as spaces.
fn standard_base64(text: &str) -> String {
    let letters = text.trim_end_matches('=').chars();
    let mut standard: String = letters
        .map(|letter| match letter {
            '-' | ' ' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    if standard.len() % 4 == 1 {
        // No bytes have such a text, and padding would only hide what was sent.
        return text.to_string();
    }
    let missing = standard.len().wrapping_neg() % 4;
    standard.extend(std::iter::repeat_n('=', missing));
    standard
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosmos::{
        bank::v1beta1::{QueryAllBalancesRequest, QuerySendEnabledRequest},
        base::{query::v1beta1::PageRequest, tendermint::v1beta1::AbciQueryRequest},
        gov::v1::{ProposalStatus, QueryProposalsRequest},
    };
    use crate::{Name, json::JsonError};

    fn read<M: Message + Name + Default>(parameters: &[(&str, &str)]) -> Result<M, JsonError> {
        let wire = uri_to_wire(&M::full_name(), parameters.iter().copied())?;
        Ok(M::decode(wire.as_slice()).expect("it was encoded as such"))
    }

    #[test]
    fn fields_of_fields_repeated_fields_numbers_and_names_of_values_are_read() {
        let request: QueryAllBalancesRequest = read(&[
            ("address", "swing1abc"),
            ("pagination.limit", "7"),
            ("pagination.key", "-_8"),
            ("pagination.countTotal", "true"),
            ("nothing", "of the kind"),
            ("pagination.nothing", "either"),
            ("address.nothing", "here"),
        ])
        .expect("readable");
        assert_eq!(request.address, "swing1abc");
        let page = PageRequest { key: vec![0xFB, 0xFF], limit: 7, count_total: true, ..PageRequest::default() };
        assert_eq!(request.pagination, Some(page));
        let request: QuerySendEnabledRequest = read(&[("denoms", "a"), ("denoms", "b")]).expect("readable");
        assert_eq!(request.denoms, ["a", "b"]);
        for status in ["PROPOSAL_STATUS_PASSED", "3"] {
            let request: QueryProposalsRequest = read(&[("proposal_status", status)]).expect("readable");
            assert_eq!(request.proposal_status(), ProposalStatus::Passed);
        }
        for (text, bytes) in [("AQ==", vec![1]), ("AQ", vec![1]), ("AQID", vec![1, 2, 3]), ("  8=", vec![0xFB, 0xEF])] {
            let request: AbciQueryRequest = read(&[("data", text), ("height", "5")]).expect("readable");
            assert_eq!((request.data, request.height), (bytes, 5), "{text}");
        }
    }

    #[test]
    fn what_a_field_does_not_take_is_named() {
        #[track_caller]
        fn check(parameters: &[(&str, &str)], expected: &str) {
            let error = read::<QueryAllBalancesRequest>(parameters).expect_err("it is wrong").to_string();
            assert_eq!(error, expected);
        }
        check(&[("pagination.limit", "x")], "$.pagination.limit: expected an unsigned 64-bit integer, found \"x\"");
        check(&[("pagination.limit", "-1")], "$.pagination.limit: expected an unsigned 64-bit integer, found \"-1\"");
        check(&[("pagination.reverse", "yes")], "$.pagination.reverse: expected true or false, found \"yes\"");
        check(&[("pagination.key", "?")], "$.pagination.key: expected bytes in base64, found \"?\"");
        check(&[("pagination", "5")], "$.pagination: expected an object, found \"5\"");
        check(
            &[("address", "a"), ("address", "b")],
            "$.address: the field, or another one of its oneof, is already set",
        );
    }
}
