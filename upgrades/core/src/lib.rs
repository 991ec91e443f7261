//! Upgrades as data: the decision taken before every block, the lines that operators and supervisors look for, the registry of
//! releases, and one immutable file per release's handler.
//!
//! # Invariants
//! - [`decision::decide`] is a function of committed state, flags and the release's own data; no file, clock or process memory
//!   enters it (held by its table test and by the types).
//! - A migration goes one step at a time and never down; a module that is not known on both sides is an error, never skipped
//!   ([`migrations`], table test).
//! - A file of a released handler is never edited: what it does is consensus for everyone who syncs through its height.

pub mod decision;
pub mod info;
pub mod lines;
pub mod migrations;
pub mod registry;
pub mod release;
pub mod releases;
