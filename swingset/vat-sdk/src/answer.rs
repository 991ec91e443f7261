//! Objects and their answers.

use alloc::vec::Vec;

use crate::{Error, FromValue, IntoValue, Promise, Value};

/// What a vat exports: something that answers messages. [`crate::methods!`] writes this for a list of methods.
pub trait Object: 'static {
    /// What it calls itself to others; not a proof of anything.
    fn interface(&self) -> &'static str;
    /// Answers one message.
    fn call(&mut self, method: &str, args: Args) -> Answer;
}

/// A message's arguments, taken one after another.
#[derive(Debug)]
pub struct Args {
    items: alloc::vec::IntoIter<Value>,
}

impl Args {
    /// From a list.
    pub fn new(items: Vec<Value>) -> Args {
        Args {
            items: items.into_iter(),
        }
    }

    /// The next argument; a missing one is `Undefined`, as in JavaScript.
    pub fn take<T: FromValue>(&mut self, name: &str) -> Result<T, Error> {
        T::from_value(self.items.next().unwrap_or(Value::Undefined)).map_err(|error| Error {
            message: ["argument ", name, ": ", &error.message].concat(),
            ..error
        })
    }

    /// An error when there are more.
    pub fn end(&mut self) -> Result<(), Error> {
        if self.items.next().is_some() {
            Err(Error::new("too many arguments"))
        } else {
            Ok(())
        }
    }
}

/// What becomes of a message's result.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It is fulfilled; with a promise, it follows that.
    Fulfilled(Value),
    /// It is rejected.
    Rejected(Value),
}

/// What a method may return.
pub trait IntoAnswer {
    /// As an answer.
    fn into_answer(self) -> Answer;
}

impl<T: IntoValue> IntoAnswer for T {
    fn into_answer(self) -> Answer {
        Answer::Fulfilled(self.into_value())
    }
}

impl<T: IntoValue, E: Into<Value>> IntoAnswer for Result<T, E> {
    fn into_answer(self) -> Answer {
        match self {
            Ok(value) => Answer::Fulfilled(value.into_value()),
            Err(reason) => Answer::Rejected(reason.into()),
        }
    }
}

impl IntoAnswer for Answer {
    fn into_answer(self) -> Answer {
        self
    }
}

impl Answer {
    /// The promise that the answer waits for, if it does.
    pub(crate) fn awaited(&self) -> Option<&Promise> {
        match self {
            Answer::Fulfilled(Value::Promise(promise)) => Some(promise),
            _ => None,
        }
    }
}
