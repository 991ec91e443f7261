//! JSON printed as YAML: block style, keys sorted, as the SDK's text output.

use std::fmt::Write;

use serde_json::{Map, Value};

/// The value as YAML, ending with a line break.
pub fn to_yaml(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => write_fields(&mut text, fields, 0, false),
        Value::Array(items) if !items.is_empty() => write_items(&mut text, items, 0),
        other => {
            write_scalar(&mut text, other);
            text.push('\n');
        }
    }
    text
}

/// `first_in_line`: the first field follows a list's dash.
fn write_fields(text: &mut String, fields: &Map<String, Value>, indent: usize, first_in_line: bool) {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| *name);
    for (index, (name, value)) in fields.into_iter().enumerate() {
        if index > 0 || !first_in_line {
            push_indent(text, indent);
        }
        write_text(text, name);
        text.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                text.push('\n');
                write_fields(text, inner, indent + 1, false);
            }
            Value::Array(items) if !items.is_empty() => {
                text.push('\n');
                write_items(text, items, indent);
            }
            other => {
                text.push(' ');
                write_scalar(text, other);
                text.push('\n');
            }
        }
    }
}

fn write_items(text: &mut String, items: &[Value], indent: usize) {
    for item in items {
        push_indent(text, indent);
        text.push_str("- ");
        match item {
            Value::Object(fields) if !fields.is_empty() => write_fields(text, fields, indent + 1, true),
            Value::Array(inner) if !inner.is_empty() => {
                let mut nested = String::new();
                write_items(&mut nested, inner, indent + 1);
                text.push_str(nested.trim_start());
            }
            other => {
                write_scalar(text, other);
                text.push('\n');
            }
        }
    }
}

fn push_indent(text: &mut String, indent: usize) {
    text.extend(std::iter::repeat_n("  ", indent));
}

fn write_scalar(text: &mut String, value: &Value) {
    match value {
        Value::String(string) => write_text(text, string),
        Value::Array(_) => text.push_str("[]"),
        Value::Object(_) => text.push_str("{}"),
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

fn write_text(text: &mut String, string: &str) {
    if string.chars().any(char::is_control) {
        // JSON's escapes are YAML's, in double quotes.
        let _ = write!(text, "{}", Value::from(string));
    } else if looks_like_another_type(string) {
        let _ = write!(text, "\"{string}\"");
    } else if needs_quotes(string) {
        let _ = write!(text, "'{}'", string.replace('\'', "''"));
    } else {
        text.push_str(string);
    }
}

/// A plain scalar that YAML would read as a number, a truth value, null or a date.
fn looks_like_another_type(string: &str) -> bool {
    const WORDS: [&str; 12] = ["", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan"];
    let number_like = |byte: u8| byte.is_ascii_hexdigit() || b"+-._:xoTZ".contains(&byte);
    let first = string.bytes().next().unwrap_or(b'0');
    WORDS.contains(&string.to_ascii_lowercase().as_str())
        || ((first.is_ascii_digit() || b"+-.".contains(&first))
            && string.bytes().any(|byte| byte.is_ascii_digit())
            && string.bytes().all(number_like))
}

fn needs_quotes(string: &str) -> bool {
    string.starts_with(|first: char| "-?:,[]{}#&*!|>'\"%@` ".contains(first))
        || string.ends_with([' ', ':'])
        || string.contains(": ")
        || string.contains(" #")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Value, expected: &str) {
        assert_eq!(to_yaml(value), expected);
    }

    #[test]
    fn nested_values_are_printed_with_sorted_keys() {
        check(
            &json!({"plan": {"name": "version-2", "height": "76", "none": null}, "list": [{"b": 1, "a": []}, {"c": {}}], "deep": [[1, 2]]}),
            "deep:\n- - 1\n  - 2\nlist:\n- a: []\n  b: 1\n- c: {}\nplan:\n  height: \"76\"\n  name: version-2\n  none: null\n",
        );
        check(&json!([]), "[]\n");
        check(&json!([{"address": "swing1"}]), "- address: swing1\n");
    }

    #[test]
    fn texts_are_quoted_where_yaml_would_read_something_else() {
        for (text, expected) in [
            ("plain text", "plain text\n"),
            ("", "\"\"\n"),
            ("0.334000000000000000", "\"0.334000000000000000\"\n"),
            ("2026-11-23T11:34:29Z", "\"2026-11-23T11:34:29Z\"\n"),
            ("true", "\"true\"\n"),
            ("{\"@type\":1}", "'{\"@type\":1}'\n"),
            ("it's: odd", "'it''s: odd'\n"),
            ("a\nb", "\"a\\nb\"\n"),
            ("/cosmos.bank.v1beta1.MsgSend", "/cosmos.bank.v1beta1.MsgSend\n"),
            ("1.5uswing", "1.5uswing\n"),
        ] {
            check(&json!(text), expected);
        }
    }
}
