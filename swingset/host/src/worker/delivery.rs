//! Deliveries, as the vat's fiber goes through them: between two calls of the vat's code it is here.

use std::{future::poll_fn, sync::Arc, task::Poll};

use swingset_abi::{
    vat::{DeliveryOutcome, DeliveryVerdict},
    wire::Wire,
};
use wasmtime::{AsContext, AsContextMut, Caller};

use super::{
    Event, Order, SharedMailbox,
    instances::{VatData, capture, memory_bytes},
    outputs::{Output, PendingSyscall, input, read_output},
};
use crate::{
    engine::{Fault, GuestFault, HaltFault, OutOfFuel},
    guest,
    schedule::{SCHEDULE, price},
    sync::lock,
};

/// The delivery under way.
#[derive(Debug)]
pub(crate) struct Running {
    fuel: u64,
}

/// What a delivery comes to that ended by a fault; the reason when the fault is this node's.
pub(super) fn faulted(data: &mut VatData, fault: Fault) -> Result<DeliveryOutcome, String> {
    let Some(Running { fuel }) = data.running.take() else {
        return Err(format!("{fault:?} while no delivery was under way"));
    };
    // After a trap the engine's count is not exact: the whole limit is charged.
    let computrons = SCHEDULE.computrons(fuel);
    let verdict = match fault {
        Fault::Guest(word) => DeliveryVerdict::Error { problem: word.to_owned() },
        Fault::OutOfFuel => DeliveryVerdict::MeterExhausted {},
        Fault::Halt(reason) => return Err(reason),
    };
    Ok(DeliveryOutcome { verdict, computrons })
}

/// The vat's code has returned, or the fiber has just begun: goes on until there is an event for the vat's code, and gives its
/// length. Whatever else is to be done for the worker's orders is done here.
pub(super) async fn next(mut caller: Caller<'_, VatData>) -> wasmtime::Result<u32> {
    if caller.data().running.is_some() {
        if caller.data().supervisor.is_some() {
            set_input(caller.data_mut(), input::VAT_RETURNED, [&[], &[]])?;
            if supervise(&mut caller).await? {
                return event_length(caller.data());
            }
        }
        finish(&mut caller)?;
    }
    let mailbox = caller.data().mailbox.clone();
    loop {
        let (delivery, fuel, used) = match next_order(&mailbox).await {
            Order::Capture => {
                let captured = capture(&mut caller).map_err(|halt| HaltFault(halt.0))?;
                lock(&mailbox).event = Some(Event::Captured(Box::new(captured)));
                continue;
            }
            Order::Reply(_) => return Err(HaltFault("answer to a vat that asked nothing".to_owned()).into()),
            Order::Deliver { delivery, fuel, used } => (delivery, fuel, used),
        };
        begin(&mut caller, delivery.len(), fuel, used)?;
        if caller.data().supervisor.is_none() {
            caller.data_mut().event = delivery;
            return event_length(caller.data());
        }
        set_input(caller.data_mut(), input::DELIVER, [&delivery, &[]])?;
        if supervise(&mut caller).await? {
            return event_length(caller.data());
        }
        finish(&mut caller)?;
    }
}

fn event_length(data: &VatData) -> wasmtime::Result<u32> {
    Ok(guest::length(&data.event)?)
}

/// `used` of `fuel` is gone before the delivery starts.
fn begin(caller: &mut Caller<'_, VatData>, length: usize, fuel: u64, used: u64) -> wasmtime::Result<()> {
    let data = caller.data_mut();
    data.running = Some(Running { fuel });
    data.syscalls = 0;
    data.kept.clear();
    data.take_grown();
    let copied = SCHEDULE.delivery.saturating_add(price(length, SCHEDULE.delivery_byte));
    let left = fuel.checked_sub(used.saturating_add(copied)).ok_or(OutOfFuel)?;
    caller.as_context_mut().set_fuel(left)
}

fn finish(caller: &mut Caller<'_, VatData>) -> wasmtime::Result<()> {
    charge(caller, 0)?;
    let left = caller.get_fuel()?;
    let running = caller.data_mut().running.take();
    let fuel = running.map_or(left, |running| running.fuel);
    let computrons = SCHEDULE.computrons(fuel.saturating_sub(left));
    let outcome = DeliveryOutcome { verdict: DeliveryVerdict::Ok {}, computrons };
    let memory_bytes = memory_bytes(&mut *caller);
    lock(&caller.data().mailbox).event = Some(Event::Done { outcome, memory_bytes });
    Ok(())
}

/// Steps of the supervisor until it has an event for the vat's code (true) or is done with the delivery (false).
async fn supervise(caller: &mut Caller<'_, VatData>) -> wasmtime::Result<bool> {
    loop {
        match step(caller)? {
            Output::Syscall(pending) => {
                let reply = syscall(caller, pending).await?;
                set_input(caller.data_mut(), input::REPLY, [&reply, &[]])?;
            }
            Output::CallVat(event) => {
                charge(caller, price(event.len(), SCHEDULE.copied_byte))?;
                caller.data_mut().event = Arc::from(event);
                return Ok(true);
            }
            Output::Finished => return Ok(false),
            Output::AnswerVat(_) => return Err(GuestFault("supervisor answered a vat that asked nothing").into()),
            Output::Failed => return Err(GuestFault("supervisor gave up on its vat").into()),
        }
    }
}

/// A request of a supervised vat: the supervisor decides until it has an answer.
pub(super) async fn request(mut store: impl AsContextMut<Data = VatData>, request: &[u8]) -> wasmtime::Result<Vec<u8>> {
    charge(&mut store, price(request.len(), SCHEDULE.copied_byte))?;
    let mut length = Vec::with_capacity(5);
    (request.len() as u64).encode(&mut length);
    set_input(store.as_context_mut().data_mut(), input::VAT_REQUEST, [&length, request])?;
    loop {
        match step(&mut store)? {
            Output::Syscall(step) => {
                let reply = syscall(&mut store, step).await?;
                set_input(store.as_context_mut().data_mut(), input::REPLY, [&reply, &[]])?;
            }
            Output::AnswerVat(answer) => {
                charge(&mut store, price(answer.len(), SCHEDULE.copied_byte))?;
                return Ok(answer);
            }
            Output::CallVat(_) => return Err(GuestFault("supervisor called a vat that waits for an answer").into()),
            Output::Finished => {
                return Err(GuestFault("supervisor finished while its vat waits for an answer").into());
            }
            Output::Failed => return Err(GuestFault("supervisor gave up on its vat").into()),
        }
    }
}

fn no_supervisor() -> wasmtime::Error {
    HaltFault("a supervised vat has no supervisor".to_owned()).into()
}

fn set_input(data: &mut VatData, tag: u8, parts: [&[u8]; 2]) -> wasmtime::Result<()> {
    data.supervisor.as_mut().ok_or_else(no_supervisor)?.set_input(tag, parts);
    Ok(())
}

/// A step of the supervisor, with the vat's fuel. It imports nothing and is a plain call in a store of its own.
fn step(store: &mut impl AsContextMut<Data = VatData>) -> wasmtime::Result<Output> {
    let mut context = store.as_context_mut();
    let mut fuel = context.get_fuel()?;
    let data = context.data_mut();
    let supervisor = data.supervisor.as_mut().ok_or_else(no_supervisor)?;
    let bytes = supervisor.step(&mut fuel, data.limits.request_bytes_max())?;
    let output = read_output(&bytes, &data.limits)?;
    context.set_fuel(fuel)?;
    Ok(output)
}

/// Makes a syscall: parks until the kernel has answered.
pub(super) async fn syscall(
    store: &mut impl AsContextMut<Data = VatData>,
    pending: PendingSyscall,
) -> wasmtime::Result<std::sync::Arc<[u8]>> {
    let PendingSyscall { step, references } = pending;
    let bytes = price(step.len(), SCHEDULE.syscall_byte);
    charge(store, SCHEDULE.syscall.saturating_add(bytes).saturating_add(price(references, SCHEDULE.reference)))?;
    let mut context = store.as_context_mut();
    let data = context.data_mut();
    data.syscalls = data.syscalls.saturating_add(1);
    if data.syscalls > data.limits.syscalls_per_crank_max {
        return Err(GuestFault("too many syscalls").into());
    }
    let mailbox = data.mailbox.clone();
    lock(&mailbox).event = Some(Event::Syscall(step));
    let reply = next_reply(&mailbox).await;
    charge(store, price(reply.len(), SCHEDULE.syscall_byte))?;
    Ok(reply)
}

async fn next_order(mailbox: &SharedMailbox) -> Order {
    poll_fn(|_| lock(mailbox).order.take().map_or(Poll::Pending, Poll::Ready)).await
}

async fn next_reply(mailbox: &SharedMailbox) -> std::sync::Arc<[u8]> {
    poll_fn(|_| lock(mailbox).reply.take().map_or(Poll::Pending, Poll::Ready)).await
}

/// Takes a price, and that of memory grown meanwhile, off the fuel.
pub(super) fn charge(store: &mut impl AsContextMut<Data = VatData>, amount: u64) -> wasmtime::Result<()> {
    let mut context = store.as_context_mut();
    let grown = context.data_mut().take_grown();
    let amount = amount.saturating_add(price(grown / (64 * 1024), SCHEDULE.page_grown));
    if amount == 0 {
        return Ok(());
    }
    let fuel = context.as_context().get_fuel().map_err(|error| wasmtime::Error::new(HaltFault(error.to_string())))?;
    let left = fuel.checked_sub(amount).ok_or(OutOfFuel)?;
    context.set_fuel(left)
}
