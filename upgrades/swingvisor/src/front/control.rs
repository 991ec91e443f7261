//! What the node says to its supervisor: lines of JSON on the socket that is its standard input.
//!
//! `{"last_commit":{"height":"7","app_hash":"AB12…"}}`, before the reply to that commit. Beside it `status` may stand, which is what its
//! command of that name would say of the state.

use std::{
    io::{ErrorKind, Read as _},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
};

use serde_json::Value;

use super::message::Committed;
use crate::core::Status;

/// Largest line that is taken: the plan's info is in it.
const LINE_BYTES_MAX: usize = 1 << 20;

/// What a node says with its last commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The commit.
    pub committed: Committed,
    /// What it says of the state, if it does.
    pub status: Option<Status>,
}

/// The supervisor's end.
#[derive(Debug)]
pub struct Control {
    stream: UnixStream,
    line: Vec<u8>,
    open: bool,
}

impl Control {
    /// This end of the node's standard input.
    ///
    /// # Errors
    /// The system's.
    pub fn new(stream: UnixStream) -> std::io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Control { stream, line: Vec::new(), open: true })
    }

    /// Whether the node may say more.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// What the node has said since the last look. Lines that make no sense are passed over.
    pub fn read(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        let mut buffer = [0_u8; 1024];
        while self.open {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.open = false,
                Ok(read) => self.take(buffer.get(..read).unwrap_or_default(), &mut said),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.open = false,
            }
        }
        said
    }

    fn take(&mut self, bytes: &[u8], said: &mut Vec<Said>) {
        for byte in bytes {
            if *byte == b'\n' {
                said.extend(last_commit(&std::mem::take(&mut self.line)));
            } else if self.line.len() < LINE_BYTES_MAX {
                self.line.push(*byte);
            }
        }
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn last_commit(line: &[u8]) -> Option<Said> {
    let said: Value = serde_json::from_slice(line).ok()?;
    let commit = said.get("last_commit")?;
    let committed = Committed {
        height: commit["height"].as_str()?.parse().ok()?,
        app_hash: hex::decode(commit["app_hash"].as_str()?).ok()?,
    };
    // One that is not of this commit, or not whole, is as good as none: the binary is asked then.
    let status = said.get("status").and_then(|status| Status::of(status).ok());
    let status = status.filter(|status| status.committed_height == committed.height);
    Some(Said { committed, status })
}
