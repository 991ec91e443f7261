//! Genesis: its failures, and the assembly of all modules' sections.

mod error;

pub use error::GenesisError;
