//! Addresses, listeners and streams of the ABCI socket: `unix://` and `tcp://`.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::{
        fs::FileTypeExt,
        net::{UnixListener, UnixStream},
    },
    path::PathBuf,
    str::FromStr,
};

use super::error::BindError;

/// Where the engine finds the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// Host and port.
    Tcp(String),
}

impl FromStr for Address {
    type Err = BindError;

    fn from_str(text: &str) -> Result<Self, BindError> {
        match text.split_once("://") {
            Some(("unix", path)) if !path.is_empty() => Ok(Address::Unix(PathBuf::from(path))),
            Some(("tcp", host)) if host.contains(':') => Ok(Address::Tcp(host.to_owned())),
            _ => Err(BindError::Address(text.to_owned())),
        }
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

/// A listening socket. A unix socket's file goes away with it.
#[derive(Debug)]
pub enum Listener {
    /// A unix socket and its path.
    Unix(UnixListener, PathBuf),
    /// A TCP socket.
    Tcp(TcpListener),
}

impl Listener {
    /// Opens the socket. A file left by a process that is gone is replaced; one that still answers is an error.
    ///
    /// # Errors
    /// [`BindError`].
    pub fn bind(address: &Address) -> Result<Self, BindError> {
        let failed = |source: std::io::Error| match source.kind() {
            ErrorKind::AddrInUse => BindError::InUse(address.to_string()),
            _ => BindError::Io { address: address.to_string(), source },
        };
        match address {
            Address::Tcp(host) => TcpListener::bind(host.as_str()).map(Listener::Tcp).map_err(failed),
            Address::Unix(path) => {
                match std::fs::symlink_metadata(path) {
                    Ok(found) if !found.file_type().is_socket() => {
                        return Err(BindError::NotASocket(address.to_string()));
                    }
                    Ok(_) if UnixStream::connect(path).is_ok() => return Err(BindError::InUse(address.to_string())),
                    Ok(_) => std::fs::remove_file(path).map_err(failed)?,
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(failed(error)),
                }
                UnixListener::bind(path).map(|listener| Listener::Unix(listener, path.clone())).map_err(failed)
            }
        }
    }

    /// Where it listens; a TCP port of 0 shows as the one that was chosen.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> std::io::Result<Address> {
        match self {
            Listener::Unix(_, path) => Ok(Address::Unix(path.clone())),
            Listener::Tcp(listener) => listener.local_addr().map(|address| Address::Tcp(address.to_string())),
        }
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// The system's.
    pub fn accept(&self) -> std::io::Result<Stream> {
        match self {
            Listener::Unix(listener, _) => listener.accept().map(|(stream, _)| Stream::Unix(stream)),
            Listener::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
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

/// A connection.
#[derive(Debug)]
pub enum Stream {
    /// Over a unix socket.
    Unix(UnixStream),
    /// Over TCP.
    Tcp(TcpStream),
}

impl Stream {
    /// Connects to a server.
    ///
    /// # Errors
    /// The system's.
    pub fn connect(address: &Address) -> std::io::Result<Self> {
        match address {
            Address::Unix(path) => UnixStream::connect(path).map(Stream::Unix),
            Address::Tcp(host) => {
                let stream = TcpStream::connect(host.as_str())?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
        }
    }

    /// A second handle of the same connection.
    ///
    /// # Errors
    /// The system's.
    pub fn try_clone(&self) -> std::io::Result<Self> {
        match self {
            Stream::Unix(stream) => stream.try_clone().map(Stream::Unix),
            Stream::Tcp(stream) => stream.try_clone().map(Stream::Tcp),
        }
    }

    /// Reads nothing more; what is to be written still is.
    pub fn close_reading(&self) {
        let _ = match self {
            Stream::Unix(stream) => stream.shutdown(Shutdown::Read),
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Read),
        };
    }

    /// Ends the connection in both directions; a reader blocked on it wakes up. Ended already is no error.
    pub fn close(&self) {
        let _ = match self {
            Stream::Unix(stream) => stream.shutdown(Shutdown::Both),
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl Read for Stream {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.read(out),
            Stream::Tcp(stream) => stream.read(out),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        (&*self).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        (&*self).flush()
    }
}

impl Write for &Stream {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Stream::Unix(stream) => (&mut &*stream).write(bytes),
            Stream::Tcp(stream) => (&mut &*stream).write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Stream::Unix(stream) => (&mut &*stream).flush(),
            Stream::Tcp(stream) => (&mut &*stream).flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Listener};

    #[test]
    fn addresses_are_a_unix_path_or_a_host_with_a_port() {
        for good in ["unix:///tmp/a.sock", "tcp://127.0.0.1:26658", "tcp://localhost:0"] {
            assert_eq!(good.parse::<Address>().expect("a good address").to_string(), good);
        }
        for bad in ["", "unix://", "tcp://localhost", "/tmp/a.sock", "http://localhost:1"] {
            let error = bad.parse::<Address>().expect_err("a bad address").to_string();
            assert!(error.contains("expected unix:///path/to/socket or tcp://host:port"), "{error}");
        }
    }

    #[test]
    fn a_socket_file_is_replaced_only_when_nobody_listens_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("abci.sock");
        let address = Address::Unix(path.clone());
        let first = Listener::bind(&address).expect("a free path");
        let error = Listener::bind(&address).expect_err("in use").to_string();
        assert!(error.contains("in use by another process"), "{error}");
        drop(first);
        assert!(!path.exists(), "the file goes with the listener");

        drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket whose owner dies"));
        assert!(path.exists());
        Listener::bind(&address).expect("a stale file is replaced");

        std::fs::write(&path, "precious").expect("a file");
        let error = Listener::bind(&address).expect_err("not a socket").to_string();
        assert!(error.contains("is not a socket"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("still there"), "precious");
    }
}
