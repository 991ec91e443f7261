//! The asking side.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
};

use super::{Answer, LINE_BYTES_MAX, Request};
use crate::config::Home;

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens.
    #[error("no node answers at {socket}")]
    NoNode {
        /// The socket.
        socket: PathBuf,
    },
    /// The connection failed, or ended without an answer: the node stopped.
    #[error("the node at {socket}: {source}")]
    Lost {
        /// The socket.
        socket: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The node's own words.
    #[error("the node made no copy: {reason}")]
    Refused {
        /// The reason.
        reason: String,
    },
}

/// Asks the node of this home for a checkpoint in the folder of rehearsals, and waits for it. Gives its ID. `waiting` is told the
/// committed height when the node has to wait for another one.
///
/// # Errors
/// [`ControlError`].
pub fn ask_for_copy(home: &Home, at_height: Option<u64>, waiting: &mut dyn FnMut(u64)) -> Result<String, ControlError> {
    let socket = home.control_socket();
    let stream = match UnixStream::connect(&socket) {
        Ok(stream) => stream,
        Err(_) => return Err(ControlError::NoNode { socket }),
    };
    match exchange(&stream, at_height, waiting) {
        Ok(Ok(id)) => Ok(id),
        Ok(Err(reason)) => Err(ControlError::Refused { reason }),
        Err(source) => Err(ControlError::Lost { socket, source }),
    }
}

fn exchange(
    mut stream: &UnixStream,
    at_height: Option<u64>,
    waiting: &mut dyn FnMut(u64),
) -> io::Result<Result<String, String>> {
    let mut request = serde_json::to_vec(&Request::Copy { at_height })?;
    request.push(b'\n');
    stream.write_all(&request)?;
    let mut answers = BufReader::new(stream.take(LINE_BYTES_MAX));
    loop {
        let mut line = String::new();
        if answers.read_line(&mut line)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ended without an answer"));
        }
        match serde_json::from_str(&line)? {
            Answer::Waiting { committed } => waiting(committed),
            Answer::Made { id } => return Ok(Ok(id)),
            Answer::Refused { reason } => return Ok(Err(reason)),
        }
    }
}
