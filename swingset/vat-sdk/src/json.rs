//! JSON text as smallcaps uses it: integers only, bounded depth.

use alloc::{string::String, vec::Vec};

/// How deep lists and records may nest.
const DEPTH_MAX: usize = 64;

/// Parsed JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    Int(i128),
    Text(String),
    List(Vec<Json>),
    Record(Vec<(String, Json)>),
}

struct Parser<'a> {
    rest: &'a str,
}

/// Reads text that is one JSON value; `None` when it is not, or has a number that is no integer.
pub fn parse(text: &str) -> Option<Json> {
    let mut parser = Parser { rest: text };
    let value = parser.value(0)?;
    parser.skip();
    parser.rest.is_empty().then_some(value)
}

impl Parser<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.skip();
        match self.rest.bytes().next()? {
            b'n' => self.eat("null").then_some(Json::Null),
            b't' => self.eat("true").then_some(Json::Bool(true)),
            b'f' => self.eat("false").then_some(Json::Bool(false)),
            b'"' => self.text().map(Json::Text),
            b'[' => self.list(depth),
            b'{' => self.record(depth),
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Json> {
        let end = self
            .rest
            .find(|symbol: char| !matches!(symbol, '-' | '0'..='9'))
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        if rest.starts_with(['.', 'e', 'E']) {
            return None;
        }
        self.rest = rest;
        digits.parse().ok().map(Json::Int)
    }

    fn list(&mut self, depth: usize) -> Option<Json> {
        let mut items = Vec::new();
        self.eat("[");
        if self.eat("]") {
            return Some(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.eat("]") {
                return Some(Json::List(items));
            }
            if !self.eat(",") {
                return None;
            }
        }
    }

    fn record(&mut self, depth: usize) -> Option<Json> {
        let mut fields: Vec<(String, Json)> = Vec::new();
        self.eat("{");
        if self.eat("}") {
            return Some(Json::Record(fields));
        }
        loop {
            self.skip();
            let name = self.text()?;
            if !self.eat(":") {
                return None;
            }
            fields.push((name, self.value(depth + 1)?));
            if self.eat("}") {
                return Some(Json::Record(fields));
            }
            if !self.eat(",") {
                return None;
            }
        }
    }

    fn text(&mut self) -> Option<String> {
        let body = self.rest.strip_prefix('"')?;
        let mut out = String::new();
        let mut symbols = body.char_indices();
        while let Some((at, symbol)) = symbols.next() {
            match symbol {
                '"' => {
                    self.rest = &body[at + 1..];
                    return Some(out);
                }
                '\\' => match symbols.next()?.1 {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    'b' => out.push('\u{8}'),
                    'f' => out.push('\u{c}'),
                    'u' => out.push(unicode(&mut symbols)?),
                    plain @ ('"' | '\\' | '/') => out.push(plain),
                    _ => return None,
                },
                control if u32::from(control) < 0x20 => return None,
                other => out.push(other),
            }
        }
        None
    }
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

/// Appends text as JSON.
pub fn write_text(out: &mut String, text: &str) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    out.push('"');
    for symbol in text.chars() {
        match symbol {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if u32::from(control) < 0x20 => {
                out.push_str("\\u00");
                out.push(HEX[(u32::from(control) >> 4) as usize]);
                out.push(HEX[(u32::from(control) & 15) as usize]);
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
