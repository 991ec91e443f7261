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
    phase::{Drain, Phase, Swap},
};

/// CometBFT's recheck is over when its mempool connection was silent for so long. It sends the whole burst at once.
pub const QUIET_MS: u64 = 30;
/// The same where no recheck was seen: there is none on an empty mempool, or it is late.
pub const QUIET_WITHOUT_RECHECK_MS: u64 = 100;
/// A node that stops has so long for what it was asked.
pub const DRAIN_MS_MAX: u64 = 3_000;
/// Requests that the consensus connection can have waiting: CometBFT sends one, and a Flush, and waits.
const CONSENSUS_WAITING_MAX: usize = 8;
/// What one connection can have waiting at all, bytes.
const HELD_BYTES_MAX: usize = 256 << 20;

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
    /// The started node listens, and answered Info.
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
    /// All connections were dropped.
    Dropped(String),
}

/// The machine.
#[derive(Debug)]
pub struct Machine {
    pub(super) phase: Phase,
    pub(super) lines: BTreeMap<ConnId, Line>,
    /// What CometBFT was told of committed state last.
    told: Option<Committed>,
    /// The block between FinalizeBlock and Commit.
    finalized: Committed,
    announced: Option<Committed>,
    ending: bool,
    start_ms_max: u64,
    now_ms: u64,
    out: Vec<Output>,
}

impl Machine {
    /// A machine with no connections and no node. A started node has `start_ms_max` to answer while CometBFT is parked.
    #[must_use]
    pub fn new(start_ms_max: u64) -> Self {
        Machine {
            phase: Phase::Away,
            lines: BTreeMap::new(),
            told: None,
            finalized: Committed::default(),
            announced: None,
            ending: false,
            start_ms_max,
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

    /// The time of the last step, milliseconds.
    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Whether a node is connected.
    #[must_use]
    pub fn has_node(&self) -> bool {
        matches!(self.phase, Phase::Serving | Phase::Draining(_) | Phase::Proving { .. })
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
            Phase::Parked { asked_ms, .. } if consensus_asks => {
                asked_ms.get_or_insert(self.now_ms);
            }
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

    fn reply(&mut self, id: ConnId, frame: Frame) {
        // For a connection that is gone, nobody waits.
        let Some(line) = self.lines.get_mut(&id) else { return };
        let Some(kind) = line.answered() else {
            return self.drop_all("the node answered what nobody asked".to_owned());
        };
        let seen = (message::told_by_info(&frame), message::hash_of_finalized(&frame), message::is_committed(&frame));
        self.out.push(Output::ToComet(id, frame));
        match (kind, seen) {
            (Kind::Info, (Some(committed), _, _)) if committed.height > 0 => self.told = Some(committed),
            (Kind::Finalize(height), (_, Some(app_hash), _)) => {
                self.finalized = Committed { height, app_hash };
                if matches!(self.phase, Phase::Proving { .. }) {
                    self.lines.values_mut().for_each(Line::forget);
                    self.phase = Phase::Serving;
                }
            }
            (Kind::Commit, (_, _, true)) => self.committed(),
            _ => {}
        }
    }

    fn committed(&mut self) {
        let told = std::mem::take(&mut self.finalized);
        if self.announced.take().as_ref() == Some(&told) && matches!(self.phase, Phase::Serving) {
            self.phase = Phase::Draining(Drain::begin(self.now_ms));
        }
        self.told = Some(told);
    }

    fn node_started(&mut self) {
        match &mut self.phase {
            Phase::Away | Phase::Asking => self.phase = Phase::Asking,
            Phase::Parked { started_ms, .. } => *started_ms = Some(self.now_ms),
            Phase::Serving | Phase::Draining(_) | Phase::Proving { .. } => {
                self.drop_all("a node was started while another one served".to_owned());
                self.phase = Phase::Asking;
            }
        }
    }

    fn node_says(&mut self, committed: &Committed) {
        match self.phase {
            Phase::Asking => {
                self.phase = Phase::Serving;
                self.out.extend([Output::Connect, Output::Tell(Event::Up)]);
            }
            Phase::Parked { since_ms, asked_ms, started_ms: Some(_) } => {
                let told = self.told.clone().unwrap_or_default();
                if *committed != told {
                    return self.unfit(format!("it is at {committed}, CometBFT was told {told}"));
                }
                let swap = Swap {
                    committed_height: told.height,
                    parked_ms: self.now_ms.saturating_sub(since_ms),
                    extra_ms: asked_ms.map_or(0, |asked_ms| self.now_ms.saturating_sub(asked_ms)),
                    replayed: self.lines.values().map(Line::waiting).sum(),
                };
                self.phase = Phase::Proving { since_ms, asked_ms };
                self.out.extend([Output::Connect, Output::Tell(Event::TakenOver(swap))]);
            }
            Phase::Parked { .. } | Phase::Away | Phase::Serving | Phase::Draining(_) | Phase::Proving { .. } => {}
        }
    }

    fn unfit(&mut self, reason: String) {
        if let Phase::Parked { started_ms, .. } = &mut self.phase {
            *started_ms = None;
        }
        self.out.push(Output::Tell(Event::Unfit(reason)));
    }

    fn node_lost(&mut self) {
        match &mut self.phase {
            Phase::Away => {}
            Phase::Asking => self.phase = Phase::Away,
            Phase::Parked { started_ms, .. } => *started_ms = None,
            Phase::Draining(drain) => {
                let asked_ms = drain.asked_ms;
                self.park(self.now_ms, asked_ms);
            }
            Phase::Proving { since_ms, asked_ms } => {
                let (since_ms, asked_ms) = (*since_ms, *asked_ms);
                self.park(since_ms, asked_ms);
            }
            Phase::Serving => self.drop_all("the node is gone".to_owned()),
        }
    }

    /// No node: what it was asked and did not answer waits with the rest.
    fn park(&mut self, since_ms: u64, asked_ms: Option<u64>) {
        let told = self.told.clone().unwrap_or_default();
        self.out.push(Output::LeaveNode);
        for (id, line) in &mut self.lines {
            match line.call_back(&told, self.now_ms) {
                Ok(replies) => self.out.extend(replies.into_iter().map(|reply| Output::ToComet(*id, reply))),
                Err(lost) => return self.drop_all(format!("a reply is lost for ever: {lost:?}")),
            }
        }
        self.phase = Phase::Parked { since_ms, asked_ms, started_ms: None };
        self.out.push(Output::Tell(Event::Parked(told)));
    }

    fn drop_all(&mut self, reason: String) {
        let started = matches!(self.phase, Phase::Asking | Phase::Parked { started_ms: Some(_), .. });
        self.phase = if started { Phase::Asking } else { Phase::Away };
        self.lines.clear();
        (self.told, self.announced, self.finalized) = (None, None, Committed::default());
        self.out.extend([Output::DropAll(reason.clone()), Output::Tell(Event::Dropped(reason))]);
    }

    /// What follows from where things stand: forwarding, putting off, parking.
    fn settle(&mut self) {
        if let Phase::Draining(drain) = &mut self.phase {
            let rechecking = self.lines.values().any(|line| line.unanswered() > 0 && line.role() != Some(Role::Query));
            let quiet_ms = if drain.rechecks { QUIET_MS } else { QUIET_WITHOUT_RECHECK_MS };
            if !rechecking && self.now_ms.saturating_sub(drain.heard_ms) >= quiet_ms {
                drain.recheck_is_over(self.now_ms);
            }
        }
        self.forward();
        match self.phase {
            Phase::Draining(Drain { over_ms: Some(over_ms), asked_ms, .. }) => {
                let idle = self.lines.values().all(|line| line.unanswered() == 0);
                if idle || self.now_ms.saturating_sub(over_ms) >= DRAIN_MS_MAX {
                    self.park(self.now_ms, asked_ms);
                    self.relieve();
                }
            }
            Phase::Parked { started_ms, .. } => {
                self.relieve();
                let late = started_ms.is_some_and(|at| self.now_ms.saturating_sub(at) >= self.start_ms_max);
                if late {
                    self.unfit(format!("it had not answered Info {} ms after its start", self.start_ms_max));
                }
            }
            _ => {}
        }
        self.check_bounds();
    }

    fn forward(&mut self) {
        let keep = matches!(self.phase, Phase::Proving { .. } | Phase::Draining(_));
        // Consensus first: the others can wait, and a block does not.
        let (first, others): (Vec<_>, Vec<_>) =
            self.lines.iter_mut().partition(|(_, line)| line.role() == Some(Role::Consensus));
        for (id, line) in first.into_iter().chain(others) {
            while let Some(kind) = line.head()
                && self.phase.forwards(line.role(), kind)
                && let Some(frame) = line.forward(keep)
            {
                self.out.push(Output::ToNode(*id, frame));
            }
        }
    }

    fn relieve(&mut self) {
        let told = self.told.clone().unwrap_or_default();
        for (id, line) in &mut self.lines {
            let replies = line.relieve(&told, self.now_ms);
            self.out.extend(replies.into_iter().map(|reply| Output::ToComet(*id, reply)));
        }
    }

    /// What is beyond anything that CometBFT does ends it.
    fn check_bounds(&mut self) {
        let beyond = self.lines.values().any(|line| {
            let consensus = line.role() == Some(Role::Consensus);
            line.waiting_bytes() > HELD_BYTES_MAX || (consensus && line.waiting() > CONSENSUS_WAITING_MAX)
        });
        if beyond {
            self.drop_all("more requests wait than CometBFT sends".to_owned());
        }
    }
}
