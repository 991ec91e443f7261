//! The listening sockets of REST, gRPC and the solo engine's RPC: held here for as long as swingvisor runs, and inherited by each node.
//!
//! While no node takes connections they wait in the system's queue, and a new node finds them there. Whoever has waited for
//! [`crate::config::Config::client_wait_ms`] is answered here: REST with status 503 and gRPC with UNAVAILABLE, both with the word
//! `upgrading`.
//!
//! # Invariants
//! - No client is refused a connection between two nodes.
//! - The node is never competed with: a connection is taken only when nobody else has taken any for the whole wait.
//! - An address that cannot be had is left to the node, which says what is wrong with it.

mod answer;
mod pass;
mod settings;
mod watch;

use std::{io, net::TcpListener, process::Command, sync::Arc};

pub use settings::{Wanted, wanted};

use watch::Watch;

/// More connections than this do not wait; clients of those try again by themselves.
const QUEUE_MAX: i32 = 1024;

/// A held socket.
#[derive(Debug)]
pub(crate) struct Held {
    name: &'static str,
    listener: TcpListener,
}

/// The held sockets.
#[derive(Debug, Default)]
pub struct Sockets {
    held: Arc<Vec<Held>>,
    watch: Option<Watch>,
}

impl Sockets {
    /// Opens the wanted ones, and answers who waits for longer than `wait_ms`.
    ///
    /// # Errors
    /// The system makes no thread.
    pub fn open(wanted: &[Wanted], wait_ms: u64) -> io::Result<Self> {
        let open = |wanted: &Wanted| match listen(&wanted.address) {
            Ok(listener) => Some(Held { name: wanted.name, listener }),
            Err(error) => {
                let Wanted { name, address } = wanted;
                tracing::error!(name, address, %error, "this listening socket is not held while binaries are replaced");
                None
            }
        };
        let held: Arc<Vec<Held>> = Arc::new(wanted.iter().filter_map(open).collect());
        let watch = if held.is_empty() { None } else { Some(Watch::start(Arc::clone(&held), wait_ms)?) };
        Ok(Sockets { held, watch })
    }

    /// Has the process that `command` starts inherit them.
    ///
    /// # Errors
    /// The system's.
    pub fn pass(&self, command: &mut Command) -> io::Result<()> {
        pass::pass(&self.held, command)
    }

    /// Where they listen, by name.
    #[must_use]
    pub fn addresses(&self) -> Vec<(&'static str, std::net::SocketAddr)> {
        self.held.iter().filter_map(|held| Some((held.name, held.listener.local_addr().ok()?))).collect()
    }

    /// Connections that were answered here.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.watch.as_ref().map_or(0, Watch::answered)
    }
}

fn listen(address: &str) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    rustix::net::listen(&listener, QUEUE_MAX)?;
    // The node does the same to what is one socket with two holders.
    listener.set_nonblocking(true)?;
    Ok(listener)
}
