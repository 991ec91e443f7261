//! Sockets that never wait: the front's listener, connections, and what is on its way over one.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{
            fs::FileTypeExt as _,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
};

use super::frame::{Frame, Splitter};

/// Longest path of a unix socket that every system takes, bytes.
const SOCKET_PATH_BYTES_MAX: usize = 100;
/// Read at once.
const READ_BYTES: usize = 64 << 10;
/// Reads of one connection before the others have their turn.
const READS_MAX: usize = 32;

/// Where CometBFT finds its application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// Host and port.
    Tcp(String),
}

impl Address {
    /// From CometBFT's notation.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once("://") {
            Some(("unix", path)) => Address::unix(Path::new(path)),
            Some(("tcp", host)) if host.contains(':') => Ok(Address::Tcp(host.to_owned())),
            _ => Err(format!("`{text}` is no address such as unix:///path/to/socket or tcp://127.0.0.1:26658")),
        }
    }

    /// A unix socket at this path.
    ///
    /// # Errors
    /// A path that is not absolute, or longer than systems take.
    pub fn unix(path: &Path) -> Result<Self, String> {
        let bytes = path.as_os_str().len();
        if !path.is_absolute() || bytes > SOCKET_PATH_BYTES_MAX {
            return Err(format!(
                "{} cannot be a socket: {bytes} bytes, expected an absolute path of at most {SOCKET_PATH_BYTES_MAX}",
                path.display()
            ));
        }
        Ok(Address::Unix(path.to_owned()))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::Unix(path) => write!(f, "unix://{}", path.display()),
            Address::Tcp(host) => write!(f, "tcp://{host}"),
        }
    }
}

/// A listening socket.
#[derive(Debug)]
pub enum Listener {
    /// A unix socket; the file goes with it.
    Unix(UnixListener, PathBuf),
    /// A TCP socket.
    Tcp(TcpListener),
}

impl Listener {
    /// Opens the socket. A socket file that nobody listens at is replaced.
    ///
    /// # Errors
    /// The system's; one that is in use, or a path that is another file.
    pub fn bind(address: &Address) -> io::Result<Self> {
        let listener = match address {
            Address::Tcp(host) => Listener::Tcp(TcpListener::bind(host.as_str())?),
            Address::Unix(path) => {
                match std::fs::symlink_metadata(path) {
                    Ok(found) if !found.file_type().is_socket() => return Err(ErrorKind::AlreadyExists.into()),
                    Ok(_) if UnixStream::connect(path).is_ok() => return Err(ErrorKind::AddrInUse.into()),
                    Ok(_) => std::fs::remove_file(path)?,
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
                Listener::Unix(UnixListener::bind(path)?, path.clone())
            }
        };
        match &listener {
            Listener::Unix(socket, _) => socket.set_nonblocking(true)?,
            Listener::Tcp(socket) => socket.set_nonblocking(true)?,
        }
        Ok(listener)
    }

    /// Where it listens; a port of 0 shows as the one that was chosen.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<Address> {
        match self {
            Listener::Unix(_, path) => Ok(Address::Unix(path.clone())),
            Listener::Tcp(socket) => socket.local_addr().map(|address| Address::Tcp(address.to_string())),
        }
    }

    /// A connection that waits, if one does.
    ///
    /// # Errors
    /// The system's.
    pub fn accept(&self) -> io::Result<Option<Stream>> {
        let accepted = match self {
            Listener::Unix(socket, _) => socket.accept().map(|(stream, _)| Stream::Unix(stream)),
            Listener::Tcp(socket) => socket.accept().map(|(stream, _)| Stream::Tcp(stream)),
        };
        match accepted {
            Ok(stream) => stream.prepared().map(Some),
            Err(error) if is_passing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Listener::Unix(socket, _) => socket.as_fd(),
            Listener::Tcp(socket) => socket.as_fd(),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Listener::Unix(_, path) = self {
            // Gone already is as good.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}

/// A connection.
#[derive(Debug)]
pub enum Stream {
    /// Over a unix socket.
    Unix(UnixStream),
    /// Over TCP.
    Tcp(TcpStream),
}

impl Stream {
    fn prepared(self) -> io::Result<Self> {
        match &self {
            Stream::Unix(stream) => stream.set_nonblocking(true)?,
            Stream::Tcp(stream) => {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
            }
        }
        Ok(self)
    }

    /// Connects to a unix socket.
    ///
    /// # Errors
    /// The system's.
    pub fn connect(path: &Path) -> io::Result<Self> {
        Stream::Unix(UnixStream::connect(path)?).prepared()
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Unix(stream) => stream.as_fd(),
            Stream::Tcp(stream) => stream.as_fd(),
        }
    }
}

/// One end of a connection: frames that arrive, and bytes that are on their way.
#[derive(Debug)]
pub struct End {
    stream: Stream,
    frames: Splitter,
    outgoing: VecDeque<u8>,
}

/// Why an end is of no more use.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    /// It was closed.
    #[error("closed")]
    Closed,
    /// It spoke nonsense.
    #[error(transparent)]
    Frame(#[from] super::frame::FrameError),
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl End {
    /// An end whose frames have at most so many bytes.
    #[must_use]
    pub fn new(stream: Stream, frame_bytes_max: usize) -> Self {
        End { stream, frames: Splitter::new(frame_bytes_max), outgoing: VecDeque::new() }
    }

    /// Bytes that are on their way.
    #[must_use]
    pub fn outgoing(&self) -> usize {
        self.outgoing.len()
    }

    /// Sends a frame, as far as the other side takes it; the rest goes later.
    ///
    /// # Errors
    /// The system's.
    pub fn send(&mut self, frame: &Frame) -> Result<(), EndError> {
        self.outgoing.extend(frame.bytes());
        self.write()
    }

    /// Sends on.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&mut self) -> Result<(), EndError> {
        while !self.outgoing.is_empty() {
            let written = match &mut self.stream {
                Stream::Unix(stream) => stream.write(self.outgoing.as_slices().0),
                Stream::Tcp(stream) => stream.write(self.outgoing.as_slices().0),
            };
            match written {
                Ok(0) => return Err(EndError::Closed),
                Ok(written) => drop(self.outgoing.drain(..written)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        // A large block must not keep its memory.
        self.outgoing.shrink_to(READ_BYTES);
        Ok(())
    }

    /// Puts the whole frames that have arrived into `into`.
    ///
    /// # Errors
    /// [`EndError`], after the frames that came before it.
    pub fn read(&mut self, into: &mut Vec<Frame>) -> Result<(), EndError> {
        let mut buffer = [0_u8; READ_BYTES];
        for _ in 0..READS_MAX {
            let read = match &mut self.stream {
                Stream::Unix(stream) => stream.read(&mut buffer),
                Stream::Tcp(stream) => stream.read(&mut buffer),
            };
            match read {
                Ok(0) => return Err(EndError::Closed),
                Ok(read) => self.frames.push(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            while let Some(frame) = self.frames.next_frame()? {
                into.push(frame);
            }
        }
        Ok(())
    }
}

impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
