//! The vat supervisor: a machine without input or output that stands between a vat's code and the kernel (what SwingSet calls
//! liveslots).
//!
//! It owns the tables between vrefs and the small handles that vat code knows, allocates `o+N` and `p+N`, subscribes to
//! promises that are watched, settles those that the vat decides, and keeps virtual and durable objects and collections in the
//! vatstore. Bodies pass through it unread, but for the method's name.
//!
//! # Invariants
//! - All its state is in its memory, which the host keeps by pages; it asks the host for nothing but syscalls. What an upgrade
//!   needs of it is in the vatstore at each bringOutYourDead's end ([`records`]).
//! - A mistake of the vat's code is `Refused` and changes nothing; broken input from the host or vat ends the delivery as
//!   `Failed`.
//! - Whatever the vat's code asks for and whatever bodies other vats send, it makes no illegal syscall, but for the kernel's
//!   limits on how much one crank may do.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod body;
mod collections;
mod counts;
mod deliver;
mod exports;
mod lifecycle;
mod machine;
mod promises;
mod records;
mod request;
mod slots;
mod stored;
mod sweep;
mod vref;
#[cfg(target_arch = "wasm32")]
mod wasm;

pub use machine::Supervisor;
