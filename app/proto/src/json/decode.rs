//! JSON to message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use prost::bytes::Bytes;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value as ProtoValue};
use serde_json::{Map, Value};

use super::{JsonError, check_depth};
use crate::path::Path;
use crate::schema::{FieldSchema, MessageSchema, Presentation, WellKnown, schema_of, schema_of_url};
use crate::text::{TextError, address, decimal, duration, time};

/// The message in a value.
pub(super) fn message(schema: &MessageSchema, value: &Value, path: &Path<'_>) -> Result<DynamicMessage, JsonError> {
    check_depth(path)?;
    match schema.well_known {
        Some(WellKnown::Any) => {
            let (type_url, wire) = any(value, path)?;
            let type_url = ProtoValue::String(type_url);
            Ok(two_fields(schema, type_url, ProtoValue::Bytes(Bytes::from(wire))))
        }
        Some(WellKnown::Timestamp) => {
            let (seconds, nanos) = converted(value, path, time::parse)?;
            Ok(two_fields(schema, ProtoValue::I64(seconds), ProtoValue::I32(nanos)))
        }
        Some(WellKnown::Duration) => {
            let (seconds, nanos) = converted(value, path, duration::parse)?;
            Ok(two_fields(schema, ProtoValue::I64(seconds), ProtoValue::I32(nanos)))
        }
        None => object(schema, value.as_object().ok_or_else(|| mismatch(path, "an object", value))?, None, path),
    }
}

/// The type URL and encoded message of an object with `@type`.
pub(super) fn any(value: &Value, path: &Path<'_>) -> Result<(String, Vec<u8>), JsonError> {
    check_depth(path)?;
    let members = value.as_object().ok_or_else(|| mismatch(path, "an object with \"@type\"", value))?;
    let Some(Value::String(type_url)) = members.get("@type") else {
        return Err(mismatch(path, "an object with \"@type\"", value));
    };
    let schema = schema_of_url(type_url)
        .ok_or_else(|| JsonError::UnknownTypeUrl { path: path.to_string(), type_url: type_url.clone() })?;
    let inner = if schema.well_known.is_some() {
        let value_path = path.field("value");
        message(schema, members.get("value").unwrap_or(&Value::Null), &value_path)?
    } else {
        object(schema, members, Some("@type"), path)?
    };
    Ok((type_url.clone(), inner.encode_to_vec()))
}

fn object(
    schema: &MessageSchema,
    members: &Map<String, Value>,
    skipped_key: Option<&str>,
    path: &Path<'_>,
) -> Result<DynamicMessage, JsonError> {
    let mut message = DynamicMessage::new(schema.descriptor.clone());
    let mut seen = Vec::new();
    for (key, value) in members.iter().filter(|(key, _)| skipped_key != Some(key.as_str())) {
        let path = path.field(key);
        let field = find_field(schema, key).ok_or_else(|| JsonError::UnknownField {
            path: path.to_string(),
            type_name: schema.descriptor.full_name().to_string(),
        })?;
        let oneof = field.descriptor.containing_oneof();
        let mut siblings = oneof.iter().flat_map(|oneof| oneof.fields());
        if seen.contains(&field.descriptor.number()) || siblings.any(|sibling| message.has_field(&sibling)) {
            return Err(JsonError::Duplicate { path: path.to_string() });
        }
        seen.push(field.descriptor.number());
        if !value.is_null() {
            message.set_field(&field.descriptor, self::field(field, value, &path)?);
        }
    }
    Ok(message)
}

/// Both names of a field are taken: its own, which is what is printed, and the camel case one of proto3 JSON.
fn find_field<'a>(schema: &'a MessageSchema, key: &str) -> Option<&'a FieldSchema> {
    schema.fields.iter().find(|field| field.name == key || field.descriptor.json_name() == key)
}

fn field(field: &FieldSchema, value: &Value, path: &Path<'_>) -> Result<ProtoValue, JsonError> {
    if !field.repeated {
        return single(field, value, path);
    }
    let elements = value.as_array().ok_or_else(|| mismatch(path, "a list", value))?;
    let elements = elements.iter().enumerate();
    let elements = elements.map(|(index, element)| single(field, element, &path.index(index)));
    Ok(ProtoValue::List(elements.collect::<Result<_, _>>()?))
}

pub(super) fn single(field: &FieldSchema, value: &Value, path: &Path<'_>) -> Result<ProtoValue, JsonError> {
    let descriptor = &field.descriptor;
    match field.presentation {
        Presentation::Plain => plain(descriptor, value, path),
        Presentation::LegacyDec => Ok(number(descriptor, converted(value, path, decimal::decimal_to_scaled)?)),
        Presentation::Integer => Ok(number(descriptor, converted(value, path, decimal::canonical_integer)?)),
        Presentation::AccountBytes => {
            Ok(ProtoValue::Bytes(Bytes::from(converted(value, path, address::account_from_text)?)))
        }
        Presentation::InlineJson => Ok(ProtoValue::Bytes(Bytes::from(value.to_string()))),
    }
}

/// Numbers of any size are texts on the wire, some of them in fields of bytes.
fn number(descriptor: &FieldDescriptor, text: String) -> ProtoValue {
    match descriptor.kind() {
        Kind::Bytes => ProtoValue::Bytes(Bytes::from(text)),
        _ => ProtoValue::String(text),
    }
}

fn plain(descriptor: &FieldDescriptor, value: &Value, path: &Path<'_>) -> Result<ProtoValue, JsonError> {
    let refuse = |expected: &'static str| mismatch(path, expected, value);
    match descriptor.kind() {
        Kind::Bool => value.as_bool().map(ProtoValue::Bool).ok_or_else(|| refuse("true or false")),
        Kind::String => value.as_str().map(|text| ProtoValue::String(text.to_string())).ok_or_else(|| refuse("a text")),
        Kind::Bytes => {
            let bytes = value.as_str().and_then(|text| STANDARD.decode(text).ok());
            bytes.map(|bytes| ProtoValue::Bytes(Bytes::from(bytes))).ok_or_else(|| refuse("bytes in base64"))
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            integer(value).map(ProtoValue::I64).ok_or_else(|| refuse("a signed 64-bit integer"))
        }
        Kind::Uint64 | Kind::Fixed64 => {
            integer(value).map(ProtoValue::U64).ok_or_else(|| refuse("an unsigned 64-bit integer"))
        }
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            integer(value).map(ProtoValue::I32).ok_or_else(|| refuse("a signed 32-bit integer"))
        }
        Kind::Uint32 | Kind::Fixed32 => {
            integer(value).map(ProtoValue::U32).ok_or_else(|| refuse("an unsigned 32-bit integer"))
        }
        Kind::Enum(values) => {
            let named = value.as_str().and_then(|name| values.get_value_by_name(name)).map(|value| value.number());
            let numbered = value.as_i64().and_then(|number| i32::try_from(number).ok());
            named.or(numbered).map(ProtoValue::EnumNumber).ok_or_else(|| refuse("the name of an enum value"))
        }
        Kind::Message(inner) => Ok(ProtoValue::Message(message(schema_of(&inner), value, path)?)),
        // No message of ours has floats; a test holds that.
        Kind::Double | Kind::Float => Err(refuse("no floating point number")),
    }
}

/// An integer as a number or as its decimal text.
fn integer<T: TryFrom<i128>>(value: &Value) -> Option<T> {
    let wide = match value {
        Value::Number(number) => number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))?,
        // Rust takes a plus sign, JSON numbers have none.
        Value::String(text) if !text.starts_with('+') => text.parse::<i128>().ok()?,
        _ => return None,
    };
    T::try_from(wide).ok()
}

fn converted<T>(value: &Value, path: &Path<'_>, parse: fn(&str) -> Result<T, TextError>) -> Result<T, JsonError> {
    let text = value.as_str().ok_or_else(|| mismatch(path, "a text", value))?;
    parse(text).map_err(|TextError(expected)| mismatch(path, expected, value))
}

/// The well-known types that have a text all have two fields, numbered one and two.
fn two_fields(schema: &MessageSchema, first: ProtoValue, second: ProtoValue) -> DynamicMessage {
    let mut message = DynamicMessage::new(schema.descriptor.clone());
    message.set_field_by_number(1, first);
    message.set_field_by_number(2, second);
    message
}

fn mismatch(path: &Path<'_>, expected: &'static str, found: &Value) -> JsonError {
    JsonError::mismatch(path, expected, found)
}
