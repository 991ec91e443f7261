//! A client that asks one node's REST over and over, each time over a new connection.
//!
//! # Invariants
//! - A connection that is refused, or ends without an answer, ends the asking with an error.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, Result, bail};

/// The longest that one answer is waited for.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
/// Between two questions.
const REST: Duration = Duration::from_millis(5);
/// Answered from committed state, whatever the engine does.
const PATH: &str = "/cosmos/upgrade/v1beta1/current_plan";

/// A client that asks.
#[derive(Debug)]
pub struct Asking {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Heard>>,
}

/// What it heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Answers of a node.
    pub answers: u64,
    /// Times that it was told of an upgrade in place of an answer.
    pub upgrading: u64,
}

impl Asking {
    /// Asks the node whose REST is on this port.
    pub fn start(port: u16) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut heard = Heard::default();
            while !told.load(Ordering::SeqCst) {
                ask(port, &mut heard).with_context(|| format!("after {heard:?}"))?;
                std::thread::park_timeout(REST);
            }
            Ok(heard)
        });
        Asking { stop, thread }
    }

    /// Ends it.
    ///
    /// # Errors
    /// What was lost meanwhile.
    pub fn finish(self) -> Result<Heard> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| anyhow::anyhow!("the asking thread panicked"))?.context("a client of REST")
    }
}

fn ask(port: u16, heard: &mut Heard) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).context("connecting")?;
    stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
    write!(stream, "GET {PATH} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").context("asking")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("reading")?;
    if answer.starts_with("HTTP/1.1 200 ") {
        heard.answers += 1;
    } else if answer.starts_with("HTTP/1.1 503 ") && answer.contains("upgrading") {
        heard.upgrading += 1;
    } else {
        bail!("neither an answer nor a word of an upgrade: {answer:?}");
    }
    Ok(())
}
