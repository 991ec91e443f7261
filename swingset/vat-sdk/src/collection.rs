//! Collections whose entries lie in the vatstore, and the vat's baggage.
//!
//! Keys have an order of their own, the same in every vat: nothing, null, false, true, integers by value, text by its UTF-8 bytes,
//! then objects in an order that is fixed and means nothing.
//!
//! ```no_run
//! use swingset_vat_sdk::prelude::*;
//!
//! # fn example(alice: Far) -> Result<(), Error> {
//! let scores: MapStore<String, u64> = baggage().provide("scores", || MapStore::durable("scores"))?;
//! scores.set("alice", 5u64)?;
//! assert_eq!(scores.get("alice")?, Some(5));
//! for entry in scores.iter() {
//!     let (name, score) = entry?;
//! }
//!
//! let notes: WeakMapStore<String> = WeakMapStore::durable("notes");
//! notes.set(&alice, "does not keep alice alive")?;
//! # Ok(())
//! # }
//! ```

mod key;
mod map;
mod raw;
mod weak;

use alloc::string::String;

pub use key::Key;
pub use map::{Entries, MapStore, SetStore};
pub use weak::{WeakMapStore, WeakSetStore};

use crate::{Error, FromValue, IntoValue, Value};

/// What the vat leaves to its next incarnation: a durable map by names.
#[derive(Clone, Debug)]
pub struct Baggage {
    entries: MapStore<String, Value>,
}

/// The vat's baggage.
pub fn baggage() -> Baggage {
    Baggage {
        entries: MapStore::baggage(),
    }
}

impl Baggage {
    /// What stands under a name.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn get<T: FromValue>(&self, name: &str) -> Result<Option<T>, Error> {
        self.entries.get(name)?.map(T::from_value).transpose()
    }

    /// What stands under a name; made and put there when there is nothing yet, so that every incarnation finds the same.
    pub fn provide<T: FromValue + IntoValue + Clone>(&self, name: &str, make: impl FnOnce() -> T) -> Result<T, Error> {
        if let Some(found) = self.get(name)? {
            return Ok(found);
        }
        let made = make();
        self.set(name, made.clone())?;
        Ok(made)
    }

    /// Puts something under a name. It must be data or durable.
    pub fn set(&self, name: &str, value: impl IntoValue) -> Result<(), Error> {
        self.entries.set(name, value.into_value())
    }

    /// Takes a name out; whether it was there.
    pub fn delete(&self, name: &str) -> Result<bool, Error> {
        self.entries.delete(name)
    }

    /// All of it.
    pub fn entries(&self) -> &MapStore<String, Value> {
        &self.entries
    }
}
