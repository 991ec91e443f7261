//! Stories that are run on a network.

pub mod rehearsal;
pub mod swap;
pub mod times;
pub mod upgrade;
pub mod visor;
pub mod vote;
pub mod zero;
