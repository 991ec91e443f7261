//! Keys as text whose order is that of the keys.

use alloc::{string::String, vec::Vec};

use swingset_abi::supervisor::EntryKey;

use crate::{Error, Far, FromValue, Object, Own, Value};

/// What can be a collection's key.
pub trait Key: FromValue {
    /// What the collection is made for; a collection of other keys is not taken for one of these.
    const SCHEMA: &'static str;
}

macro_rules! keys {
    ($($type:ty => $schema:literal),* $(,)?) => { $( impl Key for $type { const SCHEMA: &'static str = $schema; } )* };
}
keys! {
    Value => "any",
    bool => "bool",
    String => "text",
    Far => "object",
    u8 => "int", u16 => "int", u32 => "int", u64 => "int",
    i8 => "int", i16 => "int", i32 => "int", i64 => "int", i128 => "int",
}

impl<T: Object> Key for Own<T> {
    const SCHEMA: &'static str = "object";
}

/// Longest text that is a key, in bytes: one less than the supervisor's longest key, for the mark.
const TEXT_BYTES_MAX: usize = 399;
/// Most digits of an integer.
const DIGITS_MAX: u8 = 39;

/// A value as a key.
pub fn to_key(value: &Value) -> Result<EntryKey, Error> {
    let text = match value {
        Value::Undefined => String::from("a"),
        Value::Null => String::from("b"),
        Value::Bool(false) => String::from("c"),
        Value::Bool(true) => String::from("d"),
        Value::Int(number) => integer(*number),
        Value::Text(text) if text.len() > TEXT_BYTES_MAX => {
            return Err(Error::new("text that is a key is at most 399 bytes long"));
        }
        Value::Text(text) => ["k", text].concat(),
        Value::Far(far) => return Ok(EntryKey::Object { slot: far.slot() }),
        other => return Err(Error::kind("a key (data without parts, or an object)", other)),
    };
    Ok(EntryKey::Data { text })
}

/// Below zero `h`, otherwise `i`; then how many digits, then the digits: for numbers below zero both counted down from the largest,
/// so that a larger distance from zero comes first.
fn integer(number: i128) -> String {
    let mut digits: Vec<u8> = Vec::new();
    let mut rest = number.unsigned_abs();
    while rest > 0 || digits.is_empty() {
        digits.push((rest % 10) as u8);
        rest /= 10;
    }
    digits.reverse();
    let below = number < 0;
    let mut length = digits.len() as u8;
    if below {
        length = DIGITS_MAX - length;
    }
    let mut out = String::with_capacity(digits.len() + 3);
    out.push(if below { 'h' } else { 'i' });
    out.push(char::from(b'0' + length / 10));
    out.push(char::from(b'0' + length % 10));
    out.extend(
        digits
            .iter()
            .map(|digit| char::from(b'0' + if below { 9 - digit } else { *digit })),
    );
    out
}

/// The value of a key.
pub fn from_key(key: &EntryKey) -> Result<Value, Error> {
    let text = match key {
        EntryKey::Object { slot } => return Ok(Value::Far(Far::held(*slot))),
        EntryKey::Data { text } => text,
    };
    let malformed = || Error::new("a collection's key is malformed");
    let (mark, rest) = text.split_at_checked(1).ok_or_else(malformed)?;
    Ok(match mark {
        "a" => Value::Undefined,
        "b" => Value::Null,
        "c" => Value::Bool(false),
        "d" => Value::Bool(true),
        "k" => Value::Text(String::from(rest)),
        "i" => Value::Int(
            rest.get(2..)
                .and_then(|digits| digits.parse().ok())
                .ok_or_else(malformed)?,
        ),
        "h" => {
            let digits = rest.get(2..).ok_or_else(malformed)?.bytes();
            let text: String = core::iter::once('-')
                .chain(digits.map(|digit| char::from(b'0' + b'9'.saturating_sub(digit))))
                .collect();
            Value::Int(text.parse().map_err(|_| malformed())?)
        }
        _ => return Err(malformed()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &Value) -> String {
        match to_key(value) {
            Ok(EntryKey::Data { text }) => text,
            other => panic!("{value:?} is no data key: {other:?}"),
        }
    }

    #[test]
    fn keys_are_in_order_and_come_back() {
        let numbers = [
            i128::MIN,
            -1_000_000,
            -100,
            -99,
            -10,
            -9,
            -2,
            -1,
            0,
            1,
            2,
            9,
            10,
            11,
            99,
            100,
            u64::MAX as i128,
            i128::MAX,
        ];
        let mut all = Vec::from([Value::Undefined, Value::Null, Value::Bool(false), Value::Bool(true)]);
        all.extend(numbers.map(Value::Int));
        all.extend(["", "A", "a", "aa", "b", "é"].map(|text| Value::Text(String::from(text))));
        for pair in all.windows(2) {
            assert!(text(&pair[0]) < text(&pair[1]), "{pair:?}");
        }
        for value in &all {
            assert_eq!(to_key(value).and_then(|key| from_key(&key)).as_ref(), Ok(value));
            assert!(!text(value).starts_with('o'), "objects come last");
        }
        assert!(to_key(&Value::List(Vec::new())).is_err());
    }
}
