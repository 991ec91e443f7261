//! Fields of well-known types, read by name.

use prost_reflect::DynamicMessage;

/// The two fields of a timestamp or duration.
pub(crate) fn seconds_and_nanos(message: &DynamicMessage) -> (i64, i32) {
    let seconds = message.get_field_by_name("seconds").and_then(|value| value.as_i64());
    let nanos = message.get_field_by_name("nanos").and_then(|value| value.as_i32());
    (seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

/// A text field, empty where there is none.
pub(crate) fn text_of(message: &DynamicMessage, name: &str) -> String {
    let value = message.get_field_by_name(name);
    value.and_then(|value| value.as_str().map(str::to_string)).unwrap_or_default()
}

/// A bytes field, empty where there is none.
pub(crate) fn bytes_of(message: &DynamicMessage, name: &str) -> Vec<u8> {
    let value = message.get_field_by_name(name);
    value.and_then(|value| value.as_bytes().map(|bytes| bytes.to_vec())).unwrap_or_default()
}
