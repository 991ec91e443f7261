//! The report for commands on this machine: a socket in our own folder that its owner alone may connect to, with the pages of
//! [`super::http`]. The file goes when swingvisor ends; one that was left by a killed swingvisor is replaced.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{Mode, chmod},
};

use super::{Board, http};
use crate::files::{self, Files};

/// How long the running swingvisor may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer that is read.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// The socket. It ends when dropped.
#[derive(Debug)]
pub(super) struct Local {
    files: Arc<dyn Files>,
    path: PathBuf,
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Local {
    /// Serves the pages at `path`.
    ///
    /// # Errors
    /// The system's; a path that is too long for a socket.
    pub fn serve(files: &Arc<dyn Files>, path: &Path, board: Board) -> io::Result<Self> {
        files::make_synced_folder(files.as_ref(), files::folder_of(path))?;
        let made = files::beside(path);
        files.remove(&made)?;
        let listener = UnixListener::bind(&made)?;
        // A client that has gone away by the time that it is taken must not hold up the others.
        listener.set_nonblocking(true)?;
        chmod(&made, Mode::RUSR | Mode::WUSR)?;
        files.rename(&made, path)?;
        let (stop, stopped) = UnixStream::pair()?;
        let thread = std::thread::Builder::new().name("local".to_owned()).spawn(move || {
            while let Ok(true) = somebody_asks(&listener, &stopped) {
                // A client that goes away is its own loss.
                let _ = listener.accept().and_then(|(stream, _)| answer(&stream, &board));
            }
        })?;
        Ok(Local { files: Arc::clone(files), path: path.to_owned(), stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // It leads to nobody from now on, and is replaced when it cannot be removed.
        let _ = self.files.remove(&self.path);
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that answers commands panicked");
        }
    }
}

/// Waits for a client; false when swingvisor ends.
fn somebody_asks(listener: &UnixListener, stopped: &UnixStream) -> io::Result<bool> {
    let mut fds = [PollFd::new(stopped, PollFlags::IN), PollFd::new(listener, PollFlags::IN)];
    match poll(&mut fds, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let [stop, client] = fds.map(|fd| !fd.revents().is_empty());
    if !stop && !client {
        return somebody_asks(listener, stopped);
    }
    Ok(!stop)
}

fn answer(stream: &UnixStream, board: &Board) -> io::Result<()> {
    stream.set_read_timeout(Some(http::TIME_MAX))?;
    stream.set_write_timeout(Some(http::TIME_MAX))?;
    http::answer(stream, board)
}

/// What the swingvisor whose socket this is has on its status page.
///
/// # Errors
/// The system's: nobody listens there; no whole answer in time.
pub fn ask(path: &Path) -> io::Result<serde_json::Value> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /status HTTP/1.1\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).map_err(io::Error::other)
}
