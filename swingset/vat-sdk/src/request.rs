//! Requests to the supervisor, and handles that are let go of.

use alloc::vec::Vec;
#[cfg(not(target_arch = "wasm32"))]
use core::cell::RefCell;

use swingset_abi::{
    supervisor::{SlotHandle, VatAnswer, VatRequest},
    wire::Wire,
};

use crate::{
    Error, boundary,
    runtime::{log, with},
};

/// Bytes of requests that are put off; more are made at once.
const PUT_OFF_BYTES_MAX: usize = 64 * 1024;

/// Makes a request, after those that were put off.
fn exchange(request: Option<&VatRequest>) -> VatAnswer {
    let mut requests = with(|tables| core::mem::take(&mut tables.requests));
    if let Some(request) = request {
        request.encode(&mut requests);
    }
    let answer = VatAnswer::from_bytes(&boundary::exchange(&requests));
    requests.clear();
    with(|tables| tables.requests = requests);
    match answer {
        Ok(answer) => answer,
        Err(_) => crate::trap(),
    }
}

/// Makes a request, with its refusal told apart from one of those that were put off.
pub(crate) fn ask(request: &VatRequest) -> VatAnswer {
    flush();
    exchange(Some(request))
}

fn unrefused(answer: VatAnswer) -> VatAnswer {
    match answer {
        VatAnswer::Refused { problem } => {
            log(&problem);
            crate::trap()
        }
        answer => answer,
    }
}

/// Makes a request that must not be refused.
pub(crate) fn request(request: &VatRequest) -> VatAnswer {
    unrefused(exchange(Some(request)))
}

/// Puts off a request that answers with nothing and must not be refused, until another is made or the event ends: together they
/// take one call.
pub(crate) fn put_off(request: &VatRequest) {
    let length = with(|tables| {
        request.encode(&mut tables.requests);
        tables.requests.len()
    });
    if length > PUT_OFF_BYTES_MAX {
        flush();
    }
}

/// Makes the requests that were put off.
pub(crate) fn flush() {
    if with(|tables| !tables.requests.is_empty()) {
        unrefused(exchange(None));
    }
}

/// Makes a request whose refusal is told.
pub(crate) fn try_request(request: &VatRequest) -> Result<VatAnswer, Error> {
    match ask(request) {
        VatAnswer::Refused { problem } => Err(Error::new(problem)),
        answer => Ok(answer),
    }
}

/// What must be right, or else the vat traps.
pub(crate) fn must<T>(result: Result<T, Error>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => {
            log(&error.message);
            crate::trap()
        }
    }
}

/// Nothing refers to this handle any more; it is released at the event's end unless it has come back by then.
pub(crate) fn let_go(slot: SlotHandle) {
    LET_GO.push(slot);
}

/// What was let go of. Beside the tables, since those may let go of something when they end with a native test's thread.
#[cfg(target_arch = "wasm32")]
static LET_GO: LetGo = LetGo(boundary::Cell::new());
#[cfg(not(target_arch = "wasm32"))]
static LET_GO: LetGo = LetGo;

#[cfg(target_arch = "wasm32")]
struct LetGo(boundary::Cell<Vec<SlotHandle>>);
#[cfg(not(target_arch = "wasm32"))]
struct LetGo;

#[cfg(target_arch = "wasm32")]
impl LetGo {
    fn push(&self, slot: SlotHandle) {
        self.0.with(Vec::new, |slots| slots.push(slot));
    }

    fn take(&self) -> Vec<SlotHandle> {
        self.0.with(Vec::new, core::mem::take)
    }
}

#[cfg(not(target_arch = "wasm32"))]
std::thread_local! {
    static LET_GO_HERE: RefCell<Vec<SlotHandle>> = const { RefCell::new(Vec::new()) };
}

#[cfg(not(target_arch = "wasm32"))]
impl LetGo {
    fn push(&self, slot: SlotHandle) {
        // Gone with the thread: nobody will release anything any more.
        let _ = LET_GO_HERE.try_with(|slots| slots.borrow_mut().push(slot));
    }

    fn take(&self) -> Vec<SlotHandle> {
        LET_GO_HERE.with(RefCell::take)
    }
}

/// What was let go of since this was last taken.
pub(crate) fn take_let_go() -> Vec<SlotHandle> {
    LET_GO.take()
}
