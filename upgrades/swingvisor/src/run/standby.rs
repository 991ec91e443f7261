//! The plan's binary, started some blocks before its height: it waits beside the node that runs, with nothing open, until it is told to
//! go. `app/node/src/start/standby.rs` is the other half.
//!
//! # Invariants
//! - Only a binary that says of itself that it can is started so: any other one would begin to run.
//! - It is asked, and told to go, only when the node before is dead.

use std::{
    ffi::OsString,
    io::{self, ErrorKind, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use serde_json::{Value, json};

use super::node::{Node, Start};
use crate::{
    clock::Moment,
    core::{Answer, Slot, Status},
    probe::{Signature, signature},
    sockets::Sockets,
};

/// Largest line that is taken: the answer has the infos of all plans in it.
const LINE_BYTES_MAX: usize = 4 << 20;

/// A binary that waits.
#[derive(Debug)]
pub struct Standby {
    node: Node,
    control: UnixStream,
    slot: Slot,
    signature: Signature,
    heard: Vec<u8>,
    agrees: bool,
}

impl Standby {
    /// Starts the binary of `slot`.
    ///
    /// # Errors
    /// The system's.
    pub fn start(binary: &Path, slot: &Slot, arguments: &[OsString], sockets: &Sockets) -> io::Result<Self> {
        let signature = signature(binary)?;
        let (theirs, control) = UnixStream::pair()?;
        let node = Node::start(binary, arguments, sockets, Start::StandBy(theirs))?;
        Ok(Standby { node, control, slot: slot.clone(), signature, heard: Vec::new(), agrees: false })
    }

    /// Its process ID.
    pub fn id(&self) -> u32 {
        self.node.id()
    }

    /// Whose binary it is.
    pub fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Of which file it is.
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// Whether it has ended by itself.
    ///
    /// # Errors
    /// The system's.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.node.ended()?.is_some())
    }

    /// Whether it is alive, and still what lies in its slot.
    ///
    /// # Errors
    /// The system's.
    pub fn is_fit(&mut self, binary: &Path) -> io::Result<bool> {
        Ok(!self.has_ended()? && signature(binary).is_ok_and(|now| now == self.signature))
    }

    /// What it says of committed state; remembers what its `pre-upgrade` would say.
    ///
    /// # Errors
    /// Why it did not answer.
    pub fn ask(&mut self, limit: Duration) -> Result<Answer, String> {
        let began = Moment::now();
        self.say(&json!({ "ask": {} })).map_err(|error| error.to_string())?;
        loop {
            let left = limit.saturating_sub(began.elapsed());
            let said = self.hear(left)?;
            if let Some(answer) = said.get("answer") {
                self.agrees = matches!(answer["pre_upgrade"]["exit_code"].as_u64(), Some(0 | 1));
                return match answer["status"]["failure"].as_str() {
                    Some(reason) => Ok(Err(reason.to_owned())),
                    None => Ok(Status::of(&answer["status"]).map_err(|error| error.to_string())),
                };
            }
        }
    }

    /// Whether it answered that it takes over. A binary that does not is asked by its command, which says why.
    pub fn agrees(&self) -> bool {
        self.agrees
    }

    /// Has it begin. It is the node from now on; with its end of what it tells us.
    ///
    /// # Errors
    /// The system's: it is gone.
    pub fn go(mut self) -> io::Result<(Node, UnixStream)> {
        self.control.set_read_timeout(None)?;
        self.say(&json!({ "go": {} }))?;
        self.node.begin();
        Ok((self.node, self.control))
    }

    fn say(&mut self, said: &Value) -> io::Result<()> {
        self.control.write_all(format!("{said}\n").as_bytes())
    }

    /// The next line.
    fn hear(&mut self, limit: Duration) -> Result<Value, String> {
        let began = Moment::now();
        let mut buffer = [0_u8; 4096];
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                return serde_json::from_slice(&line).map_err(|error| format!("it said no JSON: {error}"));
            }
            let left = limit.saturating_sub(began.elapsed());
            if left.is_zero() || self.heard.len() > LINE_BYTES_MAX {
                return Err(format!("it had not answered after {} ms", limit.as_millis()));
            }
            self.control.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
            match self.control.read(&mut buffer) {
                Ok(0) => return Err("it closed its standard input".to_owned()),
                Ok(read) => self.heard.extend(buffer.get(..read).unwrap_or_default()),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                }
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}
