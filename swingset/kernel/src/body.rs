//! The few places where the kernel looks into a smallcaps body, or writes one.

use alloc::{string::String, vec::Vec};

use swingset_abi::vat::CapData;

use crate::json::push_quoted;

/// What a message to a dead vat is answered with.
pub const VAT_TERMINATED: &str = "vat terminated";
/// What a message to plain data is answered with.
pub const NOT_CALLABLE: &str = "target is data: it has no methods";
/// What a message is answered with when too many wait for its target already.
pub const PROMISE_QUEUE_FULL: &str = "too many messages wait for this promise";

/// What a message is answered with when the references in it are more than its vat may have.
pub const STATE_FULL: &str = "the receiver's stored state is full";

/// What a message is answered with when the promise that it was sent to was rejected with more than each answer can hold.
pub const REASON_TOO_LONG: &str = "rejected with more than is told to each message: ask the promise itself";
/// What those are told of a vat's end for whom its last words are too long.
pub const LAST_WORDS_TOO_LONG: &str = "the vat has ended; its last words are too long to be told again";

/// Bytes of a body that may be copied into a promise's data without anybody being charged, and references in it.
const SHORT_BYTES: usize = 1024;
const SHORT_SLOTS: usize = 8;

/// Whether data may be copied into promises without anybody being charged.
pub fn is_short(data: &CapData) -> bool {
    data.body.len() <= SHORT_BYTES && data.slots.len() <= SHORT_SLOTS
}

/// Data that may be copied so, or an error of these words in its place.
pub fn short(data: CapData, words: &str) -> CapData {
    if is_short(&data) { data } else { error(words) }
}

/// The one reference that the data is, when it is nothing but a reference.
pub fn single_slot(data: &CapData) -> Option<&str> {
    let [slot] = data.slots.as_slice() else { return None };
    let inner = data.body.strip_prefix("#\"")?.strip_suffix('"')?;
    let tail = inner.strip_prefix("$0").or_else(|| inner.strip_prefix("&0"))?;
    let named = tail.is_empty() || tail.starts_with('.');
    (named && !tail.contains('"') && !tail.contains('\\')).then_some(slot.as_str())
}

/// An error value. `text` is one of the kernel's own words: nothing in it needs escaping.
pub fn error(text: &str) -> CapData {
    CapData {
        body: crate::keys::join(["#{\"#error\":\"", text, "\",\"name\":\"Error\"}"]),
        slots: Vec::new(),
    }
}

/// Appends a smallcaps string: JSON-quoted, with `!` before a first character that would mean something else.
pub fn push_string(out: &mut String, text: &str) {
    if text.bytes().next().is_some_and(|first| (b'!'..=b'-').contains(&first)) {
        push_quoted(out, &crate::keys::join(["!", text]));
    } else {
        push_quoted(out, text);
    }
}

/// The body `[method, args]` from a method and the body of an argument list; `None` when that is no list.
pub fn methargs(method: &str, args: &CapData) -> Option<CapData> {
    let list = args.body.strip_prefix('#')?.trim();
    if !list.starts_with('[') || !list.ends_with(']') {
        return None;
    }
    let mut body = String::with_capacity(list.len() + method.len() + 8);
    body.push_str("#[");
    push_string(&mut body, method);
    body.push(',');
    body.push_str(list);
    body.push(']');
    Some(CapData {
        body,
        slots: args.slots.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, slots: &[&str], expected: Option<&str>) {
        let data = CapData {
            body: String::from(body),
            slots: slots.iter().map(|slot| String::from(*slot)).collect(),
        };
        assert_eq!(single_slot(&data), expected, "{body}");
    }

    #[test]
    fn only_a_lone_reference_is_a_single_slot() {
        check("#\"$0\"", &["ko20"], Some("ko20"));
        check("#\"$0.Alleged: purse\"", &["ko20"], Some("ko20"));
        check("#\"&0\"", &["kp40"], Some("kp40"));
        check("#\"$0\"", &["ko20", "ko21"], None);
        check("#[\"$0\"]", &["ko20"], None);
        check("#\"$01\"", &["ko20"], None);
        check("#\"!$0\"", &["ko20"], None);
        check("#\"$0\"", &[], None);
    }

    #[test]
    fn a_method_is_quoted_and_escaped() {
        let args = CapData {
            body: String::from("#[1]"),
            slots: Vec::new(),
        };
        assert_eq!(
            methargs("add", &args).map(|data| data.body).as_deref(),
            Some("#[\"add\",[1]]")
        );
        assert_eq!(
            methargs("#x\"", &args).map(|data| data.body).as_deref(),
            Some("#[\"!#x\\\"\",[1]]")
        );
        assert_eq!(
            methargs(
                "add",
                &CapData {
                    body: String::from("#{}"),
                    slots: Vec::new()
                }
            ),
            None
        );
    }
}
