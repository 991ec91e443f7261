//! Where the trace of cranks goes: a file of JSON lines.
//!
//! # Invariants
//! - A trace that cannot be written stops nothing: it is said once on standard error, and the node goes on.

#![allow(clippy::disallowed_types, reason = "a trace says when things were; nothing is decided by it")]

use std::{
    fmt,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// The layer that writes events of the trace's target; whoever adds it filters by that.
pub(super) struct SlogFile {
    path: PathBuf,
    /// None once writing has failed.
    file: Mutex<Option<File>>,
    begun: Instant,
}

impl SlogFile {
    /// Opens the file; what is in it stays.
    ///
    /// # Errors
    /// It cannot be opened.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(|error| format!("slogfile {}: {error}", path.display()))?;
        Ok(SlogFile { path: path.to_path_buf(), file: Mutex::new(Some(file)), begun: Instant::now() })
    }
}

/// Seconds with six decimals.
fn seconds(since: Duration) -> String {
    format!("{}.{:06}", since.as_secs(), since.subsec_micros())
}

impl<S: Subscriber> Layer<S> for SlogFile {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let body = Value::Object(fields.0).to_string();
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Agoric's slog has both clocks in front of everything.
        let line = format!(
            "{{\"time\":{},\"monotime\":{},{}\n",
            seconds(time),
            seconds(self.begun.elapsed()),
            body.strip_prefix('{').unwrap_or("}")
        );
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(error)) = file.as_mut().map(|file| file.write_all(line.as_bytes())) {
            *file = None;
            // No event: this is called from within one.
            let _ = writeln!(std::io::stderr(), "slogfile {}: {error}: the trace ends here", self.path.display());
        }
    }
}

/// An event's fields as JSON.
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    /// What is displayed is JSON already.
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        self.put(field, value);
    }
}
