//! What cannot be signed as amino JSON.

use crate::path::Path;
use crate::text::TextError;

/// Why there are no amino sign bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AminoError {
    /// A message type is not known.
    #[error("{path}: unknown type URL {type_url:?}")]
    UnknownTypeUrl {
        /// Where the message is.
        path: String,
        /// The type URL.
        type_url: String,
    },
    /// A message type has no amino name, so it cannot be signed in this mode.
    #[error("{path}: {type_url} has no amino name")]
    NoAminoName {
        /// Where the message is.
        path: String,
        /// The type URL.
        type_url: String,
    },
    /// Bytes do not decode as their message type.
    #[error("{path}: {source}")]
    Wire {
        /// Where the message is.
        path: String,
        /// What the decoder says.
        source: prost::DecodeError,
    },
    /// A message that sign bytes always show is absent.
    #[error("{path}: absent, but sign bytes show it always")]
    Absent {
        /// Where the message should be.
        path: String,
    },
    /// The wire has a value that sign bytes cannot show.
    #[error("{path}: the wire has a value without a text: expected {expected}")]
    NoText {
        /// Where the value is.
        path: String,
        /// What the field should hold.
        expected: &'static str,
    },
    /// Messages are nested too deeply.
    #[error("{path}: nested deeper than {depth_max} levels")]
    TooDeep {
        /// Where the bound is crossed.
        path: String,
        /// The bound.
        depth_max: usize,
    },
    /// The transaction has extension options.
    #[error("amino sign bytes do not cover extension options")]
    ExtensionOptions,
}

impl AminoError {
    pub(crate) fn no_text(path: &Path<'_>, TextError(expected): TextError) -> Self {
        Self::NoText { path: path.to_string(), expected }
    }
}
