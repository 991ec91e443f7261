//! What several tests need.

pub mod client;
pub mod counting;
pub mod genesis;
pub mod planned;
pub mod scripted;
pub mod solo;
pub mod starting;
