//! Promises and their settlement.

use alloc::{boxed::Box, rc::Rc};

use swingset_abi::supervisor::{Handle, SlotHandle, VatAnswer, VatRequest};

use crate::{
    Answer, IntoAnswer, IntoValue, Value,
    reference::Token,
    request,
    runtime::{self, Continuation},
    smallcaps, task,
};

/// A promise: a value that is not there yet. Cloning gives another reference to the same one.
#[derive(Clone, Debug)]
pub struct Promise {
    token: Rc<Token>,
}

impl PartialEq for Promise {
    fn eq(&self, other: &Self) -> bool {
        self.handle() == other.handle()
    }
}

impl Promise {
    /// The promise of this handle, which the vat holds from now on.
    pub(crate) fn held(handle: Handle) -> Promise {
        Promise {
            token: runtime::token(SlotHandle::Promise { handle }),
        }
    }

    pub(crate) fn handle(&self) -> Handle {
        match self.token.slot() {
            SlotHandle::Promise { handle } => handle,
            // A promise is made of nothing else.
            _ => crate::trap(),
        }
    }

    pub(crate) fn slot(&self) -> SlotHandle {
        self.token.slot()
    }

    /// A new promise and the right to settle it.
    pub fn make() -> (Promise, Resolver) {
        match request::request(&VatRequest::NewPromise {}) {
            VatAnswer::Handle { handle } => {
                let promise = Promise::held(handle);
                (promise.clone(), Resolver { promise })
            }
            _ => crate::trap(),
        }
    }

    /// One that is rejected already.
    pub(crate) fn rejected(reason: impl Into<Value>) -> Promise {
        let (promise, resolver) = Promise::make();
        resolver.reject(reason);
        promise
    }

    /// Runs `body` once it has settled; `Err` is the reason of a rejection.
    pub fn when(&self, body: impl FnOnce(Result<Value, Value>) + 'static) {
        let promise = self.clone();
        let continuation: Continuation = Box::new(move |outcome| {
            drop(promise);
            body(outcome);
        });
        if runtime::add_continuation(self.handle(), continuation) {
            request::put_off(&VatRequest::Watch { promise: self.handle() });
        }
    }

    /// A promise for what `body` makes of the outcome. `body` sees rejections too: pass them on with `?`.
    pub fn then<R: IntoAnswer>(&self, body: impl FnOnce(Result<Value, Value>) -> R + 'static) -> Promise {
        let (promise, resolver) = Promise::make();
        self.when(move |outcome| resolver.answer(body(outcome).into_answer()));
        promise
    }
}

/// The right to settle a promise, once.
#[derive(Debug)]
pub struct Resolver {
    promise: Promise,
}

impl Resolver {
    /// For a message's result.
    pub(crate) fn of(handle: Handle) -> Resolver {
        Resolver {
            promise: Promise::held(handle),
        }
    }

    /// Fulfils it. With a promise, it follows that one.
    pub fn resolve(self, value: impl IntoValue) {
        self.answer(Answer::Fulfilled(value.into_value()));
    }

    /// Rejects it.
    pub fn reject(self, reason: impl Into<Value>) {
        self.answer(Answer::Rejected(reason.into()));
    }

    /// Settles it as an answer says.
    pub fn answer(self, answer: Answer) {
        if let Answer::Later(later) = answer {
            task::spawn(async move { self.answer(later.await) });
            return;
        }
        if let Some(awaited) = answer.awaited() {
            let awaited = awaited.clone();
            awaited.when(move |outcome| match outcome {
                Ok(value) => self.answer(Answer::Fulfilled(value)),
                Err(reason) => self.answer(Answer::Rejected(reason)),
            });
            return;
        }
        let (rejected, value) = match answer {
            Answer::Fulfilled(value) => (false, value),
            Answer::Rejected(value) => (true, value),
            // Seen to above.
            Answer::Later(_) => return,
        };
        let (rejected, passable) = match smallcaps::encode(&value) {
            Ok(passable) => (rejected, passable),
            // The reason is one level deep.
            Err(error) => (true, request::must(smallcaps::encode(&Value::Error(error)))),
        };
        let promise = self.promise.handle();
        request::put_off(&VatRequest::Settle {
            promise,
            rejected,
            value: passable,
        });
    }
}
