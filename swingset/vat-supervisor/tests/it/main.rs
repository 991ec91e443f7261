//! The supervisor with vats of the SDK on top and a kernel's table of references below.
#![allow(missing_docs, reason = "tests")]

mod collections;
mod messages;
mod objects;
mod upgrade;
mod vat;
mod world;
