//! The timer vat: promises for times. Source: SwingSet's timer service.
//!
//! Root: `createTimerService(device)` makes the service on the kernel's timer, once; `getTimerService()` gives it. Service:
//! `getCurrentTimestamp()` in seconds; `wakeAt(when)` and `delay(seconds)`, promises for the time at which they are fulfilled;
//! `setWakeup(when, handler)` and `makeRepeater(first, interval, handler)`, whose handlers are told `wake(now, wakeup)`, and which give
//! a wake-up that can be cancelled by `cancel()`.
//!
//! Service and wake-ups are durable, and handlers go on being woken after an upgrade of this vat. Promises do not outlive it: they are
//! rejected, as all promises of a vat that is upgraded.
#![cfg_attr(target_arch = "wasm32", no_std)]

use swingset_vat_sdk::{devices::TimerDevice, prelude::*};

/// Where the service is kept.
const SERVICE: &str = "service";

/// The vat's root object.
#[derive(Debug)]
pub struct Root;

kind! {
    /// The right to be woken.
    pub durable struct TimerService as "TimerService" { device: TimerDevice }
}

kind! {
    /// The right to cancel what was set.
    pub durable struct Wakeup as "Wakeup" { device: TimerDevice, number: u64 }
}

/// Fulfils a promise when it is woken.
#[derive(Debug)]
struct Waker {
    resolver: Option<Resolver>,
}

methods! {
    impl Waker as "Waker" {
        fn wake(&mut self, now: u64, _wakeup: u64) {
            if let Some(resolver) = self.resolver.take() {
                resolver.resolve(now);
            }
        }
    }
}

methods! {
    impl Root as "TimerRoot" {
        /// The service, made on this device the first time.
        fn createTimerService(&mut self, device: TimerDevice) -> Result<Own<TimerService>, Error> {
            baggage().provide(SERVICE, || make(TimerService { device }))
        }

        /// The service.
        fn getTimerService(&mut self) -> Result<Own<TimerService>, Error> {
            let service: Option<Own<TimerService>> = baggage().get(SERVICE)?;
            service.ok_or_else(|| Error::new("there is no timer service yet"))
        }
    }
}

methods! {
    impl TimerService as "TimerService" {
        /// The present block's time in seconds.
        fn getCurrentTimestamp(&mut self) -> Result<u64, Error> {
            self.device.now()
        }

        /// A promise that is fulfilled in the first block whose time is `when` or later, with that block's time.
        fn wakeAt(&mut self, when: u64) -> Result<Promise, Error> {
            let now = self.device.now()?;
            if when <= now {
                return Promise::from_value(now.into_value());
            }
            let (promise, resolver) = Promise::make();
            self.device.set_wakeup(when, export(Waker { resolver: Some(resolver) }))?;
            Ok(promise)
        }

        /// As `wakeAt`, so many seconds from now.
        fn delay(&mut self, seconds: u64) -> Result<Promise, Error> {
            let when = self.device.now()?.checked_add(seconds).ok_or("there is no such time")?;
            self.wakeAt(when)
        }

        /// Has a handler woken once.
        fn setWakeup(&mut self, when: u64, handler: Far) -> Result<Own<Wakeup>, Error> {
            let number = self.device.set_wakeup(when, handler)?;
            Ok(make(Wakeup { device: self.device.clone(), number }))
        }

        /// Has a handler woken again and again, until it is cancelled.
        fn makeRepeater(&mut self, first: u64, interval: u64, handler: Far) -> Result<Own<Wakeup>, Error> {
            let number = self.device.set_repeater(first, interval, handler)?;
            Ok(make(Wakeup { device: self.device.clone(), number }))
        }
    }
}

methods! {
    impl Wakeup as "Wakeup" {
        /// Says whether there was still something to cancel.
        fn cancel(&mut self) -> Result<bool, Error> {
            self.device.cancel(self.number)
        }
    }
}

fn start(_parameters: Value) -> Root {
    Root
}

vat!(start, kinds: [TimerService, Wakeup]);
