//! Numbers the operations of a supervisor that runs as a thread: what kills it is that nothing works any more, and that it is told to
//! end.

use std::{
    io,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use swing_files::faults::{Fault, Observer};
use swingvisor::command::Told;

/// Counts what changes something; reading is no operation here.
#[derive(Debug)]
pub struct Numbered {
    fault: Option<(usize, Fault)>,
    told: Told,
    dead: AtomicBool,
    operations: Mutex<Vec<String>>,
}

impl Numbered {
    /// With a fault at operation number `.0`. A kill tells `told`, since the thread that is "killed" must end.
    pub fn new(fault: Option<(usize, Fault)>, told: Told) -> Self {
        Numbered { fault, told, dead: AtomicBool::new(false), operations: Mutex::default() }
    }

    /// What was done, in order.
    pub fn operations(&self) -> Vec<String> {
        self.operations.lock().expect("no panic holds it").clone()
    }

    /// Operation number `at`.
    pub fn operation(&self, at: usize) -> String {
        self.operations().get(at).cloned().unwrap_or_default()
    }

    /// Whether the fault was reached.
    pub fn struck(&self) -> bool {
        self.fault.is_none_or(|(at, _)| self.operations().len() > at)
    }
}

impl Observer for Numbered {
    fn step(&self, operation: &str, path: &Path) -> io::Result<Option<Fault>> {
        if operation == "read" {
            return Ok(None);
        }
        if self.dead.load(Ordering::SeqCst) {
            return Err(self.die());
        }
        let mut operations = self.operations.lock().expect("no panic holds it");
        let number = operations.len();
        operations.push(format!("{operation} {}", path.display()));
        Ok(self.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault))
    }

    fn die(&self) -> io::Error {
        self.dead.store(true, Ordering::SeqCst);
        self.told.tell();
        io::Error::other("this process is dead")
    }
}
