//! What the modules promise to clients, operators and each other.

mod consensus;
mod support;
mod upgrade;
