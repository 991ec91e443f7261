//! Tests of the supervisor: its decisions as tables, what it reads from others, faults at every operation, and the process itself.

#![allow(clippy::panic)] // a helper fails as the test that called it does

mod decide;
mod downloads;
mod dropin;
mod faults;
mod front;
mod pains;
mod sockets;
mod supervise;
mod support;
mod texts;
mod told;
mod watch;
