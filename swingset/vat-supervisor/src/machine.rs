//! The machine: what comes in, what goes out, and what is under way in between.

use alloc::{collections::VecDeque, string::String};

use swingset_abi::{
    supervisor::{Input, Output, VatAnswer, VatEvent, VatRequest},
    vat::{SyscallReply, VatSyscall},
    wire::{Blob, Wire},
};

use crate::{exports::Exports, promises::Promises, slots::Imports};

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

/// What follows when the syscalls under way are done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// The next event for the vat, or the delivery's end.
    NextEvent,
    /// This answer.
    Answer(VatAnswer),
    /// The last syscall's answer, as a stored value or key.
    Read,
}

/// An event for the vat. Values are looked up when it is given, so that nothing in them is released before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coming {
    /// As it is.
    Event(VatEvent),
    /// The promise with this handle has settled.
    Settled(u64),
}

/// Begins every vatstore key that belongs to vat code.
pub const STORE_PREFIX: &str = "s.";

/// The supervisor of one vat. See the crate.
#[derive(Debug, Default)]
pub struct Supervisor {
    waiting: Waiting,
    /// Where the machine goes on after `syscalls`.
    then: Option<Then>,
    /// Syscalls to be made, in order.
    pub(crate) syscalls: VecDeque<VatSyscall>,
    /// Events to be given, in order.
    pub(crate) events: VecDeque<Coming>,
    pub(crate) exports: Exports,
    pub(crate) imports: Imports,
    pub(crate) promises: Promises,
}

fn failed(problem: &str) -> Output {
    Output::Failed {
        problem: String::from(problem),
    }
}

impl Supervisor {
    /// Takes an input, gives what the host is to do next.
    pub fn step(&mut self, input: Input) -> Output {
        match (self.waiting, input) {
            (Waiting::Delivery, Input::Deliver { delivery }) => match self.deliver(delivery) {
                Ok(()) => self.go_on(Then::NextEvent),
                Err(problem) => failed(problem),
            },
            (Waiting::Vat, Input::VatReturned {}) => self.go_on(Then::NextEvent),
            (Waiting::Vat, Input::VatRequest { request }) => match VatRequest::from_bytes(&request.0) {
                Ok(request) => {
                    let then = match self.request(request) {
                        Ok(then) => then,
                        Err(problem) => Then::Answer(VatAnswer::Refused {
                            problem: String::from(problem),
                        }),
                    };
                    self.go_on(then)
                }
                Err(_) => failed("the vat's request is malformed"),
            },
            (Waiting::Reply, Input::Reply { reply }) => self.reply(reply),
            _ => failed("the host's input does not fit what was asked of it"),
        }
    }

    fn reply(&mut self, reply: SyscallReply) -> Output {
        let Some(then) = self.then.take() else {
            return failed("the host's reply answers nothing");
        };
        match reply {
            SyscallReply::Error { problem } => Output::Failed { problem },
            SyscallReply::Value { value } if then == Then::Read => self.go_on(Then::Answer(VatAnswer::Value { value })),
            SyscallReply::Key { key } if then == Then::Read => {
                let key = key.and_then(|key| key.strip_prefix(STORE_PREFIX).map(String::from));
                self.go_on(Then::Answer(VatAnswer::Key { key }))
            }
            SyscallReply::Done {} if then != Then::Read => self.go_on(then),
            _ => failed("the host's reply is not of the kind that was asked for"),
        }
    }

    fn go_on(&mut self, then: Then) -> Output {
        if let Some(syscall) = self.syscalls.pop_front() {
            self.waiting = Waiting::Reply;
            self.then = Some(then);
            return Output::Syscall { syscall };
        }
        match then {
            Then::Answer(answer) => {
                self.waiting = Waiting::Vat;
                Output::AnswerVat {
                    answer: Blob(answer.to_bytes()),
                }
            }
            Then::Read => failed("a read was not answered"),
            Then::NextEvent => match self.events.pop_front() {
                Some(coming) => {
                    self.waiting = Waiting::Vat;
                    Output::CallVat {
                        event: Blob(self.give(coming).to_bytes()),
                    }
                }
                None => self.finish(),
            },
        }
    }

    /// The delivery's end: imports that nobody holds any more are given back first.
    fn finish(&mut self) -> Output {
        let vrefs = self.imports.take_dead();
        if !vrefs.is_empty() {
            self.syscalls
                .push_back(VatSyscall::DropImports { vrefs: vrefs.clone() });
            self.syscalls.push_back(VatSyscall::RetireImports { vrefs });
            return self.go_on(Then::NextEvent);
        }
        self.waiting = Waiting::Delivery;
        Output::Finished {}
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
