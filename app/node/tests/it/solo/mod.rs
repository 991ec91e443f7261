//! The solo engine: its chain's data, its store through crashes, its refusals.

mod chain;
mod crash;
mod mempool;
mod refusals;
