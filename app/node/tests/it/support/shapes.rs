//! Comparing answers with recorded ones: the same fields, of the same types.

use serde_json::Value;

/// Where two values differ in fields or types. Of lists the first items are compared; what either side lacks has no shape.
pub fn difference(path: &str, recorded: &Value, got: &Value) -> Option<String> {
    match (recorded, got) {
        (Value::Object(recorded), Value::Object(got)) => {
            let mut names: Vec<_> = recorded.keys().collect();
            let mut own: Vec<_> = got.keys().collect();
            names.sort();
            own.sort();
            if names != own {
                return Some(format!("{path}: recorded {names:?}, got {own:?}"));
            }
            recorded.iter().find_map(|(name, value)| difference(&format!("{path}.{name}"), value, &got[name]))
        }
        (Value::Array(recorded), Value::Array(got)) => recorded
            .first()
            .zip(got.first())
            .and_then(|(recorded, got)| difference(&format!("{path}[0]"), recorded, got)),
        (Value::String(recorded), Value::String(got)) => text_difference(path, recorded, got),
        (Value::Number(_), Value::Number(_)) | (Value::Bool(_), Value::Bool(_)) | (Value::Null, Value::Null) => None,
        _ => Some(format!("{path}: recorded {recorded}, got {got}")),
    }
}

/// Numbers, hashes in upper case, and others are different forms of text.
fn text_difference(path: &str, recorded: &str, got: &str) -> Option<String> {
    let form = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let hex = text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
        (digits, hex)
    };
    (form(recorded) != form(got)).then(|| format!("{path}: recorded {recorded:?}, got {got:?}"))
}
