//! Raw vats: deliveries and syscalls as they are, no supervisor in between.

use alloc::string::String;

use swingset_abi::{
    vat::{CapData, SyscallReply, VatDelivery, VatSyscall},
    wire::{Wire, WireError},
};

/// A vat that speaks deliveries and syscalls itself. Register it with [`crate::raw_vat!`].
pub trait RawVat: Default {
    /// Handles one delivery.
    fn deliver(&mut self, delivery: VatDelivery);
}

/// Makes a syscall.
pub fn syscall(syscall: &VatSyscall) -> Result<SyscallReply, WireError> {
    SyscallReply::from_bytes(&crate::boundary::exchange(&syscall.to_bytes()))
}

/// Sends a message without a result promise. Errors of the kernel end the crank anyway, so they are not told.
pub fn send(target: &str, methargs: CapData) {
    let _ = syscall(&VatSyscall::Send {
        target: String::from(target),
        methargs,
        result: None,
    });
}

/// Exports a [`RawVat`] as the module's vat.
#[macro_export]
macro_rules! raw_vat {
    ($vat:ident) => {
        #[cfg(target_arch = "wasm32")]
        mod vat_exports {
            static VAT: $crate::boundary::Cell<super::$vat> = $crate::boundary::Cell::new();

            /// Room for a delivery.
            #[unsafe(no_mangle)]
            #[allow(unsafe_code, reason = "an export's name is outside the compiler's sight")]
            extern "C" fn vat_alloc(length: usize) -> *mut u8 {
                $crate::rt::buffer::give(length)
            }

            /// Takes a delivery.
            #[unsafe(no_mangle)]
            #[allow(unsafe_code, reason = "the host passes raw memory")]
            extern "C" fn vat_deliver(start: *mut u8, length: usize) {
                // SAFETY: the host got `start` from `vat_alloc(length)`, filled it and passes it once.
                let bytes = unsafe { $crate::rt::buffer::take(start, length) };
                match $crate::abi::wire::Wire::from_bytes(&bytes) {
                    Ok(delivery) => VAT.with(Default::default, |vat| {
                        $crate::raw::RawVat::deliver(vat, delivery)
                    }),
                    Err(_) => $crate::trap(),
                }
            }
        }
    };
}
