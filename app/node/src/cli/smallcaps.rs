//! Plain JSON as a smallcaps body, and back. Source: Endo's smallcaps encoding, without slots.

use serde_json::{Map, Value};

use super::Failure;

/// First characters that mean something in a smallcaps string: from `!` to `-`.
fn is_special(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| (b'!'..=b'-').contains(&first))
}

/// The body of a JSON text.
///
/// # Errors
/// The text is not JSON.
pub fn body_of_text(what: &str, text: &str) -> Result<String, Failure> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| Failure::new(format!("{what}: not JSON: {error}")))?;
    Ok(body(value))
}

/// The body of a value: strings that would mean something else are escaped.
pub fn body(value: Value) -> String {
    format!("#{}", escape(value))
}

fn escape(value: Value) -> Value {
    let text = |text: String| if is_special(&text) { format!("!{text}") } else { text };
    match value {
        Value::String(string) => Value::String(text(string)),
        Value::Array(items) => items.into_iter().map(escape).collect(),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (text(name), escape(value))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(fields.into_iter().collect())
        }
        other => other,
    }
}

/// The plain value of a body; none where it is not a body. Integers of any size (`+5`) become texts of digits; what JSON cannot
/// say (`#undefined`, slots) stays in its smallcaps form.
pub fn value(body: &str) -> Option<Value> {
    Some(unescape(serde_json::from_str(body.strip_prefix('#')?).ok()?))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn unescape(value: Value) -> Value {
    let text = |text: String| match text.strip_prefix('!') {
        Some(rest) if is_special(rest) => rest.to_owned(),
        _ => text.strip_prefix('+').filter(|digits| is_digits(digits)).map_or_else(|| text.clone(), str::to_owned),
    };
    match value {
        Value::String(string) => Value::String(text(string)),
        Value::Array(items) => items.into_iter().map(unescape).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (text(name), unescape(value))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_go_and_come_back() {
        #[track_caller]
        fn check(plain: Value, expected: &str) {
            let body = body(plain.clone());
            assert_eq!(body, expected);
            assert_eq!(value(&body), Some(plain));
        }
        check(json!([1, "two", null, true]), "#[1,\"two\",null,true]");
        check(json!(["$0", "+5", "!x", "-", "", "a!"]), "#[\"!$0\",\"!+5\",\"!!x\",\"!-\",\"\",\"a!\"]");
        check(json!({"#tag": "&0", "b": []}), "#{\"!#tag\":\"!&0\",\"b\":[]}");
        assert_eq!(value("[]"), None);
        assert_eq!(value("#\"+5\""), Some(json!("5")));
        assert_eq!(value("#[\"-5\",\"+x\",\"#undefined\"]"), Some(json!(["-5", "+x", "#undefined"])));
    }
}
