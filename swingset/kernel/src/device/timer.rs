//! The timer: the time of the present block in seconds, and wake-ups. Source: SwingSet's timer device.
//!
//! `getCurrentTime()`; `setWakeup(when, handler)` and `setRepeater(first, interval, handler)`, which give the wake-up's number;
//! `cancel(number)`, which says whether there was one. A handler is told `wake(now, number)`, in the order of the times at which they
//! were due, then of their numbers. From schema 2 on: `pending()`, how many wake-ups of the caller's wait.
//!
//! State: `.wake.$when.$number` holds a [`Wakeup`], both numbers with leading zeros; `.set.$number` its time; `.count.$vatID`;
//! `.nextNumber`. `timer.next` is the earliest time for which something waits, so that a host need not enter a kernel that has nothing
//! to do.
//!
//! # Invariants
//! - A wake-up is never due in the block in which it was set: whoever asks for the past gets the next second. So one block's polls end.
//! - A repeater that was missed wakes once, and again at the first of its times that is still to come.
//! - A vat has a limited number of wake-ups, and cancels its own only.
//! - A wake-up whose handler nobody serves any more is dropped when it is due.

use alloc::string::String;

use swingset_abi::{vat::CapData, wire::Wire, wire_struct};

use super::{Answered, Device, DeviceCall, nat, no, number_of, ordered, state};
use crate::{
    command::Served,
    crank::Kernel,
    host::Host,
    json::Json,
    keys::{self, Path, join},
    limits,
    store::{Fault, Kept, number_text},
};

/// What waits for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wakeup {
    vat_id: String,
    /// The object that is told; the wake-up holds a reference.
    handler: String,
    /// Seconds between two times; 0: there is one time.
    interval: u64,
}
wire_struct!(Wakeup {
    vat_id,
    handler,
    interval
});

/// `.wake.$when.$number`, and `.wake.` as the prefix of all.
fn wake_key(device: &str, when: u64, number: u64) -> Path {
    state(device, &join([".wake.", &ordered(when), ".", &ordered(number)]))
}

fn set_key(device: &str, number: u64) -> Path {
    state(device, &join([".set.", &number_text(number)]))
}

fn count_key(device: &str, vat_id: &str) -> Path {
    state(device, &join([".count.", vat_id]))
}

impl<H: Host> Kernel<'_, H> {
    pub(super) fn answer_timer(&mut self, call: &DeviceCall<'_>) -> Answered {
        let number = |at: usize| call.call.arg(at).and_then(Json::nat);
        match call.call.method {
            "getCurrentTime" => Ok(Ok(nat(self.now))),
            "setWakeup" => match (number(0), call.object(1)) {
                (Some(when), Some(handler)) => self.set_wakeup(call, when, handler, 0),
                _ => no("the arguments are not a time and a handler"),
            },
            "setRepeater" => match (number(0), number(1), call.object(2)) {
                (Some(first), Some(interval @ 1..), Some(handler)) => self.set_wakeup(call, first, handler, interval),
                _ => no("the arguments are not a time, an interval above 0 and a handler"),
            },
            "cancel" => match number(0) {
                Some(number) => self.cancel_wakeup(call, number),
                None => no("the argument is not a number"),
            },
            "pending" if cfg!(feature = "schema-2") => Ok(Ok(nat(self.wakeups_of(call.device, call.vat_id)?))),
            _ => no("timer has no such method"),
        }
    }

    fn wakeups_of(&mut self, device: &str, vat_id: &str) -> Kept<u64> {
        Ok(self.store.get_number(count_key(device, vat_id))?.unwrap_or(0))
    }

    fn set_wakeup(&mut self, call: &DeviceCall<'_>, when: u64, handler: &str, interval: u64) -> Answered {
        let count = self.wakeups_of(call.device, call.vat_id)?;
        if count >= limits::WAKEUPS_MAX {
            return no("the vat has too many wake-ups");
        }
        let when = when.max(self.now.saturating_add(1));
        let counter = state(call.device, ".nextNumber");
        let number = self.store.get_number(&counter)?.unwrap_or(1);
        self.store.set_number(&counter, number + 1);
        self.store.set_number(count_key(call.device, call.vat_id), count + 1);
        self.hold(handler)?;
        let wakeup = Wakeup {
            vat_id: String::from(call.vat_id),
            handler: String::from(handler),
            interval,
        };
        self.put_wakeup(call.device, when, number, &wakeup);
        if self.store.get_number(keys::TIMER_NEXT)?.is_none_or(|next| when < next) {
            self.store.set_number(keys::TIMER_NEXT, when);
        }
        Ok(Ok(nat(number)))
    }

    fn put_wakeup(&mut self, device: &str, when: u64, number: u64, wakeup: &Wakeup) {
        self.store.set(wake_key(device, when, number), wakeup.to_bytes());
        self.store.set_number(set_key(device, number), when);
    }

    fn cancel_wakeup(&mut self, call: &DeviceCall<'_>, number: u64) -> Answered {
        let told = |cancelled: bool| CapData {
            body: String::from(if cancelled { "#true" } else { "#false" }),
            slots: alloc::vec::Vec::new(),
        };
        let Some(when) = self.store.get_number(set_key(call.device, number))? else {
            return Ok(Ok(told(false)));
        };
        let wakeup = self.wakeup(call.device, when, number)?;
        if wakeup.vat_id != call.vat_id {
            return Ok(Ok(told(false)));
        }
        self.store.delete(wake_key(call.device, when, number));
        self.forget_wakeup(call.device, number, &wakeup)?;
        // What this crank cancelled before is passed over again. A time that is too early costs one poll, which puts it right.
        if self.store.scanned < limits::SCANNED_BY_CANCELS_MAX {
            self.note_next_wakeup(call.device)?;
        }
        Ok(Ok(told(true)))
    }

    fn wakeup(&mut self, device: &str, when: u64, number: u64) -> Kept<Wakeup> {
        let bytes = self.store.get(wake_key(device, when, number));
        Wakeup::from_bytes(bytes.ok_or(Fault("a wake-up is missing"))?).map_err(|_| Fault("a wake-up is malformed"))
    }

    /// A wake-up that is no longer set gives back what it held.
    fn forget_wakeup(&mut self, device: &str, number: u64, wakeup: &Wakeup) -> Kept<()> {
        self.store.delete(set_key(device, number));
        let key = count_key(device, &wakeup.vat_id);
        match self.store.get_number(&key)? {
            None | Some(0) => return Err(Fault("a count of wake-ups is too low")),
            Some(1) => self.store.delete(&key),
            Some(count) => self.store.set_number(&key, count - 1),
        }
        self.let_go(&wakeup.handler)
    }

    /// The earliest wake-up: its time and number.
    fn first_wakeup(&mut self, device: &str) -> Kept<Option<(u64, u64)>> {
        let prefix = join([device, ".deviceState.wake."]);
        let Some(key) = self.store.next_key(&prefix, &prefix)? else {
            return Ok(None);
        };
        match key.get(prefix.len()..).unwrap_or_default().split_once('.') {
            Some((when, number)) => Ok(Some((number_of(when)?, number_of(number)?))),
            None => Err(Fault("a wake-up's key is malformed")),
        }
    }

    fn note_next_wakeup(&mut self, device: &str) -> Kept<()> {
        match self.first_wakeup(device)? {
            Some((when, _)) => self.store.set_number(keys::TIMER_NEXT, when),
            None => self.store.delete_if_there(keys::TIMER_NEXT),
        }
        Ok(())
    }

    /// Tells the handlers whose time has come, up to a limit; whoever polls looks at `timer.next` again.
    pub fn poll_timer(&mut self, now: u64) -> Served<()> {
        self.now = now;
        let device = self.device_id(Device::Timer)?;
        for _ in 0..limits::WAKEUPS_PER_POLL {
            match self.first_wakeup(&device)? {
                Some((when, number)) if when <= now => self.wake(&device, when, number)?,
                _ => break,
            }
        }
        Ok(self.note_next_wakeup(&device)?)
    }

    fn wake(&mut self, device: &str, when: u64, number: u64) -> Kept<()> {
        let wakeup = self.wakeup(device, when, number)?;
        self.store.delete(wake_key(device, when, number));
        let served = self.is_served(&wakeup.handler)?;
        if served {
            let (now, number) = (number_text(self.now), number_text(number));
            let methargs = CapData {
                body: join(["#[\"wake\",[\"+", &now, "\",\"+", &number, "\"]]"]),
                slots: alloc::vec::Vec::new(),
            };
            self.tell_object(&wakeup.handler, methargs)?;
        }
        match next_time(when, wakeup.interval, self.now).filter(|_| served) {
            Some(next) => self.put_wakeup(device, next, number, &wakeup),
            None => self.forget_wakeup(device, number, &wakeup)?,
        }
        Ok(())
    }
}

/// A repeater's first time after now; none when it has no further time.
fn next_time(when: u64, interval: u64, now: u64) -> Option<u64> {
    let missed = now.checked_sub(when)?.checked_div(interval)?;
    when.checked_add(missed.checked_add(1)?.checked_mul(interval)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeaters_next_time_is_the_first_of_its_times_that_is_to_come() {
        for (when, interval, now, next) in [
            (10, 5, 10, Some(15)),
            (10, 5, 14, Some(15)),
            (10, 5, 15, Some(20)),
            (10, 5, 1_000, Some(1_005)),
            (10, 0, 10, None),
            (10, u64::MAX, 10, None),
        ] {
            assert_eq!(next_time(when, interval, now), next, "{when} every {interval} at {now}");
        }
    }
}
