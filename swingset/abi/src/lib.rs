//! The contract between the host and its guests: kernel, vat supervisor and vats.
//!
//! Everything that crosses a guest's boundary is bytes in the canonical encoding of [`wire`]: one value has one encoding,
//! a decoder accepts nothing else, and every length is checked against what is left before anything is allocated.
//!
//! # Who calls whom
//! - host → kernel: [`kernel::Command`] through the kernel's export `kernel_call`, answered by [`kernel::Reply`].
//! - kernel → host: the imports of module `host` ([`kernel::imports`]), among them `deliver` and `resume`, which drive a vat
//!   as if it stood behind a pipe and answer with a [`vat::VatStep`].
//! - kernel → vat: [`vat::VatDelivery`]; vat → kernel: [`vat::VatSyscall`], answered by [`vat::SyscallReply`].
//! - host ↔ supervisor: [`supervisor`]; vat ↔ supervisor (through the host's byte copies): [`supervisor`] too.
//!
//! # Invariants
//! - The crate is `no_std` + `alloc`, has no dependencies and names nothing of the host (held by the repository-rules test).
//! - `encode(decode(bytes)) == bytes` for all bytes that decode (held by `tests::it::decoding_is_the_inverse_of_encoding`).
#![no_std]

extern crate alloc;

pub mod kernel;
pub mod supervisor;
pub mod vat;
pub mod wire;

/// Level of the host ABI that this crate describes. A consensus value: it is in state, and a kernel bundle's manifest names
/// the level that it was built for.
pub const HOST_ABI_LEVEL: u32 = 1;

/// Level of the contract between a supervisor and a vat. Recorded in the manifests of supervisor and vat bundles.
pub const SUPERVISOR_ABI_LEVEL: u32 = 1;
