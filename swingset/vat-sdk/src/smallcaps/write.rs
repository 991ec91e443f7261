//! Writing a body.

use alloc::string::String;
use core::fmt::Write;

use swingset_abi::supervisor::{Passable, SlotHandle};

use super::{DEPTH_MAX, equal::Numbered, is_marked};
use crate::{Error, Value};

/// Writes a value; an error when it nests too deep to be read again, or is too large to be passed.
pub fn encode(value: &Value) -> Result<Passable, Error> {
    written(|out| write(out, value, 0))
}

/// Writes a list of values.
pub fn encode_list(items: &[Value]) -> Result<Passable, Error> {
    written(|out| write_list(out, items, 0))
}

/// A body under way.
struct Writing {
    body: String,
    slots: Numbered<SlotHandle>,
}

fn written(write: impl FnOnce(&mut Writing) -> Result<(), Error>) -> Result<Passable, Error> {
    let mut out = Writing {
        body: String::with_capacity(64),
        slots: Numbered::new(),
    };
    out.body.push('#');
    write(&mut out)?;
    let passable = Passable {
        body: out.body,
        slots: out.slots.items,
    };
    if passable.fits() {
        Ok(passable)
    } else {
        Err(Error::new(Passable::TOO_LARGE))
    }
}

fn write_marked(out: &mut String, text: &str) {
    out.push('"');
    if is_marked(text) {
        out.push('!');
    }
    write_text(out, text);
    out.push('"');
}

/// Appends text as JSON, without its quotes.
fn write_text(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            control => {
                let hex = |digit: u8| char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
                out.push_str("\\u00");
                out.push(hex(control >> 4));
                out.push(hex(control & 15));
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// Appends an integer. Writing into text never fails.
fn write_number(out: &mut String, number: i128) {
    match i64::try_from(number) {
        Ok(small) => _ = write!(out, "{small}"),
        Err(_) => _ = write!(out, "{number}"),
    }
}

fn write_list(out: &mut Writing, items: &[Value], depth: usize) -> Result<(), Error> {
    out.body.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.body.push(',');
        }
        write(out, item, depth + 1)?;
    }
    out.body.push(']');
    Ok(())
}

fn write_record(out: &mut Writing, fields: &[(String, Value)], depth: usize) -> Result<(), Error> {
    out.body.push('{');
    for (at, (name, field)) in fields.iter().enumerate() {
        if at > 0 {
            out.body.push(',');
        }
        write_marked(&mut out.body, name);
        out.body.push(':');
        write(out, field, depth + 1)?;
    }
    out.body.push('}');
    Ok(())
}

fn write(out: &mut Writing, value: &Value, depth: usize) -> Result<(), Error> {
    if depth >= DEPTH_MAX
        && matches!(
            value,
            Value::List(_) | Value::Record(_) | Value::Tagged(..) | Value::Error(_)
        )
    {
        return Err(Error::new("a value nests too deep to be passed"));
    }
    match value {
        Value::Undefined => out.body.push_str("\"#undefined\""),
        Value::Null => out.body.push_str("null"),
        Value::Bool(truth) => out.body.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) => {
            out.body.push_str(if *number < 0 { "\"" } else { "\"+" });
            write_number(&mut out.body, *number);
            out.body.push('"');
        }
        Value::Text(text) => write_marked(&mut out.body, text),
        Value::List(items) => write_list(out, items, depth)?,
        Value::Record(fields) => write_record(out, fields, depth)?,
        Value::Tagged(tag, payload) => {
            out.body.push_str("{\"#tag\":");
            write_marked(&mut out.body, tag);
            out.body.push_str(",\"payload\":");
            write(out, payload, depth + 1)?;
            out.body.push('}');
        }
        Value::Error(error) => {
            out.body.push_str("{\"#error\":");
            write_marked(&mut out.body, &error.message);
            out.body.push_str(",\"name\":");
            write_marked(&mut out.body, &error.name);
            out.body.push('}');
        }
        Value::Far(far) => {
            let (index, first) = out.slots.number(far.slot());
            out.body.push_str("\"$");
            write_number(&mut out.body, index as i128);
            if first {
                far.with_interface(|interface| {
                    if !interface.is_empty() {
                        out.body.push('.');
                        write_text(&mut out.body, interface);
                    }
                });
            }
            out.body.push('"');
        }
        Value::Promise(promise) => {
            let (index, _) = out.slots.number(promise.slot());
            out.body.push_str("\"&");
            write_number(&mut out.body, index as i128);
            out.body.push('"');
        }
    }
    Ok(())
}
