//! JSON as smallcaps bodies are written in it. Only messages to the kernel's own objects are read: all other bodies stay opaque.

use alloc::{string::String, vec::Vec};

use swingset_abi::vat::CapData;

use crate::{
    limits::PARSED_BYTES_MAX,
    store::{number_text, parse_number},
};

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 32;

/// A value. Strings are as they stand in the body: smallcaps marks (`$0`, `+5`, `#undefined`, `!x`) are not taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a body's JSON; `None` when it is none, too long or nested too deeply.
    pub fn parse(text: &str) -> Option<Json> {
        if text.len() > PARSED_BYTES_MAX {
            return None;
        }
        let mut reader = Reader {
            bytes: text.as_bytes(),
            at: 0,
        };
        let value = reader.value(DEPTH_MAX)?;
        reader.blank();
        (reader.at == reader.bytes.len()).then_some(value)
    }

    /// A string that is no smallcaps special value.
    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => match text.as_bytes().first() {
                Some(b'!') => text.get(1..),
                Some(b'"'..=b'-') => None,
                _ => Some(text),
            },
            _ => None,
        }
    }

    /// A natural number: a JSON number or a bigint.
    pub fn nat(&self) -> Option<u64> {
        match self {
            Json::Number(digits) => parse_number(digits.as_bytes()),
            Json::Text(text) => parse_number(text.strip_prefix('+')?.as_bytes()),
            _ => None,
        }
    }

    /// Whether it is `undefined`.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Json::Text(text) if text == "#undefined")
    }

    /// The index of the slot that an object reference names.
    pub fn slot(&self) -> Option<usize> {
        match self {
            Json::Text(text) if text.starts_with('$') => slot_of(text).map(|(index, _)| index),
            _ => None,
        }
    }

    /// This part of a body as data of its own, with only the references that it names.
    pub fn to_data(&self, slots: &[String]) -> Option<CapData> {
        let mut data = CapData {
            body: String::from("#"),
            slots: Vec::new(),
        };
        let mut known = alloc::vec![None; slots.len()];
        self.write(slots, &mut known, &mut data)?;
        Some(data)
    }

    fn write(&self, slots: &[String], known: &mut [Option<usize>], data: &mut CapData) -> Option<()> {
        match self {
            Json::Null => data.body.push_str("null"),
            Json::Bool(value) => data.body.push_str(if *value { "true" } else { "false" }),
            Json::Number(digits) => data.body.push_str(digits),
            Json::Text(text) => match slot_of(text) {
                None => push_quoted(&mut data.body, text),
                Some((index, rest)) => {
                    let known = known.get_mut(index)?;
                    let at = *known.get_or_insert(data.slots.len());
                    if at == data.slots.len() {
                        data.slots.push(slots.get(index)?.clone());
                    }
                    let renumbered = [text.get(..1)?, &number_text(at as u64), rest].concat();
                    push_quoted(&mut data.body, &renumbered);
                }
            },
            Json::List(items) => {
                data.body.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        data.body.push(',');
                    }
                    item.write(slots, known, data)?;
                }
                data.body.push(']');
            }
            Json::Object(fields) => {
                data.body.push('{');
                for (at, (name, value)) in fields.iter().enumerate() {
                    if at > 0 {
                        data.body.push(',');
                    }
                    push_quoted(&mut data.body, name);
                    data.body.push(':');
                    value.write(slots, known, data)?;
                }
                data.body.push('}');
            }
        }
        Some(())
    }
}

/// The index that `$3` or `&3.iface` names, and what follows it.
fn slot_of(text: &str) -> Option<(usize, &str)> {
    let rest = text.strip_prefix(['$', '&'])?;
    let end = rest
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, rest) = rest.split_at(end);
    let index = parse_number(digits.as_bytes())?;
    (rest.is_empty() || rest.starts_with('.')).then_some((usize::try_from(index).ok()?, rest))
}

/// Appends a JSON string, as it is.
pub fn push_quoted(out: &mut String, text: &str) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    out.push('"');
    for symbol in text.chars() {
        match symbol {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if u32::from(control) < 0x20 => {
                out.push_str("\\u00");
                out.push(char::from(HEX[(u32::from(control) >> 4) as usize]));
                out.push(char::from(HEX[(u32::from(control) & 15) as usize]));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn blank(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, expected: &[u8]) -> Option<()> {
        self.bytes
            .get(self.at..)?
            .starts_with(expected)
            .then(|| self.at += expected.len())
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        let depth = depth.checked_sub(1)?;
        self.blank();
        match self.bytes.get(self.at)? {
            b'n' => self.take(b"null").map(|()| Json::Null),
            b't' => self.take(b"true").map(|()| Json::Bool(true)),
            b'f' => self.take(b"false").map(|()| Json::Bool(false)),
            b'"' => self.string().map(Json::Text),
            b'[' => self.series(b']', |reader| reader.value(depth)).map(Json::List),
            b'{' => self.series(b'}', |reader| reader.member(depth)).map(Json::Object),
            _ => self.number(),
        }
    }

    fn series<T>(&mut self, close: u8, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.at += 1;
        let mut items = Vec::new();
        self.blank();
        if self.take(&[close]).is_some() {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            self.blank();
            if self.take(b",").is_some() {
                continue;
            }
            return self.take(&[close]).map(|()| items);
        }
    }

    fn member(&mut self, depth: usize) -> Option<(String, Json)> {
        self.blank();
        let name = self.string()?;
        self.blank();
        self.take(b":")?;
        Some((name, self.value(depth)?))
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.at;
        while matches!(
            self.bytes.get(self.at),
            Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
        ) {
            self.at += 1;
        }
        let digits = core::str::from_utf8(self.bytes.get(start..self.at)?).ok()?;
        (!digits.is_empty()).then(|| Json::Number(String::from(digits)))
    }

    fn string(&mut self) -> Option<String> {
        self.take(b"\"")?;
        let mut text = Vec::new();
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            match byte {
                b'"' => return String::from_utf8(text).ok(),
                b'\\' => {
                    let symbol = self.escape()?;
                    text.extend_from_slice(symbol.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..0x20 => return None,
                plain => text.push(plain),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let first = self.unit()?;
                if (0xd800..0xdc00).contains(&first) {
                    self.take(b"\\u")?;
                    let second = self.unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    char::from_u32(0x10000 + ((first - 0xd800) << 10) + second)?
                } else {
                    char::from_u32(first)?
                }
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        self.at += 4;
        digits
            .iter()
            .try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_body_keeps_its_own_references_only() {
        let whole = Json::parse(r##"["$0.Alleged: cap",{"a":["$2","&1","$2.Alleged: x"],"b":"!$2","c":"+7"}]"##);
        let Some(Json::List(items)) = whole else {
            panic!("it is a list")
        };
        let slots = ["ko1", "kp2", "ko3"].map(String::from);
        assert_eq!(items[0].slot(), Some(0));
        let data = items[1].to_data(&slots).expect("all slots are there");
        assert_eq!(data.body, r##"#{"a":["$0","&1","$0.Alleged: x"],"b":"!$2","c":"+7"}"##);
        assert_eq!(data.slots, ["ko3", "kp2"]);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for wrong in ["", "[", "[1,]", "{\"a\"}", "\"\\x\"", "[1]2", "nul", &"[".repeat(40)] {
            assert_eq!(Json::parse(wrong), None, "{wrong}");
        }
        assert!(Json::parse(&["[".repeat(31), "]".repeat(31)].concat()).is_some());
        assert_eq!(
            Json::parse("\"\\ud83d\\ude00\\n\""),
            Some(Json::Text(String::from("😀\n")))
        );
    }

    #[test]
    fn numbers_are_naturals_or_bigints_and_texts_are_unmarked() {
        assert_eq!(Json::Text(String::from("+12")).nat(), Some(12));
        assert_eq!(Json::Number(String::from("12")).nat(), Some(12));
        assert_eq!(Json::Number(String::from("1.5")).nat(), None);
        assert_eq!(Json::Text(String::from("!$x")).text(), Some("$x"));
        assert_eq!(Json::Text(String::from("#undefined")).text(), None);
        assert_eq!(Json::Text(String::from("plain")).text(), Some("plain"));
    }
}
