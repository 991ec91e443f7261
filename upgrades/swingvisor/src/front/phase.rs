//! How far a change of processes has come.

use serde::Serialize;

use super::message::{Kind, Role};

/// Where the front stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No node, and no state that CometBFT relies on.
    Away,
    /// A node was started and is asked whether it serves. CometBFT, if it is there already, is at its handshake.
    Asking,
    /// The node serves.
    Serving,
    /// The node has made its last commit, and serves what is not of the next block.
    Draining(Drain),
    /// No node, between two blocks. Requests wait.
    Parked(Parking),
    /// A node serves, and block H is not executed yet: it may still be replaced.
    Proving(Proof),
}

/// The last moments of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drain {
    /// When its last commit was answered.
    pub since_ms: u64,
    /// When the mempool connection was last heard of.
    pub heard_ms: u64,
    /// A recheck was seen on it.
    pub rechecks: bool,
    /// When the recheck after the last commit was over: nothing more is forwarded from then on.
    pub over_ms: Option<u64>,
    /// When consensus first asked for something of the next block.
    pub asked_ms: Option<u64>,
}

impl Drain {
    /// It begins with the reply to the last Commit.
    #[must_use]
    pub fn begin(now_ms: u64) -> Self {
        Drain { since_ms: now_ms, heard_ms: now_ms, rechecks: false, over_ms: None, asked_ms: None }
    }

    /// A transaction is checked again.
    pub fn hear_recheck(&mut self, now_ms: u64) {
        (self.heard_ms, self.rechecks) = (now_ms, true);
    }

    /// CometBFT is done with the committed block.
    pub fn recheck_is_over(&mut self, now_ms: u64) {
        self.over_ms.get_or_insert(now_ms);
    }
}

/// A time without a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parking {
    /// When the last commit of the node before was answered.
    pub committed_ms: u64,
    /// Since when requests wait.
    pub since_ms: u64,
    /// When the process of the node before was gone.
    pub gone_ms: Option<u64>,
    /// When consensus first asked for something of the next block.
    pub asked_ms: Option<u64>,
    /// When the present try to start a node began.
    pub started_ms: Option<u64>,
    /// It listens.
    pub listens: bool,
    /// That it lasts for too long was told.
    pub late: bool,
}

/// A node that serves, before it has executed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// How requests waited for it. They wait so again when it is lost.
    pub parking: Parking,
    /// What is told of the change.
    pub swap: Swap,
    /// Since when it serves, and from when on it executes block H.
    pub since_ms: u64,
}

impl Parking {
    /// It begins when the node before is left.
    #[must_use]
    pub fn begin(drain: &Drain, now_ms: u64) -> Self {
        Parking { committed_ms: drain.since_ms, since_ms: now_ms, asked_ms: drain.asked_ms, ..Parking::default() }
    }
}

impl Phase {
    /// Whether a request of this kind goes to the node now.
    #[must_use]
    pub fn forwards(&self, role: Option<Role>, kind: Kind) -> bool {
        match self {
            Phase::Serving | Phase::Proving(_) => true,
            Phase::Draining(Drain { over_ms: None, .. }) => role != Some(Role::Consensus) || kind == Kind::Flush,
            Phase::Draining(_) | Phase::Away | Phase::Asking | Phase::Parked(_) => false,
        }
    }

    /// In a word, for people.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Phase::Away => "no node",
            Phase::Asking => "starting",
            Phase::Serving => "serving",
            Phase::Draining(_) => "draining",
            Phase::Parked(_) => "parked",
            Phase::Proving(_) => "proving",
        }
    }
}

/// One change of processes under a running CometBFT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swap {
    /// The committed height, H−1.
    pub committed_height: u64,
    /// From the reply to Commit(H−1) until requests were parked: CometBFT checks its mempool again.
    pub drain_ms: u64,
    /// For how long no node served. The next three are its parts.
    pub parked_ms: u64,
    /// Until the old process was gone.
    pub exit_ms: u64,
    /// From then on until the new node was told to begin: committed state asked for, backup, checks, link.
    pub switch_ms: u64,
    /// From then on until it answered Info.
    pub start_ms: u64,
    /// For how long consensus waited for its first answer of block H: the extra time at H.
    pub extra_ms: u64,
    /// Requests that the new node got from the parked ones.
    pub replayed: usize,
    /// How long FinalizeBlock(H) took in the new node; none before it is answered.
    pub block_ms: Option<u64>,
}
