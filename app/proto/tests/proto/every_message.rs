//! Every message of the package, with every field set, through every form.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use swing_proto::Message;
use swing_proto::cosmos::bank::v1beta1::MsgSend;
use swing_proto::google::protobuf::Any;
use swing_proto::strict::{NonCritical, check_message};
use swing_proto::{amino, json, pack};

/// Below this depth only messages that are always there are filled, since some of the others contain themselves.
const DEPTH_MAX: usize = 4;

fn messages() -> Vec<MessageDescriptor> {
    let messages = swing_proto::descriptor_pool().all_messages();
    let messages: Vec<_> = messages.filter(|message| message.package_name() != "google.protobuf").collect();
    assert!(messages.len() > 350, "{} messages", messages.len());
    messages
}

fn has_option(field: &FieldDescriptor, name: &str) -> bool {
    let extension = swing_proto::descriptor_pool().get_extension_by_name(&format!("swing.options.v1.{name}"));
    field.options().get_extension(&extension.expect("an option")).as_bool() == Some(true)
}

fn filled(descriptor: &MessageDescriptor, depth: usize) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    match descriptor.full_name() {
        "google.protobuf.Any" => message.transcode_from(&pack(&MsgSend::default())).expect("an Any"),
        "google.protobuf.Timestamp" | "google.protobuf.Duration" => {
            message.set_field_by_name("seconds", Value::I64(1_795_433_657));
            message.set_field_by_name("nanos", Value::I32(848_967_000));
        }
        _ => {
            for field in descriptor.fields() {
                let is_message = matches!(field.kind(), Kind::Message(_));
                let is_too_deep = depth >= DEPTH_MAX && is_message && !has_option(&field, "non_null");
                let mut siblings =
                    field.containing_oneof().into_iter().flat_map(|oneof| oneof.fields().collect::<Vec<_>>());
                if !is_too_deep && !siblings.any(|sibling| message.has_field(&sibling)) {
                    let value = value(&field, depth);
                    let value = if field.is_list() { Value::List(vec![value.clone(), value]) } else { value };
                    message.set_field(&field, value);
                }
            }
        }
    }
    message
}

fn value(field: &FieldDescriptor, depth: usize) -> Value {
    let number = if has_option(field, "legacy_dec") {
        Some("1500000000000000000")
    } else if has_option(field, "integer") {
        Some("12345678901234567890")
    } else {
        None
    };
    match (field.kind(), number) {
        (Kind::String, number) => Value::String(number.unwrap_or("text <\"&>").to_string()),
        (Kind::Bytes, Some(number)) => Value::Bytes(number.into()),
        (Kind::Bytes, None) if has_option(field, "inline_json") => Value::Bytes(r#"{"b":1,"a":[]}"#.into()),
        (Kind::Bytes, None) => Value::Bytes(vec![0xff; 20].into()),
        (Kind::Bool, _) => Value::Bool(true),
        (Kind::Int32, _) => Value::I32(-7),
        (Kind::Uint32, _) => Value::U32(u32::MAX),
        (Kind::Int64, _) => Value::I64(i64::MIN),
        (Kind::Uint64, _) => Value::U64(u64::MAX),
        (Kind::Enum(values), _) => Value::EnumNumber(values.values().last().expect("a value").number()),
        (Kind::Message(message), _) => Value::Message(filled(&message, depth + 1)),
        (kind, _) => panic!("{} is of an unused kind, {kind:?}", field.full_name()),
    }
}

#[test]
fn every_filled_message_reads_back_from_what_it_prints() {
    for descriptor in messages() {
        let name = descriptor.full_name();
        let wire = filled(&descriptor, 0).encode_to_vec();
        let printed = json::wire_to_json(name, &wire).unwrap_or_else(|error| panic!("{name}: {error}"));
        let read = json::json_to_wire(name, &printed).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(read == wire, "{name}: {printed}");
    }
}

#[test]
fn every_empty_message_prints_all_its_fields_and_reads_back() {
    for descriptor in messages() {
        let name = descriptor.full_name();
        let printed = json::wire_to_json(name, &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
        let shown = descriptor.fields().filter(|field| field.containing_oneof().is_none()).count();
        assert_eq!(printed.as_object().map(|members| members.len()), Some(shown), "{name}");
        let read = json::json_to_wire(name, &printed).unwrap_or_else(|error| panic!("{name}: {error}"));
        let again = json::wire_to_json(name, &read).unwrap_or_else(|error| panic!("{name}: {error}"));
        let zeros = |text: String| text.replace("0.000000000000000000", "0");
        assert_eq!(zeros(again.to_string()), zeros(printed.to_string()), "{name}");
    }
}

#[test]
fn every_filled_message_is_strictly_known_and_one_more_field_is_not() {
    for descriptor in messages() {
        let name = descriptor.full_name();
        let mut wire = filled(&descriptor, 0).encode_to_vec();
        assert_eq!(check_message(name, &wire, NonCritical::Reject), Ok(false), "{name}");
        // Field 536870911, the last there is, as a varint.
        wire.extend_from_slice(&[0xf8, 0xff, 0xff, 0xff, 0x0f, 0x00]);
        assert!(check_message(name, &wire, NonCritical::Reject).is_err(), "{name}");
        assert_eq!(check_message(name, &wire, NonCritical::Allow), Ok(true), "{name}");
    }
}

#[test]
fn every_filled_message_with_an_amino_name_can_be_signed() {
    let mut count = 0;
    for descriptor in messages() {
        let type_url = format!("/{}", descriptor.full_name());
        let message = Any { type_url: type_url.clone(), value: filled(&descriptor, 0).encode_to_vec() };
        let written = amino::message_json(&message);
        let Some(name) = amino::amino_name(&type_url) else {
            assert!(written.is_err(), "{type_url}");
            continue;
        };
        let written = written.unwrap_or_else(|error| panic!("{type_url}: {error}"));
        let parsed = json::parse(written.as_bytes(), written.len()).expect("JSON");
        assert_eq!(parsed["type"], name);
        assert!(!written.contains(['<', '>', '&']), "{written}");
        count += 1;
    }
    assert!(count > 40, "{count} messages have a name");
}
