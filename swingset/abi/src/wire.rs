//! The canonical byte encoding used at every guest boundary.
//!
//! Unsigned integers are LEB128 in their shortest form; `bool` is one byte, 0 or 1; bytes and text are a length and the bytes;
//! lists are a count and the items; options are a bool and the value; enums are one tag byte and the variant's fields in order.

use alloc::{string::String, vec::Vec};

/// Longest byte string or list that a decoder accepts, in bytes or items.
pub const LENGTH_MAX: usize = 16 * 1024 * 1024;

/// Why bytes are not the canonical encoding of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// The input ended inside a value.
    Truncated,
    /// Bytes were left after the value.
    Trailing,
    /// An integer was not in its shortest form or does not fit.
    Integer,
    /// A bool or option byte was neither 0 nor 1, or an enum's tag is unknown.
    Tag,
    /// Text was not UTF-8, or not of the form that its type requires.
    Text,
    /// A length was above [`LENGTH_MAX`].
    Length,
}

impl core::fmt::Display for WireError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            WireError::Truncated => "input ends inside a value",
            WireError::Trailing => "bytes are left after the value",
            WireError::Integer => "integer is not in its shortest form or does not fit",
            WireError::Tag => "unknown tag",
            WireError::Text => "text is not of the required form",
            WireError::Length => "length is above the limit",
        })
    }
}

impl core::error::Error for WireError {}

/// Reads values from the front of a byte slice.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader over all of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// The next byte.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        let (first, rest) = self.rest.split_first().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    /// The next unsigned integer.
    pub fn u64(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        let mut shift = 0u32;
        loop {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(WireError::Integer);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift != 0 { Err(WireError::Integer) } else { Ok(value) };
            }
            shift += 7;
            if shift > 63 {
                return Err(WireError::Integer);
            }
        }
    }

    /// The next length-prefixed bytes, borrowed.
    pub fn slice(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.length()?;
        if length > self.rest.len() {
            return Err(WireError::Truncated);
        }
        let (head, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(head)
    }

    /// The next length or count, within [`LENGTH_MAX`].
    pub fn length(&mut self) -> Result<usize, WireError> {
        let length = usize::try_from(self.u64()?).map_err(|_| WireError::Length)?;
        if length > LENGTH_MAX { Err(WireError::Length) } else { Ok(length) }
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Ends reading; an error when bytes are left.
    pub fn finish(self) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(WireError::Trailing) }
    }
}

/// A value with a canonical encoding.
pub trait Wire: Sized {
    /// Appends the encoding to `out`.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads one value.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError>;

    /// The encoding as a new vector.
    fn to_bytes(&self) -> Vec<u8> {
        // Room for most messages, so that few grow.
        let mut out = Vec::with_capacity(64);
        self.encode(&mut out);
        out
    }

    /// Reads a value that is all of `bytes`.
    fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let value = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }
}

impl Wire for u64 {
    fn encode(&self, out: &mut Vec<u8>) {
        let mut value = *self;
        while value >= 0x80 {
            out.push((value as u8 & 0x7f) | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        reader.u64()
    }
}

impl Wire for u32 {
    fn encode(&self, out: &mut Vec<u8>) {
        u64::from(*self).encode(out);
    }
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        u32::try_from(reader.u64()?).map_err(|_| WireError::Integer)
    }
}

impl Wire for bool {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        match reader.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::Tag),
        }
    }
}

impl Wire for String {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).encode(out);
        out.extend_from_slice(self.as_bytes());
    }
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let text = core::str::from_utf8(reader.slice()?).map_err(|_| WireError::Text)?;
        Ok(String::from(text))
    }
}

/// A byte string. A type of its own, since a list of integers has another encoding.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blob(pub Vec<u8>);

impl Wire for Blob {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.0.len() as u64).encode(out);
        out.extend_from_slice(&self.0);
    }
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Blob(Vec::from(reader.slice()?)))
    }
}

impl<T: Wire> Wire for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        self.is_some().encode(out);
        if let Some(value) = self {
            value.encode(out);
        }
    }
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        if bool::decode(reader)? { Ok(Some(T::decode(reader)?)) } else { Ok(None) }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).encode(out);
        for item in self {
            item.encode(out);
        }
    }
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = reader.length()?;
        // An item takes at least one byte: a count beyond what is left is refused before allocation.
        if count > reader.rest.len() {
            return Err(WireError::Truncated);
        }
        let mut items = Vec::with_capacity(count.min(1024));
        for _ in 0..count {
            items.push(T::decode(reader)?);
        }
        Ok(items)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok((A::decode(reader)?, B::decode(reader)?))
    }
}

/// Implements [`Wire`] for a struct, field by field in the order given.
#[macro_export]
macro_rules! wire_struct {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            fn encode(&self, _out: &mut alloc::vec::Vec<u8>) {
                $( $crate::wire::Wire::encode(&self.$field, _out); )*
            }
            fn decode(_reader: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::wire::WireError> {
                Ok($name { $( $field: $crate::wire::Wire::decode(_reader)?, )* })
            }
        }
    };
}

/// Implements [`Wire`] for an enum whose variants are `Variant { fields }` (an empty field list for a unit-like one), each with
/// its tag.
#[macro_export]
macro_rules! wire_enum {
    ($name:ident { $($tag:literal => $variant:ident { $($field:ident),* $(,)? }),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            fn encode(&self, out: &mut alloc::vec::Vec<u8>) {
                match self {
                    $( $name::$variant { $($field),* } => {
                        out.push($tag);
                        $( $crate::wire::Wire::encode($field, out); )*
                    } )*
                }
            }
            fn decode(reader: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::wire::WireError> {
                match reader.u8()? {
                    $( $tag => Ok($name::$variant { $( $field: $crate::wire::Wire::decode(reader)?, )* }), )*
                    _ => Err($crate::wire::WireError::Tag),
                }
            }
        }
    };
}
