//! A collection's handle, and what the supervisor does with it.

use alloc::string::String;

use swingset_abi::supervisor::{CollectionShape, Entry, EntryKey, SlotHandle, StoredId, VatAnswer, VatRequest};

use crate::{
    Error, Far, FromValue, Value,
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

    pub fn make(durable: bool, shape: CollectionShape, kind: u64, label: &str, schema: &str) -> Raw {
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

    /// A collection that was stored or passed, when it is of this kind and schema.
    pub fn of(value: Value, kind: u64, schema: &str) -> Result<Raw, Error> {
        let far = Far::from_value(value)?;
        let SlotHandle::Stored { object: id } = far.slot() else {
            return Err(Error::type_error("expected a collection of this vat"));
        };
        if id.kind != kind {
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

    pub fn get(&self, key: EntryKey) -> Result<Option<Value>, Error> {
        let collection = self.id;
        match try_request(&VatRequest::EntryGet { collection, key })? {
            VatAnswer::Stored { data } => data.as_ref().map(smallcaps::decode).transpose(),
            _ => crate::trap(),
        }
    }

    /// Whether the key was there before.
    pub fn set(&self, key: EntryKey, value: &Value, only_new: bool) -> Result<bool, Error> {
        let request = VatRequest::EntrySet {
            collection: self.id,
            key,
            value: smallcaps::encode(value)?,
            only_new,
        };
        existed(&request)
    }

    /// Whether the key was there.
    pub fn delete(&self, key: EntryKey) -> Result<bool, Error> {
        existed(&VatRequest::EntryDelete {
            collection: self.id,
            key,
        })
    }

    /// Takes all entries out.
    pub fn clear(&self) -> Result<(), Error> {
        while let Some((key, _)) = self.next(None)? {
            let held = super::key::from_key(&key)?;
            self.delete(key)?;
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

/// What the types around a handle have in common.
macro_rules! handle {
    ($name:ident $(<$($param:ident),*>)?) => {
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
