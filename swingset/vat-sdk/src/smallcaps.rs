//! Smallcaps bodies: `#` and JSON, in which text beginning with `!` to `-` has a meaning of its own.

use alloc::{
    boxed::Box,
    string::{String, ToString},
    vec::Vec,
};

use swingset_abi::supervisor::{Passable, SlotHandle};

use crate::{
    Error, Far, Promise, Value,
    json::{self, Json},
};

/// Reads a value.
pub fn decode(passable: &Passable) -> Result<Value, Error> {
    let broken = || Error::new("the body is not smallcaps");
    let text = passable.body.strip_prefix('#').ok_or_else(broken)?;
    from_json(json::parse(text).ok_or_else(broken)?, &passable.slots)
}

fn from_json(json: Json, slots: &[SlotHandle]) -> Result<Value, Error> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(truth),
        Json::Int(number) => Value::Int(number),
        Json::Text(text) => from_text(&text, slots)?,
        Json::List(items) => {
            let items: Result<Vec<Value>, Error> = items.into_iter().map(|item| from_json(item, slots)).collect();
            Value::List(items?)
        }
        Json::Record(fields) => from_record(fields, slots)?,
    })
}

fn from_text(text: &str, slots: &[SlotHandle]) -> Result<Value, Error> {
    let Some(first) = text.chars().next().filter(|first| ('!'..='-').contains(first)) else {
        return Ok(Value::Text(String::from(text)));
    };
    let rest = &text[1..];
    match first {
        '!' => Ok(Value::Text(String::from(rest))),
        '#' if rest == "undefined" => Ok(Value::Undefined),
        '+' => rest
            .parse()
            .map(Value::Int)
            .map_err(|_| Error::new("a bigint is malformed or too large")),
        '-' => text
            .parse()
            .map(Value::Int)
            .map_err(|_| Error::new("a bigint is malformed or too large")),
        '$' | '&' => {
            let index = rest.split('.').next().unwrap_or_default();
            let slot = index.parse().ok().and_then(|index: usize| slots.get(index).copied());
            match slot.ok_or_else(|| Error::new("a slot's index is out of range"))? {
                SlotHandle::Promise { handle } => Ok(Value::Promise(Promise::held(handle))),
                object => Ok(Value::Far(Far::held(object))),
            }
        }
        _ => Err(Error::new("a smallcaps form that this vat does not read")),
    }
}

fn from_record(fields: Vec<(String, Json)>, slots: &[SlotHandle]) -> Result<Value, Error> {
    let text = |name: &str| {
        fields
            .iter()
            .find(|(other, _)| other == name)
            .and_then(|(_, json)| match json {
                Json::Text(text) => Some(String::from(text.strip_prefix('!').unwrap_or(text))),
                _ => None,
            })
    };
    if let Some(message) = text("#error") {
        return Ok(Value::Error(Error {
            name: text("name").unwrap_or_else(|| String::from("Error")),
            message,
        }));
    }
    if let Some(tag) = text("#tag") {
        let payload = fields.into_iter().find(|(name, _)| name == "payload");
        let payload = payload.ok_or_else(|| Error::new("a tagged value has no payload"))?;
        return Ok(Value::Tagged(tag, Box::new(from_json(payload.1, slots)?)));
    }
    let mut out = Vec::with_capacity(fields.len());
    for (name, json) in fields {
        let name = match name.strip_prefix('!') {
            Some(unescaped) => String::from(unescaped),
            None if name.starts_with('#') => return Err(Error::new("a smallcaps form that this vat does not read")),
            None => name,
        };
        out.push((name, from_json(json, slots)?));
    }
    Ok(Value::Record(out))
}

/// Writes a value.
pub fn encode(value: &Value) -> Passable {
    let mut out = Passable {
        body: String::from("#"),
        slots: Vec::new(),
    };
    write(&mut out, value);
    out
}

fn write_escaped(out: &mut String, text: &str) {
    if text.starts_with(|first| ('!'..='-').contains(&first)) {
        let mut escaped = String::with_capacity(text.len() + 1);
        escaped.push('!');
        escaped.push_str(text);
        json::write_text(out, &escaped);
    } else {
        json::write_text(out, text);
    }
}

fn slot_index(slots: &mut Vec<SlotHandle>, slot: SlotHandle) -> String {
    let index = slots.iter().position(|other| *other == slot).unwrap_or_else(|| {
        slots.push(slot);
        slots.len() - 1
    });
    index.to_string()
}

fn write(out: &mut Passable, value: &Value) {
    match value {
        Value::Undefined => out.body.push_str("\"#undefined\""),
        Value::Null => out.body.push_str("null"),
        Value::Bool(truth) => out.body.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) => {
            out.body.push_str(if *number < 0 { "\"" } else { "\"+" });
            out.body.push_str(&number.to_string());
            out.body.push('"');
        }
        Value::Text(text) => write_escaped(&mut out.body, text),
        Value::List(items) => {
            out.body.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.body.push(',');
                }
                write(out, item);
            }
            out.body.push(']');
        }
        Value::Record(fields) => {
            out.body.push('{');
            for (at, (name, field)) in fields.iter().enumerate() {
                if at > 0 {
                    out.body.push(',');
                }
                write_escaped(&mut out.body, name);
                out.body.push(':');
                write(out, field);
            }
            out.body.push('}');
        }
        Value::Tagged(tag, payload) => {
            out.body.push_str("{\"#tag\":");
            write_escaped(&mut out.body, tag);
            out.body.push_str(",\"payload\":");
            write(out, payload);
            out.body.push('}');
        }
        Value::Error(error) => {
            out.body.push_str("{\"#error\":");
            write_escaped(&mut out.body, &error.message);
            out.body.push_str(",\"name\":");
            write_escaped(&mut out.body, &error.name);
            out.body.push('}');
        }
        Value::Far(far) => {
            let index = slot_index(&mut out.slots, far.slot());
            out.body.push_str("\"$");
            out.body.push_str(&index);
            let interface = far.interface();
            if !interface.is_empty() {
                out.body.push_str(".Alleged: ");
                out.body.push_str(interface);
            }
            out.body.push('"');
        }
        Value::Promise(promise) => {
            let index = slot_index(
                &mut out.slots,
                SlotHandle::Promise {
                    handle: promise.handle(),
                },
            );
            out.body.push_str("\"&");
            out.body.push_str(&index);
            out.body.push('"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, value: Value) {
        let passable = Passable {
            body: String::from(body),
            slots: Vec::new(),
        };
        assert_eq!(decode(&passable), Ok(value.clone()), "decoding {body}");
        assert_eq!(encode(&value).body, body, "encoding");
    }

    #[test]
    fn values_have_their_smallcaps_bodies() {
        check("#null", Value::Null);
        check("#\"#undefined\"", Value::Undefined);
        check("#\"+5\"", Value::Int(5));
        check("#\"-5\"", Value::Int(-5));
        check("#\"!-5\"", Value::Text(String::from("-5")));
        check("#\"a\\\"b\"", Value::Text(String::from("a\"b")));
        check(
            "#[true,[]]",
            Value::List(Vec::from([Value::Bool(true), Value::List(Vec::new())])),
        );
        check(
            "#{\"a\":\"+1\"}",
            Value::Record(Vec::from([(String::from("a"), Value::Int(1))])),
        );
        check(
            "#{\"#error\":\"no\",\"name\":\"TypeError\"}",
            Value::Error(Error {
                name: String::from("TypeError"),
                message: String::from("no"),
            }),
        );
        check(
            "#{\"#tag\":\"set\",\"payload\":[]}",
            Value::Tagged(String::from("set"), Box::new(Value::List(Vec::new()))),
        );
    }

    #[test]
    fn plain_integers_are_read_and_other_numbers_are_not() {
        let read = |body: &str| {
            decode(&Passable {
                body: String::from(body),
                slots: Vec::new(),
            })
        };
        assert_eq!(
            read("# [ 1 , -2 ]"),
            Ok(Value::List(Vec::from([Value::Int(1), Value::Int(-2)])))
        );
        for wrong in [
            "#1.5",
            "#1e3",
            "#\"#NaN\"",
            "#\"$0\"",
            "#[1",
            "#{\"a\"}",
            "[1]",
            "#\"%sym\"",
            "#[1]]",
            "#--1",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
