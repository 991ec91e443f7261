//! Events from the supervisor.

use alloc::vec::Vec;

use swingset_abi::{
    supervisor::{Handle, Passable, SlotHandle, VatAnswer, VatEvent, VatRequest},
    wire::Wire,
};

use crate::{
    Answer, Args, Error, Object, Promise, Resolver, Value,
    request::{self, ask, put_off},
    runtime::{self, Fate, token, with},
    smallcaps, task,
};

/// What a vat's `start` may give: the root object, or an error, with which the vat does not start.
pub trait IntoRoot {
    /// Makes it the root.
    fn into_root(self);
}

impl<T: Object> IntoRoot for T {
    fn into_root(self) {
        runtime::add_object(0, self);
    }
}

impl<T: Object> IntoRoot for Result<T, Error> {
    fn into_root(self) {
        request::must(self).into_root();
    }
}

/// Handles one event. At the vat's start `define` defines its kinds and `start` makes the root object.
pub fn handle<R: IntoRoot>(event: &[u8], define: impl FnOnce(), start: impl FnOnce(Value) -> R) {
    match VatEvent::from_bytes(event) {
        Ok(VatEvent::Start {
            parameters,
            incarnation,
        }) => {
            with(|tables| tables.incarnation = incarnation);
            define();
            let parameters = request::must(smallcaps::decode(&parameters));
            start(parameters).into_root();
        }
        Ok(VatEvent::Message {
            target,
            method,
            args,
            result,
        }) => message(target, &method, &args, result),
        Ok(VatEvent::Settled {
            promise,
            rejected,
            value,
        }) => settled(promise, rejected, &value),
        Ok(VatEvent::Dropped { handles }) => {
            for handle in handles {
                request::let_go(SlotHandle::Local { handle });
            }
        }
        Err(_) => crate::trap(),
    }
    task::run();
    runtime::save();
    release();
    request::flush();
}

fn message(target: SlotHandle, method: &str, args: &Passable, result: Option<Handle>) {
    let resolver = result.map(Resolver::of);
    match answer(target, method, args) {
        Answer::Later(later) => task::spawn(async move {
            let answer = later.await;
            if let Some(resolver) = resolver {
                resolver.answer(answer);
            }
        }),
        answer => {
            if let Some(resolver) = resolver {
                resolver.answer(answer);
            }
        }
    }
}

fn answer(target: SlotHandle, method: &str, args: &Passable) -> Answer {
    let args = match smallcaps::decode(args) {
        Ok(Value::List(items)) => Args::new(items),
        Ok(other) => return Answer::Rejected(Error::kind("a list of arguments", &other).into()),
        Err(error) => {
            hold_unread(args);
            return Answer::Rejected(error.into());
        }
    };
    let object = match runtime::object(target) {
        Ok(Some(object)) => object,
        Ok(None) => return runtime::no_method(runtime::interface(target), method),
        Err(error) => return Answer::Rejected(error.into()),
    };
    with(|tables| tables.current = Some(target));
    let answer = match object.try_borrow_mut() {
        Ok(mut object) => object.call(method, args),
        Err(_) => Answer::Rejected(Error::new("the object is in use").into()),
    };
    with(|tables| tables.current = None);
    answer
}

/// What a body that was not read names is held by the vat all the same, and let go of at once.
fn hold_unread(args: &Passable) {
    args.slots.iter().for_each(|slot| drop(token(*slot)));
}

fn settled(promise: Handle, rejected: bool, value: &Passable) {
    let held = Promise::held(promise);
    let mut waiting = runtime::take_continuations(promise);
    // Read once: a sender may have many wait for one promise, and settle it with much.
    let outcome = match smallcaps::decode(value) {
        Ok(value) if rejected => Err(value),
        Ok(value) => Ok(value),
        Err(error) => {
            hold_unread(value);
            Err(error.into())
        }
    };
    let last = waiting.pop();
    for continuation in waiting {
        continuation(outcome.clone());
    }
    if let Some(continuation) = last {
        continuation(outcome);
    }
    drop(held);
}

/// Gives back what nothing refers to any more.
fn release() {
    loop {
        let candidates = request::take_let_go();
        if candidates.is_empty() {
            return;
        }
        let mut handles = Vec::new();
        for slot in candidates {
            match (slot, runtime::forget_if_gone(slot)) {
                (_, Fate::Held) => {}
                (SlotHandle::Local { handle }, _) => release_object(handle),
                (_, Fate::Forgotten) => handles.push(slot),
                // One that was let go of twice is released once.
                (_, Fate::Unknown) => {}
            }
        }
        if !handles.is_empty() {
            put_off(&VatRequest::Release { handles });
        }
    }
}

/// Forgets an object that neither this vat nor anybody else refers to; a refusal means that others may reach it.
fn release_object(handle: Handle) {
    if handle == 0 || !runtime::has_object(handle) {
        return;
    }
    let slot = SlotHandle::Local { handle };
    if ask(&VatRequest::Release {
        handles: Vec::from([slot]),
    }) == (VatAnswer::Done {})
    {
        drop(runtime::remove_object(handle));
    }
}
