//! What several tests need.

pub mod client;
pub mod genesis;
pub mod planned;
pub mod scripted;
