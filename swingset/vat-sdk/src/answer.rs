//! Objects and their answers.

use alloc::{boxed::Box, vec::Vec};
use core::{any::Any, future::Future, pin::Pin};

use crate::{Error, FromValue, IntoValue, Promise, Value};

/// What a vat exports: something that answers messages. [`crate::methods!`] writes this for a list of methods.
pub trait Object: Any {
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
pub enum Answer {
    /// It is fulfilled; with a promise, it follows that.
    Fulfilled(Value),
    /// It is rejected.
    Rejected(Value),
    /// It is what this comes to.
    Later(Pin<Box<dyn Future<Output = Answer>>>),
}

impl core::fmt::Debug for Answer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Answer::Fulfilled(value) => f.debug_tuple("Fulfilled").field(value).finish(),
            Answer::Rejected(reason) => f.debug_tuple("Rejected").field(reason).finish(),
            Answer::Later(_) => f.debug_tuple("Later").finish(),
        }
    }
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
    /// What asynchronous code comes to.
    pub fn later<R: IntoAnswer>(code: impl Future<Output = R> + 'static) -> Answer {
        Answer::Later(Box::pin(async move { code.await.into_answer() }))
    }

    /// The promise that the answer waits for, if it does.
    pub(crate) fn awaited(&self) -> Option<&Promise> {
        match self {
            Answer::Fulfilled(Value::Promise(promise)) => Some(promise),
            _ => None,
        }
    }
}
