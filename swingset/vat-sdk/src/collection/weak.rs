//! Collections that do not keep their keys alive.

use core::marker::PhantomData;

use swingset_abi::supervisor::CollectionShape;

use super::raw::{self, Raw};
use crate::{Error, FromValue, IntoValue, Value};

const SCHEMA: &str = "object";

/// Values by objects, which it does not keep alive: an entry goes when its object is gone. It cannot be walked or counted, so that
/// nothing shows when that is. Keys are objects elsewhere and stored objects of this vat; objects in memory are not accepted.
/// Errors as of [`super::MapStore`].
pub struct WeakMapStore<V> {
    raw: Raw,
    of: PhantomData<fn() -> V>,
}

raw::handle!(WeakMapStore<V: FromValue>, WeakMap, SCHEMA);

impl<V: FromValue> WeakMapStore<V> {
    /// The value of an object, if there is one.
    pub fn get(&self, key: impl IntoValue) -> Result<Option<V>, Error> {
        self.raw.get(key)?.map(V::from_value).transpose()
    }

    /// Adds an object; an error when it is there already.
    pub fn init(&self, key: impl IntoValue, value: impl IntoValue) -> Result<(), Error> {
        self.raw.init(key, value)
    }

    /// Sets the value of an object, new or not.
    pub fn set(&self, key: impl IntoValue, value: impl IntoValue) -> Result<(), Error> {
        self.raw.set(key, value)
    }

    /// Takes an object out; whether it was there.
    pub fn delete(&self, key: impl IntoValue) -> Result<bool, Error> {
        self.raw.delete(key)
    }
}

/// Objects, which it does not keep alive. As [`WeakMapStore`], without values.
pub struct WeakSetStore {
    raw: Raw,
    of: PhantomData<fn()>,
}

raw::handle!(WeakSetStore, WeakSet, SCHEMA);

impl WeakSetStore {
    /// Adds an object; whether it was there.
    pub fn add(&self, key: impl IntoValue) -> Result<bool, Error> {
        self.raw.add(key)
    }

    /// Whether it is a member.
    pub fn has(&self, key: impl IntoValue) -> Result<bool, Error> {
        Ok(self.raw.get(key)?.is_some())
    }

    /// Takes an object out; whether it was there.
    pub fn delete(&self, key: impl IntoValue) -> Result<bool, Error> {
        self.raw.delete(key)
    }
}
