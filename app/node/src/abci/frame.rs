//! Frames of CometBFT's socket protocol: an unsigned varint with the length, then that many bytes of protobuf.
//!
//! # Invariants
//! - A length above the cap is refused before anything is allocated for it.
//! - Memory grows with the bytes that arrived, never with the length that was claimed.
//! - Each byte is looked at once, however many frames arrive together; decoded messages share the frame's memory.

use std::io::{BufRead, BufReader, Read};

use bytes::Bytes;
use prost::Message;

/// Largest frame accepted by default, bytes. Above the largest block that CometBFT's default parameters allow.
pub const FRAME_BYTES_MAX_DEFAULT: usize = 64 * 1024 * 1024;

/// Bytes read ahead from the stream.
const READ_AHEAD_BYTES: usize = 64 * 1024;

/// Longest varint of a `u64`, bytes.
const VARINT_BYTES_MAX: u32 = 10;

/// What is reserved for a frame before its bytes arrive.
const FIRST_RESERVATION_BYTES: usize = 64 * 1024;

/// Why no frame could be read. After any of these the stream has no known boundary any more and must be closed.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The length is no varint of 64 bits.
    #[error("frame length: not an unsigned varint of at most 10 bytes")]
    BadLength,
    /// The length is above the cap.
    #[error("frame of {length} bytes: at most {max} are accepted (--abci-frame-bytes-max)")]
    TooLarge {
        /// What the peer claimed.
        length: u64,
        /// The cap.
        max: usize,
    },
    /// The stream ended inside a frame.
    #[error("the stream ended inside a frame: {missing} bytes of {length} are missing")]
    Truncated {
        /// Length of the frame.
        length: u64,
        /// What did not come.
        missing: u64,
    },
    /// The bytes are no such message.
    #[error("frame of {length} bytes is not a protobuf message of the expected type: {source}")]
    Malformed {
        /// Length of the frame.
        length: usize,
        /// What the decoder said.
        source: prost::DecodeError,
    },
    /// The stream failed.
    #[error("reading a frame: {0}")]
    Io(#[from] std::io::Error),
}

/// Reads frames from a stream.
#[derive(Debug)]
pub struct FrameReader<R> {
    stream: BufReader<R>,
    frame_bytes_max: usize,
}

impl<R: Read> FrameReader<R> {
    /// A reader that accepts frames of at most `frame_bytes_max` bytes.
    pub fn new(stream: R, frame_bytes_max: usize) -> Self {
        FrameReader { stream: BufReader::with_capacity(READ_AHEAD_BYTES, stream), frame_bytes_max }
    }

    /// The next message, or `None` when the stream ended between two frames.
    ///
    /// # Errors
    /// [`FrameError`]; the stream is of no use afterwards.
    pub fn read<M: Message + Default>(&mut self) -> Result<Option<M>, FrameError> {
        let Some(length) = self.read_length()? else {
            return Ok(None);
        };
        let frame = self.read_body(length)?;
        let size = frame.len();
        M::decode(frame).map(Some).map_err(|source| FrameError::Malformed { length: size, source })
    }

    fn read_length(&mut self) -> Result<Option<u64>, FrameError> {
        let mut length = 0_u64;
        for position in 0..VARINT_BYTES_MAX {
            let Some(byte) = self.read_byte()? else {
                return if position == 0 { Ok(None) } else { Err(FrameError::Truncated { length, missing: 1 }) };
            };
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit only.
            if position == VARINT_BYTES_MAX - 1 && bits > 1 {
                return Err(FrameError::BadLength);
            }
            length |= bits << (7 * position);
            if byte & 0x80 == 0 {
                return Ok(Some(length));
            }
        }
        Err(FrameError::BadLength)
    }

    fn read_byte(&mut self) -> Result<Option<u8>, FrameError> {
        loop {
            match self.stream.fill_buf() {
                Ok(available) => {
                    let byte = available.first().copied();
                    if byte.is_some() {
                        self.stream.consume(1);
                    }
                    return Ok(byte);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn read_body(&mut self, length: u64) -> Result<Bytes, FrameError> {
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size > self.frame_bytes_max {
            return Err(FrameError::TooLarge { length, max: self.frame_bytes_max });
        }
        let mut frame = Vec::with_capacity(size.min(FIRST_RESERVATION_BYTES));
        (&mut self.stream).take(length).read_to_end(&mut frame)?;
        if frame.len() < size {
            return Err(FrameError::Truncated { length, missing: length.saturating_sub(frame.len() as u64) });
        }
        Ok(Bytes::from(frame))
    }
}

/// Appends one frame to `buffer`.
pub fn write_frame<M: Message>(message: &M, buffer: &mut Vec<u8>) {
    let size = message.encoded_len();
    buffer.reserve(size.saturating_add(VARINT_BYTES_MAX as usize));
    prost::encoding::encode_varint(size as u64, buffer);
    message.encode_raw(buffer);
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use tendermint_proto::v0_38::abci::{Request, RequestEcho, request::Value};

    use super::{FrameError, FrameReader, write_frame};

    /// A stream that gives `step` bytes at a time.
    struct Trickle<'a> {
        bytes: &'a [u8],
        step: usize,
    }

    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let size = self.step.min(self.bytes.len()).min(out.len());
            let (now, later) = self.bytes.split_at(size);
            out[..size].copy_from_slice(now);
            self.bytes = later;
            Ok(size)
        }
    }

    fn echo(message: &str) -> Request {
        Request { value: Some(Value::Echo(RequestEcho { message: message.to_owned() })) }
    }

    fn frames(messages: &[Request]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for message in messages {
            write_frame(message, &mut bytes);
        }
        bytes
    }

    fn read_all(bytes: &[u8], step: usize, max: usize) -> (Vec<Request>, Option<FrameError>) {
        let mut reader = FrameReader::new(Trickle { bytes, step }, max);
        let mut seen = Vec::new();
        loop {
            match reader.read() {
                Ok(Some(request)) => seen.push(request),
                Ok(None) => return (seen, None),
                Err(error) => return (seen, Some(error)),
            }
        }
    }

    #[test]
    fn frames_arrive_whole_however_the_stream_cuts_them() {
        let sent = vec![echo(""), echo("a"), echo(&"x".repeat(300)), echo(&"y".repeat(100_000))];
        let bytes = frames(&sent);
        for step in [1, 2, 7, 4096, bytes.len()] {
            let (seen, error) = read_all(&bytes, step, 1 << 20);
            assert!(error.is_none(), "step {step}: {error:?}");
            assert_eq!(seen, sent, "step {step}");
        }
    }

    #[track_caller]
    fn check_refused(bytes: &[u8], whole_frames: usize, expected: &str) {
        let (seen, error) = read_all(bytes, 3, 1000);
        assert_eq!(seen.len(), whole_frames);
        let message = error.expect("the stream is refused").to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn a_bad_stream_is_refused_with_what_was_wrong() {
        let good = frames(&[echo("a")]);
        check_refused(&[0xff; 12], 0, "not an unsigned varint");
        check_refused(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02], 0, "not an unsigned varint");
        check_refused(&[0x80], 0, "ended inside a frame");
        check_refused(&[0x05, 0x01], 0, "4 bytes of 5 are missing");
        check_refused(&[good.clone(), vec![0xe9, 0x07]].concat(), 1, "frame of 1001 bytes: at most 1000");
        check_refused(&[good, vec![0x02, 0xff, 0xff]].concat(), 1, "not a protobuf message");
    }

    #[test]
    fn a_claimed_length_reserves_no_memory_before_its_bytes_come() {
        // 2^62 bytes claimed: refused by the cap. 1 GiB claimed under a cap of 2 GiB: only what arrives is kept.
        let (_, error) = read_all(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f], 9, 1000);
        assert!(matches!(error, Some(FrameError::TooLarge { .. })), "{error:?}");
        let (_, error) = read_all(&[0x80, 0x80, 0x80, 0x80, 0x04, 1, 2], 9, 1 << 31);
        assert!(matches!(error, Some(FrameError::Truncated { missing: 1_073_741_822, .. })), "{error:?}");
    }
}
