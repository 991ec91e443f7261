//! Frames of CometBFT's socket protocol, whole and as they came: an unsigned varint with the length, then that many bytes.
//!
//! # Invariants
//! - A length above the cap is refused before anything is kept for it; memory grows with the bytes that arrived.
//! - What was read is passed on byte for byte.

use std::sync::Arc;

/// Longest varint of a `u64`, bytes.
const VARINT_BYTES_MAX: usize = 10;

/// A whole frame. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    bytes: Arc<[u8]>,
    body_at: usize,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frame").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl Frame {
    /// A frame around a message.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(body.len().saturating_add(VARINT_BYTES_MAX));
        put_varint(&mut bytes, u64::try_from(body.len()).unwrap_or(u64::MAX));
        let body_at = bytes.len();
        bytes.extend_from_slice(body);
        Frame { bytes: bytes.into(), body_at }
    }

    /// The frame as it goes over a socket.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The message in it.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.bytes.get(self.body_at..).unwrap_or_default()
    }
}

/// Appends an unsigned varint.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// An unsigned varint at the beginning of `bytes`, and its length; none while it is not whole.
///
/// # Errors
/// One that is no 64-bit number.
pub fn varint(bytes: &[u8]) -> Result<Option<(u64, usize)>, FrameError> {
    let mut value = 0_u64;
    for (position, byte) in bytes.iter().enumerate().take(VARINT_BYTES_MAX) {
        let bits = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit only.
        if position == VARINT_BYTES_MAX - 1 && bits > 1 {
            return Err(FrameError::BadLength);
        }
        value |= bits << (7 * position);
        if byte & 0x80 == 0 {
            return Ok(Some((value, position.saturating_add(1))));
        }
    }
    if bytes.len() >= VARINT_BYTES_MAX { Err(FrameError::BadLength) } else { Ok(None) }
}

/// Why a stream has no more frames: it must be closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length is no varint of 64 bits.
    #[error("frame length: not an unsigned varint of at most {VARINT_BYTES_MAX} bytes")]
    BadLength,
    /// The length is above the cap.
    #[error("frame of {length} bytes: at most {max} are passed on (--abci-frame-bytes-max)")]
    TooLarge {
        /// What was claimed.
        length: u64,
        /// The cap.
        max: usize,
    },
}

/// Cuts a stream into frames.
#[derive(Debug)]
pub struct Splitter {
    buffer: Vec<u8>,
    start: usize,
    bytes_max: usize,
}

impl Splitter {
    /// One that accepts messages of at most `bytes_max` bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Splitter { buffer: Vec::new(), start: 0, bytes_max }
    }

    /// Takes bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// [`FrameError`]; the stream is of no use afterwards.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let Some((length, body_at)) = varint(rest)? else { return Ok(None) };
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size > self.bytes_max {
            return Err(FrameError::TooLarge { length, max: self.bytes_max });
        }
        let Some(bytes) = rest.get(..body_at.saturating_add(size)) else { return Ok(None) };
        let frame = Frame { bytes: bytes.into(), body_at };
        self.start = self.start.saturating_add(bytes.len());
        if self.start == self.buffer.len() {
            self.buffer = Vec::new();
            self.start = 0;
        }
        Ok(Some(frame))
    }
}
