//! What a kernel's imports count for of its work, beside what its own code counts (`admission::work`), and how much they do in one command
//! at most.
//!
//! Prices depend on what is asked and answered alone: not on what the host has at hand, in which nodes differ. What is owed is taken off the
//! work that is left when it has come to something, and at the command's end: two accesses to a global are more than most imports do.

use wasmtime::{Caller, Val};

use super::instance::KernelData;
use crate::{
    engine::{GuestFault, OutOfFuel},
    schedule::{KERNEL_BYTES_MAX, KERNEL_DELIVERIES_MAX},
};

/// A call that costs nothing else. What `fetch` copies was counted with the answer that did not fit.
pub(super) const CALL: u64 = 500;
/// A value that is read, or looked for. Two of its bytes count one: a vat may have the kernel read all that it stored, 16 GiB within the
/// ceiling of policies, and pays by the byte for what it is told alone.
const LOOK: u64 = 1_000;
/// A step of a walk.
pub(super) const NEXT_KEY: u64 = 2_000;
/// A key that is written or deleted, up to the commit.
pub(super) const ROW: u64 = 1_000;
/// Something that is done to a vat.
pub(super) const VAT: u64 = 1_000_000;
/// A device's call, for what the chain does.
pub(super) const BRIDGE: u64 = 100_000;
/// A byte that is copied or kept.
const BYTE: u64 = 4;
/// Bytes that a row, or a key that was looked for, is taken to be beside its own.
const ROW_KEPT_BYTES: u64 = 128;
/// What may be owed.
const OWED_MAX: u64 = 1 << 20;

/// What a command's imports did so far.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    /// Work that was not taken off yet.
    owed: u64,
    /// Bytes that the host keeps.
    kept: u64,
    deliveries: u32,
}

impl Spent {
    /// Counts work.
    pub(super) fn owe(&mut self, price: u64) {
        self.owed = self.owed.saturating_add(price);
    }

    /// Counts bytes that are copied.
    pub(super) fn copy(&mut self, bytes: usize) {
        self.owe((bytes as u64).saturating_mul(BYTE));
    }

    /// Counts bytes that are copied and kept.
    pub(super) fn keep(&mut self, bytes: u64) -> Result<(), GuestFault> {
        self.kept = self.kept.saturating_add(bytes);
        self.owe(bytes.saturating_mul(BYTE));
        if self.kept > KERNEL_BYTES_MAX { Err(GuestFault("kernel wrote more than one command may")) } else { Ok(()) }
    }

    /// Counts rows that are written, whose keys and values have so many bytes.
    pub(super) fn write(&mut self, rows: usize, bytes: u64) -> Result<(), GuestFault> {
        let rows = rows as u64;
        self.owe(rows.saturating_mul(ROW));
        self.keep(rows.saturating_mul(ROW_KEPT_BYTES).saturating_add(bytes))
    }

    /// Counts a look for a key, which the host remembers whether it is there or not, and the bytes of its value.
    pub(super) fn look(&mut self, key_bytes: u32, value_bytes: usize) -> Result<(), GuestFault> {
        self.owe(LOOK.saturating_add(value_bytes as u64 / 2));
        self.keep(ROW_KEPT_BYTES.saturating_add(u64::from(key_bytes)))
    }

    /// Counts a delivery.
    pub(super) fn deliver(&mut self) -> Result<(), GuestFault> {
        self.deliveries = self.deliveries.saturating_add(1);
        self.owe(VAT);
        if self.deliveries > KERNEL_DELIVERIES_MAX { Err(GuestFault("too many deliveries")) } else { Ok(()) }
    }
}

/// Begins an import: counts its price, and takes what is owed off the work that is left if it is much.
pub(super) fn begin(caller: &mut Caller<'_, KernelData>, price: u64) -> wasmtime::Result<()> {
    let spent = &mut caller.data_mut().spent;
    spent.owe(price);
    if spent.owed > OWED_MAX { pay(caller) } else { Ok(()) }
}

/// Takes what is owed off the work that is left. Less than none is the kernel's end, as in its own code.
pub(super) fn pay(caller: &mut Caller<'_, KernelData>) -> wasmtime::Result<()> {
    let Some(work) = caller.data().work else { return Ok(()) };
    let owed = std::mem::take(&mut caller.data_mut().spent.owed);
    let left = work.get(&mut *caller).i64().unwrap_or(0).saturating_sub(i64::try_from(owed).unwrap_or(i64::MAX));
    work.set(&mut *caller, Val::I64(left))?;
    if left < 0 { Err(OutOfFuel.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_not_there_fill_no_memory_either() {
        let mut spent = Spent::default();
        let looks = (0..100_000).take_while(|_| spent.look(8192, 0).is_ok()).count();
        assert_eq!(looks as u64, KERNEL_BYTES_MAX / 8320);
        let mut spent = Spent::default();
        assert!((0..1_000_000).all(|_| spent.look(60, 60).is_ok()), "as many as a crank may need");
    }
}
