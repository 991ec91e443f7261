//! The node's operations on files in a process under test: each is announced on standard output as `operation N NAME PATH`, and one of
//! them fails, or is where the process ends by SIGKILL. So are the node's named points, which stand for what is RocksDB's own.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use rustix::process::{Signal, getpid, kill_process};
use swing_files::{
    Files,
    faults::{Fault, Faulty, Observer},
};
use swing_node::killpoints::{Killpoint, Killpoints};

use crate::points::say;

/// The argument that names the folder of the home and of what is kept for a power cut.
pub const FAULTS: &str = "--faults";

/// The argument that names the fault.
pub const FAULT: &str = "--fault";

/// What an announcement begins with.
const ANNOUNCED: &str = "operation ";

/// One operation of a run: which of those of its name on its path, counted from 0. Threads may come to their operations in another
/// order from run to run, and each path is one thread's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// How often it was done before.
    pub nth: usize,
    /// Its name and its path in the folder.
    pub operation: String,
}

impl Point {
    /// Its name alone.
    pub fn name(&self) -> &str {
        self.operation.split(' ').next().unwrap_or_default()
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.nth, self.operation)
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(' ').and_then(|(nth, operation)| Some((nth.parse().ok()?, operation)));
        let (nth, operation) = parts.ok_or_else(|| format!("{text:?} is not N OPERATION"))?;
        Ok(Point { nth, operation: operation.to_owned() })
    }
}

/// The points that a process announced, from what it printed.
pub fn announced_in(output: &str) -> Vec<Point> {
    output.lines().filter_map(|line| line.strip_prefix(ANNOUNCED)?.parse().ok()).collect()
}

/// The value of [`FAULT`].
pub fn fault_argument(fault: Fault, point: &Point) -> String {
    format!("{fault:?}@{point}")
}

/// The port, and the node's named points with it.
#[derive(Debug)]
pub struct Faults {
    port: Arc<Faulty<Announcer>>,
}

impl Faults {
    /// For a home in `folder`, with the fault that the argument names.
    ///
    /// # Errors
    /// What is wrong with the argument.
    pub fn new(folder: &Path, fault: Option<&str>) -> Result<Self, String> {
        let fault = fault.map(parse).transpose()?;
        let announcer = Announcer { folder: folder.to_owned(), fault, done: Mutex::default() };
        // One process after the other comes to this folder.
        let stash = folder.join(format!("stash-{}", std::process::id()));
        Ok(Faults { port: Arc::new(Faulty::new(announcer, &stash)) })
    }

    /// The port.
    pub fn port(&self) -> Arc<dyn Files> {
        Arc::clone(&self.port) as _
    }
}

impl Killpoints for Faults {
    fn reach(&self, point: Killpoint, height: u64) {
        self.port.pass(&format!("{}@{height}", point.name()));
    }
}

fn parse(text: &str) -> Result<(Fault, Point), String> {
    let (fault, point) = text.split_once('@').ok_or_else(|| format!("{text:?} is not FAULT@N OPERATION"))?;
    let fault = Fault::of_name(fault).ok_or_else(|| format!("there is no fault {fault:?}"))?;
    Ok((fault, point.parse()?))
}

/// Says each operation, and ends the process.
#[derive(Debug)]
struct Announcer {
    folder: PathBuf,
    fault: Option<(Fault, Point)>,
    done: Mutex<BTreeMap<String, usize>>,
}

impl Observer for Announcer {
    fn step(&self, operation: &str, path: &Path) -> io::Result<Option<Fault>> {
        let place = path.strip_prefix(&self.folder).unwrap_or(path);
        let operation = format!("{operation} {}", place.display());
        let nth = {
            let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            let nth = done.entry(operation.clone()).or_default();
            *nth += 1;
            *nth - 1
        };
        // What is looked at again and again is looked at as often as there is time.
        if nth > 0 && operation.starts_with("read ") {
            return Ok(None);
        }
        let point = Point { nth, operation };
        say(&format!("{ANNOUNCED}{point}"));
        Ok(self.fault.as_ref().filter(|(_, at)| *at == point).map(|(fault, _)| *fault))
    }

    fn die(&self) -> io::Error {
        // A real end: no destructor runs, no buffer is flushed, and every lock is the system's to let go.
        kill_process(getpid(), Signal::KILL).expect("a process may kill itself");
        loop {
            std::thread::park();
        }
    }
}
