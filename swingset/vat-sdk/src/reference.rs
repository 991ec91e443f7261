//! References to objects, and eventual sends.

use alloc::rc::Rc;

use swingset_abi::supervisor::{SlotHandle, VatAnswer, VatRequest};

use crate::{IntoArgs, Object, Promise, Value, runtime, smallcaps};

/// A handle as long as something in the vat refers to it; released when nothing does.
#[derive(Debug)]
pub struct Token {
    slot: SlotHandle,
}

impl Token {
    pub(crate) fn new(slot: SlotHandle) -> Token {
        Token { slot }
    }

    pub(crate) fn slot(&self) -> SlotHandle {
        self.slot
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        runtime::let_go(self.slot);
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

    pub(crate) fn slot(&self) -> SlotHandle {
        self.token.slot()
    }

    /// The number of one of this vat's own objects, under which it may keep what it knows of it; `None` for others' objects.
    pub fn own_id(&self) -> Option<u64> {
        match self.slot() {
            SlotHandle::Local { handle } => Some(handle),
            _ => None,
        }
    }

    /// The interface of one of this vat's own objects; empty for others.
    pub(crate) fn interface(&self) -> &'static str {
        match self.slot() {
            SlotHandle::Local { handle } => runtime::interface(handle),
            _ => "",
        }
    }
}

/// Makes an object that others can be given.
pub fn export(object: impl Object) -> Far {
    match runtime::request(&VatRequest::NewObject {
        interface: alloc::string::String::from(object.interface()),
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

/// What messages can be sent to: [`Far`] and [`Promise`].
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
        SlotHandle::Promise { handle: self.handle() }
    }
}

/// Begins an eventual send: `E(&purse).call("deposit", (payment,))`.
#[allow(non_snake_case, reason = "the name that eventual sends have in this world")]
pub fn E(target: &impl Target) -> Sending {
    Sending { slot: target.target() }
}

impl Sending {
    /// Sends, and gives a promise for the result.
    pub fn call(self, method: &str, args: impl IntoArgs) -> Promise {
        match self.send(method, args, true) {
            VatAnswer::Handle { handle } => Promise::held(handle),
            _ => crate::trap(),
        }
    }

    /// Sends; nobody learns of the result.
    pub fn tell(self, method: &str, args: impl IntoArgs) {
        self.send(method, args, false);
    }

    fn send(self, method: &str, args: impl IntoArgs, want_result: bool) -> VatAnswer {
        let args = smallcaps::encode(&Value::List(args.into_args()));
        runtime::request(&VatRequest::Send {
            target: self.slot,
            method: alloc::string::String::from(method),
            args,
            want_result,
        })
    }
}
