//! The kernel: its instance, its imports, and its view of the kvStore.
//!
//! # Invariants
//! - The instance keeps nothing that is not in the kvStore: it is made anew at each block's start and may be dropped between any
//!   two calls (held by `tests::it::replay`).
//! - Its own work is in no meter, budget or hash; it has one cap a call.

mod gaps;
mod imports;
mod instance;
mod kv;
mod net_hash;
mod price;
mod rows;
mod shim;
mod table;
mod walk;

pub(crate) use imports::link_kernel;
pub(crate) use instance::{Answer, Desk, KernelData, KernelFault, KernelInstance, KernelServices, Request};
pub(crate) use kv::KvStore;
pub(crate) use shim::KernelShim;
