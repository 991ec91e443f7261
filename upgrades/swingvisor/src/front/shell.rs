//! The front on real sockets: one thread that waits on all of them and does what [`super::machine`] says.
//!
//! # Invariants
//! - What the node said to its supervisor is heard before anything that it wrote afterwards on another socket.
//! - When a connection to the node ends, what the node wrote on all of them is taken in first.

use std::{
    collections::BTreeMap,
    io,
    os::{fd::AsFd as _, unix::net::UnixStream},
    path::PathBuf,
    sync::mpsc::{Receiver, Sender, TryRecvError},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    Board, Command, View,
    control::Control,
    machine::{ConnId, Event, Input, Machine, Output},
    net::{End, Listener},
};
use crate::clock::Moment;

/// How often time is looked at while something waits for it.
const TICK_MS: u64 = 10;
/// How often the view is renewed under load.
const VIEW_EVERY_MS: u64 = 100;
/// Above so many bytes on their way to one side, the other one is not read; parked connections always are.
const UNDER_WAY_MAX: usize = 4 << 20;
pub(super) struct Conn {
    pub comet: End,
    pub node: Option<End>,
}

/// A question to a node that was just started.
pub(super) enum Question {
    /// It does not listen yet.
    Knocking,
    Asked(Box<End>),
}

/// The thread's state.
pub(super) struct Shell {
    pub listener: Listener,
    pub node_socket: PathBuf,
    pub frame_bytes_max: usize,
    pub machine: Machine,
    pub commands: Receiver<Command>,
    pub woken: UnixStream,
    pub events: Sender<crate::run::Event>,
    pub board: Board,
    pub conns: Conns,
}

/// Connections, and what belongs to the present node.
#[derive(Default)]
pub(super) struct Conns {
    pub open: BTreeMap<ConnId, Conn>,
    pub next: ConnId,
    pub control: Option<Control>,
    pub question: Option<Question>,
    /// CometBFT is being stopped: the node keeps its connections, and ends when it is told to.
    pub ending: bool,
    pub kept: Vec<End>,
    began: Option<Moment>,
    viewed_ms: u64,
    /// Things to take in, in order.
    pub inputs: Vec<Input>,
}

/// What can be read, by place.
enum Ready {
    Woken,
    Listener,
    Control,
    Question,
    Comet(ConnId),
    Node(ConnId),
}

impl Shell {
    /// Runs until the supervisor is gone.
    pub fn run(mut self) -> io::Result<()> {
        self.conns.began = Some(Moment::now());
        loop {
            for ready in self.wait()? {
                match ready {
                    Ready::Woken => self.drain_wakes(),
                    Ready::Listener => self.accept()?,
                    Ready::Control => self.hear(),
                    Ready::Question => self.hear_answer(),
                    Ready::Comet(id) => self.read_comet(id),
                    Ready::Node(id) => self.read_node(id),
                }
                self.take_in();
            }
            if !self.obey()? {
                return Ok(());
            }
            self.knock();
            self.conns.inputs.push(Input::Tick);
            self.take_in();
            self.show(false);
        }
    }

    fn now_ms(&self) -> u64 {
        self.conns.began.map_or(0, Moment::elapsed_ms)
    }

    fn wait(&self) -> io::Result<Vec<Ready>> {
        let mut fds = vec![PollFd::new(&self.woken, PollFlags::IN), PollFd::new(&self.listener, PollFlags::IN)];
        let mut places = vec![Ready::Woken, Ready::Listener];
        if let Some(control) = self.conns.control.as_ref().filter(|control| control.is_open()) {
            fds.push(PollFd::new(control, PollFlags::IN));
            places.push(Ready::Control);
        }
        if let Some(Question::Asked(end)) = &self.conns.question {
            fds.push(PollFd::new(&**end, PollFlags::IN));
            places.push(Ready::Question);
        }
        for (id, conn) in &self.conns.open {
            let to_node = conn.node.as_ref().map_or(0, End::outgoing);
            fds.push(PollFd::from_borrowed_fd(conn.comet.as_fd(), flags(to_node, &conn.comet)));
            places.push(Ready::Comet(*id));
            if let Some(node) = &conn.node {
                fds.push(PollFd::from_borrowed_fd(node.as_fd(), flags(conn.comet.outgoing(), node)));
                places.push(Ready::Node(*id));
            }
        }
        let tick = Timespec { tv_sec: 0, tv_nsec: i64::try_from(TICK_MS * 1_000_000).unwrap_or_default() };
        let waiting = self.machine.is_waiting() || self.conns.question.is_some();
        match poll(&mut fds, waiting.then_some(&tick)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        Ok(places.into_iter().zip(ready).filter_map(|(place, ready)| ready.then_some(place)).collect())
    }

    /// Does what the supervisor asks for; false when it is gone.
    fn obey(&mut self) -> io::Result<bool> {
        loop {
            match self.commands.try_recv() {
                Ok(Command::NodeStarted(control)) => {
                    self.conns.control = Some(Control::new(control)?);
                    self.conns.question = Some(Question::Knocking);
                    self.conns.inputs.push(Input::NodeStarted);
                }
                Ok(Command::NodeEnded) => {
                    let ids: Vec<ConnId> = self.conns.open.keys().copied().collect();
                    for id in ids {
                        self.read_one_node(id);
                    }
                    self.conns.question = None;
                    self.conns.inputs.push(Input::NodeLost);
                    self.take_in();
                    self.conns.control = None;
                    self.conns.kept.clear();
                }
                Ok(Command::Ending) => {
                    self.conns.ending = true;
                    self.conns.inputs.push(Input::Ending);
                }
                Err(TryRecvError::Empty) => return Ok(true),
                Err(TryRecvError::Disconnected) => return Ok(false),
            }
            self.take_in();
        }
    }

    /// Steps the machine through what happened, and does what it says.
    fn take_in(&mut self) {
        let mut inputs = std::mem::take(&mut self.conns.inputs);
        while !inputs.is_empty() {
            for input in inputs {
                let outputs = self.machine.step(self.now_ms(), input);
                outputs.into_iter().for_each(|output| self.perform(output));
            }
            // What performing brought up.
            inputs = std::mem::take(&mut self.conns.inputs);
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Connect => {
                let ids: Vec<ConnId> = self.conns.open.keys().copied().collect();
                for id in ids {
                    let end = self.connect();
                    if let Some(conn) = self.conns.open.get_mut(&id) {
                        conn.node = end;
                    }
                }
            }
            Output::ToNode(id, frame) => {
                let node = self.conns.open.get_mut(&id).and_then(|conn| conn.node.as_mut());
                if node.is_some_and(|node| node.send(&frame).is_err()) {
                    // What it still wrote is read, and the loss seen, when its end is read.
                    tracing::debug!("the node does not read any more");
                }
            }
            Output::ToComet(id, frame) => {
                if self.conns.open.get_mut(&id).is_some_and(|conn| conn.comet.send(&frame).is_err()) {
                    self.remove(id);
                }
            }
            Output::LeaveNode => self.conns.open.values_mut().for_each(|conn| conn.node = None),
            Output::DropAll(reason) => {
                tracing::error!(reason, "all ABCI connections are closed: CometBFT begins anew");
                self.conns.open.clear();
                self.conns.inputs.clear();
            }
            Output::Tell(event) => self.tell(event),
        }
    }

    fn tell(&mut self, event: Event) {
        match &event {
            Event::Parked(committed) => tracing::info!(%committed, "CometBFT is parked"),
            Event::TakenOver(swap) => {
                tracing::info!(?swap, "another process serves CometBFT");
                self.board.change(|view| view.last_swap = Some(*swap));
            }
            Event::Proved(swap) => {
                tracing::info!(block_ms = swap.block_ms, "its first block is executed");
                self.board.change(|view| view.last_swap = Some(*swap));
            }
            // Here and not by the supervisor, which may be waiting for a hook, or for the operator's check.
            Event::Late(parked_ms) => {
                tracing::error!(parked_ms, "CometBFT has been parked for long: peers and clients may leave it");
            }
            Event::Up | Event::Unfit(_) | Event::Dropped(_) => {}
        }
        self.show(true);
        // A supervisor that is gone is noticed by the commands' end.
        let _ = self.events.send(crate::run::Event::Front(event));
    }

    fn show(&mut self, at_once: bool) {
        let now_ms = self.now_ms();
        if at_once || now_ms.saturating_sub(self.conns.viewed_ms) >= VIEW_EVERY_MS || !self.machine.is_busy() {
            self.conns.viewed_ms = now_ms;
            self.board.change(|view| {
                *view = View { last_swap: view.last_swap, ..self.machine.view() };
            });
        }
    }
}

/// What is waited for at an end, whose other side has so much on its way.
fn flags(under_way: usize, end: &End) -> PollFlags {
    let mut flags = PollFlags::empty();
    if under_way < UNDER_WAY_MAX {
        flags |= PollFlags::IN;
    }
    if end.outgoing() > 0 {
        flags |= PollFlags::OUT;
    }
    flags
}
