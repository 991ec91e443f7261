//! What the tests over the whole node share: a chain whose every byte is fixed, and a driver that executes it on the real
//! application, engine and database.

pub mod chain;
pub mod engine;
pub mod faulted;
pub mod flood;
pub mod governed;
pub mod killable;
pub mod points;
pub mod releases;
pub mod script;
pub mod slow_release;
pub mod solo_home;
