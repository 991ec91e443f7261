//! Between Rust's types and values.

use alloc::{string::String, vec::Vec};

use crate::{Error, Far, Promise, Value};

/// What can be passed.
pub trait IntoValue {
    /// As a value.
    fn into_value(self) -> Value;
}

/// What can be taken from a value.
pub trait FromValue: Sized {
    /// Out of a value, or an error that says what was expected.
    fn from_value(value: Value) -> Result<Self, Error>;
}

macro_rules! integers {
    ($($type:ty),*) => { $(
        impl IntoValue for $type {
            fn into_value(self) -> Value {
                Value::Int(i128::from(self))
            }
        }
        impl FromValue for $type {
            fn from_value(value: Value) -> Result<Self, Error> {
                match value {
                    Value::Int(number) => <$type>::try_from(number).map_err(|_| Error::new(concat!("the integer does not fit ", stringify!($type)))),
                    other => Err(Error::kind("an integer", &other)),
                }
            }
        }
    )* };
}
integers!(u8, u16, u32, u64, i8, i16, i32, i64, i128);

macro_rules! plain {
    ($type:ty, $variant:ident, $what:literal) => {
        impl IntoValue for $type {
            fn into_value(self) -> Value {
                Value::$variant(self)
            }
        }
        impl FromValue for $type {
            fn from_value(value: Value) -> Result<Self, Error> {
                match value {
                    Value::$variant(inner) => Ok(inner),
                    other => Err(Error::kind($what, &other)),
                }
            }
        }
    };
}
plain!(bool, Bool, "a truth value");
plain!(String, Text, "text");
plain!(Far, Far, "an object");
plain!(Error, Error, "an error");

impl IntoValue for Promise {
    fn into_value(self) -> Value {
        Value::Promise(self)
    }
}

impl FromValue for Promise {
    /// Anything else is taken as a promise that is fulfilled already.
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Promise(promise) => Ok(promise),
            other => {
                let (promise, resolver) = Promise::make();
                resolver.resolve(other);
                Ok(promise)
            }
        }
    }
}

impl IntoValue for Value {
    fn into_value(self) -> Value {
        self
    }
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, Error> {
        Ok(value)
    }
}

impl IntoValue for () {
    fn into_value(self) -> Value {
        Value::Undefined
    }
}

impl FromValue for () {
    /// Whatever it is: nobody asked.
    fn from_value(_value: Value) -> Result<Self, Error> {
        Ok(())
    }
}

impl IntoValue for &str {
    fn into_value(self) -> Value {
        Value::Text(String::from(self))
    }
}

impl IntoValue for &Far {
    fn into_value(self) -> Value {
        Value::Far(self.clone())
    }
}

impl IntoValue for &Promise {
    fn into_value(self) -> Value {
        Value::Promise(self.clone())
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(IntoValue::into_value).collect())
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::List(items) => items.into_iter().map(T::from_value).collect(),
            other => Err(Error::kind("a list", &other)),
        }
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::Undefined, IntoValue::into_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Undefined | Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}

/// An argument list: a tuple of what can be passed.
pub trait IntoArgs {
    /// As values.
    fn into_args(self) -> Vec<Value>;
}

impl IntoArgs for Vec<Value> {
    fn into_args(self) -> Vec<Value> {
        self
    }
}

macro_rules! tuples {
    ($(($($name:ident),*))*) => { $(
        impl<$($name: IntoValue),*> IntoArgs for ($($name,)*) {
            #[allow(non_snake_case, reason = "one name for the type and its value")]
            fn into_args(self) -> Vec<Value> {
                let ($($name,)*) = self;
                Vec::from([$($name.into_value()),*])
            }
        }
    )* };
}
tuples! { () (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, F) (A, B, C, D, F, G) }
