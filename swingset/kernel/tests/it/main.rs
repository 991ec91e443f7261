//! The kernel against its specification, natively: an in-memory kvStore, scripted vats.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails, fails its test")]

mod acts;
mod admin;
mod audit;
mod bounds;
mod collector;
mod devices;
mod figures;
mod gc;
mod golden;
mod illegal;
mod leak;
mod lifecycle;
mod limits;
mod messages;
mod meters;
mod mind;
mod model;
mod order;
mod outside;
mod random;
mod reap;
mod stored;
mod stored_random;
mod tally;
mod timers;
mod upgrade;
mod world;
