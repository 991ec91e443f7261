//! One file, one engine, no chain: what survives a crash, and what a kernel swap keeps.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod crash;
mod file;
mod support;
mod swap;
mod transcripts;
