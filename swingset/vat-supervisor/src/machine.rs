//! The machine: what comes in, what goes out, and what is under way in between.

use alloc::{boxed::Box, collections::VecDeque, string::String, vec::Vec};

use swingset_abi::{
    supervisor::{Input, Output, VatAnswer, VatEvent, VatRequest},
    vat::{CapData, SyscallReply, VatSyscall},
    wire::{Blob, Reader, Wire},
};

use crate::{counts::Counts, exports::Exports, promises::Promises, slots::Imports, stored::Stored};

/// What the machine waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Waiting {
    /// A delivery.
    #[default]
    Delivery,
    /// The vat's code: a request, or its return.
    Vat,
    /// The answer to a syscall.
    Reply,
}

/// What the last syscall gave.
pub enum Got {
    /// A value.
    Value(Option<Vec<u8>>),
    /// A key.
    Key(Option<String>),
    /// A device's answer.
    Data(CapData),
    /// A device's refusal.
    Failed(String),
}

/// Goes on with what was read.
pub type After = Box<dyn FnOnce(&mut Supervisor, Got) -> Requested>;

/// What follows, or what is wrong with what was asked for.
pub type Requested = Result<Then, &'static str>;

/// What follows when the syscalls under way are done.
pub enum Then {
    /// The next event for the vat, or the delivery's end.
    NextEvent,
    /// This answer.
    Answer(VatAnswer),
    /// More, with what the last syscall read.
    Read(After),
}

/// The answer that says nothing.
pub fn done() -> Requested {
    Ok(Then::Answer(VatAnswer::Done {}))
}

/// An event for the vat. Values are looked up when it is given, so that nothing in them is released before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coming {
    /// As it is.
    Event(VatEvent),
    /// The promise with this handle has settled.
    Settled(u64),
}

/// The supervisor of one vat. See the crate.
#[derive(Default)]
pub struct Supervisor {
    waiting: Waiting,
    /// The vat's code waits for an answer.
    vat_asks: bool,
    /// Where the machine goes on after `syscalls`.
    then: Option<Then>,
    /// Syscalls to be made, in order.
    pub(crate) syscalls: VecDeque<VatSyscall>,
    /// Events to be given, in order.
    pub(crate) events: VecDeque<Coming>,
    pub(crate) exports: Exports,
    pub(crate) imports: Imports,
    pub(crate) promises: Promises,
    pub(crate) counts: Counts,
    pub(crate) stored: Stored,
}

impl core::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Supervisor")
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

fn failed(problem: &str) -> Output {
    Output::Failed {
        problem: String::from(problem),
    }
}

const UNFITTING: &str = "the host's reply is not of the kind that was asked for";

impl Supervisor {
    /// Takes an input, gives what the host is to do next.
    pub fn step(&mut self, input: Input) -> Output {
        match (self.waiting, input) {
            (Waiting::Delivery, Input::Deliver { delivery }) => {
                let delivered = self.deliver(delivery);
                self.follow(delivered)
            }
            (Waiting::Vat, Input::VatReturned {}) => self.go_on(Then::NextEvent),
            (Waiting::Vat, Input::VatRequest { request }) => self.requests(&request.0),
            (Waiting::Reply, Input::Reply { reply }) => self.reply(reply),
            _ => failed("the host's input does not fit what was asked of it"),
        }
    }

    /// One request after the other. All but the last say nothing; a refused one ends them.
    fn requests(&mut self, bytes: &[u8]) -> Output {
        self.vat_asks = true;
        let mut reader = Reader::new(bytes);
        loop {
            let Ok(request) = VatRequest::decode(&mut reader) else {
                return failed("the vat's request is malformed");
            };
            let requested = self.request(request);
            match &requested {
                _ if reader.rest().is_empty() => return self.follow(requested),
                Ok(Then::Answer(VatAnswer::Done {})) => {}
                Err(_) => return self.follow(requested),
                Ok(_) => return failed("a request that is answered was not the last"),
            }
        }
    }

    /// A mistake is told to the vat's code where it asked, and ends the delivery otherwise.
    fn follow(&mut self, requested: Requested) -> Output {
        match requested {
            Ok(then) => self.go_on(then),
            Err(problem) if self.vat_asks => self.go_on(Then::Answer(VatAnswer::Refused {
                problem: String::from(problem),
            })),
            Err(problem) => failed(problem),
        }
    }

    fn reply(&mut self, reply: SyscallReply) -> Output {
        let Some(then) = self.then.take() else {
            return failed("the host's reply answers nothing");
        };
        let got = match reply {
            SyscallReply::Error { problem } => return Output::Failed { problem },
            SyscallReply::Value { value } => Got::Value(value.map(|value| value.0)),
            SyscallReply::Key { key } => Got::Key(key),
            SyscallReply::Done {} if !self.syscalls.is_empty() || !matches!(then, Then::Read(_)) => {
                return self.go_on(then);
            }
            SyscallReply::Data { data } => Got::Data(data),
            SyscallReply::Failed { problem } => Got::Failed(problem),
            SyscallReply::Done {} => return failed(UNFITTING),
        };
        match then {
            Then::Read(after) if self.syscalls.is_empty() => {
                let requested = after(self, got);
                self.follow(requested)
            }
            _ => failed(UNFITTING),
        }
    }

    fn go_on(&mut self, mut then: Then) -> Output {
        loop {
            if let Some(syscall) = self.syscalls.pop_front() {
                self.waiting = Waiting::Reply;
                self.then = Some(then);
                return Output::Syscall { syscall };
            }
            match then {
                Then::Answer(answer) => {
                    self.waiting = Waiting::Vat;
                    self.vat_asks = false;
                    return Output::AnswerVat {
                        answer: Blob(answer.to_bytes()),
                    };
                }
                Then::Read(_) => return failed("nothing was read"),
                Then::NextEvent => {}
            }
            if let Some(coming) = self.events.pop_front() {
                self.waiting = Waiting::Vat;
                return Output::CallVat {
                    event: Blob(self.give(coming).to_bytes()),
                };
            }
            match self.finish() {
                Ok(Some(next)) => then = next,
                Ok(None) => {
                    self.waiting = Waiting::Delivery;
                    return Output::Finished {};
                }
                Err(problem) => return failed(problem),
            }
        }
    }

    /// Asks for a vatstore value.
    pub(crate) fn read(
        &mut self,
        key: String,
        after: impl FnOnce(&mut Supervisor, Option<Vec<u8>>) -> Requested + 'static,
    ) -> Requested {
        self.syscalls.push_back(VatSyscall::VatstoreGet { key });
        Ok(Then::Read(Box::new(move |supervisor, got| match got {
            Got::Value(value) => after(supervisor, value),
            _ => Err(UNFITTING),
        })))
    }

    /// Asks for the least vatstore key above `prior`; one without the prefix is none. Gives it without the prefix.
    pub(crate) fn next_key(
        &mut self,
        prefix: String,
        prior: &str,
        after: impl FnOnce(&mut Supervisor, Option<String>) -> Requested + 'static,
    ) -> Requested {
        self.syscalls.push_back(VatSyscall::VatstoreGetNextKey {
            prior: [&prefix, prior].concat(),
        });
        Ok(Then::Read(Box::new(move |supervisor, got| match got {
            Got::Key(key) => after(
                supervisor,
                key.and_then(|key| key.strip_prefix(prefix.as_str()).map(String::from)),
            ),
            _ => Err(UNFITTING),
        })))
    }

    /// Calls a device; a refusal is told to the vat's code.
    pub(crate) fn call_device(&mut self, target: String, method: String, args: CapData) -> Requested {
        self.syscalls.push_back(VatSyscall::CallNow { target, method, args });
        Ok(Then::Read(Box::new(|supervisor, got| match got {
            Got::Data(data) => {
                let data = supervisor.value_in(data)?;
                supervisor.note_given(&data);
                Ok(Then::Answer(VatAnswer::Data { data }))
            }
            Got::Failed(problem) => Ok(Then::Answer(VatAnswer::Refused { problem })),
            _ => Err(UNFITTING),
        })))
    }

    pub(crate) fn write(&mut self, key: String, value: Vec<u8>) {
        self.syscalls.push_back(VatSyscall::VatstoreSet {
            key,
            value: Blob(value),
        });
    }

    pub(crate) fn delete(&mut self, key: String) {
        self.syscalls.push_back(VatSyscall::VatstoreDelete { key });
    }

    fn give(&mut self, coming: Coming) -> VatEvent {
        let event = match coming {
            Coming::Event(event) => event,
            Coming::Settled(promise) => {
                let (rejected, value) = self.promises.settled_value(promise).unwrap_or_default();
                VatEvent::Settled {
                    promise,
                    rejected,
                    value,
                }
            }
        };
        match &event {
            VatEvent::Start { parameters: given, .. }
            | VatEvent::Message { args: given, .. }
            | VatEvent::Settled { value: given, .. } => self.note_given(given),
            VatEvent::Dropped { .. } => {}
        }
        event
    }
}
