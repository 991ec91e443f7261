//! REST of the toy node, on a socket that it inherits: every request is answered with the release's name.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::fd::{FromRawFd as _, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// A serving thread. It answers whom it took, and ends, when dropped.
pub struct Serving {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Serves on the first inherited socket, if there is one.
pub fn serve(release: String) -> Option<Serving> {
    let count = std::env::var_os("LISTEN_FDS")?;
    assert_eq!((count.to_str(), std::env::var_os("LISTEN_PID")), (Some("1"), None));
    let listener = inherited();
    listener.set_nonblocking(true).expect("a socket");
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        while !told.load(Ordering::SeqCst) {
            match listener.accept() {
                Ok((stream, _)) => answer(stream, &release),
                Err(_) => std::thread::park_timeout(Duration::from_millis(1)),
            }
        }
    });
    Some(Serving { stop, thread: Some(thread) })
}

#[allow(unsafe_code)]
fn inherited() -> TcpListener {
    // SAFETY: the environment says that number 3 is ours, and nothing else here uses it.
    TcpListener::from(unsafe { OwnedFd::from_raw_fd(3) })
}

fn answer(mut stream: TcpStream, release: &str) {
    stream.set_nonblocking(false).expect("a socket");
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend(&buffer[..read]),
        }
    }
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length";
    // A client that is gone is its own loss.
    let _ = write!(stream, "{head}: {}\r\n\r\n{release}", release.len());
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(self.thread.take().map(JoinHandle::join));
    }
}
