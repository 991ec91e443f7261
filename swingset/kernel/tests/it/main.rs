//! The kernel against its specification, natively: an in-memory kvStore, scripted vats.
#![allow(missing_docs, reason = "tests")]

mod illegal;
mod lifecycle;
mod messages;
mod world;
