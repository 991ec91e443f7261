//! What a command beside a running node may ask it for: a checkpoint for a rehearsal, which only the process that holds the database
//! can make. A socket in the home, for its owner alone; a line of JSON for the request, and one for each answer, the last of which
//! ends it.
//!
//! # Invariants
//! - Nothing that is asked for here changes state, stops the node or names a path of the asker's.
//! - A node whose socket cannot be made runs without it.

mod client;
mod server;

pub use client::{ControlError, ask_for_copy};
pub use server::{CopyMaker, serve};

use serde::{Deserialize, Serialize};

/// Longest line of a request or an answer, bytes.
const LINE_BYTES_MAX: u64 = 16 << 10;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Request {
    /// A checkpoint of committed state in the folder of rehearsals.
    Copy {
        /// Of the state committed at this height, as soon as it is; at once where there is none.
        at_height: Option<u64>,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// The request is taken; it waits for its height.
    Waiting {
        /// The committed height of this moment.
        committed: u64,
    },
    /// The ID of the checkpoint that was made.
    Made {
        /// Its ID.
        id: String,
    },
    /// Why there is none.
    Refused {
        /// The reason.
        reason: String,
    },
}
