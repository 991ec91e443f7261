//! A node whose state is not the chain's: another binary, or another answer about a skipped plan, made another block H of it. CometBFT
//! finds out at H+1, whose header has the app hash of H, and then neither goes on nor says what is wrong where an operator looks.
//! Its consensus log has what proves it: block H+1 as the others signed it.
//!
//! # Invariants
//! - Nothing that peers say is believed by itself: the header must be the one that was signed, and more than two thirds of the
//!   committed validators' power must have signed it, with signatures that hold.
//! - CometBFT's log is read here and never written.

mod evidence;
mod wal;
mod watch;

pub use evidence::{Divergence, DivergenceError, find};
pub use watch::DivergenceWatch;
