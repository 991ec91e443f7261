//! The released bundles as a chain runs them: in the real host, over an in-memory state.
#![allow(missing_docs, reason = "tests")]

mod devices;
mod kernels;
mod lock;
mod stories;
mod tutorial;
mod upgrade;
mod vats;
mod world;
