//! A server's sockets, bounded in number and in idleness.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep},
};

use super::request_line::RequestLine;
use crate::serving::{Newcomer, Newcomers};

/// How long a connection may be silent, before, in and between requests. Longer than any method waits.
const IDLE_TIME_MAX: Duration = Duration::from_secs(120);
/// The pause after the system refused a connection, of which it may have too many.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections while there are fewer than the most.
#[derive(Debug)]
pub struct BoundedListener {
    listener: TcpListener,
    permits: Arc<Semaphore>,
    newcomers: Newcomers,
    mends: bool,
}

impl BoundedListener {
    /// At most `connections_max` at once; others wait in the system's queue.
    pub fn new(listener: TcpListener, newcomers: Newcomers, connections_max: usize) -> Self {
        BoundedListener { listener, permits: Arc::new(Semaphore::new(connections_max)), newcomers, mends: false }
    }

    /// The same, with the first request line mended as [`RequestLine`] does.
    pub fn mending(listener: TcpListener, newcomers: Newcomers, connections_max: usize) -> Self {
        BoundedListener { mends: true, ..BoundedListener::new(listener, newcomers, connections_max) }
    }
}

impl axum::serve::Listener for BoundedListener {
    type Io = BoundedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
                return std::future::pending().await;
            };
            let accepted = tokio::select! {
                biased;
                () = self.newcomers.stopped() => return std::future::pending().await,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    let idle = Box::pin(sleep(IDLE_TIME_MAX));
                    let first = if self.mends { FirstLine::Reading(RequestLine::default()) } else { FirstLine::Done };
                    let newcomer = Some(self.newcomers.add());
                    return (BoundedStream { stream, idle, first, newcomer, _permit: permit }, address);
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection was not accepted");
                    sleep(REFUSED_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when it is silent for too long.
#[derive(Debug)]
pub struct BoundedStream {
    stream: TcpStream,
    idle: Pin<Box<Sleep>>,
    first: FirstLine,
    newcomer: Option<Newcomer>,
    _permit: OwnedSemaphorePermit,
}

/// Bytes taken from the socket in one read while the first line is not whole.
const CHUNK_BYTES: usize = 8 << 10;

/// The first request line on its way to the server.
#[derive(Debug)]
enum FirstLine {
    Reading(RequestLine),
    /// What is to be given before the socket's next bytes.
    Giving(Vec<u8>),
    Done,
}

impl BoundedStream {
    /// Reads the first line, or gives of it what fits.
    fn read_first(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            match &mut self.first {
                FirstLine::Done => return Poll::Ready(Ok(())),
                FirstLine::Giving(bytes) => {
                    let count = bytes.len().min(buffer.remaining());
                    buffer.put_slice(&bytes.drain(..count).collect::<Vec<_>>());
                    if bytes.is_empty() {
                        self.first = FirstLine::Done;
                    }
                    return Poll::Ready(Ok(()));
                }
                FirstLine::Reading(line) => {
                    let mut chunk = [0; CHUNK_BYTES];
                    let mut chunk = ReadBuf::new(&mut chunk);
                    match Pin::new(&mut self.stream).poll_read(context, &mut chunk) {
                        Poll::Ready(Ok(())) if chunk.filled().is_empty() => {
                            self.first = FirstLine::Giving(line.rest());
                        }
                        Poll::Ready(Ok(())) => {
                            if let Some(bytes) = line.take(chunk.filled()) {
                                self.first = FirstLine::Giving(bytes);
                            }
                        }
                        other => return other,
                    }
                }
            }
        }
    }

    fn bounded<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.idle.as_mut().reset(Instant::now() + IDLE_TIME_MAX);
            return polled;
        }
        match self.idle.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for BoundedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = match self.first {
            FirstLine::Done => Pin::new(&mut self.stream).poll_read(context, buffer),
            _ => self.read_first(context, buffer),
        };
        if polled.is_ready() {
            self.newcomer = None;
        }
        self.bounded(context, polled)
    }
}

impl AsyncWrite for BoundedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(context, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.bounded(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(context);
        self.bounded(context, polled)
    }
}
