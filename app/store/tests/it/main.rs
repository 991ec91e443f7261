//! Tests of the store on real RocksDB databases in temporary folders.

#[path = "../crash_writer/blocks.rs"]
mod blocks;
mod checkpoints;
mod commits;
mod crash;
mod damage;
mod oracle;
mod proofs;
mod pruning;
mod snapshots;
mod support;
mod transcripts;
mod views;
