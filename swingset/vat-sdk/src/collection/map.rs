//! Ordered maps and sets.

use core::marker::PhantomData;

use swingset_abi::supervisor::{CollectionShape, EntryKey};

use super::{
    key::{Key, from_key, to_key},
    raw::{self, Raw},
};
use crate::{Error, FromValue, IntoValue, Value};

/// An ordered map in the vatstore. Its keys and values are kept alive by it, and it by whatever refers to it.
///
/// Every method fails with an [`Error`] where a key or value is refused (a value of more than 260,000 bytes, of which each reference
/// counts 24, or more than 4,000 references; a text key of more than 399 bytes; what is not durable, in a durable map) or an entry is of
/// another type.
pub struct MapStore<K, V> {
    raw: Raw,
    of: PhantomData<fn() -> (K, V)>,
}

raw::handle!(MapStore<K: Key, V: FromValue>, Map, K::SCHEMA);

impl<V> MapStore<alloc::string::String, V> {
    pub(super) fn baggage() -> Self {
        Self::around(Raw::baggage())
    }
}

impl<K: Key, V: FromValue> MapStore<K, V> {
    /// The value of a key, if there is one.
    pub fn get(&self, key: impl IntoValue) -> Result<Option<V>, Error> {
        self.raw.get(key)?.map(V::from_value).transpose()
    }

    /// The value of a key; an error when there is none.
    pub fn need(&self, key: impl IntoValue) -> Result<V, Error> {
        self.get(key)?.ok_or_else(|| Error::new("the map has no such key"))
    }

    /// Whether there is such a key.
    pub fn has(&self, key: impl IntoValue) -> Result<bool, Error> {
        Ok(self.raw.get(key)?.is_some())
    }

    /// Adds a key; an error when it is there already.
    pub fn init(&self, key: impl IntoValue, value: impl IntoValue) -> Result<(), Error> {
        self.raw.init(key, value)
    }

    /// Sets the value of a key, new or not.
    pub fn set(&self, key: impl IntoValue, value: impl IntoValue) -> Result<(), Error> {
        self.raw.set(key, value)
    }

    /// Takes a key out; whether it was there.
    pub fn delete(&self, key: impl IntoValue) -> Result<bool, Error> {
        self.raw.delete(key)
    }

    /// How many entries there are.
    pub fn len(&self) -> Result<u64, Error> {
        Ok(self.raw.info()?.size)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// The entries in the order of their keys. What is added or deleted meanwhile is seen, or not, by where it stands.
    ///
    /// An answer has room for 260,000 bytes, and a crank for 10,000 syscalls, of which each entry takes two: give what others may have made
    /// large by pages, with [`MapStore::iter_after`].
    pub fn iter(&self) -> Entries<K, V> {
        self.entries(None)
    }

    /// The entries whose keys come after this one, which need not be there.
    pub fn iter_after(&self, key: impl IntoValue) -> Result<Entries<K, V>, Error> {
        Ok(self.entries(Some(to_key(&key.into_value())?)))
    }

    fn entries(&self, after: Option<EntryKey>) -> Entries<K, V> {
        Entries {
            raw: self.raw.clone(),
            after,
            done: false,
            of: PhantomData,
        }
    }

    /// Takes all entries out.
    pub fn clear(&self) -> Result<(), Error> {
        self.raw.clear()
    }
}

/// Walks a map. After an error it is at its end.
pub struct Entries<K, V> {
    raw: Raw,
    after: Option<EntryKey>,
    done: bool,
    of: PhantomData<fn() -> (K, V)>,
}

impl<K, V> core::fmt::Debug for Entries<K, V> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Entries")
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}

impl<K: Key, V: FromValue> Entries<K, V> {
    fn step(&mut self) -> Result<Option<(K, V)>, Error> {
        // The key before stays held while it is named.
        let before = self.after.as_ref().map(from_key).transpose()?;
        let Some((key, value)) = self.raw.next(self.after.take())? else {
            return Ok(None);
        };
        drop(before);
        let entry = (K::from_value(from_key(&key)?)?, V::from_value(value)?);
        self.after = Some(key);
        Ok(Some(entry))
    }
}

impl<K: Key, V: FromValue> Iterator for Entries<K, V> {
    type Item = Result<(K, V), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step().transpose();
        self.done = !matches!(step, Some(Ok(_)));
        step
    }
}

/// An ordered set in the vatstore. Its members are kept alive by it. Errors as of [`MapStore`].
pub struct SetStore<K> {
    raw: Raw,
    of: PhantomData<fn() -> K>,
}

raw::handle!(SetStore<K: Key>, Set, K::SCHEMA);

impl<K: Key> SetStore<K> {
    /// Adds a member; whether it was there.
    pub fn add(&self, key: impl IntoValue) -> Result<bool, Error> {
        self.raw.add(key)
    }

    /// Whether it is a member.
    pub fn has(&self, key: impl IntoValue) -> Result<bool, Error> {
        Ok(self.raw.get(key)?.is_some())
    }

    /// Takes a member out; whether it was there.
    pub fn delete(&self, key: impl IntoValue) -> Result<bool, Error> {
        self.raw.delete(key)
    }

    /// How many members there are.
    pub fn len(&self) -> Result<u64, Error> {
        Ok(self.raw.info()?.size)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// The members in their order.
    pub fn iter(&self) -> impl Iterator<Item = Result<K, Error>> + use<K> {
        let entries: Entries<K, Value> = Entries {
            raw: self.raw.clone(),
            after: None,
            done: false,
            of: PhantomData,
        };
        entries.map(|entry| entry.map(|(key, _)| key))
    }

    /// Takes all members out.
    pub fn clear(&self) -> Result<(), Error> {
        self.raw.clear()
    }
}
