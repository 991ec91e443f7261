//! The node's side.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{Answer, LINE_BYTES_MAX, Request};

/// Askers at one time; a further one is refused.
const ASKERS_MAX: usize = 4;

/// How long a connection may take to say what it wants.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);

/// Makes a checkpoint for a rehearsal.
pub trait CopyMaker: Send + Sync {
    /// Makes it, of this height's state or at once, and gives its ID. `waiting` is told the committed height once the request is
    /// there and waits for its own.
    ///
    /// # Errors
    /// Why not, in words.
    fn make_copy(&self, at_height: Option<u64>, waiting: &mut dyn FnMut(u64)) -> Result<String, String>;
}

/// Listens for as long as the process lives. Returns at once.
///
/// # Errors
/// The system's.
pub fn serve(socket: &Path, maker: Arc<dyn CopyMaker>) -> io::Result<()> {
    // Left by a process that is gone: this one holds the database.
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
    std::thread::Builder::new().name("control".to_owned()).spawn(move || accept(&listener, &maker))?;
    Ok(())
}

fn accept(listener: &UnixListener, maker: &Arc<dyn CopyMaker>) {
    let askers = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let Ok(stream) = stream else { continue };
        let asker = Asker::new(&askers);
        let maker = Arc::clone(maker);
        let work = move || {
            if let Err(error) = answer(&stream, &asker, maker.as_ref()) {
                tracing::debug!(%error, "an asker on the control socket");
            }
        };
        if let Err(error) = std::thread::Builder::new().name("control-asker".to_owned()).spawn(work) {
            tracing::warn!(%error, "no thread for an asker on the control socket");
        }
    }
}

/// One of those that ask, counted for as long as it lives.
struct Asker {
    askers: Arc<AtomicUsize>,
    number: usize,
}

impl Asker {
    fn new(askers: &Arc<AtomicUsize>) -> Self {
        Asker { askers: Arc::clone(askers), number: askers.fetch_add(1, Ordering::SeqCst) }
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        self.askers.fetch_sub(1, Ordering::SeqCst);
    }
}

fn answer(stream: &UnixStream, asker: &Asker, maker: &dyn CopyMaker) -> io::Result<()> {
    stream.set_read_timeout(Some(REQUEST_TIME_MAX))?;
    let mut line = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut line)?;
    let made = match serde_json::from_str(&line) {
        _ if asker.number >= ASKERS_MAX => Err(format!("{ASKERS_MAX} others are asking: try again later")),
        Ok(Request::Copy { at_height }) => maker.make_copy(at_height, &mut |committed| {
            // Who asked hears of it, or has gone, which the answer finds out.
            let _ = send(stream, &Answer::Waiting { committed });
        }),
        Err(error) => Err(format!("not a request: {error}")),
    };
    send(stream, &made.map_or_else(|reason| Answer::Refused { reason }, |id| Answer::Made { id }))
}

fn send(mut stream: &UnixStream, answer: &Answer) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(answer)?;
    bytes.push(b'\n');
    stream.write_all(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Home,
        control::{ControlError, ask_for_copy},
    };

    struct Maker;

    impl CopyMaker for Maker {
        fn make_copy(&self, at_height: Option<u64>, waiting: &mut dyn FnMut(u64)) -> Result<String, String> {
            if at_height.is_some() {
                waiting(5);
            }
            at_height.map_or_else(|| Ok("7-1".to_owned()), |height| Err(format!("{height} is past")))
        }
    }

    #[test]
    fn a_copy_is_asked_for_by_the_homes_owner_alone_and_nonsense_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::new(folder.path());
        let mut heard = Vec::new();
        let mut ask = |at_height| ask_for_copy(&home, at_height, &mut |height| heard.push(height));
        assert!(matches!(ask(None), Err(ControlError::NoNode { .. })));
        let socket = home.control_socket();
        fs::write(&socket, "left by a process that was killed").expect("written");
        serve(&socket, Arc::new(Maker)).expect("it listens");
        assert_eq!(fs::metadata(&socket).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(ask(None).expect("made"), "7-1");
        let refused = ask(Some(3)).expect_err("refused").to_string();
        assert!(refused.contains("3 is past"), "{refused}");
        assert_eq!(heard, [5]);
        let mut stream = UnixStream::connect(&socket).expect("it listens");
        stream.write_all(b"{\"stop\":{}}\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.contains("not a request"), "{answer}");
    }
}
