//! The log, on standard output as the SDK's.

use std::{io::IsTerminal, path::Path};

use tracing::Metadata;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, FilterFn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::{LogFormat, slogfile::SlogFile};
use crate::engine_adapter::slog;

/// Sets up the process's log, and the trace of cranks where there is a file for it. A second call (several nodes in one process)
/// changes nothing.
///
/// # Errors
/// A filter that cannot be read, or a file that cannot be opened.
pub(super) fn init(format: LogFormat, filter: &str, slogfile: Option<&Path>) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("--log-level {filter:?}: {error}"))?;
    let (trace, opened) = match slogfile.map(SlogFile::open).transpose() {
        Ok(file) => (file, Ok(())),
        // The log comes first: whoever hears of the error says it there.
        Err(error) => (None, Err(error)),
    };
    let log = log(format).with_filter(filter.and(FilterFn::new(|metadata| !is_trace(metadata))));
    let trace = trace.map(|file| file.with_filter(FilterFn::new(is_trace)));
    // In a second call the first one stands.
    drop(tracing_subscriber::registry().with(log).with(trace).try_init());
    opened
}

fn is_trace(metadata: &Metadata<'_>) -> bool {
    metadata.target() == slog::TARGET
}

fn log(format: LogFormat) -> Box<dyn Layer<Registry> + Send + Sync> {
    let layer = tracing_subscriber::fmt::layer().with_ansi(std::io::stdout().is_terminal()).with_target(false);
    match format {
        LogFormat::Plain => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}
