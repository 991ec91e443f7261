//! What this home's key has signed, and the mark that remembers it outside the data folder.
//!
//! CometBFT keeps its last signature in `data/priv_validator_state.json` and signs nothing below it. Who puts back a data folder of
//! yesterday puts that file back too, and signs the same heights a second time. So the node keeps a high-water mark beside the key, and
//! starts no engine whose signing state is below it.
//!
//! # Invariants
//! - A mark only ever rises, whatever the signing state says and whatever flag is given.
//! - CometBFT's signing state is read here and never written.
//! - A mark is a key's: another key in the same home begins with none, and takes nothing of the first one's away.

mod high_water;
mod signed;
mod watch;

pub use high_water::{HighWater, check};
pub use signed::{Signed, SigningError, has_remote_signer};
pub use watch::SigningWatch;

/// The flag that has an engine start below the mark.
pub const UNSAFE_FLAG: &str = "--unsafe-may-double-sign";
