//! The status pages: `/` and `/status` as JSON, `/metrics` for Prometheus. Read only, on loopback, one request a connection.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use super::Board;

/// Largest request that is read.
const REQUEST_BYTES_MAX: usize = 8 << 10;
/// How long a client may take.
pub(super) const TIME_MAX: Duration = Duration::from_secs(2);

/// Serves the pages on a thread of its own; gives the address.
///
/// # Errors
/// The system's; an address that is taken.
pub fn serve(address: SocketAddr, board: Board) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    std::thread::Builder::new().name("pages".to_owned()).spawn(move || {
        for stream in listener.incoming() {
            // A client that goes away is its own loss.
            let _ = stream.and_then(|stream| in_time(&stream, &board));
        }
    })?;
    Ok(address)
}

fn in_time(stream: &TcpStream, board: &Board) -> io::Result<()> {
    stream.set_read_timeout(Some(TIME_MAX))?;
    stream.set_write_timeout(Some(TIME_MAX))?;
    answer(stream, board)
}

/// Reads a request and answers it.
///
/// # Errors
/// The system's: the client is gone, or too slow.
pub(super) fn answer(mut stream: impl Read + Write, board: &Board) -> io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0_u8; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < REQUEST_BYTES_MAX {
        match stream.read(&mut buffer)? {
            0 => break,
            read => request.extend(buffer.get(..read).unwrap_or_default()),
        }
    }
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let (status, kind, body) = page(&String::from_utf8_lossy(line), board);
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.flush()
}

/// The answer to a request line.
fn page(line: &str, board: &Board) -> (&'static str, &'static str, String) {
    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    let mut words = line.split(' ');
    match (words.next(), words.next()) {
        (Some("GET"), Some("/" | "/status")) => {
            let report = serde_json::to_string_pretty(&board.report()).unwrap_or_default();
            ("200 OK", "application/json", report)
        }
        (Some("GET"), Some("/metrics")) => ("200 OK", TEXT, board.report().to_prometheus()),
        (Some("GET"), _) => ("404 Not Found", TEXT, "pages: /status /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", TEXT, "only GET\n".to_owned()),
    }
}
