//! One of CometBFT's connections: what waits for a node, and what a node has not answered yet.
//!
//! # Invariants
//! - Replies leave in the order of the requests: the front answers the request at the head alone, and only when nothing before it is
//!   with a node.

use std::collections::VecDeque;

use super::{
    frame::Frame,
    message::{self, Committed, Kind, Role},
};

/// Above so many waiting requests, or bytes of them, the oldest is put off.
pub const WAITING_MAX: usize = 4_096;
/// See [`WAITING_MAX`].
pub const WAITING_BYTES_MAX: usize = 16 << 20;
/// A request that may be put off is, when it has waited so long: CometBFT's RPC gives its clients 11 s.
pub const WAIT_MS_MAX: u64 = 5_000;

#[derive(Debug)]
struct Waiting {
    kind: Kind,
    frame: Frame,
    since_ms: u64,
}

#[derive(Debug)]
struct Sent {
    kind: Kind,
    /// Kept while another process may be asked instead.
    frame: Option<Frame>,
}

/// A connection.
#[derive(Debug, Default)]
pub struct Line {
    role: Option<Role>,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    sent: VecDeque<Sent>,
}

/// A reply that was due for a request that only a node may answer, and whose bytes are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost(pub Kind);

impl Line {
    /// Which connection it is, once a request told.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// Waiting requests.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Their bytes.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Requests that a node has and has not answered.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.sent.len()
    }

    /// The request at the head of those that wait.
    #[must_use]
    pub fn head(&self) -> Option<Kind> {
        self.waiting.front().map(|waiting| waiting.kind)
    }

    /// Takes a request.
    pub fn take(&mut self, kind: Kind, frame: Frame, now_ms: u64) {
        self.role = self.role.or(kind.role());
        self.waiting_bytes = self.waiting_bytes.saturating_add(frame.bytes().len());
        self.waiting.push_back(Waiting { kind, frame, since_ms: now_ms });
    }

    /// The next request for a node; `keep` has its bytes remembered until it is answered.
    pub fn forward(&mut self, keep: bool) -> Option<Frame> {
        let Waiting { kind, frame, .. } = self.pop()?;
        self.sent.push_back(Sent { kind, frame: keep.then(|| frame.clone()) });
        Some(frame)
    }

    fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_front()?;
        self.waiting_bytes = self.waiting_bytes.saturating_sub(waiting.frame.bytes().len());
        Some(waiting)
    }

    /// A node's reply came; gives what it answers, none when nothing was asked.
    pub fn answered(&mut self) -> Option<Kind> {
        self.sent.pop_front().map(|sent| sent.kind)
    }

    /// The bytes of what a node has are not needed any more.
    pub fn forget(&mut self) {
        self.sent.iter_mut().for_each(|sent| sent.frame = None);
    }

    /// No node will answer what was sent: it waits again, before what waits already. What cannot be sent again is put off; those
    /// replies are given.
    ///
    /// # Errors
    /// [`Lost`], for what can be neither.
    pub fn call_back(&mut self, committed: &Committed, now_ms: u64) -> Result<Vec<Frame>, Lost> {
        let mut replies = Vec::new();
        // Bytes are kept from some moment on, so those without come first.
        while let Some(Sent { kind, frame: None }) = self.sent.front() {
            let kind = *kind;
            // The request itself is needed for Echo alone.
            let gone = Frame::of(&[]);
            replies.push(message::put_off(kind, &gone, committed).ok_or(Lost(kind))?);
            self.sent.pop_front();
        }
        while let Some(Sent { kind, frame }) = self.sent.pop_back() {
            let Some(frame) = frame else { return Err(Lost(kind)) };
            self.waiting_bytes = self.waiting_bytes.saturating_add(frame.bytes().len());
            self.waiting.push_front(Waiting { kind, frame, since_ms: now_ms });
        }
        Ok(replies)
    }

    /// What the front answers itself now that no node does: a Flush that nothing stands before, and what waited for too long or is
    /// too much.
    pub fn relieve(&mut self, committed: &Committed, now_ms: u64) -> Vec<Frame> {
        let mut replies = Vec::new();
        while self.sent.is_empty() {
            let Some(Waiting { kind, frame, since_ms }) = self.waiting.front() else { break };
            let too_long = now_ms.saturating_sub(*since_ms) >= WAIT_MS_MAX;
            let too_much = self.waiting.len() > WAITING_MAX || self.waiting_bytes > WAITING_BYTES_MAX;
            if *kind != Kind::Flush && !too_long && !too_much {
                break;
            }
            let Some(reply) = message::put_off(*kind, frame, committed) else { break };
            self.pop();
            replies.push(reply);
        }
        replies
    }
}
