//! Smallcaps values that hold no references, between the bridge and plain JSON. Source: SwingSet's smallcaps encoding.

use std::borrow::Cow;

use serde_json::Value;

use crate::math::Int;

/// First characters of texts that mean something else.
fn is_special(first: u8) -> bool {
    (b'!'..=b'-').contains(&first)
}

/// A text that stands for itself.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    let text = value.as_str()?;
    match text.bytes().next() {
        Some(b'!') => text.get(1..).map(Cow::Borrowed),
        Some(first) if is_special(first) => None,
        _ => Some(Cow::Borrowed(text)),
    }
}

/// An amount: a bigint, a decimal text, or a number.
pub(super) fn amount(value: &Value) -> Option<Int> {
    let digits = match value {
        Value::String(text) => text.strip_prefix('+').unwrap_or(text).to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Int::parse(&digits).ok()
}

/// A text as a value.
pub(super) fn of_text(text: &str) -> Value {
    match text.bytes().next() {
        Some(first) if is_special(first) => Value::String(format!("!{text}")),
        _ => Value::String(text.to_owned()),
    }
}

/// Plain JSON as a value: its texts stand for themselves.
pub(super) fn of_plain(value: Value) -> Value {
    match value {
        Value::String(text) => of_text(&text),
        Value::Array(items) => Value::Array(items.into_iter().map(of_plain).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, of_plain(value))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_stand_for_themselves_on_the_other_side() {
        for plain in ["", "a", "$0", "#undefined", "+5", "-5", "!x", "&1", "é"] {
            let value = of_text(plain);
            assert_eq!(text(&value).as_deref(), Some(plain));
        }
        for other in [json!("$0"), json!("#undefined"), json!("+5"), json!(5), json!(null)] {
            assert_eq!(text(&other), None, "{other}");
        }
        assert_eq!(of_plain(json!({"a": ["$0", {"b": "x"}], "n": 1})), json!({"a": ["!$0", {"b": "x"}], "n": 1}));
    }

    #[test]
    fn amounts_are_bigints_texts_or_numbers() {
        for (value, expected) in [
            (json!("+5"), Some(5)),
            (json!("5"), Some(5)),
            (json!(5), Some(5)),
            (json!("-5"), None),
            (json!(1.5), None),
            (json!("x"), None),
            (json!(null), None),
        ] {
            assert_eq!(amount(&value), expected.map(|number: u64| Int::from(number)), "{value}");
        }
    }
}
