//! What every guest needs below its own code: an allocator, the end of a panic, and the passing of bytes across the boundary.
//!
//! # Invariants
//! - Same calls, same addresses: the allocator's state is in linear memory and depends on nothing else.
//! - Memory that a guest frees is used again; what the host persists of a vat grows only with what the vat holds.
//! - A panic is the `unreachable` instruction, at once: no message is formatted, so none can enter state.
#![no_std]
#![allow(
    unsafe_code,
    reason = "this crate is the guests' boundary: raw pointers to and from the host are its purpose"
)]

extern crate alloc;

pub mod buffer;
mod classes;

#[cfg(target_arch = "wasm32")]
mod wasm {
    #[global_allocator]
    static ALLOCATOR: crate::classes::SizeClasses = crate::classes::SizeClasses::new();

    #[panic_handler]
    fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }
}
