//! End-to-end runs: real binaries, real CometBFT, real signals.

mod network;
mod solo;
mod stories;
