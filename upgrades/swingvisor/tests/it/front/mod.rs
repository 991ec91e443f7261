//! The ABCI front: what it knows of messages, its decisions as tables, and the process between a CometBFT and toy nodes.

mod frames;
pub mod losses;
mod machine;
pub mod messages;
mod standby;
mod swaps;
