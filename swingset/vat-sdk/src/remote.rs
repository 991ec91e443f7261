//! Typed references to objects elsewhere, and results that are under way.

use core::{
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use swingset_abi::supervisor::SlotHandle;

use crate::{Error, Far, FromValue, IntoValue, Promise, Target, Value, task::Settled};

/// An object, or a promise for one: messages can be sent to either.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    /// An object.
    Far(Far),
    /// A promise for one.
    Promise(Promise),
}

impl Target for Reference {
    fn target(&self) -> SlotHandle {
        match self {
            Reference::Far(far) => far.target(),
            Reference::Promise(promise) => promise.target(),
        }
    }
}

impl IntoValue for Reference {
    fn into_value(self) -> Value {
        match self {
            Reference::Far(far) => Value::Far(far),
            Reference::Promise(promise) => Value::Promise(promise),
        }
    }
}

impl FromValue for Reference {
    fn from_value(value: Value) -> Result<Self, Error> {
        match value {
            Value::Far(far) => Ok(Reference::Far(far)),
            Value::Promise(promise) => Ok(Reference::Promise(promise)),
            other => Err(Error::kind("an object", &other)),
        }
    }
}

/// A type that [`crate::remote!`] has made.
pub trait Remote: Sized {
    /// Of a reference; nobody can tell yet whether what is there has the methods.
    fn from_reference(reference: Reference) -> Self;
    /// The reference.
    fn reference(&self) -> &Reference;
}

/// The result of a message, under way. `.await` gives it, or the reason of a rejection as an [`Error`].
#[derive(Clone, Debug)]
pub struct Pending<T> {
    promise: Promise,
    of: PhantomData<fn() -> T>,
}

impl<T> Pending<T> {
    /// A promise whose value will be of this type.
    pub fn of(promise: Promise) -> Pending<T> {
        Pending {
            promise,
            of: PhantomData,
        }
    }

    /// The plain promise.
    pub fn promise(&self) -> &Promise {
        &self.promise
    }
}

impl<T: Remote> Pending<T> {
    /// The reference that the result will be, to be used at once: messages to it follow the result to wherever it is.
    pub fn eventually(self) -> T {
        T::from_reference(Reference::Promise(self.promise))
    }
}

impl<T> IntoValue for Pending<T> {
    fn into_value(self) -> Value {
        Value::Promise(self.promise)
    }
}

impl<T: FromValue> IntoFuture for Pending<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Arrival<T>;

    fn into_future(self) -> Arrival<T> {
        Arrival {
            settled: self.promise.into_future(),
            of: PhantomData,
        }
    }
}

/// A [`Pending`] result that is waited for.
#[derive(Debug)]
pub struct Arrival<T> {
    settled: Settled,
    of: PhantomData<fn() -> T>,
}

impl<T: FromValue> Future for Arrival<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.settled).poll(context).map(|outcome| match outcome {
            Ok(value) => T::from_value(value),
            Err(reason) => Err(reason.into()),
        })
    }
}
