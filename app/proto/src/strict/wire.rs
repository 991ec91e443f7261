//! The wire format itself: tags and values, nothing of what they mean.

/// The wire types that are in use; groups are not.
pub(super) const VARINT: u8 = 0;
pub(super) const FIXED_64: u8 = 1;
pub(super) const LENGTH_DELIMITED: u8 = 2;
pub(super) const FIXED_32: u8 = 5;

const TRUNCATED: &str = "a value ends before its length";
const VARINT_TOO_LONG: &str = "a varint is longer than 64 bits";
const BAD_TAG: &str = "a tag has no valid field number";
const BAD_WIRE_TYPE: &str = "a tag has no valid wire type";

/// One field as it stands on the wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawField<'a> {
    pub number: u32,
    pub wire_type: u8,
    /// The content of a length-delimited value, else its bytes.
    pub content: &'a [u8],
    /// Whether the tag and the length are in their shortest form.
    pub is_shortest: bool,
}

/// Reads fields one after another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next field; none at the end.
    pub(super) fn next_field(&mut self) -> Result<Option<RawField<'a>>, &'static str> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (tag, tag_is_shortest) = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number)).ok_or(BAD_TAG)?;
        let wire_type = (tag & 7) as u8;
        let mut is_shortest = tag_is_shortest;
        let content = match wire_type {
            VARINT => {
                let before = self.rest;
                self.varint()?;
                &before[..before.len() - self.rest.len()]
            }
            FIXED_64 => self.take(8)?,
            FIXED_32 => self.take(4)?,
            LENGTH_DELIMITED => {
                let (length, length_is_shortest) = self.varint()?;
                is_shortest &= length_is_shortest;
                self.take(usize::try_from(length).map_err(|_| TRUNCATED)?)?
            }
            _ => return Err(BAD_WIRE_TYPE),
        };
        Ok(Some(RawField { number, wire_type, content, is_shortest }))
    }

    /// Reads the elements of a packed list to the end.
    pub(super) fn skip_packed(mut self, element_wire_type: u8) -> Result<(), &'static str> {
        while !self.rest.is_empty() {
            match element_wire_type {
                FIXED_64 => drop(self.take(8)?),
                FIXED_32 => drop(self.take(4)?),
                _ => drop(self.varint()?),
            }
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The number, and whether no shorter encoding exists.
    fn varint(&mut self) -> Result<(u64, bool), &'static str> {
        let mut number: u64 = 0;
        for (index, &byte) in self.rest.iter().enumerate() {
            // The tenth byte has room for one bit.
            if index == 9 && byte > 1 {
                return Err(VARINT_TOO_LONG);
            }
            number |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[index + 1..];
                return Ok((number, index == 0 || byte != 0));
            }
        }
        Err(TRUNCATED)
    }
}
