//! The supervisor with vats of the SDK on top and a kernel's table of references below.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a helper that fails, fails its test")]

mod collections;
mod messages;
mod objects;
mod sizes;
mod tutorial;
mod upgrade;
mod vat;
mod world;
