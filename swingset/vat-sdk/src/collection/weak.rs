//! Collections that do not keep their keys alive.

use core::marker::PhantomData;

use swingset_abi::supervisor::CollectionShape;

use super::{
    key::to_key,
    raw::{self, Raw},
};
use crate::{Error, FromValue, IntoValue, Value};

const WEAK_MAP: u64 = 3;
const WEAK_SET: u64 = 4;
const SCHEMA: &str = "object";

/// Values by objects, which it does not keep alive: an entry goes when its object is gone. It cannot be walked or counted, so that
/// nothing shows when that is. Keys are objects elsewhere and stored objects of this vat; objects in memory are not accepted.
/// Errors as of [`super::MapStore`].
pub struct WeakMapStore<V> {
    raw: Raw,
    of: PhantomData<fn() -> V>,
}

raw::handle!(WeakMapStore<V>);

impl<V: FromValue> FromValue for WeakMapStore<V> {
    fn from_value(value: Value) -> Result<Self, Error> {
        Ok(Self::around(Raw::of(value, WEAK_MAP, SCHEMA)?))
    }
}

impl<V: FromValue> WeakMapStore<V> {
    /// A new one that outlives an upgrade of the vat. The label is for people.
    pub fn durable(label: &str) -> Self {
        Self::around(Raw::make(true, CollectionShape::WeakMap {}, WEAK_MAP, label, SCHEMA))
    }

    /// A new one that ends with this incarnation.
    pub fn temporary(label: &str) -> Self {
        Self::around(Raw::make(false, CollectionShape::WeakMap {}, WEAK_MAP, label, SCHEMA))
    }

    /// The value of an object, if there is one.
    pub fn get(&self, key: impl IntoValue) -> Result<Option<V>, Error> {
        let key = key.into_value();
        self.raw.get(to_key(&key)?)?.map(V::from_value).transpose()
    }

    /// Adds an object; an error when it is there already.
    pub fn init(&self, key: impl IntoValue, value: impl IntoValue) -> Result<(), Error> {
        let (key, value) = (key.into_value(), value.into_value());
        if self.raw.set(to_key(&key)?, &value, true)? {
            return Err(Error::new("the map has this key already"));
        }
        Ok(())
    }

    /// Sets the value of an object, new or not.
    pub fn set(&self, key: impl IntoValue, value: impl IntoValue) -> Result<(), Error> {
        let (key, value) = (key.into_value(), value.into_value());
        self.raw.set(to_key(&key)?, &value, false)?;
        Ok(())
    }

    /// Takes an object out; whether it was there.
    pub fn delete(&self, key: impl IntoValue) -> Result<bool, Error> {
        let key = key.into_value();
        self.raw.delete(to_key(&key)?)
    }
}

/// Objects, which it does not keep alive. As [`WeakMapStore`], without values.
pub struct WeakSetStore {
    raw: Raw,
    of: PhantomData<fn()>,
}

raw::handle!(WeakSetStore);

impl FromValue for WeakSetStore {
    fn from_value(value: Value) -> Result<Self, Error> {
        Ok(Self::around(Raw::of(value, WEAK_SET, SCHEMA)?))
    }
}

impl WeakSetStore {
    /// A new one that outlives an upgrade of the vat. The label is for people.
    pub fn durable(label: &str) -> Self {
        Self::around(Raw::make(true, CollectionShape::WeakSet {}, WEAK_SET, label, SCHEMA))
    }

    /// A new one that ends with this incarnation.
    pub fn temporary(label: &str) -> Self {
        Self::around(Raw::make(false, CollectionShape::WeakSet {}, WEAK_SET, label, SCHEMA))
    }

    /// Adds an object; whether it was there.
    pub fn add(&self, key: impl IntoValue) -> Result<bool, Error> {
        let key = key.into_value();
        self.raw.set(to_key(&key)?, &Value::Undefined, true)
    }

    /// Whether it is a member.
    pub fn has(&self, key: impl IntoValue) -> Result<bool, Error> {
        let key = key.into_value();
        Ok(self.raw.get(to_key(&key)?)?.is_some())
    }

    /// Takes an object out; whether it was there.
    pub fn delete(&self, key: impl IntoValue) -> Result<bool, Error> {
        let key = key.into_value();
        self.raw.delete(to_key(&key)?)
    }
}
