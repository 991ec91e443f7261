//! The bytes of `data/upgrade-info.json`, as the Cosmos SDK writes them and cosmovisor reads them. The file advises others; a
//! missing, torn or stale one changes no decision of ours.

use std::fmt::Write as _;

use serde_json::Value;
use swing_core::ports::upgrade::Plan;

/// Largest file that is looked at: a plan's info is bounded by a transaction's size.
pub const FILE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The SDK's zero time, which a plan by height carries.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// Why the file's content says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InfoError {
    /// Larger than any real one.
    #[error("upgrade-info.json has {found} bytes, at most {FILE_BYTES_MAX} were expected: it is ignored")]
    TooLarge {
        /// Its size.
        found: usize,
    },
    /// Torn, or no JSON at all.
    #[error("upgrade-info.json is not a JSON object ({reason}): it is ignored")]
    Malformed {
        /// What the parser said.
        reason: String,
    },
    /// A field is missing or has another type.
    #[error("upgrade-info.json: `{field}` is missing or is not {expected}: it is ignored")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

/// The file's bytes for a plan that is needed at `plan.height`.
pub fn encode(plan: &Plan) -> Vec<u8> {
    let mut text = String::from("{");
    // The SDK leaves out empty strings and a zero height.
    if !plan.name.is_empty() {
        text.push_str("\"name\":");
        push_string(&mut text, &plan.name);
        text.push(',');
    }
    let _ = write!(text, "\"time\":\"{ZERO_TIME}\"");
    if plan.height != 0 {
        let _ = write!(text, ",\"height\":{}", plan.height);
    }
    if !plan.info.is_empty() {
        text.push_str(",\"info\":");
        push_string(&mut text, &plan.info);
    }
    text.push('}');
    text.into_bytes()
}

/// What a file says. Fields that are not known are passed over, as later versions may add some.
///
/// # Errors
/// [`InfoError`]: the caller goes on as if there were no file.
pub fn decode(bytes: &[u8]) -> Result<Plan, InfoError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(InfoError::TooLarge { found: bytes.len() });
    }
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| InfoError::Malformed { reason: error.to_string() })?;
    let Value::Object(fields) = value else {
        return Err(InfoError::Malformed { reason: "another JSON value".to_owned() });
    };
    let text = |field: &'static str| match fields.get(field) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(InfoError::Field { field, expected: "a string" }),
    };
    let name = text("name")?;
    if name.is_empty() {
        return Err(InfoError::Field { field: "name", expected: "a string that is not empty" });
    }
    let height = fields
        .get("height")
        .and_then(Value::as_u64)
        .filter(|height| *height > 0 && i64::try_from(*height).is_ok())
        .ok_or(InfoError::Field { field: "height", expected: "a positive integer" })?;
    Ok(Plan { name, height, info: text("info")? })
}

/// A JSON string with the escapes of Go's encoder, which also escapes what HTML would take for markup.
fn push_string(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(character));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}
