//! The kernel against its specification, natively: an in-memory kvStore, scripted vats.
#![allow(missing_docs, reason = "tests")]

mod admin;
mod illegal;
mod leak;
mod lifecycle;
mod messages;
mod reap;
mod upgrade;
mod world;
