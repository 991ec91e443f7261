//! Message to JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value as ProtoValue};
use serde_json::{Map, Value};

use super::{JsonError, check_depth};
use crate::dynamic::{bytes_of, seconds_and_nanos, text_of};
use crate::path::Path;
use crate::schema::{FieldSchema, MessageSchema, Presentation, WellKnown, field_message, schema_of, schema_of_url};
use crate::text::{TextError, address, decimal, duration, time};

/// The JSON of an encoded message.
pub(super) fn wire(schema: &MessageSchema, wire: &[u8], path: &Path<'_>) -> Result<Value, JsonError> {
    let decoded = DynamicMessage::decode(schema.descriptor.clone(), wire);
    let decoded = decoded.map_err(|source| JsonError::wire(path, schema.descriptor.full_name(), source))?;
    message(schema, &decoded, path)
}

/// The JSON of an `Any`.
pub(super) fn any(type_url: &str, value: &[u8], path: &Path<'_>) -> Result<Value, JsonError> {
    let schema = schema_of_url(type_url)
        .ok_or_else(|| JsonError::UnknownTypeUrl { path: path.to_string(), type_url: type_url.to_string() })?;
    let inner = wire(schema, value, path)?;
    let mut object = Map::new();
    object.insert("@type".to_string(), Value::String(type_url.to_string()));
    match inner {
        // Types with a text of their own have no fields to stand beside `@type`.
        Value::Object(fields) if schema.well_known.is_none() => object.extend(fields),
        special => drop(object.insert("value".to_string(), special)),
    }
    Ok(Value::Object(object))
}

fn message(schema: &MessageSchema, message: &DynamicMessage, path: &Path<'_>) -> Result<Value, JsonError> {
    check_depth(path)?;
    match schema.well_known {
        Some(WellKnown::Any) => any(text_of(message, "type_url").as_str(), &bytes_of(message, "value"), path),
        Some(WellKnown::Timestamp) => {
            let (seconds, nanos) = seconds_and_nanos(message);
            text(time::format(seconds, nanos, time::Fraction::Groups), path)
        }
        Some(WellKnown::Duration) => {
            let (seconds, nanos) = seconds_and_nanos(message);
            text(duration::format(seconds, nanos), path)
        }
        None => object(schema, message, path),
    }
}

fn object(schema: &MessageSchema, message: &DynamicMessage, path: &Path<'_>) -> Result<Value, JsonError> {
    let mut object = Map::new();
    for field in &schema.fields {
        // Of a oneof only the member that is set is shown.
        if field.in_oneof && !message.has_field(&field.descriptor) {
            continue;
        }
        let value = self::field(field, message, &path.field(&field.name))?;
        object.insert(field.name.clone(), value);
    }
    Ok(Value::Object(object))
}

fn field(field: &FieldSchema, parent: &DynamicMessage, path: &Path<'_>) -> Result<Value, JsonError> {
    let value = parent.get_field(&field.descriptor);
    match value.as_ref() {
        ProtoValue::List(elements) => {
            let elements = elements.iter().enumerate();
            elements.map(|(index, element)| single(field, element, &path.index(index))).collect()
        }
        ProtoValue::Message(_) if !parent.has_field(&field.descriptor) => absent(field, path),
        ProtoValue::String(text) if field.nullable && text.is_empty() => Ok(Value::Null),
        value => single(field, value, path),
    }
}

/// A message field that the wire does not have.
fn absent(field: &FieldSchema, path: &Path<'_>) -> Result<Value, JsonError> {
    let Some(schema) = field_message(&field.descriptor).filter(|_| field.non_null) else {
        return Ok(Value::Null);
    };
    match schema.well_known {
        Some(WellKnown::Any) => Ok(Value::Null),
        // The zero value of Go's time is the year 1, not 1970.
        Some(WellKnown::Timestamp) => text(time::format(time::ZERO_TIME_SECONDS, 0, time::Fraction::Groups), path),
        _ => message(schema, &DynamicMessage::new(schema.descriptor.clone()), path),
    }
}

fn single(field: &FieldSchema, value: &ProtoValue, path: &Path<'_>) -> Result<Value, JsonError> {
    match (field.presentation, value) {
        (Presentation::LegacyDec | Presentation::Integer, ProtoValue::String(wire)) => {
            text(number_text(field.presentation, wire), path)
        }
        (Presentation::LegacyDec | Presentation::Integer, ProtoValue::Bytes(wire)) => {
            let wire = std::str::from_utf8(wire).map_err(|_| no_text(path, "decimal digits"))?;
            text(number_text(field.presentation, wire), path)
        }
        (Presentation::AccountBytes, ProtoValue::Bytes(account)) => text(address::account_to_text(account), path),
        (Presentation::InlineJson, ProtoValue::Bytes(document)) => {
            serde_json::from_slice(document).map_err(|_| no_text(path, "a JSON document"))
        }
        (_, value) => plain(&field.descriptor, value, path),
    }
}

fn number_text(presentation: Presentation, wire: &str) -> Result<String, TextError> {
    match presentation {
        // A number that the wire leaves out is shown as a bare zero, for decimals too.
        _ if wire.is_empty() => Ok("0".to_string()),
        Presentation::LegacyDec => decimal::scaled_to_decimal(wire),
        _ => decimal::canonical_integer(wire),
    }
}

fn plain(descriptor: &FieldDescriptor, value: &ProtoValue, path: &Path<'_>) -> Result<Value, JsonError> {
    match value {
        ProtoValue::Bool(flag) => Ok(Value::Bool(*flag)),
        ProtoValue::I32(number) => Ok(Value::from(*number)),
        ProtoValue::U32(number) => Ok(Value::from(*number)),
        ProtoValue::I64(number) => Ok(Value::String(number.to_string())),
        ProtoValue::U64(number) => Ok(Value::String(number.to_string())),
        ProtoValue::String(text) => Ok(Value::String(text.clone())),
        // The SDK's empty bytes are a nil slice, which prints as null; elements of a list are never nil.
        ProtoValue::Bytes(bytes) if bytes.is_empty() && !descriptor.is_list() => Ok(Value::Null),
        ProtoValue::Bytes(bytes) => Ok(Value::String(STANDARD.encode(bytes))),
        ProtoValue::EnumNumber(number) => Ok(enum_value(descriptor, *number)),
        ProtoValue::Message(inner) => message(schema_of(&inner.descriptor()), inner, path),
        // No message of ours has floats or maps; a test holds that.
        ProtoValue::F32(_) | ProtoValue::F64(_) | ProtoValue::List(_) | ProtoValue::Map(_) => {
            Err(no_text(path, "neither a float nor a map"))
        }
    }
}

fn enum_value(descriptor: &FieldDescriptor, number: i32) -> Value {
    let Kind::Enum(values) = descriptor.kind() else {
        return Value::from(number);
    };
    match values.get_value(number) {
        Some(value) => Value::String(value.name().to_string()),
        None => Value::from(number),
    }
}

fn text(text: Result<String, TextError>, path: &Path<'_>) -> Result<Value, JsonError> {
    text.map(Value::String).map_err(|TextError(expected)| no_text(path, expected))
}

fn no_text(path: &Path<'_>, expected: &'static str) -> JsonError {
    JsonError::NoText { path: path.to_string(), expected }
}
