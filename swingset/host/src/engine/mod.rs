//! The WebAssembly engine: one deterministic configuration, its identity, what its traps mean, and compiled modules.

mod cache;
mod config;
pub mod identity;
mod modules;
mod runtime;
mod traps;

pub use cache::{CacheError, CodeCache};
pub use config::{ASYNC_STACK_BYTES, CodeGenerator, MAX_WASM_STACK_BYTES, WASMTIME_VERSION};
pub use runtime::{EngineRuntime, PreparedModule};
pub(crate) use traps::{Fault, GuestFault, HaltFault, OutOfFuel};
pub use traps::{TrapMeaning, trap_meaning};
