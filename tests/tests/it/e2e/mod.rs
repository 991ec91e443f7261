//! End-to-end runs: real binaries, real CometBFT, real signals.

mod block_sync;
mod cancelled;
mod child;
mod export;
mod failed;
mod killed;
mod network;
mod newcomers;
mod plans;
mod rollback;
mod snapshots;
mod solo;
mod stories;
mod successive;
mod swap;
mod tools;
mod visor;
mod wrong_binary;
