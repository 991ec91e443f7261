//! Strings as Go's `encoding/json` writes them.

use std::fmt::Write;

/// The string in quotes, with Go's escapes: also of `<`, `>`, `&` and of the two line separators of Unicode.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write!(quoted, "\\u{:04x}", u32::from(character)).expect("writing to a String does not fail");
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}
