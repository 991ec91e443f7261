//! Stories that are run on a network.

pub mod upgrade;
pub mod visor;
