//! Answers on standard output.

use std::io::Write;

use serde_json::Value;

use super::{Failure, yaml};

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// YAML, as the SDK's commands print by default.
    Text,
    /// JSON on one line.
    Json,
}

impl Format {
    /// From `client.toml`'s setting.
    ///
    /// # Errors
    /// Another word.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        match text {
            "text" => Ok(Format::Text),
            "json" => Ok(Format::Json),
            other => Err(Failure::new(format!("output {other:?} is not allowed: expected text or json"))),
        }
    }
}

/// Prints one line, or several.
///
/// # Errors
/// Standard output is closed.
pub fn line(text: &str) -> Result<(), Failure> {
    bytes(format!("{text}\n").as_bytes())
}

/// Writes bytes as they are.
///
/// # Errors
/// Standard output is closed.
pub fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        // A reader that has seen enough (`| head`) is content.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Prints a value.
///
/// # Errors
/// Standard output is closed.
pub fn value(format: Format, value: &Value) -> Result<(), Failure> {
    match format {
        Format::Json => line(&value.to_string()),
        Format::Text => line(yaml::to_yaml(value).trim_end()),
    }
}
