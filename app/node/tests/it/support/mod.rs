//! What several tests need.

pub mod client;
pub mod genesis;
pub mod planned;
pub mod counting;
pub mod scripted;
pub mod solo;
