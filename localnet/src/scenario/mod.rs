//! Stories that are run on a network.

pub mod swap;
pub mod upgrade;
pub mod visor;
pub mod zero;
