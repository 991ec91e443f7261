//! Real validators on one machine, and the scenarios that are run on them.
//!
//! Everything goes through the binaries' command lines and CometBFT's RPC, as an operator would do it; nothing of the node is
//! linked. The end-to-end tests use this library too.
//!
//! # Invariants
//! - Every process started here is ended here, by its id (`process::Process` ends it when dropped).
//! - All traffic is on loopback.
//! - Nothing sleeps for a fixed time: `wait::until` polls a condition with a deadline and says what it waited for.

pub mod asking;
pub mod binaries;
pub mod genesis;
pub mod load;
pub mod network;
pub mod process;
pub mod report;
pub mod rpc;
pub mod scenario;
pub mod swingd;
pub mod validator;
pub mod wait;
pub mod watch;
