//! Rehearsing an upgrade: on a copy of the live data, in a process of its own, with no port, no key and no signature, at the lowest
//! priority. The upgrade's block is made on the copy now, some empty blocks after it, and state is held against what must be true of
//! it; the report says how long that took, what it touched, and a digest that is the same on every machine that rehearsed the same
//! release on the same state.
//!
//! # Invariants
//! - Nothing of the home is written but `data/rehearsals`, and of that nothing is left.
//! - The block is a function of the state that it is made on: next height, that state's time, no transactions, a proposer and a
//!   block hash of zeros. So is the digest. Times and sizes are not in it.

pub mod invariants;
mod place;
mod report;
mod run;

pub use place::{Place, PlaceError};
pub use report::{BlockReport, Report};
pub use run::{RehearsalError, Target, run};
