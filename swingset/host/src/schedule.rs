//! What work costs: the one consensus schedule.
//!
//! A crank costs what vat and supervisor burn of the engine's fuel, and on top a fixed price for what the host and the kernel do
//! for it. A kernel's work is in no price: a warm kernel does less than a new one. All prices are in fuel; reports and limits
//! are in computrons. The schedule is part of the engine's identity ([`crate::engine::identity`]).

/// Prices in fuel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Fuel of one computron. A full block of 8,000,000 computrons is 800 million fuel: below 1 s on the reference machine.
    pub fuel_per_computron: u64,
    /// One delivery: dequeue, translation, bookkeeping.
    pub delivery: u64,
    /// One byte of a delivery, copied into the guest.
    pub delivery_byte: u64,
    /// One syscall: suspension, translation, the kernel's work.
    pub syscall: u64,
    /// One byte of a syscall or of its answer: copied, translated, and stored or read.
    pub syscall_byte: u64,
    /// One reference (slot, promise, vref) in a syscall: the kernel translates and counts each.
    pub reference: u64,
    /// One byte that passes between a vat and its supervisor.
    pub copied_byte: u64,
    /// 4 KiB of memory, at a vat's first delivery of a block: it is compared, hashed and stored at the block's end.
    pub page_touched: u64,
    /// 64 KiB of memory grown.
    pub page_grown: u64,
    /// One byte of a log line.
    pub log_byte: u64,
}

/// The schedule of this engine.
pub const SCHEDULE: Schedule = Schedule {
    fuel_per_computron: 100,
    delivery: 10_000,
    delivery_byte: 4,
    syscall: 4_000,
    syscall_byte: 10,
    reference: 6_000,
    copied_byte: 1,
    page_touched: 1_000,
    page_grown: 40_000,
    log_byte: 4,
};

/// Work that the kernel may do in one call, as it is counted in its own code (`admission::work`): above any legal crank, so that passing it is
/// the kernel's fault. What is counted is some five times the operators done. Within the ceiling of policies a crank has at most 50,000
/// syscalls (below 250,000 each) and pays for at most 170,000 references (below 50,000 each): 21 billion. What imports count beside it
/// (`kernel::price`) is below 4 billion, and one for two bytes of stored values that the vat has the kernel look at, 16 GiB at most.
pub const KERNEL_WORK_CAP: i64 = 40_000_000_000;

/// Bytes that a kernel may have the host keep in one call, written, looked for, delivered and answered, a key counting for 128 more than it
/// has. A crank pays for 100 MB within the ceiling of policies, and has a million rows written.
pub const KERNEL_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Deliveries in one call: an upgrade has two.
pub const KERNEL_DELIVERIES_MAX: u32 = 16;

impl Schedule {
    /// Computrons for this much fuel, rounded up.
    pub fn computrons(&self, fuel: u64) -> u64 {
        fuel.div_ceil(self.fuel_per_computron)
    }

    /// Fuel for this many computrons; the most there is when that overflows.
    pub fn fuel(&self, computrons: u64) -> u64 {
        // The engine counts fuel in a signed 64-bit integer.
        computrons.saturating_mul(self.fuel_per_computron).min(i64::MAX.cast_unsigned() / 2)
    }
}

/// `count` times `price`, the most there is when that overflows.
pub fn price(count: usize, price: u64) -> u64 {
    (count as u64).saturating_mul(price)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computrons_round_up_and_never_overflow() {
        assert_eq!(SCHEDULE.computrons(0), 0);
        assert_eq!(SCHEDULE.computrons(1), 1);
        assert_eq!(SCHEDULE.computrons(100), 1);
        assert_eq!(SCHEDULE.computrons(101), 2);
        assert!(SCHEDULE.fuel(u64::MAX) <= i64::MAX.cast_unsigned());
    }
}
