//! The state machine driven as a chain, in one process: no database, no network, a fake engine where the engine is a port.

mod accounts;
mod chain;
mod engine;
mod export;
mod genesis;
mod pipeline;
mod proposals;
mod release;
mod signers;
mod swingset;
