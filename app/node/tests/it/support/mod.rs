//! What several tests need.

pub mod api_node;
pub mod client;
pub mod counting;
pub mod genesis;
pub mod planned;
pub mod scripted;
pub mod shapes;
pub mod solo;
pub mod starting;
