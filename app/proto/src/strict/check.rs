//! The walk over a message that refuses unknown fields.

use std::collections::BTreeMap;

use prost::Message;
use prost_reflect::Kind;
use prost_types::Any;

use super::error::StrictError;
use super::wire::{FIXED_32, FIXED_64, LENGTH_DELIMITED, RawField, Reader, VARINT};
use super::{ANY_DEPTH_MAX, DEPTH_MAX};
use crate::path::Path;
use crate::schema::{
    FieldSchema, MessageSchema, Presentation, WellKnown, field_message, message_schema, schema_of_url,
};
use crate::text::{TextError, decimal};

/// The bit of a field number that marks the field as non-critical.
const NON_CRITICAL_BIT: u32 = 1 << 10;

/// What happens to unknown fields whose number marks them as non-critical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonCritical {
    /// They may stand.
    Allow,
    /// They are refused like every other unknown field.
    Reject,
}

/// Checks an encoded message of the named type; true when it has unknown fields that are non-critical.
///
/// # Errors
/// The first thing that is unknown or malformed, with its path.
pub fn check_message(type_name: &str, wire: &[u8], non_critical: NonCritical) -> Result<bool, StrictError> {
    let schema = message_schema(type_name);
    let schema = schema.ok_or_else(|| StrictError::UnknownMessage { type_name: type_name.to_string() })?;
    check_at(schema, wire, non_critical, &Path::ROOT)
}

pub(super) fn check_at(
    schema: &MessageSchema,
    wire: &[u8],
    non_critical: NonCritical,
    path: &Path<'_>,
) -> Result<bool, StrictError> {
    let mut walk = Walk { non_critical, found_non_critical: false };
    walk.message(schema, wire, path, 0)?;
    Ok(walk.found_non_critical)
}

struct Walk {
    non_critical: NonCritical,
    found_non_critical: bool,
}

impl Walk {
    fn message(
        &mut self,
        schema: &MessageSchema,
        wire: &[u8],
        path: &Path<'_>,
        any_depth: usize,
    ) -> Result<(), StrictError> {
        if path.depth() > DEPTH_MAX {
            return Err(StrictError::TooDeep { path: path.to_string(), depth_max: DEPTH_MAX });
        }
        let mut reader = Reader::new(wire);
        // How often each field stood before: the index of its next element, for paths.
        let mut counts = BTreeMap::new();
        while let Some(raw) = reader.next_field().map_err(|reason| malformed(path, reason))? {
            let Some(field) = schema.field_by_number(raw.number) else {
                self.unknown(schema, &raw, path)?;
                continue;
            };
            let index: &mut usize = counts.entry(raw.number).or_default();
            let field_path = path.field(&field.name);
            let element_path = field_path.index(*index);
            self.field(field, &raw, if field.repeated { &element_path } else { &field_path }, any_depth)?;
            *index += 1;
        }
        if schema.well_known == Some(WellKnown::Any) {
            self.any(wire, path, any_depth)?;
        }
        Ok(())
    }

    fn unknown(&mut self, schema: &MessageSchema, raw: &RawField<'_>, path: &Path<'_>) -> Result<(), StrictError> {
        if raw.number & NON_CRITICAL_BIT != 0 && self.non_critical == NonCritical::Allow {
            self.found_non_critical = true;
            return Ok(());
        }
        Err(StrictError::UnknownField {
            path: path.to_string(),
            type_name: schema.descriptor.full_name().to_string(),
            number: raw.number,
            wire_type: raw.wire_type,
        })
    }

    fn field(
        &mut self,
        field: &FieldSchema,
        raw: &RawField<'_>,
        path: &Path<'_>,
        any_depth: usize,
    ) -> Result<(), StrictError> {
        let expected = wire_type_of(&field.descriptor.kind());
        if raw.wire_type != expected {
            let is_packed = field.repeated && raw.wire_type == LENGTH_DELIMITED;
            if !is_packed {
                return Err(StrictError::WireType { path: path.to_string(), wire_type: raw.wire_type });
            }
            return Reader::new(raw.content).skip_packed(expected).map_err(|reason| malformed(path, reason));
        }
        match field_message(&field.descriptor) {
            Some(inner) => self.message(inner, raw.content, path, any_depth),
            None => check_number(field.presentation, raw.content, path),
        }
    }

    /// The message within an `Any` whose own fields are known.
    fn any(&mut self, wire: &[u8], path: &Path<'_>, any_depth: usize) -> Result<(), StrictError> {
        if any_depth >= ANY_DEPTH_MAX {
            return Err(StrictError::TooDeep { path: path.to_string(), depth_max: ANY_DEPTH_MAX });
        }
        let any = Any::decode(wire).map_err(|source| StrictError::Decode { path: path.to_string(), source })?;
        let schema = schema_of_url(&any.type_url)
            .ok_or_else(|| StrictError::UnknownTypeUrl { path: path.to_string(), type_url: any.type_url.clone() })?;
        self.message(schema, &any.value, path, any_depth + 1)
    }
}

/// The SDK parses these texts while it decodes, so that a bad one is a bad transaction and not a bad message.
fn check_number(presentation: Presentation, content: &[u8], path: &Path<'_>) -> Result<(), StrictError> {
    if content.is_empty() {
        return Ok(());
    }
    let check: fn(&str) -> Result<String, TextError> = match presentation {
        Presentation::Integer => decimal::canonical_integer,
        Presentation::LegacyDec => decimal::scaled_to_decimal,
        Presentation::Plain | Presentation::AccountBytes | Presentation::InlineJson => return Ok(()),
    };
    let text = std::str::from_utf8(content).map_err(|_| TextError("decimal digits"));
    match text.and_then(check) {
        Ok(_) => Ok(()),
        Err(TextError(expected)) => Err(StrictError::NoNumber { path: path.to_string(), expected }),
    }
}

fn wire_type_of(kind: &Kind) -> u8 {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => FIXED_64,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => FIXED_32,
        Kind::String | Kind::Bytes | Kind::Message(_) => LENGTH_DELIMITED,
        _ => VARINT,
    }
}

fn malformed(path: &Path<'_>, reason: &'static str) -> StrictError {
    StrictError::Malformed { path: path.to_string(), reason }
}
