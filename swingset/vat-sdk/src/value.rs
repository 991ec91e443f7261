//! Values: what messages carry.

use alloc::{string::String, vec::Vec};

use crate::{Far, Promise};

/// A passable value. Numbers are integers: there are no floats in consensus.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Undefined,
    /// Null.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer. It is written as a bigint; integers of either form are read.
    Int(i128),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A record; its fields in the order of writing.
    Record(Vec<(String, Value)>),
    /// A tagged value.
    Tagged(String, alloc::boxed::Box<Value>),
    /// An error.
    Error(Error),
    /// An object, here or elsewhere.
    Far(Far),
    /// A promise.
    Promise(Promise),
}

/// An error as a value: a name (`Error`, `TypeError`, …) and a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Its kind.
    pub name: String,
    /// What went wrong.
    pub message: String,
}

impl Error {
    /// An `Error` with this message.
    pub fn new(message: impl Into<String>) -> Error {
        Error {
            name: String::from("Error"),
            message: message.into(),
        }
    }

    /// A `TypeError` with this message.
    pub fn type_error(message: impl Into<String>) -> Error {
        Error {
            name: String::from("TypeError"),
            message: message.into(),
        }
    }

    /// A `TypeError`: a value of another kind than expected.
    pub fn kind(expected: &str, got: &Value) -> Error {
        Error::type_error(["expected ", expected, ", got ", got.kind()].concat())
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Self {
        Error::new(message)
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.name)?;
        f.write_str(": ")?;
        f.write_str(&self.message)
    }
}

impl core::error::Error for Error {}

impl From<Value> for Error {
    /// A rejection's reason as an error: what is one stays, of other values the kind is told.
    fn from(reason: Value) -> Self {
        match reason {
            Value::Error(error) => error,
            Value::Text(text) => Error::new(text),
            other => Error::new(["rejected with ", other.kind()].concat()),
        }
    }
}

impl From<Error> for Value {
    fn from(error: Error) -> Self {
        Value::Error(error)
    }
}

impl From<&str> for Value {
    /// As a reason for a rejection: an error with this message.
    fn from(message: &str) -> Self {
        Value::Error(Error::new(message))
    }
}

impl Value {
    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Undefined => "nothing",
            Value::Null => "null",
            Value::Bool(_) => "a truth value",
            Value::Int(_) => "an integer",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Record(_) => "a record",
            Value::Tagged(..) => "a tagged value",
            Value::Error(_) => "an error",
            Value::Far(_) => "an object",
            Value::Promise(_) => "a promise",
        }
    }

    /// A record's field.
    pub fn field(&self, name: &str) -> Result<&Value, Error> {
        match self {
            Value::Record(fields) => fields
                .iter()
                .find(|(other, _)| other == name)
                .map(|(_, value)| value)
                .ok_or_else(|| Error::new(["the record has no field ", name].concat())),
            other => Err(Error::kind("a record", other)),
        }
    }

    /// The text that it is.
    pub fn text(self) -> Result<String, Error> {
        crate::FromValue::from_value(self)
    }

    /// The object that it is.
    pub fn far(self) -> Result<Far, Error> {
        crate::FromValue::from_value(self)
    }
}
