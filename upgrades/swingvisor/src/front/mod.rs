//! The ABCI front: it stands between CometBFT and the node, so that CometBFT keeps its connections while the node is replaced.
//!
//! CometBFT's four connections end here; each has one of its own to the node. Frames are passed on as they came. After the node's last
//! commit before an upgrade requests wait here, in order, until the next binary serves. See `docs/adr/0023-an-abci-front.md`.
//!
//! # Invariants
//! - [`machine`] decides and does nothing; [`shell`] does and decides nothing.
//! - No message is decoded further than its kind, FinalizeBlock's height, and the two app hashes that CometBFT is told.

pub mod control;
pub mod frame;
pub mod line;
pub mod machine;
pub mod message;
pub mod net;
mod node;
pub mod phase;
mod settle;
mod shell;
mod sockets;
mod view;

use std::{
    io::{self, Write as _},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::mpsc::{Sender, channel},
    thread::JoinHandle,
};

pub use machine::Event;
use machine::Machine;
pub use net::Address;
pub use phase::Swap;
use shell::{Conns, Shell};
pub use view::{Board, ConnectionView, View};

/// What a front needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontConfig {
    /// Where CometBFT connects.
    pub address: Address,
    /// Where the node listens.
    pub node_socket: PathBuf,
    /// Largest message that is passed on, bytes.
    pub frame_bytes_max: usize,
    /// How long a started node may take to answer while CometBFT is parked, milliseconds.
    pub start_ms_max: u64,
    /// How long CometBFT may be parked before it is told, milliseconds.
    pub parked_ms_max: u64,
}

/// What the supervisor tells the front.
enum Command {
    /// A node was started, with the other end of this as its standard input.
    NodeStarted(UnixStream),
    /// Its process is gone.
    NodeEnded,
    /// CometBFT is about to be stopped.
    Ending,
}

/// A running front. It ends when dropped, and with it all connections.
#[derive(Debug)]
pub struct Front {
    address: Address,
    commands: Option<Sender<Command>>,
    wake: UnixStream,
    board: Board,
    thread: Option<JoinHandle<()>>,
}

impl Front {
    /// Listens, on a thread of its own.
    ///
    /// # Errors
    /// The system's.
    pub fn start(config: &FrontConfig, events: Sender<crate::run::Event>) -> io::Result<Self> {
        let listener = net::Listener::bind(&config.address)?;
        let address = listener.address()?;
        let (wake, woken) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        let (commands, received) = channel();
        let board = Board::default();
        let shell = Shell {
            listener,
            node_socket: config.node_socket.clone(),
            frame_bytes_max: config.frame_bytes_max,
            machine: Machine::new(config.start_ms_max, config.parked_ms_max),
            commands: received,
            woken,
            events,
            board: board.clone(),
            conns: Conns::default(),
        };
        let thread = std::thread::Builder::new().name("front".to_owned()).spawn(move || {
            if let Err(error) = shell.run() {
                tracing::error!(%error, "the ABCI front ended");
            }
        })?;
        Ok(Front { address, commands: Some(commands), wake, board, thread: Some(thread) })
    }

    /// Where CometBFT connects.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What it looks like.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Whether it still works.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// A node was started, with the other end of `control` as its standard input.
    pub fn node_started(&self, control: UnixStream) {
        self.command(Command::NodeStarted(control));
    }

    /// The node's process is gone.
    pub fn node_ended(&self) {
        self.command(Command::NodeEnded);
    }

    /// CometBFT is about to be stopped.
    pub fn ending(&self) {
        self.command(Command::Ending);
    }

    fn command(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // A front that is gone shows by `is_alive`.
            let _ = commands.send(command);
            let _ = (&self.wake).write(&[0]);
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.commands = None;
        let _ = (&self.wake).write(&[0]);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the ABCI front panicked");
        }
    }
}
