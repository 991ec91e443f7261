//! Smallcaps bodies: `#` and JSON, in which text that begins with one of `!` to `-` has a meaning of its own.
//!
//! | text | meaning |
//! |---|---|
//! | `!…` | the text after the `!` |
//! | `#undefined` | nothing |
//! | `+N`, `-N` | an integer |
//! | `$N`, `$N.interface` | the object in slot N |
//! | `&N` | the promise in slot N |
//!
//! A record with `#error` (and `name`) is an error, one with `#tag` and `payload` a tagged value. Floats (`#NaN`, `#Infinity`, `1.5`),
//! symbols (`%…`) and everything else that begins so are refused.
//!
//! # Invariants
//! - A body that decodes is within [`DEPTH_MAX`] and [`ITEMS_MAX`]; reading it takes no more stack or memory than they allow.
//! - Neither reading nor writing compares all fields or references with each other: a sender decides how many there are, and the vat
//!   pays for it.
//! - What is written can be read, and gives the same value.

mod equal;
mod read;
mod write;

pub use read::decode;
pub use write::{encode, encode_list};

/// How deep lists, records and tagged values may nest, in levels.
pub const DEPTH_MAX: usize = 64;
/// How many items a body may have: every value counts, also each in a list.
pub const ITEMS_MAX: usize = 200_000;

/// Whether text beginning with this byte has a meaning of its own.
fn is_marked(text: &str) -> bool {
    text.bytes().next().is_some_and(|first| (b'!'..=b'-').contains(&first))
}

#[cfg(test)]
mod tests {
    use alloc::{boxed::Box, string::String, vec::Vec};

    use swingset_abi::supervisor::{Passable, SlotHandle};

    use super::*;
    use crate::{Error, Value};

    fn read(body: &str) -> Result<Value, Error> {
        decode(&Passable {
            body: String::from(body),
            slots: Vec::new(),
        })
    }

    #[track_caller]
    fn check(body: &str, value: Value) {
        assert_eq!(read(body), Ok(value.clone()), "decoding {body}");
        assert_eq!(
            encode(&value).map(|passable| passable.body),
            Ok(String::from(body)),
            "encoding"
        );
    }

    fn text(text: &str) -> Value {
        Value::Text(String::from(text))
    }

    #[test]
    fn values_have_their_smallcaps_bodies() {
        check("#null", Value::Null);
        check("#\"#undefined\"", Value::Undefined);
        check("#\"+5\"", Value::Int(5));
        check("#\"-5\"", Value::Int(-5));
        check("#\"+170141183460469231731687303715884105727\"", Value::Int(i128::MAX));
        check("#\"-170141183460469231731687303715884105728\"", Value::Int(i128::MIN));
        check("#\"!-5\"", text("-5"));
        check("#\"!!\"", text("!"));
        check("#\"a\\\"b\\\\\"", text("a\"b\\"));
        check("#\"\\u0001é😀\"", text("\u{1}é😀"));
        check("#\"\"", text(""));
        check("#\".\"", text("."));
        check(
            "#[true,[]]",
            Value::List(Vec::from([Value::Bool(true), Value::List(Vec::new())])),
        );
        check(
            "#{\"!#a\":\"+1\",\"b\":{}}",
            Value::Record(Vec::from([
                (String::from("#a"), Value::Int(1)),
                (String::from("b"), Value::Record(Vec::new())),
            ])),
        );
        check(
            "#{\"#error\":\"!-no\",\"name\":\"TypeError\"}",
            Value::Error(Error {
                name: String::from("TypeError"),
                message: String::from("-no"),
            }),
        );
        check(
            "#{\"#tag\":\"set\",\"payload\":[]}",
            Value::Tagged(String::from("set"), Box::new(Value::List(Vec::new()))),
        );
    }

    #[test]
    fn what_others_write_differently_is_read_too() {
        assert_eq!(
            read("# [ 1 , -2, 0 ]"),
            Ok(Value::List(Vec::from([Value::Int(1), Value::Int(-2), Value::Int(0)])))
        );
        assert_eq!(read("#\"\\ud83d\\ude00\\u0041\\/\""), Ok(text("😀A/")));
        let error = Value::Error(Error::new("m"));
        assert_eq!(
            read("#{\"name\":\"Error\",\"errorId\":\"error:1\",\"#error\":\"m\"}"),
            Ok(error.clone())
        );
        assert_eq!(read("#{\"#error\":\"m\"}"), Ok(error));
        let tagged = Value::Tagged(String::from("t"), Box::new(Value::Null));
        assert_eq!(read("#{\"payload\":null,\"#tag\":\"t\"}"), Ok(tagged));
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        for (wrong, word) in [
            ("[1]", "does not begin with #"),
            ("#1.5", "floats"),
            ("#1e3", "floats"),
            ("#\"#NaN\"", "floats"),
            ("#\"#Infinity\"", "floats"),
            ("#\"-0x1\"", "bigint"),
            ("#\"-0\"", "bigint"),
            ("#\"+01\"", "bigint"),
            ("#\"+170141183460469231731687303715884105728\"", "bigint"),
            ("#\"$0\"", "slot"),
            ("#\"$\"", "slot"),
            ("#\"&0.x\"", "slot"),
            ("#\"%sym\"", "symbols"),
            ("#\"#other\"", "smallcaps form"),
            ("#\"(\"", "smallcaps form"),
            ("#{\"#other\":1}", "smallcaps form"),
            ("#{\"#tag\":\"t\"}", "payload"),
            ("#{\"#tag\":\"t\",\"payload\":1,\"x\":1}", "payload"),
            ("#{\"#error\":1}", "error"),
            ("#{\"a\":1,\"a\":2}", "twice"),
            ("#[1", "JSON"),
            ("#{\"a\"}", "JSON"),
            ("#[1]]", "JSON"),
            ("#--1", "JSON"),
            ("#01", "JSON"),
            ("#\"\\ud800\"", "JSON"),
            ("#\"\u{1}\"", "JSON"),
            ("#nul", "JSON"),
            ("#", "JSON"),
        ] {
            let problem = read(wrong).map_err(|error| error.message);
            assert!(
                problem.as_ref().is_err_and(|text| text.contains(word)),
                "{wrong}: {problem:?}"
            );
        }
    }

    /// Were each field compared with all before it, this would take minutes, and a vat's crank would be out of fuel long before.
    #[test]
    fn wide_records_and_many_references_are_read_and_written() {
        let fields: Vec<String> = (1..ITEMS_MAX).map(|number| alloc::format!("\"{number:x}\":null")).collect();
        let body = ["#{", &fields.join(","), "}"].concat();
        assert!(matches!(read(&body), Ok(Value::Record(read)) if read.len() == fields.len()));
        let twice = ["#{", &fields[1..].join(","), ",", &fields[1], "}"].concat();
        assert!(read(&twice).is_err_and(|error| error.message.contains("twice")));

        let slots: Vec<SlotHandle> = (0..4_000).map(|handle| SlotHandle::Presence { handle }).collect();
        let names: Vec<String> = (1..20_000)
            .map(|at| alloc::format!("\"${}\"", at.min(slots.len()) - 1))
            .collect();
        let body = ["#[", &names.join(","), "]"].concat();
        let passable = Passable { body, slots };
        let value = decode(&passable).expect("within the limits");
        assert_eq!(encode(&value), Ok(passable));
    }

    #[test]
    fn depth_and_number_of_items_are_capped() {
        let nested = |depth: usize| ["#", &"[".repeat(depth), &"]".repeat(depth)].concat();
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        assert!(read(&nested(DEPTH_MAX + 1)).is_err_and(|error| error.message.contains("deep")));
        assert!(read(&nested(1_000_000)).is_err_and(|error| error.message.contains("deep")));
        let wide = |items: usize| ["#[", &"1,".repeat(items - 1), "1]"].concat();
        assert!(read(&wide(ITEMS_MAX - 1)).is_ok());
        assert!(read(&wide(ITEMS_MAX)).is_err_and(|error| error.message.contains("many")));
        let mut deep = Value::Null;
        for _ in 0..DEPTH_MAX {
            deep = Value::List(Vec::from([deep]));
        }
        assert!(encode(&deep).is_ok());
        assert!(encode(&Value::List(Vec::from([deep]))).is_err());
    }
}
