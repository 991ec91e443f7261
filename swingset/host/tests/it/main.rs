//! The engine from outside: real kernels, hostile guests, and what stays equal.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails, fails its test")]

mod support;

mod activity;
mod admission;
mod chosen_keys;
mod contract;
mod controller_table;
mod deep;
mod engine;
mod eviction;
mod gathered;
mod hostile;
mod interrupted;
mod pages;
mod refusing;
mod release_bundle;
mod rewrite;
mod rollback;
mod run_policy;
mod scripted;
mod stuck_migration;
mod swap;
mod swap_bundles;
mod transcripts;
mod vat_life;
mod witnesses;
