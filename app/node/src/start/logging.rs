//! The log, on standard output as the SDK's.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::LogFormat;

/// Sets up the process's log. A second call (several nodes in one process) changes nothing.
///
/// # Errors
/// A filter that cannot be read.
pub(super) fn init(format: LogFormat, filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("--log-level {filter:?}: {error}"))?;
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stdout().is_terminal()).with_target(false);
    let set = match format {
        LogFormat::Plain => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // The first one stands.
    drop(set);
    Ok(())
}
