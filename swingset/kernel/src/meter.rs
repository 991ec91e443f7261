//! Meters: computrons that cranks of the vats under them are paid from, with a threshold below which whoever waits is told.
//!
//! `m$N.remaining` is a number or `unlimited`. A meter lives while its object, its notifier, a vat or a queued creation uses it
//! (`m$N.refCount`).

use alloc::{string::String, vec::Vec};

use swingset_abi::{kernel::VatOptions, vat::CapData};

use crate::{
    body,
    crank::Kernel,
    host::Host,
    keys::{self, join, numbered, path},
    refcount::Change,
    store::{Fault, Kept, number_text},
};

const UNLIMITED: &[u8] = b"unlimited";

impl<H: Host> Kernel<'_, H> {
    /// A new meter that its maker uses. No number: unlimited.
    pub fn new_meter(&mut self, remaining: Option<u64>, threshold: u64) -> Kept<String> {
        let meter = numbered("m", self.next_id(keys::METER_NEXT_ID)?);
        self.set_remaining(&meter, remaining);
        self.store.set_number(path([&meter, ".threshold"]), threshold);
        self.store.set_number(path([&meter, ".refCount"]), 1);
        Ok(meter)
    }

    /// What is left; none when that is no number.
    pub fn remaining(&mut self, meter: &str) -> Kept<Option<u64>> {
        let key = path([meter, ".remaining"]);
        if self.store.get(&key) == Some(UNLIMITED) {
            return Ok(None);
        }
        self.store
            .get_number(&key)?
            .map(Some)
            .ok_or(Fault("a meter that is in use does not exist"))
    }

    /// Writes what is left.
    pub fn set_remaining(&mut self, meter: &str, remaining: Option<u64>) {
        let key = path([meter, ".remaining"]);
        match remaining {
            Some(computrons) => self.store.set_number(&key, computrons),
            None => self.store.set(&key, UNLIMITED),
        }
    }

    /// Its threshold.
    pub fn threshold(&mut self, meter: &str) -> Kept<u64> {
        let threshold = self.store.get_number(path([meter, ".threshold"]))?;
        threshold.ok_or(Fault("a meter has no threshold"))
    }

    /// Whether a crank of this cost is more than the vat's meter can pay.
    pub fn underflows(&mut self, options: &VatOptions, computrons: u64) -> Kept<bool> {
        match &options.meter {
            None => Ok(false),
            Some(meter) => Ok(self.remaining(meter)?.is_some_and(|remaining| remaining < computrons)),
        }
    }

    /// Takes a crank's cost off the vat's meter, undone cranks' too; whoever waits is told when it falls below the threshold.
    pub fn charge_meter(&mut self, options: &VatOptions, computrons: u64) -> Kept<()> {
        let Some(meter) = &options.meter else {
            return Ok(());
        };
        let Some(before) = self.remaining(meter)? else {
            return Ok(());
        };
        let after = before.saturating_sub(computrons);
        self.set_remaining(meter, Some(after));
        let threshold = self.threshold(meter)?;
        if before >= threshold && after < threshold {
            self.tell_of_meter(meter)?;
        }
        Ok(())
    }

    fn tell_of_meter(&mut self, meter: &str) -> Kept<()> {
        let key = path([meter, ".updates"]);
        let updates = self.store.get_number(&key)?.unwrap_or(0) + 1;
        self.store.set_number(&key, updates);
        let waiting = path([meter, ".waiting"]);
        let update = self.meter_update(meter)?;
        for kpid in self.list(&waiting)? {
            self.settle(&kpid, false, &update, None)?;
            self.let_go(&kpid)?;
        }
        self.store.delete_if_there(&waiting);
        Ok(())
    }

    /// `{updateCount, value}` of a meter's notifier.
    pub fn meter_update(&mut self, meter: &str) -> Kept<CapData> {
        let updates = self.store.get_number(path([meter, ".updates"]))?.unwrap_or(0);
        let value = remaining_text(self.remaining(meter)?);
        let body = join([
            "#{\"updateCount\":\"+",
            &number_text(updates),
            "\",\"value\":",
            &value,
            "}",
        ]);
        Ok(CapData {
            body,
            slots: Vec::new(),
        })
    }

    /// Another user of a meter, or one less. Without users it is deleted.
    pub fn use_meter(&mut self, meter: &str, change: Change) -> Kept<()> {
        let key = path([meter, ".refCount"]);
        let users = self
            .store
            .get_number(&key)?
            .ok_or(Fault("a meter has no count of users"))?;
        let users = match change {
            Change::Add => users + 1,
            Change::Remove => users.checked_sub(1).ok_or(Fault("a meter has too few users"))?,
        };
        if users > 0 {
            self.store.set_number(&key, users);
            return Ok(());
        }
        for kpid in self.list(path([meter, ".waiting"]))? {
            self.settle(&kpid, true, &body::error("the meter is no more"), None)?;
            self.let_go(&kpid)?;
        }
        for part in [".remaining", ".threshold", ".refCount"] {
            self.store.delete(path([meter, part]));
        }
        for part in [".updates", ".waiting"] {
            self.store.delete_if_there(path([meter, part]));
        }
        Ok(())
    }

    /// A vat uses its meter no more.
    pub fn stop_metering(&mut self, options: &VatOptions) -> Kept<()> {
        match &options.meter {
            Some(meter) => self.use_meter(meter, Change::Remove),
            None => Ok(()),
        }
    }
}

/// A bigint, or the word for none.
pub fn remaining_text(remaining: Option<u64>) -> String {
    match remaining {
        Some(computrons) => join(["\"+", &number_text(computrons), "\""]),
        None => String::from("\"unlimited\""),
    }
}
