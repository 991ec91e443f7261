//! This vat's own objects by type, and kinds of objects whose state lies in the vatstore.

use alloc::{rc::Rc, string::String};
use core::{any::Any, cell::RefCell, marker::PhantomData};

use swingset_abi::supervisor::{SlotHandle, StoredId, VatAnswer, VatRequest};

use crate::{Error, Far, FromValue, IntoValue, Object, Value, request, runtime, smallcaps};

/// A kind of objects whose state lies in the vatstore. [`crate::kind!`] writes this.
pub trait Kind: Object + Sized {
    /// Its name: one of its own in the vat, and the same in every incarnation.
    const NAME: &'static str;
    /// Whether its objects outlive an upgrade of the vat.
    const DURABLE: bool;
    /// The state as a value.
    fn to_state(&self) -> Value;
    /// From a state, which an earlier version of the code may have written.
    fn from_state(state: Value) -> Result<Self, Error>;
}

/// A reference to one of this vat's own objects, of a type that is known. Cloning gives another reference to the same one.
///
/// As an argument's type it accepts only this vat's own objects of that type, so that nobody else's object can pass for one.
pub struct Own<T> {
    far: Far,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Own<T> {
    fn clone(&self) -> Self {
        Own {
            far: self.far.clone(),
            of: PhantomData,
        }
    }
}

impl<T> core::fmt::Debug for Own<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Own").field(&self.far).finish()
    }
}

impl<T> PartialEq for Own<T> {
    fn eq(&self, other: &Self) -> bool {
        self.far == other.far
    }
}

/// Makes an object of a kind; its state is written at once. It lives as long as something refers to it: this vat's memory or
/// stored data, or somebody elsewhere.
///
/// A state is one value of at most 260,000 bytes, of which each reference counts 24. One that is larger, or nests too deep, ends the vat, when
/// it is made as when a method changes it: check how much it is that others give before it is kept.
pub fn make<T: Kind>(object: T) -> Own<T> {
    let Some(kind) = runtime::kind_of::<T>() else {
        runtime::log("a kind must be named in vat! before objects of it are made");
        crate::trap()
    };
    let value = object.to_state();
    let state = request::must(smallcaps::encode(&value));
    match request::request(&VatRequest::NewStored {
        kind,
        state: state.clone(),
    }) {
        VatAnswer::Handle { handle } => {
            let id = StoredId {
                durable: T::DURABLE,
                kind,
                instance: handle,
            };
            let far = Far::held(SlotHandle::Stored { object: id });
            runtime::add_loaded(id, Rc::new(RefCell::new(object)), state);
            Own { far, of: PhantomData }
        }
        _ => crate::trap(),
    }
}

impl<T: Object> Own<T> {
    /// This object as one of this vat's own, of this type.
    pub fn of(far: &Far) -> Result<Own<T>, Error> {
        if runtime::is_own::<T>(far.slot()) {
            Ok(Own {
                far: far.clone(),
                of: PhantomData,
            })
        } else {
            Err(Error::type_error(
                [
                    "expected one of this vat's own objects (",
                    runtime::short_name::<T>(),
                    ")",
                ]
                .concat(),
            ))
        }
    }

    /// The object whose method is being called.
    pub fn current() -> Own<T> {
        let Some(slot) = runtime::current() else { crate::trap() };
        if let SlotHandle::Stored { object } = slot
            && !runtime::is_held(slot)
        {
            request::request(&VatRequest::Hold { object });
        }
        Own {
            far: Far::held(slot),
            of: PhantomData,
        }
    }

    /// Whether it is the object whose method is being called.
    pub fn is_current(&self) -> bool {
        runtime::current() == Some(self.far.slot())
    }

    /// The plain reference.
    pub fn far(&self) -> &Far {
        &self.far
    }

    /// Works on the object. What is changed of a stored one's state is written at the event's end.
    ///
    /// # Errors
    /// When the object is in use (its own method is running, or `body` of another `with` around this one), or its state cannot
    /// be read.
    pub fn with<R>(&self, body: impl FnOnce(&mut T) -> R) -> Result<R, Error> {
        let object = runtime::object(self.far.slot())?.ok_or_else(|| Error::new("no such object"))?;
        let mut object = object
            .try_borrow_mut()
            .map_err(|_| Error::new("the object is in use: one of its methods is running"))?;
        let any: &mut dyn Any = &mut *object;
        match any.downcast_mut::<T>() {
            Some(object) => Ok(body(object)),
            None => Err(Error::new("the object is of another type")),
        }
    }
}

impl<T> IntoValue for Own<T> {
    fn into_value(self) -> Value {
        Value::Far(self.far)
    }
}

impl<T> IntoValue for &Own<T> {
    fn into_value(self) -> Value {
        Value::Far(self.far.clone())
    }
}

impl<T: Object> FromValue for Own<T> {
    fn from_value(value: Value) -> Result<Self, Error> {
        Own::of(&Far::from_value(value)?)
    }
}

/// The fields of a record that is being taken apart.
#[derive(Debug)]
pub struct Fields {
    fields: alloc::vec::Vec<(String, Value)>,
}

impl Fields {
    /// Of a record.
    pub fn of(value: Value) -> Result<Fields, Error> {
        match value {
            Value::Record(fields) => Ok(Fields { fields }),
            other => Err(Error::kind("a record", &other)),
        }
    }

    /// Takes a field out; `None` when there is none.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.fields.iter().position(|(other, _)| other == name)?;
        Some(self.fields.swap_remove(at).1)
    }

    /// Takes a field out; one that is missing is `default`, or `Undefined` without one.
    pub fn read<T: FromValue>(&mut self, name: &str, default: Option<T>) -> Result<T, Error> {
        let value = match (self.take(name), default) {
            (Some(value), _) => value,
            (None, Some(default)) => return Ok(default),
            (None, None) => Value::Undefined,
        };
        T::from_value(value).map_err(|error| Error {
            message: ["field ", name, ": ", &error.message].concat(),
            ..error
        })
    }
}
