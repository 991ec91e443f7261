//! Reading a body, in one pass from its text to values.

use alloc::{boxed::Box, string::String, vec::Vec};

use swingset_abi::supervisor::{Passable, SlotHandle};

use super::{DEPTH_MAX, ITEMS_MAX, equal::has_twice, is_marked};
use crate::{Error, Far, Promise, Value};

/// Reads a value. The references in it are held from now on, also where the rest is refused.
pub fn decode(passable: &Passable) -> Result<Value, Error> {
    let text = passable.body.strip_prefix('#');
    let mut reader = Reader {
        rest: text.ok_or_else(|| problem("the body does not begin with #"))?,
        slots: &passable.slots,
        items: 0,
    };
    let value = reader.value(0)?;
    reader.skip();
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err(no_json())
    }
}

/// Kept out of line, so that reading what is well formed stays small.
#[cold]
fn problem(message: &str) -> Error {
    Error::new(["the body is not smallcaps: ", message].concat())
}

#[cold]
fn no_json() -> Error {
    problem("malformed JSON")
}

struct Reader<'a> {
    rest: &'a str,
    slots: &'a [SlotHandle],
    items: usize,
}

type Read<T> = Result<T, Error>;

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
    }

    fn next(&mut self) -> Option<u8> {
        self.skip();
        self.rest.bytes().next()
    }

    /// Takes one ASCII symbol, if it comes next.
    fn eat(&mut self, symbol: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Read<Value> {
        self.rest = self.rest.strip_prefix(word).ok_or_else(no_json)?;
        Ok(value)
    }

    fn value(&mut self, depth: usize) -> Read<Value> {
        self.items += 1;
        if self.items > ITEMS_MAX {
            return Err(problem("it has too many items"));
        }
        match self.next().ok_or_else(no_json)? {
            b'"' => {
                let text = self.text()?;
                if is_marked(&text) {
                    self.marked(text)
                } else {
                    Ok(Value::Text(text))
                }
            }
            b'-' | b'0'..=b'9' => self.number(),
            b'n' => self.word("null", Value::Null),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'[' | b'{' if depth >= DEPTH_MAX => Err(problem("it nests too deep")),
            b'[' => self.list(depth),
            b'{' => self.record(depth),
            _ => Err(no_json()),
        }
    }

    fn number(&mut self) -> Read<Value> {
        let length = self
            .rest
            .bytes()
            .take_while(|byte| matches!(byte, b'-' | b'0'..=b'9'))
            .count();
        let (digits, rest) = self.rest.split_at(length);
        if rest.starts_with(['.', 'e', 'E']) {
            return Err(problem("floats are not read"));
        }
        self.rest = rest;
        let bare = digits.strip_prefix('-').unwrap_or(digits);
        if bare.starts_with('-') || (bare.len() > 1 && bare.starts_with('0')) {
            return Err(no_json());
        }
        let number = digits
            .parse()
            .map_err(|_| problem("a number is malformed or too large"))?;
        Ok(Value::Int(number))
    }

    fn list(&mut self, depth: usize) -> Read<Value> {
        let mut items = Vec::new();
        self.eat('[');
        if self.eat(']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.eat(']') {
                return Ok(Value::List(items));
            }
            if !self.eat(',') {
                return Err(no_json());
            }
        }
    }

    fn record(&mut self, depth: usize) -> Read<Value> {
        let mut fields: Vec<(String, Value)> = Vec::new();
        let mut special = false;
        self.eat('{');
        if self.eat('}') {
            return Ok(Value::Record(fields));
        }
        loop {
            if self.next() != Some(b'"') {
                return Err(no_json());
            }
            let mut name = self.text()?;
            if is_marked(&name) {
                match name.strip_prefix('!') {
                    Some(plain) => name = String::from(plain),
                    None if name == "#error" || name == "#tag" => special = true,
                    None => return Err(problem("a smallcaps form that is not read")),
                }
            }
            if !self.eat(':') {
                return Err(no_json());
            }
            let value = self.value(depth + 1)?;
            fields.push((name, value));
            if self.eat('}') {
                break;
            }
            if !self.eat(',') {
                return Err(no_json());
            }
        }
        if has_twice(&fields, |(name, _)| name) {
            return Err(problem("a record has a field twice"));
        }
        if special {
            special_record(fields)
        } else {
            Ok(Value::Record(fields))
        }
    }

    /// The text that begins here. Without escapes it is copied at once.
    fn text(&mut self) -> Read<String> {
        let body = self.rest.strip_prefix('"').ok_or_else(no_json)?;
        let end = body.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        let end = end.ok_or_else(no_json)?;
        let mut out = String::from(&body[..end]);
        let mut symbols = body[end..].char_indices();
        while let Some((at, symbol)) = symbols.next() {
            match symbol {
                '"' => {
                    self.rest = &body[end + at + 1..];
                    return Ok(out);
                }
                '\\' => out.push(escape(&mut symbols).ok_or_else(no_json)?),
                control if u32::from(control) < 0x20 => return Err(no_json()),
                other => out.push(other),
            }
        }
        Err(no_json())
    }

    fn marked(&mut self, text: String) -> Read<Value> {
        let (mark, rest) = text.split_at(1);
        match mark {
            "!" => Ok(Value::Text(String::from(rest))),
            "#" => match rest {
                "undefined" => Ok(Value::Undefined),
                "NaN" | "Infinity" => Err(problem("floats are not read")),
                _ => Err(problem("a smallcaps form that is not read")),
            },
            "+" | "-" => integer(&text).map(Value::Int),
            "$" => {
                let (index, interface) = rest.split_once('.').unwrap_or((rest, ""));
                match self.slot(index)? {
                    SlotHandle::Promise { .. } => Err(problem("a slot holds a promise, not an object")),
                    object => Ok(Value::Far(Far::named(object, interface))),
                }
            }
            "&" => match self.slot(rest)? {
                SlotHandle::Promise { handle } => Ok(Value::Promise(Promise::held(handle))),
                _ => Err(problem("a slot holds an object, not a promise")),
            },
            "%" => Err(problem("symbols are not read")),
            _ => Err(problem("a smallcaps form that is not read")),
        }
    }

    fn slot(&self, index: &str) -> Read<SlotHandle> {
        let canonical = index == "0" || !index.starts_with(['0', '+']);
        let slot = index
            .parse()
            .ok()
            .and_then(|index: usize| self.slots.get(index).copied());
        slot.filter(|_| canonical)
            .ok_or_else(|| problem("a slot's index is out of range"))
    }
}

/// Reads a bigint with its sign, in its one form.
fn integer(text: &str) -> Read<i128> {
    let malformed = || problem("a bigint is malformed or too large");
    let digits = &text[1..];
    let canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && (!digits.starts_with('0') || text == "+0");
    if !canonical {
        return Err(malformed());
    }
    text.parse().map_err(|_| malformed())
}

fn special_record(fields: Vec<(String, Value)>) -> Read<Value> {
    let is_error = fields.iter().any(|(name, _)| name == "#error");
    let (mut head, mut name, mut payload) = (None, None, None);
    for (field, value) in fields {
        match (field.as_str(), value) {
            ("#error" | "#tag", Value::Text(text)) if head.is_none() => head = Some(text),
            ("name", Value::Text(text)) if is_error => name = Some(text),
            ("errorId", Value::Text(_)) if is_error => {}
            ("payload", value) if !is_error => payload = Some(value),
            _ if is_error => return Err(problem("an error has a message and a name")),
            _ => return Err(problem("a tagged value has a tag and a payload")),
        }
    }
    let head = head.ok_or_else(|| problem("an error or a tag is no text"))?;
    if is_error {
        let name = name.unwrap_or_else(|| String::from("Error"));
        return Ok(Value::Error(Error { name, message: head }));
    }
    let payload = payload.ok_or_else(|| problem("a tagged value has no payload"))?;
    Ok(Value::Tagged(head, Box::new(payload)))
}

/// What stands for an escape, after its backslash.
fn escape(symbols: &mut core::str::CharIndices<'_>) -> Option<char> {
    Some(match symbols.next()?.1 {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => return unicode(symbols),
        plain @ ('"' | '\\' | '/') => plain,
        _ => return None,
    })
}

fn hex4(symbols: &mut core::str::CharIndices<'_>) -> Option<u32> {
    (0..4).try_fold(0u32, |code, _| Some(code * 16 + symbols.next()?.1.to_digit(16)?))
}

fn unicode(symbols: &mut core::str::CharIndices<'_>) -> Option<char> {
    let first = hex4(symbols)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    if symbols.next()?.1 != '\\' || symbols.next()?.1 != 'u' {
        return None;
    }
    let second = hex4(symbols)?;
    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    char::from_u32(0x10000 + ((first - 0xd800) << 10) + low)
}
