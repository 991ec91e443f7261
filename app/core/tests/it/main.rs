//! The state machine driven as a chain, in one process: no database, no network, a fake engine where the engine is a port. And the
//! modules of staking, governance and upgrades one by one.

mod accounts;
mod authority;
mod chain;
mod chunks;
mod consensus;
mod devices;
mod engine;
mod export;
mod genesis;
mod gov;
mod governed;
mod pipeline;
mod proposals;
mod release;
mod signers;
mod staking;
mod support;
mod swap;
mod swingset;
mod upgrade;
mod vectors;
