//! The stream: entries one after the other, cut in chunks of one size wherever that falls.
//!
//! An entry is the key's length and the value's (4 bytes each, big-endian), the key, the value.

use bytes::Bytes;

/// Bytes of every chunk but the last. CometBFT's message that carries one has at most 16 MB, and four are fetched at once with 10 s
/// for each: at its default of 5.12 MB/s to a peer, four of 4 MiB take 3.3 s.
pub const CHUNK_BYTES: usize = 4 << 20;

/// The longest key that is carried. The kernel's own limit is 8 KiB.
pub const KEY_BYTES_MAX: usize = 64 << 10;

/// The longest value that is carried. The kernel's own limit is 16 MiB, a bundle's 10 MiB.
pub const VALUE_BYTES_MAX: usize = 64 << 20;

/// Lengths before key and value.
const HEADER_BYTES: usize = 8;

/// What is wrong with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A chunk is longer than any, or one that is not the last is shorter.
    #[error("a chunk of another size")]
    ChunkSize,
    /// A key that state cannot have.
    #[error("a key that is empty or too long")]
    Key,
    /// A value that is longer than any.
    #[error("a value that is too long")]
    Value,
    /// Keys in another order than the one they have, or one twice.
    #[error("a key that is not in its place")]
    Order,
    /// The last chunk ends inside an entry.
    #[error("the last entry is cut off")]
    CutOff,
}

/// The lengths of an entry, where it can be carried.
pub fn header(key: &[u8], value: &[u8]) -> Option<[u8; HEADER_BYTES]> {
    if key.len() > KEY_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
        return None;
    }
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&u32::try_from(key.len()).ok()?.to_be_bytes());
    header[4..].copy_from_slice(&u32::try_from(value.len()).ok()?.to_be_bytes());
    Some(header)
}

/// Cuts a stream in chunks.
#[derive(Debug)]
pub struct Cutter<F> {
    open: Vec<u8>,
    emit: F,
}

impl<E, F: FnMut(&[u8]) -> Result<(), E>> Cutter<F> {
    /// Gives whole chunks to `emit`.
    pub fn new(emit: F) -> Self {
        Cutter { open: Vec::with_capacity(CHUNK_BYTES), emit }
    }

    /// Adds bytes.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), E> {
        while !bytes.is_empty() {
            let room = CHUNK_BYTES.saturating_sub(self.open.len());
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.open.extend_from_slice(now);
            bytes = later;
            if self.open.len() >= CHUNK_BYTES {
                (self.emit)(&self.open)?;
                self.open.clear();
            }
        }
        Ok(())
    }

    /// Gives out the last chunk. A stream of nothing is one empty chunk.
    pub fn finish(mut self, none_before: bool) -> Result<(), E> {
        if self.open.is_empty() && !none_before { Ok(()) } else { (self.emit)(&self.open) }
    }
}

/// Puts entries together again. Memory grows with what has come, up to one entry and one chunk.
#[derive(Debug, Default)]
pub struct Parser {
    rest: Vec<u8>,
}

impl Parser {
    /// Takes a chunk; gives its whole entries, the one that began in an earlier chunk among them.
    pub fn take(&mut self, chunk: &[u8]) -> Result<Vec<(Vec<u8>, Bytes)>, Malformed> {
        self.rest.extend_from_slice(chunk);
        let (mut entries, mut at) = (Vec::new(), 0usize);
        while let Some((entry, length)) = first_entry(self.rest.get(at..).unwrap_or_default())? {
            entries.push(entry);
            at = at.saturating_add(length);
        }
        self.rest.drain(..at);
        Ok(entries)
    }

    /// No entry has begun and not ended.
    pub fn is_between_entries(&self) -> bool {
        self.rest.is_empty()
    }
}

/// An entry and how many bytes it had.
type Sized = ((Vec<u8>, Bytes), usize);

/// The entry at the begin of the bytes; none while it is not whole.
fn first_entry(bytes: &[u8]) -> Result<Option<Sized>, Malformed> {
    let Some((key_length, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let Some((value_length, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    let length = |bytes: &[u8; 4]| usize::try_from(u32::from_be_bytes(*bytes)).unwrap_or(usize::MAX);
    let (key_length, value_length) = (length(key_length), length(value_length));
    if key_length == 0 || key_length > KEY_BYTES_MAX {
        return Err(Malformed::Key);
    }
    if value_length > VALUE_BYTES_MAX {
        return Err(Malformed::Value);
    }
    let Some((key, rest)) = rest.split_at_checked(key_length) else { return Ok(None) };
    let Some(value) = rest.get(..value_length) else { return Ok(None) };
    let entry = (key.to_vec(), Bytes::copy_from_slice(value));
    Ok(Some((entry, HEADER_BYTES.saturating_add(key_length).saturating_add(value_length))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(entries: &[(Vec<u8>, Bytes)]) -> Vec<Vec<u8>> {
        let mut chunks = Vec::new();
        let mut cutter = Cutter::new(|chunk: &[u8]| {
            chunks.push(chunk.to_vec());
            Ok::<_, ()>(())
        });
        for (key, value) in entries {
            let header = header(key, value).expect("short enough");
            [&header[..], key, value].into_iter().try_for_each(|part| cutter.write(part)).expect("written");
        }
        cutter.finish(entries.is_empty()).expect("written");
        chunks
    }

    #[test]
    fn entries_that_are_cut_anywhere_are_put_together_again() {
        let value = |bytes: usize, byte: u8| Bytes::from(vec![byte; bytes]);
        for value_bytes in [0, 1, CHUNK_BYTES - 20, CHUNK_BYTES - 9, 3 * CHUNK_BYTES + 5] {
            let entries: Vec<_> = (1..5u8).map(|byte| (vec![byte], value(value_bytes, byte))).collect();
            let chunks = cut(&entries);
            assert!(chunks.split_last().is_some_and(|(_, full)| full.iter().all(|chunk| chunk.len() == CHUNK_BYTES)));
            let mut parser = Parser::default();
            let taken: Vec<_> = chunks.iter().flat_map(|chunk| parser.take(chunk).expect("well formed")).collect();
            assert!(parser.is_between_entries() && taken == entries, "values of {value_bytes} bytes");
        }
        assert_eq!(cut(&[]), [Vec::<u8>::new()]);
    }

    #[track_caller]
    fn refused(bytes: &[u8], why: Malformed) {
        assert_eq!(Parser::default().take(bytes), Err(why));
    }

    #[test]
    fn lengths_beyond_their_caps_are_refused_before_anything_is_taken_for_them() {
        refused(&[0, 0, 0, 0, 0, 0, 0, 1], Malformed::Key);
        refused(&[0, 1, 0, 1, 0, 0, 0, 1], Malformed::Key);
        refused(&[0, 0, 0, 1, 4, 0, 0, 1], Malformed::Value);
        refused(&[0xff; 8], Malformed::Key);
        assert_eq!(header(&[0; KEY_BYTES_MAX + 1], &[]), None);
        let mut parser = Parser::default();
        assert_eq!(parser.take(&[0, 0, 0, 1, 4, 0, 0, 0, 7]), Ok(Vec::new()), "as long as may be, and not here yet");
        assert!(!parser.is_between_entries());
    }
}
