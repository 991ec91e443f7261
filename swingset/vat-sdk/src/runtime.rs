//! What the SDK keeps in the vat's memory: its objects, the closures that wait for promises, and which handles are held.
//!
//! # Invariants
//! - No code of the vat runs while the tables are borrowed.
//! - A request that the supervisor refuses is a mistake of the SDK or of the vat: the vat traps, except where a refusal is an
//!   answer (releasing an object that others may reach).

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    rc::{Rc, Weak},
    string::String,
    vec::Vec,
};
use core::cell::RefCell;

use swingset_abi::{
    supervisor::{Handle, Passable, SlotHandle, VatAnswer, VatEvent, VatRequest},
    wire::Wire,
};

use crate::{Answer, Args, Error, Object, Promise, Resolver, Value, boundary, reference::Token, smallcaps};

/// What runs when a promise settles.
pub type Continuation = Box<dyn FnOnce(Result<Value, Value>)>;

struct Exported {
    object: Rc<RefCell<dyn Object>>,
    interface: &'static str,
}

#[derive(Default)]
struct Tables {
    objects: BTreeMap<Handle, Exported>,
    continuations: BTreeMap<Handle, Vec<Continuation>>,
    /// By kind and handle.
    held: BTreeMap<(u8, Handle), Weak<Token>>,
    let_go: Vec<SlotHandle>,
}

#[cfg(target_arch = "wasm32")]
fn with<R>(body: impl FnOnce(&mut Tables) -> R) -> R {
    static TABLES: boundary::Cell<Tables> = boundary::Cell::new();
    TABLES.with(Tables::default, body)
}

#[cfg(not(target_arch = "wasm32"))]
fn with<R>(body: impl FnOnce(&mut Tables) -> R) -> R {
    std::thread_local! {
        static TABLES: RefCell<Tables> = RefCell::default();
    }
    TABLES.with(|tables| body(&mut tables.borrow_mut()))
}

fn key(slot: SlotHandle) -> (u8, Handle) {
    match slot {
        SlotHandle::Local { handle } => (0, handle),
        SlotHandle::Presence { handle } => (1, handle),
        SlotHandle::Promise { handle } => (2, handle),
        SlotHandle::Device { handle } => (3, handle),
    }
}

fn ask(request: &VatRequest) -> VatAnswer {
    match VatAnswer::from_bytes(&boundary::exchange(&request.to_bytes())) {
        Ok(answer) => answer,
        Err(_) => crate::trap(),
    }
}

/// Makes a request that must not be refused.
pub(crate) fn request(request: &VatRequest) -> VatAnswer {
    match ask(request) {
        VatAnswer::Refused { problem } => {
            log(&problem);
            crate::trap()
        }
        answer => answer,
    }
}

/// The one token of a handle that the vat holds.
pub(crate) fn token(slot: SlotHandle) -> Rc<Token> {
    with(|tables| {
        if let Some(token) = tables.held.get(&key(slot)).and_then(Weak::upgrade) {
            return token;
        }
        let token = Rc::new(Token::new(slot));
        tables.held.insert(key(slot), Rc::downgrade(&token));
        token
    })
}

/// Nothing refers to this handle any more; it is released at the event's end unless it has come back by then.
pub(crate) fn let_go(slot: SlotHandle) {
    with(|tables| tables.let_go.push(slot));
}

/// Adds an object under its handle.
pub(crate) fn add_object(handle: Handle, object: impl Object) {
    let interface = object.interface();
    let exported = Exported {
        object: Rc::new(RefCell::new(object)),
        interface,
    };
    with(|tables| tables.objects.insert(handle, exported));
}

pub(crate) fn interface(handle: Handle) -> &'static str {
    with(|tables| tables.objects.get(&handle).map_or("", |exported| exported.interface))
}

/// Adds a closure for a promise's settlement; true when it is the first.
pub(crate) fn add_continuation(handle: Handle, continuation: Continuation) -> bool {
    with(|tables| {
        let waiting = tables.continuations.entry(handle).or_default();
        waiting.push(continuation);
        waiting.len() == 1
    })
}

/// Writes a trace line.
pub fn log(text: &str) {
    boundary::log(2, text);
}

/// Ends the vat after this delivery; with `failure`, the delivery is undone.
pub fn exit(failure: bool, info: impl crate::IntoValue) {
    request(&VatRequest::Exit {
        failure,
        info: smallcaps::encode(&info.into_value()),
    });
}

/// Handles one event; `start` makes the root object.
pub fn handle<R: Object>(event: &[u8], start: impl FnOnce(Value) -> R) {
    match VatEvent::from_bytes(event) {
        Ok(VatEvent::Start { parameters, .. }) => {
            let parameters = smallcaps::decode(&parameters).unwrap_or(Value::Undefined);
            add_object(0, start(parameters));
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
            with(|tables| {
                tables
                    .let_go
                    .extend(handles.into_iter().map(|handle| SlotHandle::Local { handle }))
            });
        }
        Err(_) => crate::trap(),
    }
    release();
}

fn message(target: Handle, method: &str, args: &Passable, result: Option<Handle>) {
    let resolver = result.map(Resolver::of);
    let object = with(|tables| tables.objects.get(&target).map(|exported| exported.object.clone()));
    let hold_unread = |args: &Passable| args.slots.iter().for_each(|slot| drop(token(*slot)));
    let answer = match (object, smallcaps::decode(args)) {
        (Some(object), Ok(Value::List(items))) => object.borrow_mut().call(method, Args::new(items)),
        (None, _) => {
            hold_unread(args);
            Answer::Rejected(Value::from("no such object"))
        }
        (_, Ok(other)) => Answer::Rejected(Error::kind("a list of arguments", &other).into()),
        (_, Err(error)) => {
            hold_unread(args);
            Answer::Rejected(error.into())
        }
    };
    if let Some(resolver) = resolver {
        resolver.answer(answer);
    }
}

fn settled(promise: Handle, rejected: bool, value: &Passable) {
    let held = Promise::held(promise);
    let waiting = with(|tables| tables.continuations.remove(&promise)).unwrap_or_default();
    for continuation in waiting {
        let outcome = match smallcaps::decode(value) {
            Ok(value) if rejected => Err(value),
            Ok(value) => Ok(value),
            Err(error) => Err(error.into()),
        };
        continuation(outcome);
    }
    drop(held);
}

/// Gives back what nothing refers to any more.
fn release() {
    loop {
        let candidates = with(|tables| core::mem::take(&mut tables.let_go));
        if candidates.is_empty() {
            return;
        }
        let mut handles = Vec::new();
        for slot in candidates {
            let gone = with(|tables| {
                let gone = tables
                    .held
                    .get(&key(slot))
                    .is_none_or(|token| token.strong_count() == 0);
                if gone {
                    tables.held.remove(&key(slot));
                }
                gone
            });
            match slot {
                SlotHandle::Local { handle } if gone => release_object(handle),
                _ if gone && !handles.contains(&slot) => handles.push(slot),
                _ => {}
            }
        }
        if !handles.is_empty() {
            request(&VatRequest::Release { handles });
        }
    }
}

/// Forgets an object that neither this vat nor anybody else refers to; a refusal means that others may reach it.
fn release_object(handle: Handle) {
    let known = with(|tables| tables.objects.contains_key(&handle));
    if handle == 0 || !known {
        return;
    }
    let slot = SlotHandle::Local { handle };
    if ask(&VatRequest::Release {
        handles: Vec::from([slot]),
    }) == (VatAnswer::Done {})
    {
        // Out of the borrow: what the object holds is let go of when it is dropped.
        let object = with(|tables| tables.objects.remove(&handle));
        drop(object);
    }
}

/// For messages: the vat's own words about an unknown method.
pub fn no_method(interface: &str, method: &str) -> Answer {
    let mut message = String::from(interface);
    message.push_str(" has no method ");
    message.push_str(method);
    Answer::Rejected(Value::Error(Error {
        name: String::from("TypeError"),
        message,
    }))
}
