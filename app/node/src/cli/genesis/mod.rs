//! `genesis`: work on the genesis file.

pub mod defaults;
