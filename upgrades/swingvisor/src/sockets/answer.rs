//! What a client hears that no node has taken: HTTP/1.1 with status 503, HTTP/2 with gRPC's UNAVAILABLE.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpStream},
};

/// What is read of a request.
const REQUEST_BYTES_MAX: usize = 64 << 10;

/// The first bytes of HTTP/2. Source: RFC 9113, 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEADER_BYTES: usize = 9;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM_AND_HEADERS: u8 = 5;

/// gRPC's code for "try again".
const UNAVAILABLE: &str = "14";
const MESSAGE: &str = "upgrading: no node takes connections at the moment; try again";

/// Answers with what the client has sent so far. Nothing is waited for.
///
/// # Errors
/// The client's connection.
pub(super) fn tell(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let request = read(stream);
    let answer = if request.starts_with(PREFACE) { over_http2(&request) } else { over_http1() };
    stream.write_all(&answer)?;
    stream.shutdown(Shutdown::Write)
}

/// Reads what is there and drops it.
pub(super) fn drain(stream: &TcpStream) {
    read(stream);
}

fn read(mut stream: &TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut buffer = [0_u8; 4096];
    while request.len() < REQUEST_BYTES_MAX {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => request.extend(buffer.get(..read).unwrap_or_default()),
        }
    }
    request
}

fn over_http1() -> Vec<u8> {
    let body = format!("{{\"code\":{UNAVAILABLE},\"message\":\"{MESSAGE}\",\"details\":[]}}");
    let head =
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close";
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Settings, a status for every call that has begun, and the end of the connection.
fn over_http2(request: &[u8]) -> Vec<u8> {
    let calls = calls(request.get(PREFACE.len()..).unwrap_or_default());
    let mut answer = frame(SETTINGS, 0, 0, &[]);
    answer.extend(frame(SETTINGS, ACK, 0, &[]));
    for call in &calls {
        answer.extend(frame(HEADERS, END_STREAM_AND_HEADERS, *call, &status()));
    }
    // A call above this number may be made again elsewhere.
    let last = calls.iter().copied().max().unwrap_or_default();
    answer.extend(frame(GOAWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat()));
    answer
}

/// The streams that the client has opened.
fn calls(mut frames: &[u8]) -> Vec<u32> {
    let mut calls = Vec::new();
    while let Some((header, rest)) = frames.split_at_checked(FRAME_HEADER_BYTES) {
        let [a, b, c, kind, _, stream @ ..] = header else { break };
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        if *kind == HEADERS
            && let Ok(stream) = <[u8; 4]>::try_from(stream)
        {
            calls.push(u32::from_be_bytes(stream) & 0x7fff_ffff);
        }
        frames = rest.get(length..).unwrap_or_default();
    }
    calls
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    [&length, [kind, flags].as_slice(), &stream.to_be_bytes(), payload].concat()
}

/// A gRPC answer of trailers alone. Source: RFC 7541, 6.1 and 6.2.2.
fn status() -> Vec<u8> {
    // `:status: 200` is number 8 of the static table, `content-type` number 31.
    let mut block = vec![0x88, 0x0f, 0x10];
    block.extend(literal("application/grpc"));
    for (name, value) in [("grpc-status", UNAVAILABLE), ("grpc-message", MESSAGE)] {
        // With a new name, that is not taken into the table.
        block.push(0);
        block.extend(literal(name));
        block.extend(literal(value));
    }
    block
}

/// A text of less than 127 bytes.
fn literal(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap_or_default();
    [&[length], text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_that_has_begun_gets_a_status_and_the_connection_ends() {
        let mut request = PREFACE.to_vec();
        request.extend(frame(SETTINGS, 0, 0, &[0; 6]));
        request.extend(frame(HEADERS, 4, 1, b"one"));
        request.extend(frame(0, 1, 1, b"data"));
        request.extend(frame(HEADERS, 4, 3, b"two"));
        // Cut off in the middle.
        request.extend(&frame(HEADERS, 4, 5, b"three")[..12]);
        let answer = over_http2(&request);
        assert_eq!(calls(&answer), [1, 3, 5]);
        assert!(answer.ends_with(&[0, 0, 8, GOAWAY, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0]));
        assert_eq!(calls(&over_http2(PREFACE)), [0_u32; 0]);
        assert_eq!(status().len(), 3 + 1 + 16 + 1 + 12 + 3 + 1 + 13 + 1 + MESSAGE.len());
        assert!(MESSAGE.len() < 127, "a length of one byte");
    }
}
