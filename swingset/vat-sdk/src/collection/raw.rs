//! A collection's handle, and what the supervisor does with it.

use alloc::string::String;

use swingset_abi::supervisor::{CollectionShape, Entry, EntryKey, SlotHandle, StoredId, VatAnswer, VatRequest};

use super::key::to_key;
use crate::{
    Error, Far, FromValue, IntoValue, Value,
    request::{request, try_request},
    smallcaps,
};

/// A collection. Cloning gives another reference to the same one.
#[derive(Clone, Debug, PartialEq)]
pub struct Raw {
    far: Option<Far>,
    id: StoredId,
}

/// What collections are made with.
pub struct Info {
    pub schema: String,
    pub size: u64,
}

impl Raw {
    pub fn baggage() -> Raw {
        Raw {
            far: None,
            id: StoredId::BAGGAGE,
        }
    }

    pub fn make(durable: bool, shape: CollectionShape, label: &str, schema: &str) -> Raw {
        let kind = shape.kind();
        // A refusal here is a mistake in the label, and traps.
        let answer = request(&VatRequest::NewCollection {
            durable,
            shape,
            label: String::from(label),
            schema: String::from(schema),
        });
        let VatAnswer::Handle { handle } = answer else {
            crate::trap()
        };
        let id = StoredId {
            durable,
            kind,
            instance: handle,
        };
        let far = Some(Far::held(SlotHandle::Stored { object: id }));
        Raw { far, id }
    }

    /// A collection that was stored or passed, when it is of this shape and schema.
    pub fn of(value: Value, shape: &CollectionShape, schema: &str) -> Result<Raw, Error> {
        let far = Far::from_value(value)?;
        let SlotHandle::Stored { object: id } = far.slot() else {
            return Err(Error::type_error("expected a collection of this vat"));
        };
        if id.kind != shape.kind() {
            return Err(Error::type_error("expected a collection of another kind"));
        }
        let raw = Raw { far: Some(far), id };
        let found = raw.info()?.schema;
        if found != schema {
            return Err(Error::type_error(
                ["expected a collection with keys of schema ", schema, ", got ", &found].concat(),
            ));
        }
        Ok(raw)
    }

    pub fn value(&self) -> Value {
        match &self.far {
            Some(far) => Value::Far(far.clone()),
            None => Value::Far(Far::held(SlotHandle::Stored { object: self.id })),
        }
    }

    pub fn info(&self) -> Result<Info, Error> {
        match try_request(&VatRequest::CollectionInfo { collection: self.id })? {
            VatAnswer::Collection { schema, size, .. } => Ok(Info { schema, size }),
            _ => crate::trap(),
        }
    }

    /// The value of a key, if there is one.
    pub fn get(&self, key: impl IntoValue) -> Result<Option<Value>, Error> {
        self.read(&key.into_value())
    }

    /// Adds a key; an error when it is there already.
    pub fn init(&self, key: impl IntoValue, value: impl IntoValue) -> Result<(), Error> {
        if self.write(&key.into_value(), &value.into_value(), true)? {
            return Err(Error::new("the map has this key already"));
        }
        Ok(())
    }

    /// Sets the value of a key, new or not.
    pub fn set(&self, key: impl IntoValue, value: impl IntoValue) -> Result<(), Error> {
        self.write(&key.into_value(), &value.into_value(), false).map(drop)
    }

    /// Adds a key without a value; whether it was there.
    pub fn add(&self, key: impl IntoValue) -> Result<bool, Error> {
        self.write(&key.into_value(), &Value::Undefined, true)
    }

    /// Takes a key out; whether it was there.
    pub fn delete(&self, key: impl IntoValue) -> Result<bool, Error> {
        let key = key.into_value();
        self.delete_entry(to_key(&key)?)
    }

    fn read(&self, key: &Value) -> Result<Option<Value>, Error> {
        let (collection, key) = (self.id, to_key(key)?);
        match try_request(&VatRequest::EntryGet { collection, key })? {
            VatAnswer::Stored { data } => data.as_ref().map(smallcaps::decode).transpose(),
            _ => crate::trap(),
        }
    }

    fn write(&self, key: &Value, value: &Value, only_new: bool) -> Result<bool, Error> {
        existed(&VatRequest::EntrySet {
            collection: self.id,
            key: to_key(key)?,
            value: smallcaps::encode(value)?,
            only_new,
        })
    }

    fn delete_entry(&self, key: EntryKey) -> Result<bool, Error> {
        existed(&VatRequest::EntryDelete {
            collection: self.id,
            key,
        })
    }

    /// Takes all entries out.
    pub fn clear(&self) -> Result<(), Error> {
        while let Some((key, _)) = self.next(None)? {
            let held = super::key::from_key(&key)?;
            self.delete_entry(key)?;
            drop(held);
        }
        Ok(())
    }

    pub fn next(&self, after: Option<EntryKey>) -> Result<Option<(EntryKey, Value)>, Error> {
        let collection = self.id;
        match try_request(&VatRequest::EntryNext { collection, after })? {
            VatAnswer::Entry { entry } => entry
                .map(|Entry { key, value }| Ok((key, smallcaps::decode(&value)?)))
                .transpose(),
            _ => crate::trap(),
        }
    }
}

/// What the types around a handle have in common: their shape, and the schema of their keys.
macro_rules! handle {
    ($name:ident $(<$($param:ident: $bound:ident),*>)?, $shape:ident, $schema:expr) => {
        impl $(<$($param: $bound),*>)? $name $(<$($param),*>)? {
            /// A new one that outlives an upgrade of the vat. The label is for people.
            pub fn durable(label: &str) -> Self {
                Self::around(Raw::make(true, CollectionShape::$shape {}, label, $schema))
            }

            /// A new one that ends with this incarnation.
            pub fn temporary(label: &str) -> Self {
                Self::around(Raw::make(false, CollectionShape::$shape {}, label, $schema))
            }
        }

        impl $(<$($param: $bound),*>)? FromValue for $name $(<$($param),*>)? {
            fn from_value(value: Value) -> Result<Self, Error> {
                Ok(Self::around(Raw::of(value, &CollectionShape::$shape {}, $schema)?))
            }
        }

        impl $(<$($param),*>)? $name $(<$($param),*>)? {
            fn around(raw: Raw) -> Self {
                $name { raw, of: PhantomData }
            }
        }

        impl $(<$($param),*>)? Clone for $name $(<$($param),*>)? {
            fn clone(&self) -> Self {
                Self::around(self.raw.clone())
            }
        }

        impl $(<$($param),*>)? core::fmt::Debug for $name $(<$($param),*>)? {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.raw).finish()
            }
        }

        impl $(<$($param),*>)? IntoValue for $name $(<$($param),*>)? {
            fn into_value(self) -> Value {
                self.raw.value()
            }
        }

        impl $(<$($param),*>)? IntoValue for &$name $(<$($param),*>)? {
            fn into_value(self) -> Value {
                self.raw.value()
            }
        }
    };
}
pub(super) use handle;

fn existed(request: &VatRequest) -> Result<bool, Error> {
    match try_request(request)? {
        VatAnswer::Existed { existed } => Ok(existed),
        _ => crate::trap(),
    }
}
