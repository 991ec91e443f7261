//! Message to amino JSON.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{DynamicMessage, ReflectMessage, Value};

use super::error::AminoError;
use super::escape::quote;
use crate::dynamic::{bytes_of, seconds_and_nanos, text_of};
use crate::json::DEPTH_MAX;
use crate::path::Path;
use crate::schema::{AminoShape, FieldSchema, MessageSchema, Presentation, WellKnown, schema_of, schema_of_url};
use crate::text::{TextError, address, decimal, duration, time};

/// An object whose members are written in the order of their keys.
#[derive(Default)]
pub(super) struct Object<'a> {
    members: BTreeMap<&'a str, String>,
}

impl<'a> Object<'a> {
    /// Adds a member; the value is JSON already.
    pub(super) fn insert(&mut self, key: &'a str, value: String) {
        self.members.insert(key, value);
    }

    pub(super) fn into_json(self) -> String {
        let members = self.members.iter().map(|(key, value)| format!("{}:{value}", quote(key)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

/// A message under its amino name.
pub(super) fn any(type_url: &str, wire: &[u8], path: &Path<'_>) -> Result<String, AminoError> {
    let schema = schema_of_url(type_url)
        .ok_or_else(|| AminoError::UnknownTypeUrl { path: path.to_string(), type_url: type_url.to_string() })?;
    let name = schema
        .amino_name
        .as_deref()
        .ok_or_else(|| AminoError::NoAminoName { path: path.to_string(), type_url: type_url.to_string() })?;
    let decoded = DynamicMessage::decode(schema.descriptor.clone(), wire)
        .map_err(|source| AminoError::Wire { path: path.to_string(), source })?;
    let mut object = Object::default();
    object.insert("type", quote(name));
    object.insert("value", message(schema, &decoded, path)?);
    Ok(object.into_json())
}

fn message(schema: &MessageSchema, message: &DynamicMessage, path: &Path<'_>) -> Result<String, AminoError> {
    if path.depth() > DEPTH_MAX {
        return Err(AminoError::TooDeep { path: path.to_string(), depth_max: DEPTH_MAX });
    }
    match schema.well_known {
        Some(WellKnown::Any) => return any(&text_of(message, "type_url"), &bytes_of(message, "value"), path),
        Some(WellKnown::Timestamp) => {
            let (seconds, nanos) = seconds_and_nanos(message);
            return text(time::format(seconds, nanos, time::Fraction::Shortest), path);
        }
        // Amino knows a duration only as Go does: 64 bits of nanoseconds.
        Some(WellKnown::Duration) => {
            let (seconds, nanos) = seconds_and_nanos(message);
            return text(duration::total_nanos(seconds, nanos).map(|total| total.to_string()), path);
        }
        None => {}
    }
    match schema.amino_shape {
        AminoShape::Fields => object(schema, message, path),
        AminoShape::Key => match bytes_of(message, "key") {
            key if key.is_empty() => Ok("null".to_string()),
            key => Ok(quote(&STANDARD.encode(key))),
        },
        AminoShape::Threshold => threshold(schema, message, path),
    }
}

fn object(schema: &MessageSchema, message: &DynamicMessage, path: &Path<'_>) -> Result<String, AminoError> {
    let mut object = Object::default();
    for field in &schema.fields {
        let path = path.field(&field.name);
        if message.has_field(&field.descriptor) {
            let value = message.get_field(&field.descriptor);
            object.insert(&field.name, self::value(field, &value, &path)?);
        } else if field.amino_keep_empty {
            object.insert(&field.name, empty(field, message, &path)?);
        }
    }
    Ok(object.into_json())
}

/// What is shown for an empty field that is kept.
fn empty(field: &FieldSchema, message: &DynamicMessage, path: &Path<'_>) -> Result<String, AminoError> {
    match message.get_field(&field.descriptor).as_ref() {
        Value::List(_) if field.amino_empty_list => Ok("[]".to_string()),
        Value::List(_) => Ok("null".to_string()),
        Value::Message(_) => Err(AminoError::Absent { path: path.to_string() }),
        scalar => value(field, scalar, path),
    }
}

/// The public keys of a multisignature, in their older form.
fn threshold(schema: &MessageSchema, message: &DynamicMessage, path: &Path<'_>) -> Result<String, AminoError> {
    let threshold = message.get_field_by_name("threshold").and_then(|value| value.as_u32()).unwrap_or_default();
    let keys = schema.fields.iter().find(|field| field.name == "public_keys");
    let keys = keys.expect("only LegacyAminoPubKey has this shape");
    let mut object = Object::default();
    object.insert("pubkeys", value(keys, &message.get_field(&keys.descriptor), &path.field("public_keys"))?);
    object.insert("threshold", format!("\"{threshold}\""));
    Ok(object.into_json())
}

fn value(field: &FieldSchema, value: &Value, path: &Path<'_>) -> Result<String, AminoError> {
    match (field.presentation, value) {
        (_, Value::List(elements)) => {
            let elements = elements.iter().enumerate();
            let elements = elements.map(|(index, element)| self::value(field, element, &path.index(index)));
            Ok(format!("[{}]", elements.collect::<Result<Vec<_>, _>>()?.join(",")))
        }
        (Presentation::LegacyDec, Value::String(wire)) => text(dec_text(wire), path),
        // The SDK writes the text of an integer as the wire has it.
        (Presentation::Integer, Value::String(wire)) if wire.is_empty() => Ok("\"0\"".to_string()),
        (Presentation::LegacyDec, Value::Bytes(wire)) => text(utf8(wire).and_then(dec_text), path),
        (Presentation::Integer, Value::Bytes(wire)) => text(utf8(wire).and_then(decimal::canonical_integer), path),
        (Presentation::AccountBytes, Value::Bytes(account)) => text(address::account_to_text(account), path),
        (Presentation::InlineJson, _) => Err(AminoError::no_text(path, TextError("no JSON document"))),
        (_, value) => plain(value, path),
    }
}

fn plain(value: &Value, path: &Path<'_>) -> Result<String, AminoError> {
    match value {
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::I32(number) | Value::EnumNumber(number) => Ok(number.to_string()),
        Value::U32(number) => Ok(number.to_string()),
        Value::I64(number) => Ok(format!("\"{number}\"")),
        Value::U64(number) => Ok(format!("\"{number}\"")),
        Value::String(text) => Ok(quote(text)),
        Value::Bytes(bytes) => Ok(quote(&STANDARD.encode(bytes))),
        Value::Message(inner) => message(schema_of(&inner.descriptor()), inner, path),
        Value::F32(_) | Value::F64(_) | Value::List(_) | Value::Map(_) => {
            Err(AminoError::no_text(path, TextError("neither a float nor a map")))
        }
    }
}

fn dec_text(wire: &str) -> Result<String, TextError> {
    if wire.is_empty() { Ok("0".to_string()) } else { decimal::scaled_to_decimal(wire) }
}

fn utf8(wire: &[u8]) -> Result<&str, TextError> {
    std::str::from_utf8(wire).map_err(|_| TextError("decimal digits"))
}

fn text(text: Result<String, TextError>, path: &Path<'_>) -> Result<String, AminoError> {
    text.map(|text| quote(&text)).map_err(|error| AminoError::no_text(path, error))
}
