//! The front's decisions: what goes to the node, what waits, and when everything must end. No socket and no clock in here.
//!
//! # Invariants
//! - Between the reply to Commit(H−1) and the reply to FinalizeBlock(H) a request may go to another process than the one before, and
//!   only to one whose Info says H−1 with the app hash that CometBFT was told. Every other loss of the node drops all connections,
//!   so that CometBFT begins with a handshake.
//! - Nothing of block H reaches the node that announced its end.
//! - On each connection requests keep their order, and so do replies, also those that the front gives itself.
//! - The front answers nothing that consensus asks.

use std::collections::BTreeMap;

use super::{
    frame::Frame,
    line::Line,
    message::{self, Committed, Kind, Role},
    phase::{Phase, Swap},
};

/// CometBFT's recheck is over when its mempool connection was silent for so long. It sends the whole burst at once.
pub const QUIET_MS: u64 = 30;
/// The same where no recheck was seen: there is none on an empty mempool, or it is late.
pub const QUIET_WITHOUT_RECHECK_MS: u64 = 100;
/// A node that stops has so long for what it was asked.
pub const DRAIN_MS_MAX: u64 = 3_000;

/// A connection of CometBFT's.
pub type ConnId = u64;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// CometBFT opened a connection.
    Opened(ConnId),
    /// A request came on it.
    Request(ConnId, Frame),
    /// CometBFT closed it, or it broke.
    Left(ConnId),
    /// The node's reply for it.
    Reply(ConnId, Frame),
    /// The node says that the commit that it answers next is its last one.
    Announced(Committed),
    /// A node was started; it may not listen yet.
    NodeStarted,
    /// The started node listens.
    NodeListens,
    /// And answered Info.
    NodeSays(Committed),
    /// The node is gone, or does not make sense.
    NodeLost,
    /// CometBFT is about to be stopped: that it leaves is as wanted.
    Ending,
    /// Time passes.
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open a connection to the node for each of CometBFT's.
    Connect,
    /// Send to the node, on this connection.
    ToNode(ConnId, Frame),
    /// Send to CometBFT, on this connection.
    ToComet(ConnId, Frame),
    /// Close all connections to the node.
    LeaveNode,
    /// Close all connections, both ways, and say why.
    DropAll(String),
    /// Tell the supervisor.
    Tell(Event),
}

/// What the supervisor hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A node serves: CometBFT can be started.
    Up,
    /// All connections are parked after this state.
    Parked(Committed),
    /// Another process has taken over.
    TakenOver(Swap),
    /// The started node cannot take over; it must be ended.
    Unfit(String),
    /// The node that took over has executed block H, whose reply was passed on: it cannot be replaced any more.
    Proved(Swap),
    /// Requests have waited for so many milliseconds: peers and clients may leave CometBFT.
    Late(u64),
    /// All connections were dropped.
    Dropped(String),
}

/// The machine.
#[derive(Debug)]
pub struct Machine {
    pub(super) phase: Phase,
    pub(super) lines: BTreeMap<ConnId, Line>,
    /// What CometBFT was told of committed state last.
    pub(super) told: Option<Committed>,
    /// The block between FinalizeBlock and Commit.
    pub(super) finalized: Committed,
    pub(super) announced: Option<Committed>,
    ending: bool,
    pub(super) start_ms_max: u64,
    pub(super) parked_ms_max: u64,
    pub(super) now_ms: u64,
    pub(super) out: Vec<Output>,
}

impl Machine {
    /// A machine with no connections and no node. A started node has `start_ms_max` to answer while CometBFT is parked; that it has
    /// been parked for `parked_ms_max` is told.
    #[must_use]
    pub fn new(start_ms_max: u64, parked_ms_max: u64) -> Self {
        Machine {
            phase: Phase::Away,
            lines: BTreeMap::new(),
            told: None,
            finalized: Committed::default(),
            announced: None,
            ending: false,
            start_ms_max,
            parked_ms_max,
            now_ms: 0,
            out: Vec::new(),
        }
    }

    /// Takes in what happened at `now_ms`, and says what to do.
    pub fn step(&mut self, now_ms: u64, input: Input) -> Vec<Output> {
        self.now_ms = now_ms;
        match input {
            Input::Opened(id) => {
                self.lines.insert(id, Line::default());
            }
            Input::Request(id, frame) => self.request(id, frame),
            Input::Left(id) => self.left(id),
            Input::Reply(id, frame) => self.reply(id, frame),
            Input::Announced(committed) => self.announced = Some(committed),
            Input::NodeStarted => self.node_started(),
            Input::NodeListens => self.node_listens(),
            Input::NodeSays(committed) => self.node_says(&committed),
            Input::NodeLost => self.node_lost(),
            Input::Ending => self.ending = true,
            Input::Tick => {}
        }
        self.settle();
        std::mem::take(&mut self.out)
    }

    /// Whether time alone can change something.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !matches!(self.phase, Phase::Away | Phase::Serving)
    }

    /// Whether frames may come by the thousand.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Serving)
    }

    /// Whether a node is connected.
    #[must_use]
    pub fn has_node(&self) -> bool {
        matches!(self.phase, Phase::Serving | Phase::Draining(_) | Phase::Proving(_))
    }

    fn request(&mut self, id: ConnId, frame: Frame) {
        let kind = message::kind(&frame);
        let Some(line) = self.lines.get_mut(&id) else { return };
        line.take(kind, frame, self.now_ms);
        let consensus_asks = line.role() == Some(Role::Consensus) && kind != Kind::Flush;
        match &mut self.phase {
            Phase::Draining(drain) => {
                match kind {
                    // CometBFT sends neither before the recheck is over.
                    Kind::CheckNew => drain.recheck_is_over(self.now_ms),
                    _ if consensus_asks => drain.recheck_is_over(self.now_ms),
                    Kind::CheckAgain => drain.hear_recheck(self.now_ms),
                    Kind::Flush => drain.heard_ms = self.now_ms,
                    _ => {}
                }
                if consensus_asks {
                    drain.asked_ms.get_or_insert(self.now_ms);
                }
            }
            Phase::Parked(parking) if consensus_asks => {
                parking.asked_ms.get_or_insert(self.now_ms);
            }
            // What it executes block H from; a request that was parked has come with the node.
            Phase::Proving(proof) if matches!(kind, Kind::Finalize(_)) => proof.since_ms = self.now_ms,
            _ => {}
        }
        if kind == Kind::Commit {
            // What was announced before it is asked for this one is of another.
            self.announced = None;
        }
    }

    fn left(&mut self, id: ConnId) {
        if self.lines.remove(&id).is_some() && !self.ending {
            self.drop_all("CometBFT closed a connection".to_owned());
        }
    }
}
