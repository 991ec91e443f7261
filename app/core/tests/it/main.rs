//! What the modules promise to clients, operators and each other.

mod consensus;
mod staking;
mod support;
mod upgrade;
