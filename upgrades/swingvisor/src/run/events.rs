//! What happens beside the supervisor: signals, and looks at committed state.

use std::{
    io,
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use signal_hook::{
    consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};

use super::Look;
use crate::{command::Told, core::Status, front};

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A signal that is passed on to the node, and ends swingvisor.
    Signal(i32),
    /// A child of this process ended.
    Child,
    /// Committed state was looked at.
    Look(Box<Look>),
    /// The node's last words, with its last commit: what it says of the state that it leaves.
    LastWords(Box<Status>),
    /// The ABCI front tells something.
    Front(front::Event),
}

/// The queue of what happened.
#[derive(Debug)]
pub struct Events {
    sender: Sender<Event>,
    receiver: Receiver<Event>,
}

impl Events {
    /// A queue that nothing is in.
    #[must_use]
    pub fn new() -> Self {
        let (sender, receiver) = channel();
        Events { sender, receiver }
    }

    /// Has the process's signals put into the queue. `told` is set by those that end swingvisor.
    ///
    /// # Errors
    /// The system's.
    pub fn watch_signals(&self, told: &Told) -> io::Result<()> {
        let mut signals = Signals::new([SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD])?;
        let (sender, told) = (self.sender.clone(), told.clone());
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                let event = if signal == SIGCHLD {
                    Event::Child
                } else {
                    told.tell();
                    Event::Signal(signal)
                };
                if sender.send(event).is_err() {
                    return;
                }
            }
        })?;
        Ok(())
    }

    /// Where others put events.
    #[must_use]
    pub fn sender(&self) -> Sender<Event> {
        self.sender.clone()
    }

    /// The next event, within `patience`.
    #[must_use]
    pub fn next(&self, patience: Duration) -> Option<Event> {
        // It is never disconnected: we hold a sender ourselves.
        self.receiver.recv_timeout(patience).ok()
    }
}

impl Default for Events {
    fn default() -> Self {
        Events::new()
    }
}
