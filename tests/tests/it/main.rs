//! Tests over the whole repository: its rules, its golden vectors, and the chain driven in one process and end to end.

#![allow(clippy::panic, reason = "a test's helpers fail the test, and say with what")]

mod bundle_ids;
mod crashes;
mod determinism;
mod devices;
mod e2e;
mod faults;
mod golden;
mod hostile;
mod migrations;
mod pains;
mod rules;
mod state_sync;
mod swap;
