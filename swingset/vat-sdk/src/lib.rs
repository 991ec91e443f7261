//! What a vat is written with.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

#[doc(hidden)]
pub mod boundary;
pub mod raw;

#[doc(hidden)]
pub use swingset_guest_rt as rt;

pub use swingset_abi as abi;

/// Ends the vat: the crank is undone and the vat terminated.
pub fn trap() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort()
}
