//! References to objects, and eventual sends.

use alloc::{boxed::Box, rc::Rc, string::String};
use core::cell::OnceCell;

use swingset_abi::supervisor::{METHOD_BYTES_MAX, METHOD_TOO_LONG, SlotHandle, VatAnswer, VatRequest};

use crate::{Answer, Args, Error, IntoArgs, Object, Own, Promise, Value, request, runtime, smallcaps};

/// A handle as long as something in the vat refers to it; released when nothing does.
#[derive(Debug)]
pub struct Token {
    slot: SlotHandle,
    /// What an object elsewhere calls itself, where somebody said so.
    interface: OnceCell<Box<str>>,
}

impl Token {
    pub(crate) fn new(slot: SlotHandle) -> Token {
        Token {
            slot,
            interface: OnceCell::new(),
        }
    }

    pub(crate) fn slot(&self) -> SlotHandle {
        self.slot
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        request::let_go(self.slot);
    }
}

/// A reference to an object, here or elsewhere. Cloning gives another reference to the same one.
#[derive(Clone, Debug)]
pub struct Far {
    token: Rc<Token>,
}

impl PartialEq for Far {
    fn eq(&self, other: &Self) -> bool {
        self.slot() == other.slot()
    }
}

impl Far {
    /// The reference with this handle, which the vat holds from now on.
    pub(crate) fn held(slot: SlotHandle) -> Far {
        Far {
            token: runtime::token(slot),
        }
    }

    /// As [`Far::held`], with what it is said to be.
    pub(crate) fn named(slot: SlotHandle, interface: &str) -> Far {
        let far = Far::held(slot);
        if !interface.is_empty() && !far.is_own() {
            // The first name stays.
            let _ = far.token.interface.set(Box::from(interface));
        }
        far
    }

    pub(crate) fn slot(&self) -> SlotHandle {
        self.token.slot()
    }

    /// Whether it is a device's node, which is called at once ([`crate::devices`]).
    pub fn is_device(&self) -> bool {
        matches!(self.slot(), SlotHandle::Device { .. })
    }

    fn is_own(&self) -> bool {
        matches!(self.slot(), SlotHandle::Local { .. } | SlotHandle::Stored { .. })
    }

    /// The number of one of this vat's own objects in memory, under which it may keep what it knows of it; `None` for others'
    /// objects and for stored ones.
    pub fn own_id(&self) -> Option<u64> {
        match self.slot() {
            SlotHandle::Local { handle } => Some(handle),
            _ => None,
        }
    }

    /// This object as one of this vat's own, of this type; an error when it is not.
    pub fn own<T: Object>(&self) -> Result<Own<T>, Error> {
        Own::of(self)
    }

    /// What it calls itself: `Alleged: ` and a name. Not a proof of anything.
    pub(crate) fn with_interface(&self, body: impl FnOnce(&str)) {
        if let Some(interface) = self.token.interface.get() {
            return body(interface);
        }
        if self.is_own() {
            let name = runtime::interface(self.slot());
            if !name.is_empty() {
                body(&["Alleged: ", name].concat());
            }
        }
    }
}

/// Makes an object in the vat's memory that others can be given. It ends with the incarnation; see [`crate::make`] for one that
/// does not.
pub fn export(object: impl Object) -> Far {
    match request::request(&VatRequest::NewObject {
        interface: String::from(object.interface()),
    }) {
        VatAnswer::Handle { handle } => {
            runtime::add_object(handle, object);
            Far::held(SlotHandle::Local { handle })
        }
        _ => crate::trap(),
    }
}

/// An eventual send's target. See [`E`].
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    slot: SlotHandle,
}

/// What messages can be sent to: [`Far`], [`Promise`], [`Own`], and the types that [`crate::remote!`] makes.
pub trait Target {
    /// Its handle.
    fn target(&self) -> SlotHandle;
}

impl Target for Far {
    fn target(&self) -> SlotHandle {
        self.slot()
    }
}

impl Target for Promise {
    fn target(&self) -> SlotHandle {
        self.slot()
    }
}

impl<T: Object> Target for Own<T> {
    fn target(&self) -> SlotHandle {
        self.far().slot()
    }
}

/// Begins an eventual send: `E(&purse).call("deposit", (payment,))`.
#[allow(non_snake_case, reason = "the name that eventual sends have in this world")]
pub fn E(target: &impl Target) -> Sending {
    Sending { slot: target.target() }
}

impl Sending {
    /// Sends, and gives a promise for the result. It is rejected at once when the arguments are too large, or nest too deep, to be sent:
    /// how large they are others may have a say in.
    pub fn call(self, method: &str, args: impl IntoArgs) -> Promise {
        let sending = match self.sending(method, args, true) {
            Ok(sending) => sending,
            Err(error) => return Promise::rejected(error),
        };
        match request::request(&sending) {
            VatAnswer::Handle { handle } => Promise::held(handle),
            _ => crate::trap(),
        }
    }

    /// Sends; nobody learns of the result, nor that there was too much to be sent, but for a trace line.
    pub fn tell(self, method: &str, args: impl IntoArgs) {
        match self.sending(method, args, false) {
            Ok(sending) => request::put_off(&sending),
            Err(error) => runtime::log(&error.message),
        }
    }

    /// What the arguments name may be let go of at once: it is released after this, at the event's end.
    fn sending(self, method: &str, args: impl IntoArgs, want_result: bool) -> Result<VatRequest, Error> {
        if method.len() > METHOD_BYTES_MAX {
            return Err(Error::new(METHOD_TOO_LONG));
        }
        let args = args.into_args();
        Ok(VatRequest::Send {
            target: self.slot,
            method: String::from(method),
            args: smallcaps::encode_list(&args)?,
            want_result,
        })
    }
}

/// Calls a device's node at once.
///
/// # Errors
/// What the device answers a call with that it refuses, or when this is no device's node.
pub fn call_device(device: &Far, method: &str, args: impl IntoArgs) -> Result<Value, Error> {
    let SlotHandle::Device { handle } = device.slot() else {
        return Err(Error::type_error("expected a device's node"));
    };
    let args = args.into_args();
    match request::try_request(&VatRequest::CallDevice {
        device: handle,
        method: String::from(method),
        args: smallcaps::encode_list(&args)?,
    })? {
        VatAnswer::Data { data } => smallcaps::decode(&data),
        _ => crate::trap(),
    }
}

/// An object without methods: something to be recognized by.
#[derive(Debug)]
pub struct Marker(&'static str);

impl Marker {
    /// A new one, under an interface.
    pub fn make(interface: &'static str) -> Far {
        export(Marker(interface))
    }
}

impl Object for Marker {
    fn interface(&self) -> &'static str {
        self.0
    }

    fn call(&mut self, method: &str, _args: Args) -> Answer {
        runtime::no_method(self.0, method)
    }
}
