//! Devices: parts of the kernel that answer at once. `bootstrap(vats, devices)` gives them; who holds one may use it, and pass it on.
//!
//! ```
//! use swingset_vat_sdk::{devices::TimerDevice, prelude::*};
//!
//! /// Notes when it was woken.
//! struct Alarm {
//!     woken: Vec<u64>,
//! }
//!
//! methods! {
//!     impl Alarm as "Alarm" {
//!         fn wake(&mut self, now: u64, _wakeup: u64) {
//!             self.woken.push(now);
//!         }
//!     }
//! }
//!
//! fn in_a_minute(timer: &TimerDevice) -> Result<u64, Error> {
//!     let alarm = export(Alarm { woken: Vec::new() });
//!     timer.set_wakeup(timer.now()? + 60, &alarm)
//! }
//! # fn main() {}
//! ```

use crate::{Error, Far, FromValue, IntoArgs, IntoValue, Value, call_device};

macro_rules! device {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name(Far);

        impl $name {
            fn call<T: FromValue>(&self, method: &str, args: impl IntoArgs) -> Result<T, Error> {
                T::from_value(call_device(&self.0, method, args)?)
            }
        }

        impl IntoValue for $name {
            fn into_value(self) -> Value {
                Value::Far(self.0)
            }
        }

        impl IntoValue for &$name {
            fn into_value(self) -> Value {
                Value::Far(self.0.clone())
            }
        }

        impl FromValue for $name {
            /// Any device's node is taken: a call of what it has no method for is refused.
            fn from_value(value: Value) -> Result<Self, Error> {
                let far = Far::from_value(value)?;
                if far.is_device() {
                    Ok($name(far))
                } else {
                    Err(Error::type_error("expected a device's node"))
                }
            }
        }
    };
}

device! {
    /// The kernel's timer. Times are in seconds; a wake-up is a message `wake(now, wakeup)` to its handler.
    TimerDevice
}

impl TimerDevice {
    /// The present block's time.
    ///
    /// # Errors
    /// When the node is another device's.
    pub fn now(&self) -> Result<u64, Error> {
        self.call("getCurrentTime", ())
    }

    /// Has the handler woken in the first block whose time is `when` or later, and not in this one; gives the wake-up's number. An
    /// object in memory is no good handler for what shall outlive an upgrade of the vat: its wake-ups are dropped.
    ///
    /// # Errors
    /// When the vat has too many wake-ups.
    pub fn set_wakeup(&self, when: u64, handler: impl IntoValue) -> Result<u64, Error> {
        self.call("setWakeup", (when, handler.into_value()))
    }

    /// As [`TimerDevice::set_wakeup`], at `first` and every `interval` seconds after it until it is cancelled. What was missed is made up
    /// for once.
    ///
    /// # Errors
    /// When the vat has too many wake-ups, or the interval is 0.
    pub fn set_repeater(&self, first: u64, interval: u64, handler: impl IntoValue) -> Result<u64, Error> {
        self.call("setRepeater", (first, interval, handler.into_value()))
    }

    /// Cancels one of this vat's own wake-ups; says whether there was one.
    ///
    /// # Errors
    /// When the node is another device's.
    pub fn cancel(&self, wakeup: u64) -> Result<bool, Error> {
        self.call("cancel", (wakeup,))
    }
}

device! {
    /// The kernel's mailbox: numbered messages to and from peers outside.
    MailboxDevice
}

impl MailboxDevice {
    /// From now on this object is told `deliverInboundMessages(peer, [[number, body], …])` and `deliverInboundAck(peer, number)`.
    ///
    /// # Errors
    /// When the node is another device's.
    pub fn register(&self, handler: impl IntoValue) -> Result<(), Error> {
        self.call::<Value>("registerInboundHandler", (handler.into_value(),)).map(|_| ())
    }

    /// Leaves a message for a peer; gives its number.
    ///
    /// # Errors
    /// An address that is none, a message that is too long, too many that the peer did not acknowledge.
    pub fn send(&self, peer: &str, body: &str) -> Result<u64, Error> {
        self.call("send", (peer, body))
    }
}

device! {
    /// The bridge to the host: what the chain's modules do for vats.
    BridgeDevice
}

impl BridgeDevice {
    /// From now on this object is told `inbound(bridgeID, value)`.
    ///
    /// # Errors
    /// When the node is another device's.
    pub fn register(&self, handler: impl IntoValue) -> Result<(), Error> {
        self.call::<Value>("registerInboundHandler", (handler.into_value(),)).map(|_| ())
    }

    /// Asks the host. What it did is undone with this delivery, should that fail.
    ///
    /// # Errors
    /// What the host refuses, and why; a bridge that it does not have; a value that holds references.
    pub fn call_outbound(&self, bridge: &str, value: impl IntoValue) -> Result<Value, Error> {
        self.call("callOutbound", (bridge, value.into_value()))
    }
}

device! {
    /// An installed bundle, of whose code vats can be made ([`crate::vat_admin`]).
    BundleCap
}

impl BundleCap {
    /// The bundle's ID.
    ///
    /// # Errors
    /// When the node is another device's.
    #[inline]
    pub fn bundle_id(&self) -> Result<alloc::string::String, Error> {
        self.call("getBundleID", ())
    }
}

/// The devices that `bootstrap(vats, devices)` gives, as far as they are there.
#[derive(Clone, Debug, Default)]
pub struct Devices {
    /// The timer.
    pub timer: Option<TimerDevice>,
    /// The mailbox.
    pub mailbox: Option<MailboxDevice>,
    /// The bridge.
    pub bridge: Option<BridgeDevice>,
}

impl FromValue for Devices {
    fn from_value(value: Value) -> Result<Self, Error> {
        let Value::Record(fields) = value else {
            return Err(Error::kind("a record", &value));
        };
        let mut devices = Devices::default();
        for (name, value) in fields {
            match name.as_str() {
                "timer" => devices.timer = Some(FromValue::from_value(value)?),
                "mailbox" => devices.mailbox = Some(FromValue::from_value(value)?),
                "bridge" => devices.bridge = Some(FromValue::from_value(value)?),
                _ => {}
            }
        }
        Ok(devices)
    }
}

