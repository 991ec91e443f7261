//! What several tests need.

pub mod client;
pub mod scripted;
