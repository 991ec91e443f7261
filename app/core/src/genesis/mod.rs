//! Genesis: its failures, the assembly of all modules' sections, and export. ABCI: InitChain.

mod error;
mod export;
mod gentx;
mod init;

pub use error::GenesisError;
pub use export::{Exported, ExportedValidator, export};
pub use init::{InitChain, InitOutput, default_app_state, init_chain};
