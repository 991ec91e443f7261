//! A user of every device. For tests only; `bootstrap` of its own, or a vat that governance gives devices.
//!
//! It serves peers of the mailbox, who are answered by the mailbox: `publish PATH VALUE`, `balance ADDRESS`, `pay ADDRESS AMOUNT`, `break
//! ADDRESS AMOUNT` (pays and then ends the vat with a failure), `wake SECONDS`; whatever else is sent back as it came.
#![cfg_attr(target_arch = "wasm32", no_std)]

use swingset_vat_sdk::{
    devices::{BridgeDevice, Devices, MailboxDevice, TimerDevice},
    prelude::*,
};

/// Where the devices are kept.
const DEVICES: [&str; 3] = ["timer", "mailbox", "bridge"];

kind! {
    /// What was told, in order; it outlives an upgrade, and is woken after it.
    pub durable struct Diary as "Diary" { told: Vec<Value> }
}

methods! {
    impl Diary as "Diary" {
        fn wake(&mut self, now: u64, wakeup: u64) {
            self.told.push(vec![now, wakeup].into_value());
            // Where there is a chain, it can be seen there.
            let _ = publish("published.woken", format!("{wakeup}").into_value());
        }

        fn inbound(&mut self, id: String, value: Value) -> Result<(), Error> {
            publish(&format!("published.{id}"), value.field("action").or_else(|_| value.field("spendAction"))?.clone())?;
            self.told.push(vec![id.into_value(), value].into_value());
            Ok(())
        }

        fn deliverInboundMessages(&mut self, peer: String, messages: Vec<Vec<Value>>) -> Result<(), Error> {
            for message in messages {
                let text = message.get(1).cloned().unwrap_or(Value::Undefined).text()?;
                let answer = serve(&text).unwrap_or_else(|error| error.message);
                device::<MailboxDevice>(1)?.send(&peer, &answer)?;
                self.told.push(vec![peer.clone().into_value(), message.into_value()].into_value());
            }
            Ok(())
        }

        fn deliverInboundAck(&mut self, peer: String, number: u64) {
            self.told.push(vec![peer.into_value(), number.into_value()].into_value());
        }
    }
}

fn field(name: &str, value: impl IntoValue) -> (String, Value) {
    (name.to_owned(), value.into_value())
}

fn publish(path: &str, value: Value) -> Result<(), Error> {
    let entry = vec![path.into_value(), value].into_value();
    let request = Value::Record(vec![field("method", "set"), field("args", vec![entry])]);
    bridge()?.call_outbound("storage", request).map(|_| ())
}

fn bank(kind: &str, who: (&str, &str), amount: Option<&str>) -> Result<Value, Error> {
    let mut request = vec![field("type", kind), field(who.0, who.1), field("denom", "uswing")];
    request.extend(amount.map(|amount| field("amount", amount)));
    bridge()?.call_outbound("bank", Value::Record(request))
}

/// Does what a peer asks for, and gives the answer.
fn serve(text: &str) -> Result<String, Error> {
    let words: Vec<&str> = text.split(' ').collect();
    match *words.as_slice() {
        ["publish", path, value] => publish(path, value.into_value()).map(|()| String::from("published")),
        ["balance", address] => bank("VBANK_GET_BALANCE", ("address", address), None)?.text(),
        ["pay", address, amount] => {
            bank("VBANK_GIVE", ("recipient", address), Some(amount)).map(|_| String::from("paid"))
        }
        ["break", address, amount] => {
            bank("VBANK_GIVE", ("recipient", address), Some(amount))?;
            swingset_vat_sdk::exit(true, "on purpose");
            Ok(String::from("broken"))
        }
        ["wake", seconds] => {
            let seconds: u64 = seconds.parse().map_err(|_| "no number of seconds")?;
            let when = timer()?.now()?.checked_add(seconds).ok_or("no such time")?;
            let diary: Option<Own<Diary>> = baggage().get("diary")?;
            timer()?.set_wakeup(when, diary).map(|number| format!("wake-up {number}"))
        }
        _ => Ok(text.to_owned()),
    }
}

/// The root object.
#[derive(Debug)]
pub struct Root {
    diary: Own<Diary>,
}

fn device<T: FromValue>(at: usize) -> Result<T, Error> {
    T::from_value(baggage().get(DEVICES[at])?.ok_or("the device was not given")?)
}

fn timer() -> Result<TimerDevice, Error> {
    device(0)
}

fn bridge() -> Result<BridgeDevice, Error> {
    device(2)
}

methods! {
    impl Root as "Devices" {
        fn bootstrap(&mut self, _vats: Value, devices: Devices) -> Result<(), Error> {
            let Devices { timer, mailbox, bridge } = devices;
            for (name, device) in DEVICES.into_iter().zip([timer.into_value(), mailbox.into_value(), bridge.into_value()]) {
                if device != Value::Undefined {
                    baggage().set(name, device)?;
                }
            }
            Ok(())
        }

        /// The diary takes what comes in for mailbox and bridge.
        fn listen(&mut self) -> Result<(), Error> {
            device::<MailboxDevice>(1)?.register(&self.diary)?;
            bridge()?.register(&self.diary)
        }

        fn diary(&mut self) -> Own<Diary> {
            self.diary.clone()
        }

        fn now(&mut self) -> Result<u64, Error> {
            timer()?.now()
        }

        fn set(&mut self, when: u64) -> Result<u64, Error> {
            timer()?.set_wakeup(when, &self.diary)
        }

        fn repeat(&mut self, first: u64, interval: u64) -> Result<u64, Error> {
            timer()?.set_repeater(first, interval, &self.diary)
        }

        fn cancel(&mut self, wakeup: u64) -> Result<bool, Error> {
            timer()?.cancel(wakeup)
        }

        /// Calls a method of the timer that the SDK does not know.
        fn ask_timer(&mut self, method: String) -> Result<Value, Error> {
            swingset_vat_sdk::call_device(&timer()?.into_value().far()?, &method, ())
        }

        fn send(&mut self, peer: String, body: String) -> Result<u64, Error> {
            device::<MailboxDevice>(1)?.send(&peer, &body)
        }

        fn call(&mut self, id: String, value: Value) -> Result<Value, Error> {
            bridge()?.call_outbound(&id, value)
        }

        /// Calls the host, and fails thereafter: what the host did is undone with this vat.
        fn call_and_fail(&mut self, id: String, value: Value) -> Result<(), Error> {
            bridge()?.call_outbound(&id, value)?;
            swingset_vat_sdk::exit(true, "on purpose");
            Ok(())
        }

        fn told(&mut self) -> Result<Vec<Value>, Error> {
            self.diary.with(|diary| core::mem::take(&mut diary.told))
        }
    }
}

fn start(parameters: Value) -> Result<Root, Error> {
    let diary = baggage().provide("diary", || make(Diary { told: Vec::new() }))?;
    let mut root = Root { diary };
    // A vat that governance runs is given its powers as parameters.
    if let Ok(devices) = parameters.field("devices") {
        root.bootstrap(Value::Undefined, Devices::from_value(devices.clone())?)?;
        root.listen()?;
    }
    Ok(root)
}

vat!(start, kinds: [Diary]);
