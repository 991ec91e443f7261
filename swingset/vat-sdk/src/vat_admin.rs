//! Vat administration: making vats while the chain runs, under meters, and upgrading and ending them. `bootstrap(vats, devices)` gives
//! its root as `vats.vatAdmin`; who holds a service may make vats, who holds an admin node decides about one.
//!
//! ```
//! use swingset_vat_sdk::{
//!     prelude::*,
//!     vat_admin::{VatAdmin, VatOptions},
//! };
//!
//! remote! {
//!     pub struct Counter {
//!         fn increment(by: u64) -> u64;
//!     }
//! }
//!
//! async fn metered(admin: VatAdmin) -> Result<u64, Error> {
//!     let service = admin.createVatAdminService().await?;
//!     let code = service.getNamedBundleCap("counter").await?;
//!     let meter = service.createMeter(1_000_000, 100_000).await?;
//!     let options = VatOptions { meter: Some(meter), ..VatOptions::default() };
//!     let vat = service.createVat(&code, options).await?;
//!     vat.root_as::<Counter>().increment(1).await
//! }
//! # fn main() {}
//! ```
//!
//! All functions here are `#[inline]`: what is compiled in the SDK itself changes the bytes of vats that were released without it.

use alloc::{string::String, vec::Vec};

use crate::{Error, Fields, FromValue, IntoValue, Reference, Remote, Value, devices::BundleCap, remote};

remote! {
    /// The root of vat administration.
    pub struct VatAdmin {
        /// What makes vats.
        #[inline]
        fn createVatAdminService() -> VatAdminService;
        /// The right to make critical ones.
        #[inline]
        fn getCriticalVatKey() -> CriticalVatKey;
    }
}

remote! {
    /// Something to be recognized by: see [`VatOptions::critical`].
    pub struct CriticalVatKey {}
}

remote! {
    /// Makes vats.
    pub struct VatAdminService {
        /// A new vat; rejected when its code does not start, and then nothing of it is left.
        #[inline]
        fn createVat(code: &BundleCap, options: VatOptions) -> NewVat;
        /// A meter with so many computrons; whoever asked its notifier is told when fewer than `threshold` are left.
        #[inline]
        fn createMeter(remaining: u64, threshold: u64) -> Meter;
        /// A meter that pays for everything.
        #[inline]
        fn createUnlimitedMeter() -> Meter;
        /// Of an installed bundle, by its ID.
        #[inline]
        fn getBundleCap(id: &str) -> BundleCap;
        /// Of an installed bundle, by its name.
        #[inline]
        fn getNamedBundleCap(name: &str) -> BundleCap;
        /// The ID that a name stands for.
        #[inline]
        fn getBundleIDByName(name: &str) -> String;
        /// As `getBundleCap`, once the bundle is installed.
        #[inline]
        fn waitForBundleCap(id: &str) -> BundleCap;
    }
}

remote! {
    /// What the maker of a vat holds of it.
    pub struct AdminNode {
        /// Settles when the vat has ended: with what it said at its end, or rejected with why it was ended.
        #[inline]
        fn done() -> Value;
        /// Ends the vat.
        #[inline]
        fn terminateWithFailure(reason: Value);
        /// Other code for the vat, which keeps what is durable; rejected when it does not start, and then the vat goes on as it was.
        #[inline]
        fn upgrade(code: &BundleCap, options: UpgradeOptions) -> Upgraded;
        /// Other options.
        #[inline]
        fn changeOptions(options: ChangedOptions);
    }
}

remote! {
    /// Computrons that the vats under it are run for. A delivery that it cannot pay ends its vat.
    pub struct Meter {
        /// More of them.
        #[inline]
        fn addRemaining(more: u64);
        /// Another threshold.
        #[inline]
        fn setThreshold(threshold: u64);
        /// What is left.
        #[inline]
        fn get() -> MeterReading;
        /// Who tells of the threshold.
        #[inline]
        fn getNotifier() -> MeterNotifier;
    }
}

remote! {
    /// Tells when a meter falls below its threshold.
    pub struct MeterNotifier {
        /// The next update after the one of this number; the latest, at once, without a number.
        #[inline]
        fn getUpdateSince(update: Option<u64>) -> MeterUpdate;
    }
}

/// How a new vat is run; what is `None` is left to the kernel.
#[derive(Clone, Debug, Default)]
pub struct VatOptions {
    /// A name, for people.
    pub name: Option<String>,
    /// What its code is started with; nothing is an empty record.
    pub parameters: Option<Value>,
    /// What pays for it.
    pub meter: Option<Meter>,
    /// Its death stops the engine.
    pub critical: Option<CriticalVatKey>,
    /// After how many deliveries and dropped references it is told `bringOutYourDead`.
    pub reap: ReapOptions,
    /// Bytes that it may store.
    pub stored_bytes_max: Option<u64>,
}

/// When a vat is told `bringOutYourDead`: 0 is never, `None` is left as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReapOptions {
    /// After so many deliveries.
    pub deliveries: Option<u64>,
    /// After so many references that were dropped or retired.
    pub gc_krefs: Option<u64>,
}

/// Other options for a vat that lives; `None` is left as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChangedOptions {
    /// When it is told `bringOutYourDead`.
    pub reap: ReapOptions,
    /// Bytes that it may store.
    pub stored_bytes_max: Option<u64>,
}

/// How a vat is upgraded.
#[derive(Clone, Debug, Default)]
pub struct UpgradeOptions {
    /// What the code is started with; nothing is an empty record.
    pub parameters: Option<Value>,
    /// Why, for those whose promises are disconnected.
    pub message: Option<String>,
}

/// A vat that was made.
#[derive(Clone, Debug)]
pub struct NewVat {
    /// Decides about it.
    pub admin: AdminNode,
    /// Its root object.
    pub root: Reference,
}

impl NewVat {
    /// The root as what it is hoped to be.
    #[inline]
    pub fn root_as<T: Remote>(&self) -> T {
        T::from_reference(self.root.clone())
    }
}

/// A vat that was upgraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// How often it was.
    pub incarnation: u64,
}

/// What a meter has. `remaining` is `None` when it pays for everything.
#[allow(missing_docs, reason = "the type says what they are")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterReading {
    pub remaining: Option<u64>,
    pub threshold: u64,
}

/// What a notifier tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterUpdate {
    /// Its number, for the next question.
    pub update: u64,
    /// As [`MeterReading::remaining`].
    pub remaining: Option<u64>,
}

/// A record of the options that are given.
#[inline]
fn given<const N: usize>(options: [(&str, Option<Value>); N]) -> Value {
    let given = options.into_iter().filter_map(|(name, value)| Some((String::from(name), value?)));
    Value::Record(given.collect::<Vec<_>>())
}

#[inline]
fn value<T: IntoValue>(option: Option<T>) -> Option<Value> {
    option.map(IntoValue::into_value)
}

impl IntoValue for VatOptions {
    #[inline]
    fn into_value(self) -> Value {
        given([
            ("name", value(self.name)),
            ("vatParameters", self.parameters),
            ("meter", value(self.meter)),
            ("critical", value(self.critical)),
            ("reapInterval", value(self.reap.deliveries)),
            ("reapGCKrefs", value(self.reap.gc_krefs)),
            ("storedBytesMax", value(self.stored_bytes_max)),
        ])
    }
}

impl IntoValue for ChangedOptions {
    #[inline]
    fn into_value(self) -> Value {
        given([
            ("reapInterval", value(self.reap.deliveries)),
            ("reapGCKrefs", value(self.reap.gc_krefs)),
            ("storedBytesMax", value(self.stored_bytes_max)),
        ])
    }
}

impl IntoValue for UpgradeOptions {
    #[inline]
    fn into_value(self) -> Value {
        given([("vatParameters", self.parameters), ("upgradeMessage", value(self.message))])
    }
}

impl FromValue for NewVat {
    #[inline]
    fn from_value(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::of(value)?;
        Ok(NewVat {
            admin: fields.read("adminNode", None)?,
            root: fields.read("root", None)?,
        })
    }
}

impl FromValue for Upgraded {
    #[inline]
    fn from_value(value: Value) -> Result<Self, Error> {
        let incarnation = Fields::of(value)?.read("incarnationNumber", None)?;
        Ok(Upgraded { incarnation })
    }
}

impl FromValue for MeterReading {
    #[inline]
    fn from_value(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::of(value)?;
        Ok(MeterReading {
            remaining: remaining(&mut fields, "remaining")?,
            threshold: fields.read("threshold", None)?,
        })
    }
}

impl FromValue for MeterUpdate {
    #[inline]
    fn from_value(value: Value) -> Result<Self, Error> {
        let mut fields = Fields::of(value)?;
        Ok(MeterUpdate {
            update: fields.read("updateCount", None)?,
            remaining: remaining(&mut fields, "value")?,
        })
    }
}

/// A number, or the word for none.
#[inline]
fn remaining(fields: &mut Fields, name: &str) -> Result<Option<u64>, Error> {
    match fields.read(name, None)? {
        Value::Text(text) if text == "unlimited" => Ok(None),
        number => u64::from_value(number).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_are_not_given_are_left_out() {
        assert_eq!(VatOptions::default().into_value(), Value::Record(Vec::new()));
        let options = VatOptions {
            name: Some(String::from("new")),
            reap: ReapOptions {
                deliveries: Some(0),
                gc_krefs: None,
            },
            ..VatOptions::default()
        };
        let fields = [("name", "new".into_value()), ("reapInterval", Value::Int(0))];
        let expected = fields.map(|(name, value)| (String::from(name), value));
        assert_eq!(options.into_value(), Value::Record(Vec::from(expected)));
        let changed = ChangedOptions {
            stored_bytes_max: Some(5),
            ..ChangedOptions::default()
        };
        let fields = [(String::from("storedBytesMax"), Value::Int(5))];
        assert_eq!(changed.into_value(), Value::Record(Vec::from(fields)));
    }

    #[test]
    fn a_meter_has_a_number_or_pays_for_everything() {
        let reading = |remaining: Value| {
            let fields = [("remaining", remaining), ("threshold", Value::Int(5))];
            let fields = fields.map(|(name, value)| (String::from(name), value));
            MeterReading::from_value(Value::Record(Vec::from(fields))).map(|reading| reading.remaining)
        };
        assert_eq!(reading(Value::Int(7)), Ok(Some(7)));
        assert_eq!(reading("unlimited".into_value()), Ok(None));
        assert!(reading("seven".into_value()).is_err());
    }
}
