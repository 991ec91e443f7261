//! What a vat is written with.
//!
//! A vat is a root object and the objects that it makes; each answers messages by methods. Everything that crosses the vat's
//! boundary is a [`Value`]. A message to something elsewhere is an eventual send, [`E`], whose result is a [`Promise`]; what
//! follows its settlement is a closure kept in the vat's memory, which outlives restarts and releases.
//!
//! ```
//! use swingset_vat_sdk::prelude::*;
//!
//! struct Greeter {
//!     greeted: u64,
//! }
//!
//! methods! {
//!     impl Greeter as "Greeter" {
//!         fn greet(&mut self, name: String) -> String {
//!             self.greeted += 1;
//!             ["Hello, ", &name, "!"].concat()
//!         }
//!         // A method may answer later: the result follows the promise.
//!         fn introduce(&mut self, other: Far) -> Promise {
//!             E(&other).call("name", ()).then(|name| Ok::<_, Value>(["Hello, ", &name?.text()?].concat()))
//!         }
//!         // Objects are made and handed out.
//!         fn twin(&mut self) -> Far {
//!             export(Greeter { greeted: 0 })
//!         }
//!     }
//! }
//!
//! fn start(_parameters: Value) -> Greeter {
//!     Greeter { greeted: 0 }
//! }
//!
//! vat!(start);
//! ```
//!
//! # Invariants
//! - Nothing here has a clock, randomness or floats: the same events give the same requests.
//! - A handle that no value in the vat refers to any more is released at the event's end.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

pub mod answer;
#[doc(hidden)]
pub mod boundary;
mod collection;
mod convert;
pub mod devices;
#[doc(hidden)]
pub mod event;
mod macros;
mod own;
mod promise;
pub mod raw;
mod reference;
mod remote;
mod request;
pub mod runtime;
mod smallcaps;
pub mod store;
mod task;
mod value;
pub mod vat_admin;

#[doc(hidden)]
pub use alloc::{string::String as RtString, vec as rt_vec};
#[doc(hidden)]
pub use swingset_guest_rt as rt;

pub use answer::{Answer, Args, IntoAnswer, Object};
pub use collection::{Baggage, Entries, Key, MapStore, SetStore, WeakMapStore, WeakSetStore, baggage};
pub use convert::{FromValue, IntoArgs, IntoValue};
pub use event::IntoRoot;
pub use own::{Fields, Kind, Own, make};
pub use promise::{Promise, Resolver};
pub use reference::{E, Far, Marker, Sending, Target, call_device, export};
pub use remote::{Arrival, Pending, Reference, Remote};
pub use runtime::{exit, incarnation, log};
pub use swingset_abi as abi;
pub use task::{Settled, spawn};
pub use value::{Error, Value};

/// What vat code usually needs.
pub mod prelude {
    pub use alloc::{borrow::ToOwned, boxed::Box, format, string::String, vec, vec::Vec};

    pub use crate::{
        Answer, E, Error, Far, FromValue, IntoValue, MapStore, Own, Pending, Promise, Resolver, SetStore, Value,
        WeakMapStore, WeakSetStore, baggage, export, kind, make, methods, record, remote, spawn, vat,
    };
}

/// Ends the vat: the crank is undone and the vat terminated. In native tests a panic.
#[allow(clippy::panic, reason = "in native tests only")]
#[track_caller]
pub fn trap() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    panic!("the vat trapped")
}
